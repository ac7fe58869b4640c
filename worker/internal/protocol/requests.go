package protocol

// A request has an ID and exactly one of the others.
type Request struct {
	ID         int                `json:"id"`
	Open       *OpenRequest       `json:"open,omitempty"`
	Build      *BuildRequest      `json:"build,omitempty"`
	Releases   *ReleasesRequest   `json:"releases,omitempty"`
	Check      *DecryptionRequest `json:"check,omitempty"`
	Locate     *locateRequest     `json:"locate,omitempty"`
	Policies   *PolicyRequest     `json:"policies,omitempty"`
	Judge      *SchemaRequest     `json:"judge,omitempty"`
	Overlooked *LintRequest       `json:"overlooked,omitempty"`
	Prepare    *PreloadRequest    `json:"prepare,omitempty"`
}

// OpenRequest starts over: with this repository and these Age identities (the text of key files). ShowSecrets leaves nothing masked, for
// `devloop render --show-secrets` alone: what such a session builds may not be kept anywhere. Store is the folder for what is worth keeping
// until the next run, if any.
type OpenRequest struct {
	Root        string `json:"root"`
	Scratch     string `json:"scratch"`
	Identities  string `json:"identities"`
	ShowSecrets bool   `json:"showSecrets,omitempty"`
	Store       string `json:"store,omitempty"`
}

// BuildRequest builds one Kustomization. It is named when an earlier build of the scope rendered it, else given as an object. Base is the
// folder that its path counts from, relative to the root; with Artifact it counts from there instead. Lenient turns strict substitution
// off, as --feature-gates of Flux would.
type BuildRequest struct {
	Scope     string         `json:"scope"`
	Base      string         `json:"base"`
	Namespace string         `json:"namespace"`
	Name      string         `json:"name"`
	Object    map[string]any `json:"object,omitempty"`
	Lenient   bool           `json:"lenient,omitempty"`
	Artifact  *Artifact      `json:"artifact,omitempty"`

	Remotes map[string]Fetched `json:"remotes,omitempty"` // what was fetched, by its names in kustomization files
}

type DecryptionRequest struct {
	Paths []string `json:"paths"`
}

type locateRequest struct {
	Places []Place `json:"places"`
}

// Fetched is where what a kustomization file names lies now: Path in Folder, which never changes.
type Fetched struct {
	Folder string `json:"folder"`
	Path   string `json:"path"`
}

// Artifact is what an ArtifactGenerator says of one of its artifacts; Sources are the folders that its aliases stand for.
type Artifact struct {
	Name    string            `json:"name"`
	Origin  string            `json:"origin"`
	Sources map[string]string `json:"sources"`
	Copy    []CopyOperation   `json:"copy"`
}

// CopyOperation is a CopyOperation of source.extensions.fluxcd.io/v1beta1. Glob patterns mean what they mean to source-watcher: `*` and `**`
// alike stay within one folder, and whatever folder they match is copied with all that is in it; only excludes and archives know `**`.
type CopyOperation struct {
	From     string   `json:"from"`
	To       string   `json:"to"`
	Exclude  []string `json:"exclude,omitempty"`
	Strategy string   `json:"strategy,omitempty"`
	Optional bool     `json:"optional,omitempty"`
}

// ScopedReference is an object of a scope: the one at Index of what the Kustomization Owner (namespace/name) renders, with its HelmReleases.
type ScopedReference struct {
	Scope string `json:"scope"`
	Owner string `json:"owner"`
	Index int    `json:"index"`
}

// Place names a field of an object in a file, or a text. A step of Field is a key, an index, or {"key": "value"} for the item of a list
// that has it. Where a step is not there (a patch made it), the place is the last one that is.
type Place struct {
	Path  string `json:"path"`
	Kind  string `json:"kind,omitempty"`
	Name  string `json:"name,omitempty"`
	Field []any  `json:"field,omitempty"`
	Text  string `json:"text,omitempty"`

	Built *ScopedReference `json:"built,omitempty"` // the object, when somebody wants to know who set the field
}

// LintRequest asks what kustomize passes over without a word in kustomization files and in the patches that they name.
type LintRequest struct {
	Paths []string `json:"paths"`
}

// ReleasesRequest renders the HelmReleases of one Kustomization, in this order, from charts in the repository. Their objects become part of
// what the Kustomization's build gave, after its own. Version is the one of Kubernetes; APIs are what its CRDs define, as group/version and
// group/version/Kind.
type ReleasesRequest struct {
	Scope     string           `json:"scope"`
	Namespace string           `json:"namespace"`
	Name      string           `json:"name"`
	Version   string           `json:"version"`
	APIs      []string         `json:"apis"`
	Releases  []ReleaseRequest `json:"releases"`
}

// ReleaseRequest names a HelmRelease that a build of the scope rendered, and where its chart's path counts from.
type ReleaseRequest struct {
	Namespace string    `json:"namespace"`
	Name      string    `json:"name"`
	Base      string    `json:"base"`
	Artifact  *Artifact `json:"artifact,omitempty"`
}

// SchemaRequest checks every object that the builds of a scope rendered. Schemas is the folder with the definitions of Kubernetes 1.<Minor>.
type SchemaRequest struct {
	Scope   string `json:"scope"`
	Schemas string `json:"schemas"`
	Minor   int    `json:"minor"`
}

// PreloadRequest says what a judge will want, so that it is read meanwhile.
type PreloadRequest struct {
	Schemas string `json:"schemas"`
}

// PolicyRequest judges all that a scope rendered: with the repository's PolicyRules, and with the policies that it renders itself.
type PolicyRequest struct {
	Scope   string       `json:"scope"`
	Version string       `json:"version"` // of Kubernetes, such as 1.36
	Rules   []PolicyRule `json:"rules"`
}

// PolicyRule is a PolicyRule of the repository, read and checked before it came here; see devloop/model/policy.py.
type PolicyRule struct {
	Type        string           `json:"type"` // validation, mutation, generation
	Severity    string           `json:"severity"`
	Targets     []RuleTarget     `json:"targets"`
	Constraints []ruleConstraint `json:"constraints"`
}

// RuleTarget: an empty list takes everything; Names, Namespaces and Kinds are globs.
type RuleTarget struct {
	APIGroups   []string          `json:"apiGroups"`
	APIVersions []string          `json:"apiVersions"`
	Kinds       []string          `json:"kinds"`
	Names       []string          `json:"names"`
	Namespaces  []string          `json:"namespaces"`
	Labels      map[string]string `json:"labels"`
	Layers      []string          `json:"layers"`
}

type ruleConstraint struct {
	Expression        string         `json:"expression"`
	Message           string         `json:"message"`
	MessageExpression string         `json:"messageExpression"`
	Variables         []RuleVariable `json:"variables"`
}

type RuleVariable struct {
	Name       string `json:"name"`
	Expression string `json:"expression"`
}
