package main

// failureKind says what went wrong; the Python side decides by it.
type failureKind string

// The kinds of failures.
const (
	kindBuild        failureKind = "build"        // kustomize or Helm refuses the input
	kindCrash        failureKind = "crash"        // a library panicked, or the request is not known
	kindDecryption   failureKind = "decryption"   // SOPS cannot read what a key of ours should open
	kindDuplicate    failureKind = "duplicate"    // a YAML mapping has a key twice
	kindMissing      failureKind = "missing"      // the path, the source or the chart does not exist
	kindOutside      failureKind = "outside"      // a path leads out of its source
	kindRemote       failureKind = "remote"       // it may well need what was not fetched
	kindSubstitution failureKind = "substitution" // post-build substitution fails
	kindUndefined    failureKind = "undefined"    // a variable has neither value nor default
	kindUnknown      failureKind = "unknown"      // it depends on a value that is not known here
	kindYAML         failureKind = "yaml"         // a file is not valid YAML
)

// failure is an error in plain words, with its file and line where they are known.
type failure struct {
	Kind    failureKind `json:"kind"`
	Message string      `json:"message"`
	Hint    string      `json:"hint,omitempty"`
	Path    string      `json:"path,omitempty"`
	Line    int         `json:"line,omitempty"`
	Object  string      `json:"object,omitempty"`
}

func (f *failure) Error() string { return f.Message }

func asFailure(err error) *failure {
	if err == nil {
		return nil
	}
	if known, ok := err.(*failure); ok {
		return known
	}
	return &failure{Kind: kindBuild, Message: err.Error()}
}
