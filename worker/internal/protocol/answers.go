package protocol

import (
	"encoding/json"
	"strconv"
)

type Answer struct {
	ID      int      `json:"id"`
	Result  any      `json:"result,omitempty"`
	Failure *Failure `json:"failure,omitempty"`
}

// Encode leaves a result that is JSON already as it is: looking at all of it once more would take longer than anything else here.
func (a Answer) Encode() ([]byte, error) {
	result, encoded := a.Result.(json.RawMessage)
	if !encoded || a.Failure != nil {
		return json.Marshal(a)
	}
	line := make([]byte, 0, len(result)+32)
	line = append(strconv.AppendInt(append(line, `{"id":`...), int64(a.ID), 10), `,"result":`...)
	return append(append(line, result...), '}'), nil
}

// BuildResult: paths are relative to the root. Failure is the repository's fault, not the worker's.
type BuildResult struct {
	Directory string        `json:"directory"`
	Objects   []BuiltObject `json:"objects,omitempty"` // always there in an answer, see encode
	Files     []string      `json:"files"`
	Encrypted []string      `json:"encrypted"`
	Remote    []RemoteName  `json:"remote,omitempty"` // what was not fetched
	Failure   *Failure      `json:"failure,omitempty"`
}

// Span is a part of an encoded answer.
type Span struct{ From, To int }

// Encode gives the answer as JSON, and where in it the objects' bodies are. The bodies of the result become parts of it.
func (r *BuildResult) Encode() (json.RawMessage, []Span) {
	head := *r
	head.Objects = nil
	content, _ := json.Marshal(head)
	content = append(content[:len(content)-1], `,"objects":[`...)
	bodies := make([]Span, len(r.Objects))
	for i, object := range r.Objects {
		if i > 0 {
			content = append(content, ',')
		}
		content = append(content, `{"body":`...)
		bodies[i] = Span{len(content), len(content) + len(object.Body)}
		content = append(content, object.Body...)
		object.Body = nil
		rest, _ := json.Marshal(object)
		content = append(append(content, ','), rest[1:]...)
	}
	content = append(content, "]}"...)
	for i := range r.Objects {
		r.Objects[i].Body = json.RawMessage(content[bodies[i].From:bodies[i].To])
	}
	return content, bodies
}

// BuiltObject is one object as Flux would apply it, without the values of its secrets. Secret is "opened" or "sealed" where SOPS encrypted
// (a part of) it; Unknown are JSON pointers to values that depend on variables that cannot be known or shown.
type BuiltObject struct {
	Body    json.RawMessage `json:"body,omitempty"`
	Origin  string          `json:"origin"`
	Line    int             `json:"line,omitempty"` // where the origin is not the object's own
	Secret  string          `json:"secret,omitempty"`
	Unknown []string        `json:"unknown,omitempty"`
}

// RemoteName is something that a kustomization file takes from elsewhere, with the place that names it. With Repo it is what kustomize would
// clone: Inside of it at Ref.
type RemoteName struct {
	Name   string `json:"name"`
	Shown  string `json:"shown"` // without credentials
	Repo   string `json:"repo,omitempty"`
	Ref    string `json:"ref,omitempty"`
	Inside string `json:"inside,omitempty"`
	Path   string `json:"path,omitempty"`
	Line   int    `json:"line,omitempty"`
}

// DecryptionResult says whether an encrypted file can be opened. Reason is key, service (not Age), mac or format.
type DecryptionResult struct {
	Path       string   `json:"path"`
	Recipients []string `json:"recipients"`
	Services   []string `json:"services,omitempty"`
	Reason     string   `json:"reason,omitempty"`
	Message    string   `json:"message,omitempty"`
}

// Location is where a place is: Line is 0 where there is none.
type Location struct {
	Line   int          `json:"line"`
	Setter *FieldSource `json:"setter,omitempty"`
}

// FieldSource is what set a field on the way from the object's own file to what Flux applies: a patch, or another setting of a kustomization file
// or of a HelmRelease.
type FieldSource struct {
	Path string `json:"path"`
	Line int    `json:"line"`
	What string `json:"what"`
}

// LintFinding: Code is duplicate (the last of two keys counts) or ignored (a field that there is not, in a file that Flux reads itself).
type LintFinding struct {
	Code    string `json:"code"`
	Path    string `json:"path"`
	Line    int    `json:"line"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// SchemaResult is what is wrong with one object: the index counts the objects of the Kustomization owner. Codes beyond a violation's own are
// removed, deprecated, and unknown-kind.
type SchemaResult struct {
	Owner      string        `json:"owner"`
	Index      int           `json:"index"`
	Violations []SchemaError `json:"violations"`
}

// SchemaError is one thing that the API server would refuse, in plain words without values of secrets. Field are the steps of a place (see
// locate.go), Code is one of unknown, type, missing, value, quantity, duplicate.
type SchemaError struct {
	Code    string `json:"code"`
	Field   []any  `json:"field"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Assumed bool   `json:"assumed,omitempty"` // by a definition that the cluster need not have in this version
}

// PolicyResult is one thing that a policy says. Outcome is violated, changed (it would be), missing (an object beside it), invalid (the
// policy itself), unbound (it does nothing) or skipped. Line and Column count from 1 in the expression at Field.
type PolicyResult struct {
	Outcome  string           `json:"outcome"`
	Policy   ObjectReference  `json:"policy"`
	Field    []any            `json:"field,omitempty"`
	Object   *ObjectReference `json:"object,omitempty"`
	Severity string           `json:"severity,omitempty"`
	Message  string           `json:"message"`
	Line     int              `json:"line,omitempty"`
	Column   int              `json:"column,omitempty"`

	Expression string `json:"expression,omitempty"`
}

// ObjectReference is an object of a rendering, or a PolicyRule of the request by its index, then without an owner.
type ObjectReference struct {
	Owner string `json:"owner,omitempty"`
	Index int    `json:"index"`
}
