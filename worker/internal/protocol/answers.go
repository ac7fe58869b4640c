package protocol

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
)

// Answer is the answer to the request with the same ID: a result or a failure.
type Answer struct {
	ID      int      `json:"id"`
	Result  any      `json:"result,omitempty"`
	Failure *Failure `json:"failure,omitempty"`
}

// Encode gives the answer as JSON. A result that is JSON already is copied: encoding it again would take longer than anything else here.
func (a Answer) Encode() ([]byte, error) {
	result, encoded := a.Result.(json.RawMessage)
	if !encoded || a.Failure != nil {
		return json.Marshal(a)
	}
	line := make([]byte, 0, len(result)+32)
	line = append(strconv.AppendInt(append(line, `{"id":`...), int64(a.ID), 10), `,"result":`...)
	return append(append(line, result...), '}'), nil
}

// BuildResult is what a Kustomization or a HelmRelease rendered; paths are relative to the root. Objects are always in the JSON, see Encode.
// Remote are the remote bases that were not fetched, Dropped what Helm drops from a chart without an error. Failure is an error in the repository.
// Fingerprint changes with everything that the build of a Kustomization depends on; "" where that cannot be told.
type BuildResult struct {
	Directory   string        `json:"directory"`
	Objects     []BuiltObject `json:"objects,omitempty"`
	Files       []string      `json:"files"`
	Encrypted   []string      `json:"encrypted"`
	Remote      []RemoteName  `json:"remote,omitempty"`
	Dropped     []*Failure    `json:"dropped,omitempty"`
	Failure     *Failure      `json:"failure,omitempty"`
	Fingerprint string        `json:"fingerprint,omitempty"`
}

// Span is a part of an encoded result.
type Span struct{ From, To int }

// Encode gives the result as JSON, and the place of each object's body in it. The bodies become parts of that JSON.
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

// FilesOf are the files of an encoded result.
func FilesOf(encoded json.RawMessage) []string {
	head, _, _ := bytes.Cut(encoded, []byte(`,"objects":[`))
	var result BuildResult
	_ = json.Unmarshal(slices.Concat(head, []byte("}")), &result)
	return result.Files
}

// SecretState says whether SOPS encrypted (a part of) an object, and whether it could be decrypted.
type SecretState string

// The states of an object that SOPS encrypted.
const (
	SecretDecrypted SecretState = "opened"
	SecretEncrypted SecretState = "sealed"
)

// BuiltObject is one object as Flux would apply it, with the values of secrets masked. Line is the line of Origin, where that file is not the
// object's own. Unknown are JSON pointers to values that depend on variables that are unknown or must not be shown.
type BuiltObject struct {
	Body    json.RawMessage `json:"body,omitempty"`
	Origin  string          `json:"origin"`
	Line    int             `json:"line,omitempty"`
	Secret  SecretState     `json:"secret,omitempty"`
	Unknown []string        `json:"unknown,omitempty"`
}

// RemoteName is what a kustomization file takes from elsewhere, and the file and line that name it. Shown is the name without credentials. With
// Repo it is what kustomize would clone: the folder Inside of it, at Ref.
type RemoteName struct {
	Name   string `json:"name"`
	Shown  string `json:"shown"`
	Repo   string `json:"repo,omitempty"`
	Ref    string `json:"ref,omitempty"`
	Inside string `json:"inside,omitempty"`
	Path   string `json:"path,omitempty"`
	Line   int    `json:"line,omitempty"`
}

// DecryptionProblem is why a file cannot be decrypted.
type DecryptionProblem string

// The reasons why a file cannot be decrypted.
const (
	ProblemFormat  DecryptionProblem = "format"  // it cannot be read
	ProblemKey     DecryptionProblem = "key"     // no identity matches its recipients
	ProblemMAC     DecryptionProblem = "mac"     // it was changed after it was encrypted
	ProblemService DecryptionProblem = "service" // its keys are held by services other than Age
)

// DecryptionResult says whether an encrypted file can be decrypted; Reason is empty when it can.
type DecryptionResult struct {
	Path       string            `json:"path"`
	Recipients []string          `json:"recipients"`
	Services   []string          `json:"services,omitempty"`
	Reason     DecryptionProblem `json:"reason,omitempty"`
	Message    string            `json:"message,omitempty"`
}

// Location is the line of a place, 0 where it was not found, and what set the field where that is something else.
type Location struct {
	Line   int          `json:"line"`
	Setter *FieldSource `json:"setter,omitempty"`
}

