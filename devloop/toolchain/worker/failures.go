package main

import (
	"errors"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
)

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
		pattern: regexp.MustCompile(`(?s)(?:from '([^']+)': )?may not add resource with an already registered id: ([^\s']+)`),
		message: "$2 is there twice", hint: "remove one of them, or make it a patch", subject: "$1",
	},
	{
		pattern: regexp.MustCompile(`(?:evalsymlink failure on|open) '?([^\s']+)'?\s?: (?:.*: )?no such file or directory`),
		message: "$1 does not exist", hint: "create it, or remove the reference", subject: "$1",
	},
	{
		pattern: regexp.MustCompile(`unknown field "([^"]+)"`),
		message: "there is no field $1", hint: "see https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/", subject: "$1",
	},
	{
		pattern: regexp.MustCompile(`cannot unmarshal (\w+) into Go (?:struct field|value of type) (?:\w+\.)?([\w.]+) of type \S+`),
		message: "the field $2 cannot be a $1", subject: "$2",
	},
	{
		pattern: regexp.MustCompile(`no matches for Id ([^;\s]+); failed to find unique target for patch`),
		message: "the patch for $1 matches no object", hint: "correct its kind, name or namespace, or remove it",
	},
	{
		pattern: regexp.MustCompile(`missing metadata\.name in object`),
		message: "an object has no metadata.name", hint: "give it one",
	},
	{
		pattern: regexp.MustCompile(`nothing selected by (\S+)`),
		message: "the source of a replacement does not exist: $1", hint: "correct what it selects", subject: "replacements",
	},
	{
		pattern: regexp.MustCompile(`kustomization.yaml is empty`),
		message: "kustomization.yaml is empty", hint: "list its files under resources",
	},
	{
		pattern: regexp.MustCompile(`must specify --enable-helm`),
		message: "Flux does not build helmCharts", hint: "make it a HelmRelease", subject: "helmCharts",
	},
}

// kustomize wraps an error once per folder that it came through; each pattern takes one layer off what no cause above explains.
var wrappings = []*regexp.Regexp{
	regexp.MustCompile(`^(?:accumulating|merging) (?:resources|components)(?: from '[^']*')?: `),
	regexp.MustCompile(`(?s)^accumulation err='.*': `),
	regexp.MustCompile(`^recursed (?:accumulation of|merging from) path '[^']*': `),
	regexp.MustCompile(`^(?:accumulateDirectory|loader\.New): `),
	regexp.MustCompile(`^couldn't make target for path '[^']*': `),
}

var (
	wentThrough = regexp.MustCompile(`(?:accumulation of|merging from|make target for) path '([^']*)'`)
	malformed   = regexp.MustCompile(`(?s)MalformedYAMLError: .* in File: (\S+)`)
	objectID    = regexp.MustCompile(`(\w+)\.(?:\[noVer\]|v\w+)\.(?:\[noGrp\]|[\w.-]+)/(\S+?)\.(\[noNs\]|[\w-]+)`)
)

// explain puts an error into plain words and finds its file.
func (b *run) explain(err error) *failure {
	var known *failure
	if !errors.As(err, &known) {
		known = b.explainKustomize(strings.ReplaceAll(err.Error(), `\"`, `"`))
	}
	return b.completed(known)
}

func (b *run) explainKustomize(text string) *failure {
	folders := b.folders(text)
	last := folders[len(folders)-1]
	if found := b.brokenFile(text, last); found != nil {
		return found
	}
	for _, cause := range causes {
		match := cause.pattern.FindStringSubmatchIndex(text)
		if match == nil {
			continue
		}
		expanded := func(template string) string {
			return string(cause.pattern.ExpandString(nil, template, text, match))
		}
		result := &failure{Kind: "build", Message: b.clean(expanded(cause.message), last), Hint: cause.hint}
		b.blame(result, folders, expanded(cause.subject), cause.inside)
		return result
	}
	result := &failure{Kind: "build", Message: b.clean(unwrapped(text), last)}
	b.blame(result, folders, "", false)
	return result
}

