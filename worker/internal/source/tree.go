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

	"devloop.invalid/toolchain/worker/internal/protocol"
)

// Where a source's folder appears to kustomize. A plain name: kustomize takes some characters of real paths for something else.
const Mount = "/source"

var errReadOnly = errors.New("the repository is read-only")

// Tree is a source as Flux would unpack it: a folder of the disk without what source-controller leaves out, a layout, or something remote that
// was fetched, which kustomize reads as it is. It reads every file once. Base is the folder that it is, relative to the repository.
type Tree struct {
	root       string
	base       string
	layout     *layout
	fetched    bool
	settings   protocol.SourceSettings
	checkout   checkout
	submodules map[string]bool // as .gitmodules lists them
	exclusions *exclusions
	mu         sync.Mutex
	entries    map[string]*entry
}

func newTree(root, base string, of checkout, settings protocol.SourceSettings) (*Tree, error) {
	evaluated, err := filepath.EvalSymlinks(filepath.Join(root, base))
	if err != nil {
		return nil, err
	}
	made := &Tree{root: evaluated, base: base, checkout: of, submodules: readSubmodules(evaluated), entries: map[string]*entry{}}
	made.settings = made.withSubmodules(settings)
	made.exclusions = newExclusions(evaluated, settings.Ignore, func(relative string) bool { return made.isIgnored(relative) || made.isNested(relative) })
	return made, nil
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
	switch {
	case t.layout != nil:
		return t.layout.entry(name, relative)
	case t.fetched:
		return t.followed(name, relative)
	}
	return t.unpacked(name, relative)
}

// Has says whether something is at a path; unlike View.Exists it does not note that.
func (t *Tree) Has(name string) bool { return t.entry(name).err == nil }

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
	if unknown := t.unknown(relative); unknown != nil {
		return nil, unknown
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
