package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"syscall"

	"github.com/fluxcd/pkg/sourceignore"
	"github.com/fluxcd/pkg/sourceignore/gitignore"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// Where a source's folder appears to kustomize. A plain name: kustomize takes some characters of real paths for something else.
const mount = "/source"

var errReadOnly = errors.New("the repository is read-only")

// tree is a source as Flux would unpack it: a folder of the disk without what .sourceignore leaves out. It reads every file once.
type tree struct {
	root    string
	mu      sync.Mutex
	entries map[string]*entry
	ignore  map[string]gitignore.Matcher
}

// entry is what lies at a path; real is the path without symbolic links, name by name below the mount.
type entry struct {
	err  error
	real string
	info os.FileInfo
	read sync.Once
	data []byte
}

func newTree(root string) (*tree, error) {
	evaluated, err := filepath.EvalSymlinks(root)
	if err != nil {
		return nil, err
	}
	return &tree{root: evaluated, entries: map[string]*entry{}, ignore: map[string]gitignore.Matcher{}}, nil
}

// within gives the path below the mount, or false.
func within(name string) (string, bool) {
	name = path.Clean(name)
	if name == mount {
		return ".", true
	}
	return strings.CutPrefix(name, mount+"/")
}

func (t *tree) entry(name string) *entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lookup(name)
}

func (t *tree) lookup(name string) *entry {
	relative, ok := within(name)
	if !ok {
		return &entry{err: &failure{Kind: "outside", Message: fmt.Sprintf("%s lies outside the source", name)}}
	}
	if known := t.entries[relative]; known != nil {
		return known
	}
	found := t.stat(name, relative)
	t.entries[relative] = found
	return found
}

func (t *tree) stat(name, relative string) *entry {
	evaluated, err := filepath.EvalSymlinks(filepath.Join(t.root, relative))
	if err != nil {
		return &entry{err: &fs.PathError{Op: "open", Path: name, Err: errno(err)}}
	}
	real, err := filepath.Rel(t.root, evaluated)
	if err != nil || real == ".." || strings.HasPrefix(real, "../") {
		return &entry{err: &failure{Kind: "outside", Message: fmt.Sprintf("%s is a link to outside the source", name)}}
	}
	info, err := os.Stat(evaluated)
	if err != nil {
		return &entry{err: &fs.PathError{Op: "open", Path: name, Err: errno(err)}}
	}
	if !info.IsDir() && t.ignored(relative) {
		return &entry{err: &fs.PathError{Op: "open", Path: name, Err: syscall.ENOENT}}
	}
	return &entry{real: path.Join(mount, real), info: info}
}

func errno(err error) error {
	var number syscall.Errno
	if errors.As(err, &number) {
		return number
	}
	return err
}

// ignored says whether source-controller would leave the file out of the artifact.
func (t *tree) ignored(relative string) bool {
	parts := strings.Split(relative, "/")
	return t.matcher(parts[:len(parts)-1]).Match(parts, false)
}

func (t *tree) matcher(folder []string) gitignore.Matcher {
	key := strings.Join(folder, "/")
	if known := t.ignore[key]; known != nil {
		return known
	}
	var patterns []gitignore.Pattern
	for depth := 0; depth <= len(folder); depth++ {
		domain := append([]string(nil), folder[:depth]...)
		file := filepath.Join(append([]string{t.root}, append(domain, sourceignore.IgnoreFile)...)...)
		if found, err := sourceignore.ReadIgnoreFile(file, domain); err == nil {
			patterns = append(patterns, found...)
		}
	}
	t.ignore[key] = sourceignore.NewDefaultMatcher(patterns, nil)
	return t.ignore[key]
}

func (t *tree) content(name string) ([]byte, error) {
	found := t.entry(name)
	if found.err != nil {
		return nil, found.err
	}
	if found.info.IsDir() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: syscall.EISDIR}
	}
	found.read.Do(func() {
		relative, _ := within(found.real)
		found.data, found.err = os.ReadFile(filepath.Join(t.root, relative))
	})
	return found.data, found.err
}

func (t *tree) names(name string) ([]string, error) {
	found := t.entry(name)
	if found.err != nil {
		return nil, found.err
	}
	relative, _ := within(found.real)
	entries, err := os.ReadDir(filepath.Join(t.root, relative))
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errno(err)}
	}
	var names []string
	for _, child := range entries {
		if t.entry(path.Join(name, child.Name())).err == nil {
			names = append(names, child.Name())
		}
	}
	return names, nil
}

// view is the tree as one build sees it: with files replaced in memory, remembering what was read. It is kustomize's file system.
type view struct {
	*tree
	replaced map[string][]byte
	mu       sync.Mutex
	read     map[string]struct{}
}

var _ filesys.FileSystem = &view{}

func (t *tree) view() *view {
	return &view{tree: t, replaced: map[string][]byte{}, read: map[string]struct{}{}}
}

// files lists what was read, sorted, relative to the tree's root.
func (v *view) files() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	names := make([]string, 0, len(v.read))
	for name := range v.read {
		relative, _ := within(name)
		names = append(names, relative)
	}
	sort.Strings(names)
	return names
}

func (v *view) note(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.read[path.Clean(name)] = struct{}{}
}

// original reads what is on the disk, replaced or not.
func (v *view) original(name string) ([]byte, error) {
	data, err := v.tree.content(name)
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
		if err := v.Walk(path.Join(name, child), visit); err != nil {
			return err
		}
	}
	return nil
}

// What a build does not need.

func (v *view) Create(string) (filesys.File, error) { return nil, errReadOnly }
func (v *view) Open(string) (filesys.File, error)   { return nil, errReadOnly }
func (v *view) Mkdir(string) error                  { return errReadOnly }
func (v *view) MkdirAll(string) error               { return errReadOnly }
func (v *view) RemoveAll(string) error              { return errReadOnly }
func (v *view) Glob(string) ([]string, error)       { return nil, errReadOnly }
