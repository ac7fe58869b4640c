package source

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

	"devloop.invalid/toolchain/worker/internal/cache"
	"devloop.invalid/toolchain/worker/internal/protocol"
)

// Where a source's folder appears to kustomize. A plain name: kustomize takes some characters of real paths for something else.
const Mount = "/source"

var errReadOnly = errors.New("the repository is read-only")

// Tree is a source as Flux would unpack it: a folder of the disk without what .sourceignore leaves out, or a layout. It reads every file
// once. Base is the folder that it is, relative to the repository.
type Tree struct {
	root    string
	base    string
	layout  *layout
	whole   bool // nothing is left out
	mu      sync.Mutex
	entries map[string]*entry
	ignore  map[string]gitignore.Matcher
}

// entry is what is at a path; real is the path without symbolic links, name by name below the mount.
type entry struct {
	err    error
	real   string
	info   os.FileInfo
	read   func() ([]byte, error)
	digest func() string
}

func newEntry(real string, info os.FileInfo, read func() ([]byte, error)) *entry {
	found := &entry{real: real, info: info}
	found.read = sync.OnceValues(read)
	found.digest = sync.OnceValue(func() string {
		content, err := found.read()
		if err != nil {
			return "!" + err.Error()
		}
		return cache.Digest(string(content))
	})
	return found
}

func newTree(root, base string) (*Tree, error) {
	evaluated, err := filepath.EvalSymlinks(filepath.Join(root, base))
	if err != nil {
		return nil, err
	}
	return &Tree{root: evaluated, base: base, entries: map[string]*entry{}, ignore: map[string]gitignore.Matcher{}}, nil
}

// Origin turns a path in the source into one in the repository.
func (t *Tree) Origin(relative string) string {
	if t.layout != nil {
		return t.layout.origin(relative)
	}
	return path.Join(t.base, relative)
}

// Within gives the path below the mount, or false.
func Within(name string) (string, bool) {
	name = path.Clean(name)
	if name == Mount {
		return ".", true
	}
	return strings.CutPrefix(name, Mount+"/")
}

func (t *Tree) entry(name string) *entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lookup(name)
}

func (t *Tree) lookup(name string) *entry {
	relative, ok := Within(name)
	if !ok {
		return &entry{err: &protocol.Failure{Kind: protocol.KindOutside, Message: fmt.Sprintf("%s lies outside the source", name)}}
	}
	if known := t.entries[relative]; known != nil {
		return known
	}
	found := t.stat(name, relative)
	t.entries[relative] = found
	return found
}

func (t *Tree) stat(name, relative string) *entry {
	if t.layout != nil {
		return t.layout.entry(name, relative)
	}
	evaluated, err := filepath.EvalSymlinks(filepath.Join(t.root, relative))
	if err != nil {
		return &entry{err: &fs.PathError{Op: "open", Path: name, Err: errno(err)}}
	}
	real, err := filepath.Rel(t.root, evaluated)
	if err != nil || real == ".." || strings.HasPrefix(real, "../") {
		return &entry{err: &protocol.Failure{Kind: protocol.KindOutside, Message: fmt.Sprintf("%s is a link to outside the source", relative)}}
	}
	info, err := os.Stat(evaluated)
	if err != nil {
		return &entry{err: &fs.PathError{Op: "open", Path: name, Err: errno(err)}}
	}
	// source-controller archives regular files alone; opening a pipe would block forever.
	if !info.IsDir() && (!info.Mode().IsRegular() || t.ignored(relative)) {
		return &entry{err: &fs.PathError{Op: "open", Path: name, Err: syscall.ENOENT}}
	}
	return newEntry(path.Join(Mount, real), info, func() ([]byte, error) { return os.ReadFile(evaluated) })
}

func errno(err error) error {
	var number syscall.Errno
	if errors.As(err, &number) {
		return number
	}
	return err
}

// Has says whether something is at a path; unlike View.Exists it does not note that.
func (t *Tree) Has(name string) bool { return t.entry(name).err == nil }

// ignored says whether source-controller would leave the file out of the artifact.
func (t *Tree) ignored(relative string) bool {
	if t.whole {
		return false
	}
	parts := strings.Split(relative, "/")
	return t.matcher(parts[:len(parts)-1]).Match(parts, false)
}

func (t *Tree) matcher(folder []string) gitignore.Matcher {
	key := strings.Join(folder, "/")
	if known := t.ignore[key]; known != nil {
		return known
	}
	var patterns []gitignore.Pattern
	for depth := 0; depth <= len(folder); depth++ {
		domain := append([]string(nil), folder[:depth]...)
		file := filepath.Join(append([]string{t.root}, append(domain, sourceignore.IgnoreFile)...)...)
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
			continue
		}
		if found, err := sourceignore.ReadIgnoreFile(file, domain); err == nil {
			patterns = append(patterns, found...)
		}
	}
	t.ignore[key] = sourceignore.NewDefaultMatcher(patterns, nil)
	return t.ignore[key]
}

func (t *Tree) content(name string) ([]byte, error) {
	found := t.entry(name)
	if found.err != nil {
		return nil, found.err
	}
	if found.info.IsDir() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: syscall.EISDIR}
	}
	return found.read()
}

func (t *Tree) names(name string) ([]string, error) {
	found := t.entry(name)
	if found.err != nil {
		return nil, found.err
	}
	relative, _ := Within(found.real)
	if t.layout != nil {
		return t.layout.names(relative), nil
	}
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
