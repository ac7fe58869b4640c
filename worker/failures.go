package main

import (
	"cmp"
	"errors"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
)

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

// explainer knows the build that failed: its source and folder (nil and "" as long as there are none), its scratch folder, and its kustomization
// files once they were prepared.
type explainer struct {
	view        *view
	folder      string
	scratch     string
	preparation *preparation
	readFile    func(name string) ([]byte, error)
}

// explain puts an error into plain words and finds its file.
func (e *explainer) explain(err error) *failure {
	var known *failure
	if !errors.As(err, &known) {
		known = e.explainKustomize(strings.ReplaceAll(err.Error(), `\"`, `"`))
	}
	return e.completed(known)
}

// explainObject does so for what happened to one object after kustomize was done with it.
func (e *explainer) explainObject(err error, object, origin string) *failure {
	var known *failure
	if !errors.As(err, &known) {
		if known = e.brokenFile(err.Error(), e.folder); known == nil {
			known = &failure{Kind: kindBuild, Message: e.clean(unwrapped(err.Error()), e.folder)}
		}
	}
	known.Path, known.Object = cmp.Or(known.Path, origin), object
	return known
}

func (e *explainer) explainKustomize(text string) *failure {
	folders := e.folders(text)
	last := folders[len(folders)-1]
	if found := e.brokenFile(text, last); found != nil {
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
		result := &failure{Kind: kindBuild, Message: e.clean(expanded(cause.message), last), Hint: cause.hint}
		e.blame(result, folders, expanded(cause.subject), cause.inside)
		return result
	}
	result := &failure{Kind: kindBuild, Message: e.clean(unwrapped(text), last)}
	e.blame(result, folders, "", false)
	return result
}

// completed adds what is cheap to know now, and keeps secrets out.
func (e *explainer) completed(f *failure) *failure {
	if e.preparation != nil && len(e.preparation.remote) > 0 && f.Kind == kindBuild {
		f.Kind = kindRemote // what is missing may well be remote
	}
	if e.preparation != nil && e.preparation.secrets.contains(f.Message) {
		f.Message = "the build fails; the reason quotes a secret and is not shown"
	}
	if name, ok := strings.CutPrefix(f.Message, "the variable "); ok && f.Kind == kindUndefined && f.Path != "" {
		variable, _, _ := strings.Cut(name, " ")
		if content, err := e.readFile(f.Path); err == nil {
			f.Line = lineOfText(content, "${"+variable)
		}
	}
	return f
}

// folders are those that kustomize was in when it failed, the outermost first.
func (e *explainer) folders(text string) []string {
	folders := []string{e.folder}
	for _, match := range wentThrough.FindAllStringSubmatch(text, -1) {
		folders = append(folders, match[1])
	}
	return folders
}

// brokenFile: kustomize counts lines from the start of a document and names files without their folder, so look for ourselves.
func (e *explainer) brokenFile(text, folder string) *failure {
	find := yamlFinder(text)
	if e.view == nil || find == nil {
		return nil
	}
	var candidates []string
	if match := malformed.FindStringSubmatch(text); match != nil {
		candidates = append(candidates, path.Join(folder, match[1]))
	}
	for _, name := range e.view.files() {
		if extension := path.Ext(name); extension == ".yaml" || extension == ".yml" {
			candidates = append(candidates, path.Join(mount, name))
		}
	}
	for _, name := range candidates {
		if content, err := e.view.content(name); err == nil {
			if found := find(e.view.fromRoot(name), content); found != nil {
				if by := e.view.namedBy(name); by != nil {
					found.Path, found.Line = by.Path, by.Line
				}
				return found
			}
		}
	}
	return nil
}

var oddities = regexp.MustCompile(`unsupported type: map\[interface|invalid map key|cannot decode !!|map merge requires`)

// yamlFinder is what finds the place of a YAML error in a file; nil where it is another error.
func yamlFinder(text string) func(string, []byte) *failure {
	switch {
	case strings.Contains(text, "already defined at line"):
		return duplicateKey
	case strings.Contains(text, "unknown anchor '"):
		return unknownAnchor(text)
	case oddities.MatchString(text):
		return oddity
	case strings.Contains(text, "yaml: ") || strings.Contains(text, "MalformedYAML"):
		return syntaxError
	}
	return nil
}

// blame finds the file, and the line that mentions the subject: the innermost kustomization file that does, or the innermost there is.
func (e *explainer) blame(f *failure, folders []string, subject string, inside bool) {
	if e.view == nil {
		return
	}
	for _, folder := range folders {
		if by := e.view.namedBy(folder); by != nil { // nobody can mend it here
			f.Path, f.Line = by.Path, by.Line
			return
		}
	}
	for i := len(folders) - 1; i >= 0; i-- {
		if file := path.Join(folders[i], subject); inside && !e.view.IsDir(file) && e.view.Exists(file) {
			f.Path = e.view.fromRoot(file)
			return
		}
		for _, name := range konfig.RecognizedKustomizationFileNames() {
			file := path.Join(folders[i], name)
			content, err := e.view.content(file)
			if err != nil {
				continue
			}
			line := lineOfWord(content, relativeTo(folders[i], subject))
			if f.Path == "" || line > 0 {
				f.Path, f.Line = e.view.fromRoot(file), line
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
	return strings.TrimSuffix(first, ": node contents:")
}

var upToRemote = regexp.MustCompile(`(?:\.\./)*\.\.` + remoteMount)

// withRemoteNames names what is remote as the kustomization file does.
func (e *explainer) withRemoteNames(text string) string {
	if e.view == nil || len(e.view.remoteNames()) == 0 {
		return text
	}
	text = upToRemote.ReplaceAllString(text, remoteMount)
	names := e.view.remoteNames()
	for _, target := range slices.Backward(slices.Sorted(maps.Keys(names))) {
		text = strings.ReplaceAll(text, target, names[target].Shown)
	}
	return text
}

// clean takes our own paths out of a message, names what lies in the folder from there, and objects as people do.
func (e *explainer) clean(text, folder string) string {
	text = strings.TrimPrefix(objectID.ReplaceAllString(text, "$1/$3/$2"), "./")
	text = e.withRemoteNames(text)
	for _, cut := range []string{"[noNs]/", e.scratch, folder + "/", mount + "/"} {
		if len(cut) > 1 {
			text = strings.ReplaceAll(text, cut, "")
		}
	}
	return strings.ReplaceAll(text, mount, "the source")
}