// completed adds what is cheap to know now, and keeps secrets out.
func (b *run) completed(f *failure) *failure {
	if b.preparation != nil && len(b.preparation.remote) > 0 && f.Kind == "build" {
		f.Kind = "remote" // what is missing may well be remote
	}
	if b.preparation != nil && b.preparation.secrets.contains(f.Message) {
		f.Message = "the build fails; the reason quotes a secret and is not shown"
	}
	if name, ok := strings.CutPrefix(f.Message, "the variable "); ok && f.Kind == "undefined" && f.Path != "" {
		variable, _, _ := strings.Cut(name, " ")
		if content, err := b.session.readFile(f.Path); err == nil {
			f.Line = lineOfText(content, "${"+variable)
		}
	}
	return f
}

// folders are those that kustomize was in when it failed, the outermost first.
func (b *run) folders(text string) []string {
	folders := []string{b.folder}
	for _, match := range wentThrough.FindAllStringSubmatch(text, -1) {
		folders = append(folders, match[1])
	}
	return folders
}

// brokenFile: kustomize counts lines from the start of a document and names files without their folder, so look for ourselves.
func (b *run) brokenFile(text, folder string) *failure {
	if b.view == nil || !strings.Contains(strings.ToLower(text), "yaml: ") && !strings.Contains(text, "MalformedYAML") {
		return nil
	}
	var candidates []string
	if match := malformed.FindStringSubmatch(text); match != nil {
		candidates = append(candidates, path.Join(folder, match[1]))
	}
	for _, name := range b.view.files() {
		if extension := path.Ext(name); extension == ".yaml" || extension == ".yml" {
			candidates = append(candidates, path.Join(mount, name))
		}
	}
	for _, name := range candidates {
		if content, err := b.view.content(name); err == nil {
			if found := syntaxError(b.fromRoot(name), content); found != nil {
				return found
			}
		}
	}
	return nil
}

// blame finds the file, and the line that mentions the subject: the innermost kustomization file that does, or the innermost there is.
func (b *run) blame(f *failure, folders []string, subject string, inside bool) {
	if b.view == nil {
		return
	}
	for i := len(folders) - 1; i >= 0; i-- {
		if file := path.Join(folders[i], subject); inside && !b.view.IsDir(file) && b.view.Exists(file) {
			f.Path = b.fromRoot(file)
			return
		}
		for _, name := range konfig.RecognizedKustomizationFileNames() {
			file := path.Join(folders[i], name)
			content, err := b.view.content(file)
			if err != nil {
				continue
			}
			line := mentioned(content, relativeTo(folders[i], subject))
			if f.Path == "" || line > 0 {
				f.Path, f.Line = b.fromRoot(file), line
			}
			if line > 0 || subject == "" {
				return
			}
		}
	}
}

func relativeTo(folder, name string) string {
	if relative, err := filepath.Rel(folder, name); err == nil && path.IsAbs(name) {
		return relative
	}
	return name
}

// mentioned finds the line with the word as a whole: a list item, a key, a value or the end of a path.
func mentioned(content []byte, word string) int {
	if word == "" {
		return 0
	}
	whole := regexp.MustCompile(`(^|[\s"'/:=-])` + regexp.QuoteMeta(path.Clean(word)) + `/?(["',:\s\]]|$)`)
	for number, line := range strings.Split(string(content), "\n") {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") && whole.MatchString(line) {
			return number + 1
		}
	}
	return 0
}

func unwrapped(text string) string {
	for changed := true; changed; {
		changed = false
		for _, layer := range wrappings {
			if at := layer.FindStringIndex(text); at != nil {
				text, changed = text[at[1]:], true
			}
		}
	}
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return first
}

// clean takes our own paths out of a message, names what lies in the folder from there, and objects as people do.
func (b *run) clean(text, folder string) string {
	text = strings.TrimPrefix(objectID.ReplaceAllString(text, "$1/$3/$2"), "./")
	for _, cut := range []string{"[noNs]/", b.session.scratch, folder + "/", mount + "/"} {
		if len(cut) > 1 {
			text = strings.ReplaceAll(text, cut, "")
		}
	}
	return strings.ReplaceAll(text, mount, "the source")
}
