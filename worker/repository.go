package main

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
)

// repository is the working tree that everything is read from: its folders as sources, the artifacts made of them, and what was fetched.
type repository struct {
	root  string
	mu    sync.Mutex
	trees map[string]*tree
}

func newRepository(root string) *repository {
	return &repository{root: root, trees: map[string]*tree{}}
}

func (r *repository) tree(base string) (*tree, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.trees[base]; known != nil {
		return known, nil
	}
	made, err := newTree(r.root, base)
	if err == nil {
		r.trees[base] = made
	}
	return made, err
}

// source is the tree that a build's path counts from. Artifacts are put together once.
func (r *repository) source(base string, artifact *artifactRequest) (*tree, error) {
	if artifact == nil {
		return r.tree(base)
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

// readFile reads a file that a build named, relative to the root.
func (r *repository) readFile(name string) ([]byte, error) {
	source, err := r.tree(".")
	if err != nil {
		return nil, err
	}
	return source.content(path.Join(mount, name))
}

// mountAll lets the view see what was fetched.
func (r *repository) mountAll(v *view, all map[string]fetched) error {
	v.fetched, v.remotes, v.named = all, map[string]*tree{}, map[string]remoteName{}
	for _, each := range all {
		made, err := r.remote(each.Folder)
		if err != nil {
			return err
		}
		v.remotes[mountOf(each.Folder)] = made
	}
	return nil
}

func (r *repository) remote(folder string) (*tree, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := "remote " + folder
	if known := r.trees[name]; known != nil {
		return known, nil
	}
	made, err := newTree(folder, ".")
	if err == nil {
		made.whole = true
		r.trees[name] = made
	}
	return made, err
}

// eachYAML visits the YAML files of the repository, without those of hidden folders.
func (r *repository) eachYAML(visit func([]byte)) {
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
