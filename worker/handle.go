package main

// handle answers one request; a panic of a library is the answer to this request alone.
func (s *session) handle(r request) (a answer) {
	a.ID = r.ID
	defer func() {
		if panicked := recover(); panicked != nil {
			a.Result = nil
			a.Failure = &failure{Kind: kindCrash, Message: "the build library panicked" + panicLine() + panicCause(panicked)}
		}
	}()
	switch {
	case r.Build != nil:
		a.Result = s.builder.build(s.scope(r.Build.Scope), r.Build)
	case r.Releases != nil:
		a.Result = s.renderer.releases(s.scope(r.Releases.Scope), r.Releases)
	case r.Check != nil:
		a.Result = checkFiles(s.repository.readFile, s.keys, r.Check.Paths)
	case r.Policies != nil:
		said, err := judgePolicies(s.results, s.scope(r.Policies.Scope), r.Policies)
		a.Result, a.Failure = said, asFailure(err)
	case r.Overlooked != nil:
		a.Result = lintKustomizations(s.repository.readFile, r.Overlooked.Paths)
	case r.Judge != nil:
		judgements, err := checkSchemas(s.repository, s.results, s.scope(r.Judge.Scope), r.Judge)
		a.Result, a.Failure = judgements, asFailure(err)
	case r.Prepare != nil:
		go quietly(func() { preloadCatalog(r.Prepare.Schemas) })
	case r.Locate != nil:
		a.Result = s.locator.locate(r.Locate.Places)
	default:
		a.Failure = &failure{Kind: kindCrash, Message: "unknown request"}
	}
	return a
}
