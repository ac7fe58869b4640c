// Package source reads sources as Flux would unpack them: folders of the repository without what .sourceignore excludes, artifacts of
// ArtifactGenerators, and remote bases that were fetched. It notes what a build reads.
package source

import (
	"cmp"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"devloop.invalid/toolchain/worker/internal/protocol"
)

// Repository is the working tree that everything is read from: its folders as sources, the artifacts made of them, and what was fetched.
type Repository struct {
	root     string
	checkout checkout
	mu       sync.Mutex
	trees    map[string]*Tree
}

// checkout is what Git says of the working tree: what it ignores, files that are not checked out, and the folders above them.
type checkout struct{ ignored, absent map[string]bool }

// NewRepository takes the folder of a working tree, what Git ignores in it, and files that are not checked out.
func NewRepository(root string, ignored, absent []string) *Repository {
	made := &Repository{root: root, checkout: checkout{map[string]bool{}, map[string]bool{}}, trees: map[string]*Tree{}}
	for _, each := range ignored {
		made.checkout.ignored[path.Clean(each)] = true
	}
	for _, each := range absent {
		for name := path.Clean(each); !made.checkout.absent[name]; name = path.Dir(name) {
			made.checkout.absent[name] = true
		}
	}
	return made
}

func (r *Repository) tree(base string, settings protocol.SourceSettings) (*Tree, error) {
	name, err := json.Marshal(settings)
	if err != nil {
		return nil, err
	}
	key := base + " " + string(name)
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.trees[key]; known != nil {
		return known, nil
	}
	made, err := newTree(r.root, base, r.checkout, settings)
	if err == nil {
		r.trees[key] = made
	}
	return made, err
}

// Source is the tree that a build's path counts from; settings, which may be nil, are those of its source. Artifacts are put together once.
func (r *Repository) Source(base string, settings *protocol.SourceSettings, artifact *protocol.Artifact) (*Tree, error) {
	if artifact == nil {
		return r.tree(base, *cmp.Or(settings, &protocol.SourceSettings{}))
	}
	content, err := json.Marshal(artifact)
	if err != nil {
		return nil, err
	}
	name := "artifact " + string(content)
	r.mu.Lock()
	known := r.trees[name]
	r.mu.Unlock()
	if known != nil {
		return known, nil
	}
	made, err := r.assemble(artifact)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trees[name] = made
	return made, nil
}

// ReadFile reads a file that a build named, relative to the root.
func (r *Repository) ReadFile(name string) ([]byte, error) {
	source, err := r.tree(".", protocol.SourceSettings{})
	if err != nil {
		return nil, err
	}
	return source.content(path.Join(Mount, name))
}

// MountAll lets the view see what was fetched.
func (r *Repository) MountAll(v *View, all map[string]protocol.Fetched) error {
	v.fetched, v.remotes, v.named = all, map[string]*Tree{}, map[string]protocol.RemoteName{}
	for _, each := range all {
		made, err := r.remoteTree(each.Folder)
		if err != nil {
			return err
		}
		v.remotes[MountOf(each.Folder)] = made
	}
	return nil
}

func (r *Repository) remoteTree(folder string) (*Tree, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := "remote " + folder
	if known := r.trees[name]; known != nil {
		return known, nil
	}
	made, err := newTree(folder, ".", checkout{}, protocol.SourceSettings{})
	if err == nil {
		made.fetched = true
		r.trees[name] = made
	}
	return made, err
}

// EachYAML visits the YAML files of the repository, without those of hidden folders.
func (r *Repository) EachYAML(visit func([]byte)) {
	_ = filepath.WalkDir(r.root, func(name string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() && name != r.root && strings.HasPrefix(entry.Name(), ".") {
			return filepath.SkipDir
		}
		if extension := filepath.Ext(name); err != nil || entry.IsDir() || extension != ".yaml" && extension != ".yml" {
			return nil
		}
		// A pipe has no end of waiting, and what a link leads to may have no end at all.
		if !entry.Type().IsRegular() {
			return nil
		}
		if content, err := os.ReadFile(name); err == nil {
			visit(content)
		}
		return nil
	})
}
