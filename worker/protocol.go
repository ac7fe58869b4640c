package main

import (
	"encoding/json"
	"fmt"
	"strconv"
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

// span is a part of an encoded answer.
type span struct{ from, to int }

// encode gives the answer as JSON, and where in it the objects' bodies are. The bodies of the result become parts of it.
func (r *buildResult) encode() (json.RawMessage, []span) {
	head := *r
	head.Objects = nil
	content, _ := json.Marshal(head)
	content = append(content[:len(content)-1], `,"objects":[`...)
	bodies := make([]span, len(r.Objects))
	for i, object := range r.Objects {
		if i > 0 {
			content = append(content, ',')
		}
		content = append(content, `{"body":`...)
		bodies[i] = span{len(content), len(content) + len(object.Body)}
		content = append(content, object.Body...)
		object.Body = nil
		rest, _ := json.Marshal(object)
		content = append(append(content, ','), rest[1:]...)
	}
	content = append(content, "]}"...)
	for i := range r.Objects {
		r.Objects[i].Body = json.RawMessage(content[bodies[i].from:bodies[i].to])
	}
	return content, bodies
}

// fetched is where what a kustomization file names lies now: Path in Folder, which never changes.
type fetched struct {
	Folder string `json:"folder"`
	Path   string `json:"path"`
}

// remoteName is something that a kustomization file takes from elsewhere, with the place that names it. With Repo it is what kustomize would
// clone: Inside of it at Ref.
type remoteName struct {
	Name   string `json:"name"`
	Shown  string `json:"shown"` // without credentials
	Repo   string `json:"repo,omitempty"`
	Ref    string `json:"ref,omitempty"`
	Inside string `json:"inside,omitempty"`
	Path   string `json:"path,omitempty"`
	Line   int    `json:"line,omitempty"`
}

// artifactRequest is what an ArtifactGenerator says of one of its artifacts; Sources are the folders that its aliases stand for.
type artifactRequest struct {
	Name    string            `json:"name"`
	Origin  string            `json:"origin"`
	Sources map[string]string `json:"sources"`
	Copy    []copyRule        `json:"copy"`
}

// copyRule is a CopyOperation of source.extensions.fluxcd.io/v1beta1. Glob patterns mean what they mean to source-watcher: `*` and `**`
// alike stay within one folder, and whatever folder they match is copied with all that is in it; only excludes and archives know `**`.
type copyRule struct {
	From     string   `json:"from"`
	To       string   `json:"to"`
	Exclude  []string `json:"exclude,omitempty"`
	Strategy string   `json:"strategy,omitempty"`
	Optional bool     `json:"optional,omitempty"`
}

// Deeper than any object, and not as deep as other readers of JSON go.
const maxDepth = 200

func isTooDeep(object json.RawMessage) bool {
	depth, deepest, quoted := 0, 0, false
	for i := 0; i < len(object); i++ {
		switch letter := object[i]; {
		case quoted && letter == '\\':
			i++
		case letter == '"':
			quoted = !quoted
		case quoted:
		case letter == '{' || letter == '[':
			depth++
			deepest = max(deepest, depth)
		case letter == '}' || letter == ']':
			depth--
		}
	}
	return deepest > maxDepth
}

func tooDeep(name, origin string) *failure {
	return &failure{Kind: kindUnknown, Message: fmt.Sprintf("%s is nested more than %d levels deep", name, maxDepth), Path: origin}
}

// builtReference is an object of a scope: the one at Index of what the Kustomization Owner (namespace/name) renders, with its HelmReleases.
type builtReference struct {
	Scope string `json:"scope"`
	Owner string `json:"owner"`
	Index int    `json:"index"`
}

// setter is what set a field on the way from the object's own file to what Flux applies: a patch, or another setting of a kustomization file
// or of a HelmRelease.
type setter struct {
	Path string `json:"path"`
	Line int    `json:"line"`
	What string `json:"what"`
}

// place names a field of an object in a file, or a text. A step of Field is a key, an index, or {"key": "value"} for the item of a list
// that has it. Where a step is not there (a patch made it), the place is the last one that is.
type place struct {
	Path  string `json:"path"`
	Kind  string `json:"kind,omitempty"`
	Name  string `json:"name,omitempty"`
	Field []any  `json:"field,omitempty"`
	Text  string `json:"text,omitempty"`

	Built *builtReference `json:"built,omitempty"` // the object, when somebody wants to know who set the field
}

// located is where a place is: Line is 0 where there is none.
type located struct {
	Line   int     `json:"line"`
	Setter *setter `json:"setter,omitempty"`
}

// overlookedRequest asks what kustomize passes over without a word in kustomization files and in the patches that they name.
type overlookedRequest struct {
	Paths []string `json:"paths"`
}

// oversight: Code is duplicate (the last of two keys counts) or ignored (a field that there is not, in a file that Flux reads itself).
type oversight struct {
	Code    string `json:"code"`
	Path    string `json:"path"`
	Line    int    `json:"line"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// releasesRequest renders the HelmReleases of one Kustomization, in this order, from charts in the repository. Their objects become part of
// what the Kustomization's build gave, after its own. Version is the one of Kubernetes; APIs are what its CRDs define, as group/version and
// group/version/Kind.
type releasesRequest struct {
	Scope     string           `json:"scope"`
	Namespace string           `json:"namespace"`
	Name      string           `json:"name"`
	Version   string           `json:"version"`
	APIs      []string         `json:"apis"`
	Releases  []releaseRequest `json:"releases"`
}

// releaseRequest names a HelmRelease that a build of the scope rendered, and where its chart's path counts from.
type releaseRequest struct {
	Namespace string           `json:"namespace"`
	Name      string           `json:"name"`
	Base      string           `json:"base"`
	Artifact  *artifactRequest `json:"artifact,omitempty"`
}

// judgeRequest checks every object that the builds of a scope rendered. Schemas is the folder with the definitions of Kubernetes 1.<Minor>.
type judgeRequest struct {
	Scope   string `json:"scope"`
	Schemas string `json:"schemas"`
	Minor   int    `json:"minor"`
}

// prepareRequest says what a judge will want, so that it is read meanwhile.
type prepareRequest struct {
	Schemas string `json:"schemas"`
}

// judgement is what is wrong with one object: the index counts the objects of the Kustomization owner. Codes beyond a violation's own are
// removed, deprecated, and unknown-kind.
type judgement struct {
	Owner      string      `json:"owner"`
	Index      int         `json:"index"`
	Violations []violation `json:"violations"`
}

// violation is one thing that the API server would refuse, in plain words without values of secrets. Field are the steps of a place (see
// locate.go), Code is one of unknown, type, missing, value, quantity, duplicate.
type violation struct {
	Code    string `json:"code"`
	Field   []any  `json:"field"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Assumed bool   `json:"assumed,omitempty"` // by a definition that the cluster need not have in this version
}

// policiesRequest judges all that a scope rendered: with the repository's PolicyRules, and with the policies that it renders itself.
type policiesRequest struct {
	Scope   string       `json:"scope"`
	Version string       `json:"version"` // of Kubernetes, such as 1.36
	Rules   []policyRule `json:"rules"`
}

// statement is one thing that a policy says. Outcome is violated, changed (it would be), missing (an object beside it), invalid (the
// policy itself), unbound (it does nothing) or skipped. Line and Column count from 1 in the expression at Field.
type statement struct {
	Outcome  string     `json:"outcome"`
	Policy   reference  `json:"policy"`
	Field    []any      `json:"field,omitempty"`
	Object   *reference `json:"object,omitempty"`
	Severity string     `json:"severity,omitempty"`
	Message  string     `json:"message"`
	Line     int        `json:"line,omitempty"`
	Column   int        `json:"column,omitempty"`

	Expression string `json:"expression,omitempty"`
}

// reference is an object of a rendering, or a PolicyRule of the request by its index, then without an owner.
type reference struct {
	Owner string `json:"owner,omitempty"`
	Index int    `json:"index"`
}

// policyRule is a PolicyRule of the repository, read and checked before it came here; see devloop/model/policy.py.
type policyRule struct {
	Type        string           `json:"type"` // validation, mutation, generation
	Severity    string           `json:"severity"`
	Targets     []ruleTarget     `json:"targets"`
	Constraints []ruleConstraint `json:"constraints"`
}

// ruleTarget: an empty list takes everything; Names, Namespaces and Kinds are globs.
type ruleTarget struct {
	APIGroups   []string          `json:"apiGroups"`
	APIVersions []string          `json:"apiVersions"`
	Kinds       []string          `json:"kinds"`
	Names       []string          `json:"names"`
	Namespaces  []string          `json:"namespaces"`
	Labels      map[string]string `json:"labels"`
	Layers      []string          `json:"layers"`
}

type ruleConstraint struct {
	Expression        string          `json:"expression"`
	Message           string          `json:"message"`
	MessageExpression string          `json:"messageExpression"`
	Variables         []namedConstant `json:"variables"`
}

type namedConstant struct {
	Name       string `json:"name"`
	Expression string `json:"expression"`
}
