package protocol

// FailureKind says what went wrong; the Python side decides by it.
type FailureKind string

// The kinds of failures.
const (
	KindBuild        FailureKind = "build"        // kustomize or Helm refuses the input
	KindCrash        FailureKind = "crash"        // a library panicked, or the request is not known
	KindDecryption   FailureKind = "decryption"   // SOPS cannot read what a key of ours should open
	KindDuplicate    FailureKind = "duplicate"    // a YAML mapping has a key twice
	KindMissing      FailureKind = "missing"      // the path, the source or the chart does not exist
	KindOutside      FailureKind = "outside"      // a path leads out of its source
	KindRemote       FailureKind = "remote"       // it may well need what was not fetched
	KindSubstitution FailureKind = "substitution" // post-build substitution fails
	KindUndefined    FailureKind = "undefined"    // a variable has neither value nor default
	KindUnknown      FailureKind = "unknown"      // it depends on a value that is not known here
	KindYAML         FailureKind = "yaml"         // a file is not valid YAML
)

// Failure is an error in plain words, with its file and line where they are known. Object is the rendered object that it is about, Variable the
// one that is not defined, Field is the field of a HelmRelease that it is about.
type Failure struct {
	Kind     FailureKind `json:"kind"`
	Message  string      `json:"message"`
	Hint     string      `json:"hint,omitempty"`
	Path     string      `json:"path,omitempty"`
	Line     int         `json:"line,omitempty"`
	Object   string      `json:"object,omitempty"`
	Variable string      `json:"variable,omitempty"`
	Field    []any       `json:"field,omitempty"`
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