// FieldSource is what set a field after it left the object's own file: a patch, or another setting of a kustomization file or a HelmRelease.
type FieldSource struct {
	Path string `json:"path"`
	Line int    `json:"line"`
	What string `json:"what"`
}

// LintCode is what kustomize ignores.
type LintCode string

// What kustomize ignores.
const (
	LintDuplicate LintCode = "duplicate" // the first of two equal keys
	LintIgnored   LintCode = "ignored"   // a field that kustomization files do not have
)

// LintFinding is something that kustomize ignores.
type LintFinding struct {
	Code    LintCode `json:"code"`
	Path    string   `json:"path"`
	Line    int      `json:"line"`
	Message string   `json:"message"`
	Hint    string   `json:"hint,omitempty"`
}

// PatchResult is a patch whose Target, as text, matches nothing in what the Kustomization Owner of a scope (by its index) builds. Shared says
// that it is of the spec of a Kustomization, which other environments may have too, with other objects.
type PatchResult struct {
	Scope  int    `json:"scope"`
	Owner  string `json:"owner"`
	Path   string `json:"path"`
	Line   int    `json:"line"`
	Target string `json:"target"`
	Hint   string `json:"hint,omitempty"`
	Shared bool   `json:"shared,omitempty"`
}

// SchemaResult is what is wrong with one object: the one at Index of what the Kustomization Owner renders.
type SchemaResult struct {
	Owner      string        `json:"owner"`
	Index      int           `json:"index"`
	Violations []SchemaError `json:"violations"`
}

// SchemaCode is the kind of a schema error.
type SchemaCode string

// The kinds of schema errors.
const (
	SchemaDeprecated   SchemaCode = "deprecated"   // the API version is deprecated
	SchemaDuplicate    SchemaCode = "duplicate"    // two items of a set, or of a list with keys, are the same
	SchemaMissing      SchemaCode = "missing"      // a required field is missing
	SchemaQuantity     SchemaCode = "quantity"     // a quantity cannot be parsed
	SchemaRemoved      SchemaCode = "removed"      // this version of Kubernetes does not serve the API version
	SchemaType         SchemaCode = "type"         // a value has the wrong type
	SchemaUnknownField SchemaCode = "unknown"      // the schema has no such field
	SchemaUnknownKind  SchemaCode = "unknown-kind" // no schema has such a kind
	SchemaValue        SchemaCode = "value"        // a value is not allowed
)

// SchemaError is one thing that the API server would refuse; its message has no value of a secret. Field are steps as in Place. Assumed says
// that the schema is Flux's own, of which the cluster may have another version.
type SchemaError struct {
	Code    SchemaCode `json:"code"`
	Field   []any      `json:"field"`
	Message string     `json:"message"`
	Hint    string     `json:"hint,omitempty"`
	Assumed bool       `json:"assumed,omitempty"`
}

// PolicyOutcome is what a policy has to say about an object, or about itself.
type PolicyOutcome string

// The outcomes of policies.
const (
	OutcomeChanged  PolicyOutcome = "changed"  // a mutation would change the object
	OutcomeInvalid  PolicyOutcome = "invalid"  // the policy itself has an error
	OutcomeMissing  PolicyOutcome = "missing"  // an object that must exist as well is not rendered
	OutcomeSkipped  PolicyOutcome = "skipped"  // it was not evaluated
	OutcomeUnbound  PolicyOutcome = "unbound"  // nothing puts the policy in force
	OutcomeViolated PolicyOutcome = "violated" // the object violates it
)

// PolicyResult is one outcome of a policy. Line and Column count from 1 in the Expression, which is the one at Field.
type PolicyResult struct {
	Outcome    PolicyOutcome    `json:"outcome"`
	Policy     ObjectReference  `json:"policy"`
	Field      []any            `json:"field,omitempty"`
	Object     *ObjectReference `json:"object,omitempty"`
	Severity   string           `json:"severity,omitempty"`
	Message    string           `json:"message"`
	Line       int              `json:"line,omitempty"`
	Column     int              `json:"column,omitempty"`
	Expression string           `json:"expression,omitempty"`
}

// ObjectReference is a rendered object, or, without an owner, a PolicyRule of the request by its index.
type ObjectReference struct {
	Owner string `json:"owner,omitempty"`
	Index int    `json:"index"`
}
