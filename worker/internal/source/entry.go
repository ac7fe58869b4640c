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

	"devloop.invalid/toolchain/worker/internal/cache"
	"devloop.invalid/toolchain/worker/internal/protocol"
)

// entry is what is at a path; real is the path without symbolic links, name by name below the mount. Nested is a folder that is a repository
// of its own, see isNested.
type entry struct {
	nested bool
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

// unpacked is what the artifact has at a path. source-controller archives folders and regular files alone: a link is not followed and leaves
// nothing behind.
func (t *Tree) unpacked(name, relative string) *entry {
	info, err := t.archived(name, relative)
	if unknown := t.unknown(relative); err != nil && unknown != nil {
		return &entry{err: unknown}
	}
	if err != nil {
		return noEntry(name, err)
	}
	place := filepath.Join(t.root, relative)
	found := newEntry(path.Join(Mount, relative), info, func() ([]byte, error) { return os.ReadFile(place) })
	found.nested = info.IsDir() && t.isNested(relative)
	return found
}

func (t *Tree) archived(name, relative string) (os.FileInfo, error) {
	if relative != "." {
		switch parent := t.lookup(path.Dir(name)); {
		case parent.err != nil || parent.nested || t.isIgnored(relative):
			return nil, syscall.ENOENT
		case !parent.info.IsDir():
			return nil, syscall.ENOTDIR
		}
	}
	info, err := os.Lstat(filepath.Join(t.root, relative))
	if err != nil {
		return nil, err
	}
	if info.IsDir() && !t.hasFolder(relative) || !info.IsDir() && !t.hasFile(relative, info.Mode()) {
		return nil, syscall.ENOENT
	}
	return info, nil
}

func noEntry(name string, err error) *entry {
	return &entry{err: &fs.PathError{Op: "open", Path: name, Err: errno(err)}}
}

// followed is what a clone has at a path.
func (t *Tree) followed(name, relative string) *entry {
	evaluated, err := filepath.EvalSymlinks(filepath.Join(t.root, relative))
	if err != nil {
		return noEntry(name, err)
	}
	real, err := filepath.Rel(t.root, evaluated)
	if err != nil || real == ".." || strings.HasPrefix(real, "../") {
		return &entry{err: &protocol.Failure{Kind: protocol.KindOutside, Message: fmt.Sprintf("%s is a link to outside the source", relative)}}
	}
	info, err := os.Stat(evaluated)
	if err != nil {
		return noEntry(name, err)
	}
	// Opening a pipe would block forever.
	if !info.IsDir() && !info.Mode().IsRegular() {
		return noEntry(name, syscall.ENOENT)
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
