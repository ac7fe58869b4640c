package main

import (
	"fmt"
	"os"
	"sync"
)

// session is one repository with the keys to its secrets, and what was built of it so far.
type session struct {
	scratch    string
	repository *repository
	keys       *keyring
	results    *results
	builder    *builder
	renderer   *renderer
	locator    *locator
	mu         sync.Mutex
	scopes     map[string]*scope
}

func openSession(r *openRequest) (*session, error) {
	keys, err := newKeyring(r.Identities)
	if err != nil {
		return nil, err
	}
	made := &session{scratch: r.Scratch, repository: newRepository(r.Root), keys: keys, results: &results{}, scopes: map[string]*scope{}}
	if recipients, ok := keys.recipients(); ok && !r.ShowSecrets {
		made.results = openResults(r.Store, append(recipients, programVersion())...)
	}
	made.builder = &builder{made.repository, keys, made.results, r.Scratch, r.ShowSecrets}
	made.renderer = &renderer{made.repository, made.results}
	made.locator = &locator{made.repository, &finder{made.repository, made.results}, made.scope}
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

// scope is what one environment rendered.
func (s *session) scope(name string) *scope {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scopes[name] == nil {
		s.scopes[name] = newScope()
	}
	return s.scopes[name]
}
