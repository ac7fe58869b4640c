// Package protocol is what devloop and the worker send each other: requests, answers and the kinds of failures, as protocol.json lists them.
// Both are JSON objects, one per line.
package protocol

// Request has an ID and exactly one of the other fields.
type Request struct {
	ID         int                `json:"id"`
	Open       *OpenRequest       `json:"open,omitempty"`
	Build      *BuildRequest      `json:"build,omitempty"`
	Releases   *ReleasesRequest   `json:"releases,omitempty"`
	Decryption *DecryptionRequest `json:"decryption,omitempty"`
	Locate     *LocateRequest     `json:"locate,omitempty"`
	Policies   *PolicyRequest     `json:"policies,omitempty"`
	Schemas    *SchemaRequest     `json:"schemas,omitempty"`
	Patches    *PatchesRequest    `json:"patches,omitempty"`
	Lint       *LintRequest       `json:"lint,omitempty"`
	Preload    *PreloadRequest    `json:"preload,omitempty"`
	Redact     *RedactRequest     `json:"redact,omitempty"`
}

// OpenRequest starts a session with a repository and Age identities (the text of key files). With ShowSecrets no value is masked: that is for
// `devloop render --show-secrets` alone, and such a session keeps nothing on the disk. Store is the folder for what the next run can reuse.
// Ignored are files and folders that Git ignores, Absent are files that it tracks and that a sparse checkout left out, relative to the root.
type OpenRequest struct {
	Root        string   `json:"root"`
	Scratch     string   `json:"scratch"`
	Identities  string   `json:"identities"`
	ShowSecrets bool     `json:"showSecrets,omitempty"`
	Store       string   `json:"store,omitempty"`
	Ignored     []string `json:"ignored,omitempty"`
	Absent      []string `json:"absent,omitempty"`
}

// BuildRequest builds one Kustomization. It is given by name when an earlier build of the scope rendered it, else as an object. Its path is
// relative to Base, which is relative to the root, or to the Artifact; Settings are those of its source. Lenient turns strict substitution
// off, as a feature gate of Flux does. Remotes are the remote bases that were fetched, by their names in kustomization files.
type BuildRequest struct {
	Scope     string             `json:"scope"`
	Base      string             `json:"base"`
	Namespace string             `json:"namespace"`
	Name      string             `json:"name"`
	Object    map[string]any     `json:"object,omitempty"`
	Lenient   bool               `json:"lenient,omitempty"`
	Settings  *SourceSettings    `json:"settings,omitempty"`
	Artifact  *Artifact          `json:"artifact,omitempty"`
	Remotes   map[string]Fetched `json:"remotes,omitempty"`
}

// SourceSettings are what the object of a source says about the content of its artifact: Ignore is spec.ignore, Sparse is spec.sparseCheckout,
// Submodules is spec.recurseSubmodules, and Unknown are folders whose content comes from elsewhere, with what brings it.
type SourceSettings struct {
	Ignore     string            `json:"ignore,omitempty"`
	Sparse     []string          `json:"sparse,omitempty"`
	Submodules bool              `json:"submodules,omitempty"`
	Unknown    map[string]string `json:"unknown,omitempty"`
}

// Fetched is where a remote base was fetched to: Path in Folder, whose content never changes.
type Fetched struct {
	Folder string `json:"folder"`
	Path   string `json:"path"`
}

// Artifact is one artifact of an ArtifactGenerator. Origin is the file of the generator, Sources are the folders of its aliases,
// Settings those of the sources that have some.
type Artifact struct {
	Name     string                    `json:"name"`
	Origin   string                    `json:"origin"`
	Sources  map[string]string         `json:"sources"`
	Settings map[string]SourceSettings `json:"settings,omitempty"`
	Copy     []CopyOperation           `json:"copy"`
}

// CopyOperation is a CopyOperation of source.extensions.fluxcd.io/v1beta1. Globs mean what they mean to source-watcher: both `*` and `**` stay
// within one folder, and a folder that they match is copied with everything in it; only excludes and archives know `**`.
type CopyOperation struct {
	From     string   `json:"from"`
	To       string   `json:"to"`
	Exclude  []string `json:"exclude,omitempty"`
	Strategy string   `json:"strategy,omitempty"`
	Optional bool     `json:"optional,omitempty"`
}

// ReleasesRequest renders the HelmReleases of one Kustomization, in this order, from charts in the repository. Their objects are added to those
// of the Kustomization's build. Version is the version of Kubernetes; APIs are those of its CRDs, as group/version and group/version/Kind.
type ReleasesRequest struct {
	Scope     string           `json:"scope"`
	Namespace string           `json:"namespace"`
	Name      string           `json:"name"`
	Version   string           `json:"version"`
	APIs      []string         `json:"apis"`
	Releases  []ReleaseRequest `json:"releases"`
}

