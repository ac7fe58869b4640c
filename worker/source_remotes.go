package main

import (
	"path"
	"strings"
)

// What is remote and was fetched appears to kustomize below here, each folder under a name of its own.
const remoteMount = "/remote"

func mountOf(folder string) string { return path.Join(remoteMount, digest(folder)[:16]) }

// remoteRoot is the mount that a path is below, ” for one of the source.
func remoteRoot(name string) string {
	inside, ok := strings.CutPrefix(path.Clean(name), remoteMount+"/")
	if !ok {
		return ""
	}
	root, _, _ := strings.Cut(inside, "/")
	return path.Join(remoteMount, root)
}

// fetchedAs is where what a kustomization file names lies.
func (v *view) fetchedAs(name string) (fetched, bool) {
	found, ok := v.fetched[name]
	return found, ok
}

// nameRemote notes what names a folder or a file of a remote base; the first one counts.
func (v *view) nameRemote(target string, remote remoteName) {
	if _, known := v.named[target]; !known {
		v.named[target] = remote
	}
}

// remoteNames are the folders and files of remote bases that the build takes in, with what names them.
func (v *view) remoteNames() map[string]remoteName { return v.named }

// namedBy is what names the remote base that a path is in, nil for a path of the source.
func (v *view) namedBy(name string) *remoteName {
	root := remoteRoot(name)
	for at := path.Clean(name); root != "" && strings.HasPrefix(at, root); at = path.Dir(at) {
		if found, ok := v.named[at]; ok {
			return &found
		}
	}
	for target, found := range v.named { // a base may go up in its own repository
		if root != "" && remoteRoot(target) == root {
			return &found
		}
	}
	return nil
}

// shown is a path of the view as one of the repository; of what is remote, the file that names it.
func (v *view) shown(name string) string {
	if relative, ok := within(name); ok {
		return v.origin(relative)
	}
	if by := v.namedBy(name); by != nil {
		return by.Path
	}
	return ""
}

// remoteTree is the tree that a path lies in, and the path there; nil for a path of the source.
func (v *view) remoteTree(name string) (*tree, string) {
	root := remoteRoot(name)
	if root == "" || v.remotes[root] == nil {
		return nil, ""
	}
	return v.remotes[root], mount + strings.TrimPrefix(path.Clean(name), root)
}
