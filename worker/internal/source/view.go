package source

import (
	"errors"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/kyaml/filesys"

	"devloop.invalid/toolchain/worker/internal/protocol"
)

// View is the tree as one build sees it: with files replaced in memory, remembering what was read. It is kustomize's file system.
type View struct {
	*Tree
	replaced map[string][]byte
	mu       sync.Mutex
	read     map[string]struct{}
	seen     inputs
	fetched  map[string]protocol.Fetched    // by their names in kustomization files
	remotes  map[string]*Tree               // by their mounts
	named    map[string]protocol.RemoteName // what names a folder or a file of them
	unknown  *protocol.Failure              // of the first path that was looked for and may exist
}

var _ filesys.FileSystem = &View{}

// View is the tree for one more build.
func (t *Tree) View() *View {
	return &View{Tree: t, replaced: map[string][]byte{}, read: map[string]struct{}{}, seen: inputs{}}
}

// Inputs is what the build saw so far, as what tree.holds compares with; false where it cannot be written down.
func (v *View) Inputs() ([]byte, bool) { return v.seen.encode() }

// Files lists what was read, sorted, relative to the tree's root.
func (v *View) Files() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	names := make([]string, 0, len(v.read))
	for name := range v.read {
		if relative, ok := Within(name); ok {
			names = append(names, relative)
		}
	}
	sort.Strings(names)
	return names
}

// entry, content and names are the tree's own, with a note of what was seen; what is remote never changes.

func (v *View) entry(name string) *entry {
	if remote, inner := v.remoteTree(name); remote != nil {
		found := *remote.entry(inner)
		found.real = RemoteRoot(name) + strings.TrimPrefix(found.real, Mount)
		return &found
	}
	v.see(sawEntry, name)
	found := v.Tree.entry(name)
	v.noteUnknown(found.err)
	return found
}

// Content reads a file as it is on the disk; it does not count as read by the build.
func (v *View) Content(name string) ([]byte, error) {
	if remote, inner := v.remoteTree(name); remote != nil {
		return remote.content(inner)
	}
	v.see(sawContent, name)
	content, err := v.Tree.content(name)
	v.noteUnknown(err)
	return content, err
}

func (v *View) names(name string) ([]string, error) {
	if remote, inner := v.remoteTree(name); remote != nil {
		return remote.names(inner)
	}
	v.see(sawNames, name)
	names, err := v.Tree.names(name)
	v.noteUnknown(err)
	return names, err
}

func (v *View) see(kind byte, name string) {
	name = path.Clean(name)
	key := string(kind) + name
	v.mu.Lock()
	_, known := v.seen[key]
	v.mu.Unlock()
	if known {
		return
	}
	found := v.look(kind, name)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seen[key] = found
}

func (v *View) note(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.read[path.Clean(name)] = struct{}{}
}

// ReadOriginal reads what is on the disk, replaced or not.
func (v *View) ReadOriginal(name string) ([]byte, error) {
	data, err := v.Content(name)
	if err == nil {
		v.note(name)
	}
	return data, err
}

// ReadFile reads a file, as the build sees it.
func (v *View) ReadFile(name string) ([]byte, error) {
	if data, ok := v.replaced[path.Clean(name)]; ok {
		return data, nil
	}
	return v.ReadOriginal(name)
}

// WriteFile replaces a file for this build.
func (v *View) WriteFile(name string, data []byte) error {
	v.replaced[path.Clean(name)] = data
	return nil
}

// Exists says whether something is at a path.
func (v *View) Exists(name string) bool {
	_, ok := v.replaced[path.Clean(name)]
	return ok || v.entry(name).err == nil
}

// IsDir says whether a folder is at a path.
func (v *View) IsDir(name string) bool {
	found := v.entry(name)
	return found.err == nil && found.info.IsDir()
}

// ReadDir gives the names in a folder.
func (v *View) ReadDir(name string) ([]string, error) { return v.names(name) }

// CleanedAbs gives the folder and the name of a path without symbolic links.
func (v *View) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	if _, ok := v.replaced[path.Clean(name)]; ok && v.entry(name).err != nil {
		return filesys.ConfirmedDir(path.Dir(name)), path.Base(name), nil
	}
	found := v.entry(name)
	if found.err != nil {
		return "", "", found.err
	}
	if found.info.IsDir() {
		return filesys.ConfirmedDir(found.real), "", nil
	}
	return filesys.ConfirmedDir(path.Dir(found.real)), path.Base(found.real), nil
}

// Walk visits a folder and all below it; like Flux it does not follow links to folders.
func (v *View) Walk(name string, visit filepath.WalkFunc) error {
	found := v.entry(name)
	err := visit(name, found.info, found.err)
	if err != nil || found.err != nil || !found.info.IsDir() {
		if errors.Is(err, filepath.SkipDir) {
			return nil
		}
		return err
	}
	children, err := v.names(name)
	if err != nil {
		return visit(name, found.info, err)
	}
	for _, child := range children {
		if v.IsLink(name, child) && v.IsDir(path.Join(name, child)) {
			continue
		}
		if err := v.Walk(path.Join(name, child), visit); err != nil {
			return err
		}
	}
	return nil
}

// RepositoryPath turns a path below the mount into one of the repository, "" for another one.
func (v *View) RepositoryPath(name string) string {
	relative, ok := Within(name)
	if !ok {
		return ""
	}
	return v.Origin(relative)
}

// What a build does not need.

func (v *View) Create(string) (filesys.File, error) { return nil, errReadOnly }
func (v *View) Open(string) (filesys.File, error)   { return nil, errReadOnly }
func (v *View) Mkdir(string) error                  { return errReadOnly }
func (v *View) MkdirAll(string) error               { return errReadOnly }
func (v *View) RemoveAll(string) error              { return errReadOnly }
func (v *View) Glob(string) ([]string, error)       { return nil, errReadOnly }

// IsLink says whether an entry of a folder is a symbolic link.
func (v *View) IsLink(folder, name string) bool {
	return v.entry(path.Join(folder, name)).real != path.Join(v.entry(folder).real, name)
}
