package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"sync"
)

// session is one repository with the keys to its secrets, and what was built of it so far.
type session struct {
	root    string
	scratch string
	keys    *keyring
	opens   bool // shows the values of secrets
	store   *store
	salt    string // what every stored answer depends on
	mu      sync.Mutex
	trees   map[string]*tree
	scopes  map[string]*scope
}

func openSession(r *openRequest) (*session, error) {
	keys, err := newKeyring(r.Identities)
	if err != nil {
		return nil, err
	}
	made := &session{root: r.Root, scratch: r.Scratch, keys: keys, opens: r.ShowSecrets, trees: map[string]*tree{}, scopes: map[string]*scope{}}
	if recipients, ok := keys.recipients(); ok && !r.ShowSecrets {
		made.store, made.salt = openStore(r.Store), digest(append(recipients, programVersion())...)
	}
	return made, nil
}

// programVersion changes when this program is another one.
func programVersion() string {
	name, err := os.Executable()
	if err != nil {
		return ""
	}
	info, err := os.Stat(name)
	if err != nil {
		return name
	}
	return fmt.Sprint(name, " ", info.Size(), " ", info.ModTime().UnixNano())
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
	made, err := newTree(s.root, base)
	if err == nil {
		s.trees[base] = made
	}
	return made, err
}

// source is the tree that a build's path counts from. Artifacts are put together once.
func (s *session) source(r *buildRequest) (*tree, error) {
	if r.Artifact == nil {
		return s.tree(r.Base)
	}
	content, err := json.Marshal(r.Artifact)
	if err != nil {
		return nil, err
	}
	name := "artifact " + string(content)
	s.mu.Lock()
	known := s.trees[name]
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	made, err := s.artifact(r.Artifact)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trees[name] = made
	return made, nil
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
