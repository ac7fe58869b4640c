package source

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/fluxcd/pkg/sourceignore"
	"github.com/fluxcd/pkg/sourceignore/gitignore"
)

// exclusions is what source-controller leaves out of a source's artifact: what the patterns of spec.ignore and of all .sourceignore files
// exclude. The built-in patterns (pictures, archives, files of CI systems) count only where there is no other pattern in the whole source.
type exclusions struct {
	root     string
	spec     []gitignore.Pattern
	builtIn  gitignore.Matcher
	replaced func() bool
	outside  func(relative string) bool // of what Git tracks
	folders  map[string]folderPatterns
}

// folderPatterns are those that count for the files of one folder: of the .sourceignore files on the way to it, and of spec.ignore.
type folderPatterns struct {
	matcher gitignore.Matcher
	any     bool
}

func newExclusions(root, ignore string, outside func(string) bool) *exclusions {
	spec := sourceignore.ReadPatterns(strings.NewReader(ignore), nil)
	made := &exclusions{
		root:    root,
		spec:    spec,
		builtIn: sourceignore.NewDefaultMatcher(nil, nil),
		outside: outside,
		folders: map[string]folderPatterns{},
	}
	made.replaced = sync.OnceValue(func() bool { return len(spec) > 0 || made.hasPatterns() })
	return made
}

// exclude says whether the artifact lacks a file or a folder. What is below an excluded folder is not excluded for that reason alone.
func (e *exclusions) exclude(relative string, isDir bool) bool {
	parts := strings.Split(relative, "/")
	own := e.patterns(parts[:len(parts)-1])
	if own.matcher.Match(parts, isDir) {
		return true
	}
	return !own.any && e.builtIn.Match(parts, isDir) && !e.replaced()
}

func (e *exclusions) patterns(folder []string) folderPatterns {
	key := strings.Join(folder, "/")
	if known, ok := e.folders[key]; ok {
		return known
	}
	patterns := sourceignore.VCSPatterns(nil)
	fixed := len(patterns)
	for depth := 0; depth <= len(folder); depth++ {
		patterns = append(patterns, e.read(folder[:depth])...)
	}
	patterns = append(patterns, e.spec...)
	e.folders[key] = folderPatterns{sourceignore.NewMatcher(patterns), len(patterns) > fixed}
	return e.folders[key]
}

// read reads the .sourceignore of a folder. It may be a link inside the source: source-controller opens what it leads to. A pipe would
// block forever.
func (e *exclusions) read(domain []string) []gitignore.Pattern {
	name := path.Join(path.Join(domain...), sourceignore.IgnoreFile)
	file, err := filepath.EvalSymlinks(filepath.Join(e.root, name))
	if err != nil || !strings.HasPrefix(file, e.root+"/") || e.outside(name) {
		return nil
	}
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	found, err := sourceignore.ReadIgnoreFile(file, domain)
	if err != nil {
		return nil
	}
	return found
}

// hasPatterns looks for one pattern in a whole source.
func (e *exclusions) hasPatterns() bool {
	found := false
	_ = filepath.WalkDir(e.root, func(name string, item fs.DirEntry, err error) error {
		relative, _ := filepath.Rel(e.root, name)
		switch {
		case err != nil:
			return nil
		case item.IsDir() && name != e.root && (item.Name() == ".git" || e.outside(relative)):
			return fs.SkipDir
		case item.Name() != sourceignore.IgnoreFile || item.IsDir():
			return nil
		}
		domain := path.Dir(relative)
		if found = len(e.read(strings.Split(domain, "/"))) > 0; found {
			return fs.SkipAll
		}
		return nil
	})
	return found
}
