package session

import (
	"devloop.invalid/toolchain/worker/internal/collect"
	"devloop.invalid/toolchain/worker/internal/crash"
	"devloop.invalid/toolchain/worker/internal/lint"
	"devloop.invalid/toolchain/worker/internal/policy"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/schema"
	"devloop.invalid/toolchain/worker/internal/sops"
)

// handle answers one request; a panic of a library is the answer to this request alone.
func (s *session) handle(r protocol.Request) (a protocol.Answer) {
	a.ID = r.ID
	defer func() {
		if panicked := recover(); panicked != nil {
			a.Result = nil
			a.Failure = &protocol.Failure{Kind: protocol.KindCrash, Message: "the build library panicked" + crash.Location() + crash.Cause(panicked)}
		}
	}()
	switch {
	case r.Build != nil:
		a.Result = s.noted(s.builder.Build(s.scope(r.Build.Scope), r.Build))
	case r.Releases != nil:
		a.Result = s.renderer.Render(s.scope(r.Releases.Scope), r.Releases)
	case r.Decryption != nil:
		s.noteDecrypted(r.Decryption.Paths)
		a.Result = sops.CheckFiles(s.repository.ReadFile, s.keys, r.Decryption.Paths)
	case r.Policies != nil:
		found, err := policy.Evaluate(s.results, s.scope(r.Policies.Scope), r.Policies)
		a.Result, a.Failure = found, protocol.AsFailure(err)
	case r.Lint != nil:
		a.Result = lint.Kustomizations(s.repository.ReadFile, r.Lint.Paths)
	case r.Schemas != nil:
		found, err := schema.Check(s.repository, s.results, s.scope(r.Schemas.Scope), r.Schemas)
		a.Result, a.Failure = found, protocol.AsFailure(err)
	case r.Patches != nil:
		a.Result = s.locator.Provenance.Unmatched(collect.Parallel(r.Patches.Scopes, s.scope), r.Patches.Whole)
	case r.Preload != nil:
		go crash.Ignore(func() { schema.Preload(r.Preload.Schemas) })
	case r.Redact != nil:
		a.Result = s.redact(r.Redact)
	case r.Locate != nil:
		a.Result = s.locator.Locate(r.Locate.Places)
	default:
		a.Failure = &protocol.Failure{Kind: protocol.KindCrash, Message: "unknown request"}
	}
	return a
}
