package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/fluxcd/pkg/sourceignore"
	"github.com/fluxcd/pkg/sourceignore/gitignore"
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
	read func() ([]byte, error)
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
	read := sync.OnceValues(func() ([]byte, error) { return os.ReadFile(evaluated) })
	return &entry{real: path.Join(mount, real), info: info, read: read}
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
	return found.read()
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
