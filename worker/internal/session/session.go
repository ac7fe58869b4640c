package session

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"devloop.invalid/toolchain/worker/internal/build"
	"devloop.invalid/toolchain/worker/internal/cache"
	"devloop.invalid/toolchain/worker/internal/helm"
	"devloop.invalid/toolchain/worker/internal/locate"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/provenance"
	"devloop.invalid/toolchain/worker/internal/scope"
	"devloop.invalid/toolchain/worker/internal/sops"
	"devloop.invalid/toolchain/worker/internal/source"
)

// session is one repository with the keys to its secrets, and what was built of it so far.
type session struct {
	scratch    string
	repository *source.Repository
	keys       *sops.Keyring
	results    *cache.Results
	builder    *build.Builder
	renderer   *helm.Renderer
	locator    *locate.Locator
	mu         sync.Mutex
	scopes     map[string]*scope.Scope
	built      []json.RawMessage // results of builds
	decrypted  []string          // files that were asked for
}

func openSession(r *protocol.OpenRequest) (*session, error) {
	keys, err := sops.NewKeyring(r.Identities)
	if err != nil {
		return nil, err
	}
	made := &session{scratch: r.Scratch, repository: source.NewRepository(r.Root, r.Ignored, r.Absent), keys: keys, results: &cache.Results{}, scopes: map[string]*scope.Scope{}}
	if recipients, ok := keys.Recipients(); ok && !r.ShowSecrets {
		made.results = cache.OpenResults(r.Store, append(recipients, programVersion())...)
	}
	made.builder = &build.Builder{Repository: made.repository, Keys: keys, Results: made.results, Scratch: r.Scratch, ShowSecrets: r.ShowSecrets}
	made.renderer = &helm.Renderer{Repository: made.repository, Results: made.results}
	made.locator = &locate.Locator{Repository: made.repository, Provenance: &provenance.Finder{Repository: made.repository, Results: made.results}, Scope: made.scope}
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
func (s *session) scope(name string) *scope.Scope {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scopes[name] == nil {
		s.scopes[name] = scope.New()
	}
	return s.scopes[name]
}
