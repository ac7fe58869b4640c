package source

import (
	"path"
	"strings"

	"devloop.invalid/toolchain/worker/internal/cache"
	"devloop.invalid/toolchain/worker/internal/protocol"
)

// What is remote and was fetched appears to kustomize below here, each folder under a name of its own.
const RemoteMount = "/remote"

// MountOf is where a folder that was fetched appears to kustomize.
func MountOf(folder string) string { return path.Join(RemoteMount, cache.Digest(folder)[:16]) }

// RemoteRoot is the mount that a path is below, "" for one of the source.
func RemoteRoot(name string) string {
	inside, ok := strings.CutPrefix(path.Clean(name), RemoteMount+"/")
	if !ok {
		return ""
	}
	root, _, _ := strings.Cut(inside, "/")
	return path.Join(RemoteMount, root)
}

// FetchedAs is where a remote base was fetched to, by its name in a kustomization file.
func (v *View) FetchedAs(name string) (protocol.Fetched, bool) {
	found, ok := v.fetched[name]
	return found, ok
}

// NameRemote notes what names a folder or a file of a remote base; the first one counts.
func (v *View) NameRemote(target string, remote protocol.RemoteName) {
	if _, known := v.named[target]; !known {
		v.named[target] = remote
	}
}

// RemoteNames are the folders and files of remote bases that the build uses, with what names them.
func (v *View) RemoteNames() map[string]protocol.RemoteName { return v.named }

// NamedBy is what names the remote base that a path is in, nil for a path of the source.
func (v *View) NamedBy(name string) *protocol.RemoteName {
	root := RemoteRoot(name)
	for at := path.Clean(name); root != "" && strings.HasPrefix(at, root); at = path.Dir(at) {
		if found, ok := v.named[at]; ok {
			return &found
		}
	}
	for target, found := range v.named { // a base may go up in its own repository
		if root != "" && RemoteRoot(target) == root {
			return &found
		}
	}
	return nil
}

// ShownPath is a path of the view as one of the repository; of what is remote, the file that names it.
func (v *View) ShownPath(name string) string {
	if relative, ok := Within(name); ok {
		return v.Origin(relative)
	}
	if by := v.NamedBy(name); by != nil {
		return by.Path
	}
	return ""
}

// remoteTree is the remote base that a path is in, and the path there; nil for a path of the source.
func (v *View) remoteTree(name string) (*Tree, string) {
	root := RemoteRoot(name)
	if root == "" || v.remotes[root] == nil {
		return nil, ""
	}
	return v.remotes[root], Mount + strings.TrimPrefix(path.Clean(name), root)
}
