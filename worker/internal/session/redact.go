package session

import (
	"encoding/json"
	"slices"

	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/secrets"
)

// noted remembers a result: what its files hold must not be shown.
func (s *session) noted(result json.RawMessage) json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.built = append(s.built, result)
	return result
}

func (s *session) noteDecrypted(paths []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.decrypted = append(s.decrypted, paths...)
}

// redact is the last filter of what devloop shows.
func (s *session) redact(r *protocol.RedactRequest) []string {
	filter := secrets.NewFilter(s.repository.ReadFile, s.keys, s.files(r.Paths))
	if r.Manifests {
		return filter.Manifests(r.Texts)
	}
	return filter.Messages(r.Texts)
}

// files are those that builds read, those that were decrypted, and others.
func (s *session) files(others []string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Concat(others, s.decrypted)
	for _, each := range s.built {
		all = append(all, protocol.FilesOf(each)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
