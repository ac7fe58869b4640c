package main

import (
	"encoding/json"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

// A request has an ID and exactly one of the others.
type request struct {
	ID         int                `json:"id"`
	Open       *openRequest       `json:"open,omitempty"`
	Build      *buildRequest      `json:"build,omitempty"`
	Releases   *releasesRequest   `json:"releases,omitempty"`
	Check      *checkRequest      `json:"check,omitempty"`
	Locate     *locateRequest     `json:"locate,omitempty"`
	Policies   *policiesRequest   `json:"policies,omitempty"`
	Judge      *judgeRequest      `json:"judge,omitempty"`
	Overlooked *overlookedRequest `json:"overlooked,omitempty"`
	Prepare    *prepareRequest    `json:"prepare,omitempty"`
}

type answer struct {
	ID      int      `json:"id"`
	Result  any      `json:"result,omitempty"`
	Failure *failure `json:"failure,omitempty"`
}

// encode leaves a result that is JSON already as it is: looking at all of it once more would take longer than anything else here.
func (a answer) encode() ([]byte, error) {
	result, encoded := a.Result.(json.RawMessage)
	if !encoded || a.Failure != nil {
		return json.Marshal(a)
	}
	line := make([]byte, 0, len(result)+32)
	line = append(strconv.AppendInt(append(line, `{"id":`...), int64(a.ID), 10), `,"result":`...)
	return append(append(line, result...), '}'), nil
}

// openRequest starts over: with this repository and these Age identities (the text of key files). ShowSecrets leaves nothing masked, for
// `devloop render --show-secrets` alone: what such a session builds may not be kept anywhere. Store is the folder for what is worth keeping
// until the next run, if any.
type openRequest struct {
	Root        string `json:"root"`
	Scratch     string `json:"scratch"`
	Identities  string `json:"identities"`
	ShowSecrets bool   `json:"showSecrets,omitempty"`
	Store       string `json:"store,omitempty"`
}

// buildRequest builds one Kustomization. It is named when an earlier build of the scope rendered it, else given as an object. Base is the
// folder that its path counts from, relative to the root; with Artifact it counts from there instead. Lenient turns strict substitution
// off, as --feature-gates of Flux would.
type buildRequest struct {
	Scope     string           `json:"scope"`
	Base      string           `json:"base"`
	Namespace string           `json:"namespace"`
	Name      string           `json:"name"`
	Object    map[string]any   `json:"object,omitempty"`
	Lenient   bool             `json:"lenient,omitempty"`
	Artifact  *artifactRequest `json:"artifact,omitempty"`

	Remotes map[string]fetched `json:"remotes,omitempty"` // what was fetched, by its names in kustomization files
}

// buildResult: paths are relative to the root. Failure is the repository's fault, not the worker's.
type buildResult struct {
	Directory string        `json:"directory"`
	Objects   []builtObject `json:"objects,omitempty"` // always there in an answer, see encode
	Files     []string      `json:"files"`
	Encrypted []string      `json:"encrypted"`
	Remote    []remoteName  `json:"remote,omitempty"` // what was not fetched
	Failure   *failure      `json:"failure,omitempty"`
}

// builtObject is one object as Flux would apply it, without the values of its secrets. Secret is "opened" or "sealed" where SOPS encrypted
// (a part of) it; Unknown are JSON pointers to values that depend on variables that cannot be known or shown.
type builtObject struct {
	Body    json.RawMessage `json:"body,omitempty"`
	Origin  string          `json:"origin"`
	Line    int             `json:"line,omitempty"` // where the origin is not the object's own
	Secret  string          `json:"secret,omitempty"`
	Unknown []string        `json:"unknown,omitempty"`
}

type checkRequest struct {
	Paths []string `json:"paths"`
}

// opening says whether an encrypted file can be opened. Reason is key, service (not Age), mac or format.
type opening struct {
	Path       string   `json:"path"`
	Recipients []string `json:"recipients"`
	Services   []string `json:"services,omitempty"`
	Reason     string   `json:"reason,omitempty"`
	Message    string   `json:"message,omitempty"`
}

type locateRequest struct {
	Places []place `json:"places"`
}

// failure is an error in plain words, at a place where there is one. Kind is one of missing, yaml, duplicate, build, substitution, decryption,
// outside, crash.
type failure struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Path    string `json:"path,omitempty"`
	Line    int    `json:"line,omitempty"`
	Object  string `json:"object,omitempty"`
}

func (f *failure) Error() string { return f.Message }

func asFailure(err error) *failure {
	if err == nil {
		return nil
	}
	if known, ok := err.(*failure); ok {
		return known
	}
	return &failure{Kind: "build", Message: err.Error()}
}

// handle answers one request; a panic of a library is the answer to this request alone.
func (s *session) handle(r request) (a answer) {
	a.ID = r.ID
	defer func() {
		if panicked := recover(); panicked != nil {
			a.Result = nil
			a.Failure = &failure{Kind: "crash", Message: "the build library panicked" + panicLine() + panicCause(panicked)}
		}
	}()
	switch {
	case r.Build != nil:
		a.Result = s.build(r.Build)
	case r.Releases != nil:
		a.Result = s.releases(r.Releases)
	case r.Check != nil:
		a.Result = s.check(r.Check.Paths)
	case r.Policies != nil:
		said, err := s.policies(r.Policies)
		a.Result, a.Failure = said, asFailure(err)
	case r.Overlooked != nil:
		a.Result = s.overlooked(r.Overlooked)
	case r.Judge != nil:
		judgements, err := s.judge(r.Judge)
		a.Result, a.Failure = judgements, asFailure(err)
	case r.Prepare != nil:
		go quietly(func() { _, _ = openCatalog(r.Prepare.Schemas) })
	case r.Locate != nil:
		a.Result = s.locate(r.Locate.Places)
	default:
		a.Failure = &failure{Kind: "crash", Message: "unknown request"}
	}
	return a
}

// panicCause says what the runtime says; anything else may quote what it stumbled over.
func panicCause(panicked any) string {
	if fault, ok := panicked.(runtime.Error); ok {
		return ": " + fault.Error()
	}
	return ""
}

// arguments of a call in a stack: where they lie in memory.
var arguments = regexp.MustCompile(`\([^(]*\)$`)

// panicLine is the first line of the stack below the runtime's own, ” where nothing panics.
func panicLine() string {
	lines := strings.Split(string(debug.Stack()), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "panic(") && i+3 < len(lines) {
			return " in " + arguments.ReplaceAllString(strings.TrimSpace(lines[i+2]), "")
		}
	}
	return ""
}