// ReleaseRequest names a HelmRelease that a build of the scope rendered. The path of its chart is relative to Base or to the Artifact.
type ReleaseRequest struct {
	Namespace string          `json:"namespace"`
	Name      string          `json:"name"`
	Base      string          `json:"base"`
	Settings  *SourceSettings `json:"settings,omitempty"`
	Artifact  *Artifact       `json:"artifact,omitempty"`
}

// DecryptionRequest asks for each encrypted file whether it can be decrypted.
type DecryptionRequest struct {
	Paths []string `json:"paths"`
}

// LocateRequest asks for the line of each place.
type LocateRequest struct {
	Places []Place `json:"places"`
}

// Place is a field of an object in a file, or a text in it. A step of Field is a key, an index, or {"key": "value"} for the list item that has
// it. Where a step does not exist (a patch added it), the place is the last step that does. With Built, the answer says what set the field.
type Place struct {
	Path      string           `json:"path"`
	Kind      string           `json:"kind,omitempty"`
	Name      string           `json:"name,omitempty"`
	Namespace string           `json:"namespace,omitempty"`
	Field     []any            `json:"field,omitempty"`
	Text      string           `json:"text,omitempty"`
	Built     *ScopedReference `json:"built,omitempty"`
}

// ScopedReference is a rendered object: the one at Index of what the Kustomization Owner (namespace/name) renders, with its HelmReleases.
type ScopedReference struct {
	Scope string `json:"scope"`
	Owner string `json:"owner"`
	Index int    `json:"index"`
}

// LintRequest asks what kustomize ignores without an error in kustomization files and in the patches that they name.
type LintRequest struct {
	Paths []string `json:"paths"`
}

// SchemaRequest checks every object of a scope. Schemas is the folder with the definitions of Kubernetes 1.<Minor>.
type SchemaRequest struct {
	Scope   string `json:"scope"`
	Schemas string `json:"schemas"`
	Minor   int    `json:"minor"`
}

// PatchesRequest asks for the patches whose target matches nothing in any of the scopes. Whole says that there are no other environments: else
// nothing is said about components, which may be included elsewhere.
type PatchesRequest struct {
	Scopes []string `json:"scopes"`
	Whole  bool     `json:"whole,omitempty"`
}

// PreloadRequest reads the schemas that a SchemaRequest will need. It has no result.
type PreloadRequest struct {
	Schemas string `json:"schemas"`
}

// RedactRequest asks for texts without the values of secrets in the files that builds read, and in others at Paths. Manifests says that the texts
// are rendered objects.
type RedactRequest struct {
	Texts     []string `json:"texts"`
	Paths     []string `json:"paths,omitempty"`
	Manifests bool     `json:"manifests,omitempty"`
}

// PolicyRequest evaluates the repository's PolicyRules, and the policies that the scope renders itself, against the objects of a scope. Version
// is the version of Kubernetes, such as 1.36.
type PolicyRequest struct {
	Scope   string       `json:"scope"`
	Version string       `json:"version"`
	Rules   []PolicyRule `json:"rules"`
}

// PolicyRule is a PolicyRule of the repository, which devloop has validated. Type is validation, mutation or generation.
type PolicyRule struct {
	Type        string           `json:"type"`
	Severity    string           `json:"severity"`
	Targets     []RuleTarget     `json:"targets"`
	Constraints []RuleConstraint `json:"constraints"`
}

// RuleTarget selects objects; an empty list selects all. Names, Namespaces and Kinds are globs.
type RuleTarget struct {
	APIGroups   []string          `json:"apiGroups,omitempty"`
	APIVersions []string          `json:"apiVersions,omitempty"`
	Kinds       []string          `json:"kinds,omitempty"`
	Names       []string          `json:"names,omitempty"`
	Namespaces  []string          `json:"namespaces,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Layers      []string          `json:"layers,omitempty"`
}

// RuleConstraint is a CEL expression with its messages.
type RuleConstraint struct {
	Expression        string         `json:"expression"`
	Message           string         `json:"message,omitempty"`
	MessageExpression string         `json:"messageExpression,omitempty"`
	Variables         []RuleVariable `json:"variables"`
}

// RuleVariable is a variable of a constraint; later expressions read it as variables.<name>.
type RuleVariable struct {
	Name       string `json:"name"`
	Expression string `json:"expression"`
}
