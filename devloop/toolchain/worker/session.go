package main

import (
	"os"
	"path"
	"path/filepath"
	"sync"
)

// session is one repository with the keys to its secrets, and what was built of it so far.
type session struct {
	root    string
	scratch string
	keys    *keyring
	opens   bool // shows the values of secrets
	mu      sync.Mutex
	trees   map[string]*tree
	scopes  map[string]*scope
}

func openSession(r *openRequest) (*session, error) {
	keys, err := newKeyring(r.Identities)
	if err != nil {
		return nil, err
	}
	return &session{root: r.Root, scratch: r.Scratch, keys: keys, opens: r.ShowSecrets, trees: map[string]*tree{}, scopes: map[string]*scope{}}, nil
}

// end leaves nothing behind when whoever started us could not clean up.
func (s *session) end() {
	if s != nil && s.scratch != "" {
		_ = os.RemoveAll(s.scratch)
	}
}

func (s *session) tree(base string) (*tree, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.trees[base]; known != nil {
		return known, nil
	}
	made, err := newTree(filepath.Join(s.root, base))
	if err == nil {
		s.trees[base] = made
	}
	return made, err
}

// scope is what one environment rendered.
func (s *session) scope(name string) *scope {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scopes[name] == nil {
		s.scopes[name] = newScope()
	}
	return s.scopes[name]
}

// readFile reads a file that a build named, relative to the root.
func (s *session) readFile(name string) ([]byte, error) {
	source, err := s.tree(".")
	if err != nil {
		return nil, err
	}
	return source.content(path.Join(mount, name))
}
