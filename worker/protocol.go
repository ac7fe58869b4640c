package main

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

type checkRequest struct {
	Paths []string `json:"paths"`
}

type locateRequest struct {
	Places []place `json:"places"`
}

// fetched is where what a kustomization file names lies now: Path in Folder, which never changes.
type fetched struct {
	Folder string `json:"folder"`
	Path   string `json:"path"`
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

// builtReference is an object of a scope: the one at Index of what the Kustomization Owner (namespace/name) renders, with its HelmReleases.
type builtReference struct {
	Scope string `json:"scope"`
	Owner string `json:"owner"`
	Index int    `json:"index"`
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

// overlookedRequest asks what kustomize passes over without a word in kustomization files and in the patches that they name.
type overlookedRequest struct {
	Paths []string `json:"paths"`
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

// policiesRequest judges all that a scope rendered: with the repository's PolicyRules, and with the policies that it renders itself.
type policiesRequest struct {
	Scope   string       `json:"scope"`
	Version string       `json:"version"` // of Kubernetes, such as 1.36
	Rules   []policyRule `json:"rules"`
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
