package source

import (
	"io/fs"
	"path"
)

// sourceFS makes a tree something that fs.Glob and fs.WalkDir can go through. Links to folders are left out as source-controller does: they
// may lead back to where they are.
type sourceFS struct{ *Tree }

func (f sourceFS) at(name string) string { return path.Join(Mount, name) }

func (f sourceFS) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: errReadOnly}
}

func (f sourceFS) Stat(name string) (fs.FileInfo, error) {
	found := f.entry(f.at(name))
	return found.info, found.err
}

func (f sourceFS) ReadDir(name string) ([]fs.DirEntry, error) {
	names, err := f.names(f.at(name))
	real := f.entry(f.at(name)).real
	var items []fs.DirEntry
	for _, each := range names {
		found := f.entry(f.at(path.Join(name, each)))
		if found.err == nil && (!found.info.IsDir() || found.real == path.Join(real, each)) {
			items = append(items, fs.FileInfoToDirEntry(renamed{found.info, each}))
		}
	}
	return items, err
}

func (f sourceFS) ReadFile(name string) ([]byte, error) { return f.content(f.at(name)) }

// renamed: the name of a link, not of what it leads to.
type renamed struct {
	fs.FileInfo
	name string
}

func (r renamed) Name() string { return r.name }
