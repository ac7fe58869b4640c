package diagnose

import "regexp"

// cause is something that kustomize says, and how we put it. Subject is the file or the word that it is about: looked for in the
// kustomization file, or, with inside, the file itself.
type cause struct {
	pattern *regexp.Regexp
	message string
	hint    string
	subject string
	inside  bool
}

var causes = []cause{
	{
		pattern: regexp.MustCompile(`expected kind != 'Component' for path '([^']+)'`),
		message: "$1 is a component", hint: "list it under components instead of resources", subject: "$1",
	},
	{
		pattern: regexp.MustCompile(`expected kind 'Component' for path '([^']+)'`),
		message: "$1 is no component", hint: "list it under resources instead of components", subject: "$1",
	},
	{
		pattern: regexp.MustCompile(`(?s)unable to find one of 'kustomization.yaml'.*in directory '([^']+)'`),
		message: "$1 has no kustomization.yaml", hint: "add one that lists its files, or list the files themselves", subject: "$1",
	},
	{
		pattern: regexp.MustCompile(`cycle detected: candidate root '([^']+)' contains visited root '([^']+)'`),
		message: "$2 refers back to $1", hint: "remove the reference: a folder cannot contain itself", subject: "$1",
	},
	{
		pattern: regexp.MustCompile(`accumulating resources from '([^']+)': missing Resource metadata`),
		message: "$1 holds no Kubernetes object", hint: "give it apiVersion, kind and metadata, or do not list it", subject: "$1", inside: true,
	},
	{
		pattern: regexp.MustCompile(`accumulating resources from '([^']+)': missing (kind|metadata\.name)`),
		message: "$1 has an object without $2", hint: "give it one", subject: "$1", inside: true,
	},
	{
		pattern: regexp.MustCompile(`(?s)(?:from '([^']+)': )?may not add resource with an already registered id: ([^\s']+)`),
		message: "$2 is there twice", hint: "remove one of them, or make it a patch", subject: "$1",
	},
	{
		pattern: regexp.MustCompile(`open ([^':\n]+): no such file or directory`),
		message: "$1 does not exist", hint: "create it, or remove the reference", subject: "$1",
	},
	{
		pattern: regexp.MustCompile(`unknown field "([^"]+)"`),
		message: "there is no field $1", hint: "see https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/", subject: "$1",
	},
	{
		pattern: regexp.MustCompile(`cannot unmarshal (\w+) into Go (?:struct field|value of type) (?:\w+\.)?([\w.]+) of type \S+`),
		message: "the field $2 cannot be of type $1", subject: "$2",
	},
	{
		pattern: regexp.MustCompile(`no matches for Id ([^;\s]+); failed to find unique target for patch`),
		message: "the patch for $1 matches no object", hint: "correct its kind, name or namespace, or remove it",
	},
	{
		pattern: regexp.MustCompile(`missing (kind|metadata\.name) in object`),
		message: "an object has no $1", hint: "give it one",
	},
	{
		pattern: regexp.MustCompile(`nothing selected by (\S+)`),
		message: "the source of a replacement does not exist: $1", hint: "correct what it selects", subject: "replacements",
	},
	{
		pattern: regexp.MustCompile(`must specify --enable-helm`),
		message: "Flux does not build helmCharts", hint: "make it a HelmRelease", subject: "helmCharts",
	},
	{
		pattern: regexp.MustCompile("(?s)trouble configuring builtin (\\w+) with config: .*`: ([^\n]+)"),
		message: "the $1 cannot be used: $2", hint: "correct what kustomization.yaml says of it",
	},
	{
		pattern: regexp.MustCompile(`accumulating resources from '([^']+)': ([^'\n]+)': must build at directory`),
		message: "$1: $2", subject: "$1", inside: true,
	},
	{
		pattern: regexp.MustCompile(`^panicked at a schema$`),
		message: "the schema that openapi names cannot be read", hint: "write it as `kustomize openapi fetch` does", subject: "openapi",
	},
	{
		pattern: regexp.MustCompile(`^panicked in (.+)$`),
		message: "kustomize breaks off in $1", hint: "`kustomize build` does so too; take out what is new in the folder, part by part",
	},
	{
		pattern: regexp.MustCompile(`(?s)invalid literal source (.*), expected key=value`),
		message: "a literal of a generator is not in the form key=value", hint: "write each literal as KEY=VALUE", subject: "$1",
	},
	{
		pattern: regexp.MustCompile(`(?s)source ".*" key name or file path contains '='`),
		message: "a file of a generator is not in the form KEY=PATH", hint: "write each file as PATH or KEY=PATH", subject: "files",
	},
	{
		pattern: regexp.MustCompile(`kustomization.yaml is empty`),
		message: "kustomization.yaml is empty", hint: "list its files under resources",
	},
}
