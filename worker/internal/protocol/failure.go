package protocol

// failureKind says what went wrong; the Python side decides by it.
type failureKind string

// The kinds of failures.
const (
	KindBuild        failureKind = "build"        // kustomize or Helm refuses the input
	KindCrash        failureKind = "crash"        // a library panicked, or the request is not known
	KindDecryption   failureKind = "decryption"   // SOPS cannot read what a key of ours should open
	KindDuplicate    failureKind = "duplicate"    // a YAML mapping has a key twice
	KindMissing      failureKind = "missing"      // the path, the source or the chart does not exist
	KindOutside      failureKind = "outside"      // a path leads out of its source
	KindRemote       failureKind = "remote"       // it may well need what was not fetched
	KindSubstitution failureKind = "substitution" // post-build substitution fails
	KindUndefined    failureKind = "undefined"    // a variable has neither value nor default
	KindUnknown      failureKind = "unknown"      // it depends on a value that is not known here
	KindYAML         failureKind = "yaml"         // a file is not valid YAML
)

// Failure is an error in plain words, with its file and line where they are known.
type Failure struct {
	Kind    failureKind `json:"kind"`
	Message string      `json:"message"`
	Hint    string      `json:"hint,omitempty"`
	Path    string      `json:"path,omitempty"`
	Line    int         `json:"line,omitempty"`
	Object  string      `json:"object,omitempty"`
}

// Error is the message.
func (f *Failure) Error() string { return f.Message }

// AsFailure gives an error as a failure, nil for none; an error of another type is a failed build.
func AsFailure(err error) *Failure {
	if err == nil {
		return nil
	}
	if known, ok := err.(*Failure); ok {
		return known
	}
	return &Failure{Kind: KindBuild, Message: err.Error()}
}
