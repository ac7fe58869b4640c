package source

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"syscall"
	"time"
)

// layout is a source that is no folder of the disk: an artifact, put together from files of the repository.
type layout struct {
	files   map[string]*placedFile     // by path in the artifact
	folders map[string]map[string]bool // path in the artifact -> names in it
}

// placedFile is a file of a layout: one of the repository, or, with content, made from some; from is the path in the repository.
type placedFile struct {
	from    string
	content []byte
	made    bool
	source  *entry
}

func newLayout() *layout {
	return &layout{files: map[string]*placedFile{}, folders: map[string]map[string]bool{".": {}}}
}

// mkdir makes a folder and all above it; it fails where a file is in the way.
func (l *layout) mkdir(name string) error {
	if name = path.Clean(name); l.folders[name] != nil {
		return nil
	}
	if l.files[name] != nil {
		return fmt.Errorf("%s is a file", name)
	}
	if err := l.mkdir(path.Dir(name)); err != nil {
		return err
	}
	l.folders[name] = map[string]bool{}
	l.folders[path.Dir(name)][path.Base(name)] = true
	return nil
}

func (l *layout) put(name string, file *placedFile) error {
	name = path.Clean(name)
	if l.folders[name] != nil {
		return fmt.Errorf("%s is a folder", name)
	}
	if err := l.mkdir(path.Dir(name)); err != nil {
		return err
	}
	l.files[name] = file
	l.folders[path.Dir(name)][path.Base(name)] = true
	return nil
}

func (p *placedFile) read() ([]byte, error) {
	if p.made {
		return p.content, nil
	}
	return p.source.read()
}

// entry is what is at a path of the layout, which kustomize knows as name.
func (l *layout) entry(name, relative string) *entry {
	if file := l.files[relative]; file != nil {
		return newEntry(path.Join(Mount, relative), plainInfo{name: path.Base(relative)}, file.read)
	}
	if l.folders[relative] != nil {
		return newEntry(path.Join(Mount, relative), plainInfo{name: path.Base(relative), folder: true}, nil)
	}
	return &entry{err: &fs.PathError{Op: "open", Path: name, Err: syscall.ENOENT}}
}

func (l *layout) names(relative string) []string {
	names := make([]string, 0, len(l.folders[relative]))
	for name := range l.folders[relative] {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// origin is the path in the repository of a file of the layout; for a folder, that of the first file below it.
func (l *layout) origin(relative string) string {
	if file := l.files[relative]; file != nil {
		return file.from
	}
	for _, name := range l.names(relative) {
		inside := path.Join(relative, name)
		if from := l.origin(inside); from != "" {
			return path.Dir(from)
		}
	}
	return ""
}

// plainInfo is all that anybody asks of a file that is not on the disk.
type plainInfo struct {
	name   string
	folder bool
}

func (i plainInfo) Name() string       { return i.name }
func (i plainInfo) Size() int64        { return 0 }
func (i plainInfo) ModTime() time.Time { return time.Time{} }
func (i plainInfo) IsDir() bool        { return i.folder }
func (i plainInfo) Sys() any           { return nil }
func (i plainInfo) Mode() fs.FileMode {
	if i.folder {
		return fs.ModeDir | 0o755
	}
	return 0o644
}
