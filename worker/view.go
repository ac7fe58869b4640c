package main

import (
	"errors"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// view is the tree as one build sees it: with files replaced in memory, remembering what was read. It is kustomize's file system.
type view struct {
	*tree
	replaced map[string][]byte
	mu       sync.Mutex
	read     map[string]struct{}
	seen     sights
	fetched  map[string]fetched    // by their names in kustomization files
	remotes  map[string]*tree      // by their mounts
	named    map[string]remoteName // what names a folder or a file of them
}

var _ filesys.FileSystem = &view{}

func (t *tree) view() *view {
	return &view{tree: t, replaced: map[string][]byte{}, read: map[string]struct{}{}, seen: sights{}}
}

// inputs is what the build saw so far, as what tree.holds compares with; false where it cannot be written down.
func (v *view) inputs() ([]byte, bool) { return v.seen.encode() }

// files lists what was read, sorted, relative to the tree's root.
func (v *view) files() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	names := make([]string, 0, len(v.read))
	for name := range v.read {
		if relative, ok := within(name); ok {
			names = append(names, relative)
		}
	}
	sort.Strings(names)
	return names
}

// entry, content and names are the tree's own, with a note of what was seen; what is remote never changes.

func (v *view) entry(name string) *entry {
	if remote, inner := v.remoteTree(name); remote != nil {
		found := *remote.entry(inner)
		found.real = remoteRoot(name) + strings.TrimPrefix(found.real, mount)
		return &found
	}
	v.see(sawEntry, name)
	return v.tree.entry(name)
}

func (v *view) content(name string) ([]byte, error) {
	if remote, inner := v.remoteTree(name); remote != nil {
		return remote.content(inner)
	}
	v.see(sawContent, name)
	return v.tree.content(name)
}

func (v *view) names(name string) ([]string, error) {
	if remote, inner := v.remoteTree(name); remote != nil {
		return remote.names(inner)
	}
	v.see(sawNames, name)
	return v.tree.names(name)
}

func (v *view) see(kind byte, name string) {
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

func (v *view) note(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.read[path.Clean(name)] = struct{}{}
}

// original reads what is on the disk, replaced or not.
func (v *view) original(name string) ([]byte, error) {
	data, err := v.content(name)
	if err == nil {
		v.note(name)
	}
	return data, err
}

func (v *view) ReadFile(name string) ([]byte, error) {
	if data, ok := v.replaced[path.Clean(name)]; ok {
		return data, nil
	}
	return v.original(name)
}

func (v *view) WriteFile(name string, data []byte) error {
	v.replaced[path.Clean(name)] = data
	return nil
}

func (v *view) Exists(name string) bool {
	_, ok := v.replaced[path.Clean(name)]
	return ok || v.entry(name).err == nil
}

func (v *view) IsDir(name string) bool {
	found := v.entry(name)
	return found.err == nil && found.info.IsDir()
}

func (v *view) ReadDir(name string) ([]string, error) { return v.names(name) }

func (v *view) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
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

func (v *view) Walk(name string, visit filepath.WalkFunc) error {
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
		if v.isLink(name, child) && v.IsDir(path.Join(name, child)) {
			continue
		}
		if err := v.Walk(path.Join(name, child), visit); err != nil {
			return err
		}
	}
	return nil
}

// fromRoot turns a path below the mount into one of the repository, "" for another one.
func (v *view) fromRoot(name string) string {
	relative, ok := within(name)
	if !ok {
		return ""
	}
	return v.origin(relative)
}

// What a build does not need.

func (v *view) Create(string) (filesys.File, error) { return nil, errReadOnly }
func (v *view) Open(string) (filesys.File, error)   { return nil, errReadOnly }
func (v *view) Mkdir(string) error                  { return errReadOnly }
func (v *view) MkdirAll(string) error               { return errReadOnly }
func (v *view) RemoveAll(string) error              { return errReadOnly }
func (v *view) Glob(string) ([]string, error)       { return nil, errReadOnly }

// isLink says whether what lies in a folder is a symbolic link.
func (v *view) isLink(folder, name string) bool {
	return v.entry(path.Join(folder, name)).real != path.Join(v.entry(folder).real, name)
}
