// Package diagnose puts the errors of kustomize into plain words and finds the file and line that they come from.
package diagnose

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

	"devloop.invalid/toolchain/worker/internal/kustomize"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/secrets"
	"devloop.invalid/toolchain/worker/internal/source"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
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

// Explainer knows the build that failed: its source and folder (nil and "" as long as there are none), its scratch folder, and its kustomization
// files once they were prepared.
type Explainer struct {
	View        *source.View
	Folder      string
	Scratch     string
	Preparation *kustomize.Preparation
	ReadFile    func(name string) ([]byte, error)
}

// Explain puts an error into plain words and finds its file.
func (e *Explainer) Explain(err error) *protocol.Failure {
	var known *protocol.Failure
	if !errors.As(err, &known) {
		known = e.explainKustomize(strings.ReplaceAll(err.Error(), `\"`, `"`))
	}
	return e.complete(known)
}

// ExplainObject does so for what happened to one object after kustomize was done with it.
func (e *Explainer) ExplainObject(err error, object, origin string) *protocol.Failure {
	var known *protocol.Failure
	if !errors.As(err, &known) {
		if known = e.brokenFile(err.Error(), e.Folder); known == nil {
			known = &protocol.Failure{Kind: protocol.KindBuild, Message: e.clean(Unwrap(err.Error()), e.Folder)}
		}
	}
	known.Path, known.Object = cmp.Or(known.Path, origin), object
	e.placeExpression(known)
	known.Message = e.redacted(known.Message)[0]
	return known
}

func (e *Explainer) explainKustomize(text string) *protocol.Failure {
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
		result := &protocol.Failure{Kind: protocol.KindBuild, Message: e.clean(expanded(cause.message), last), Hint: cause.hint}
		if reason, hint := e.absence(expanded(cause.subject), folders); reason != "" {
			result.Message, result.Hint = reason, hint
		}
		e.locate(result, folders, expanded(cause.subject), cause.inside)
		return result
	}
	result := &protocol.Failure{Kind: protocol.KindBuild, Message: e.clean(Unwrap(text), last)}
	e.locate(result, folders, "", false)
	return result
}

// complete adds what is cheap to know now, and keeps secrets out.
func (e *Explainer) complete(f *protocol.Failure) *protocol.Failure {
	if e.Preparation != nil && len(e.Preparation.Remote) > 0 && f.Kind == protocol.KindBuild {
		f.Kind = protocol.KindRemote // what is missing may well be remote
	}
	if e.View != nil && e.View.Unknown() != nil && f.Kind == protocol.KindBuild {
		f.Kind, f.Message, f.Hint = protocol.KindUnknown, e.View.Unknown().Message, ""
	}
	if e.Preparation != nil && e.Preparation.Secrets.Contains(f.Message) {
		f.Message, f.Variable = "the build fails; the reason quotes a secret and is not shown", ""
	}
	redacted := e.redacted(f.Message, f.Hint)
	f.Message, f.Hint = redacted[0], redacted[1]
	if f.Variable != "" && f.Path != "" {
		if content, err := e.ReadFile(f.Path); err == nil {
			f.Line = yamldoc.LineOfText(content, "${"+f.Variable)
		}
	}
	return f
}

// absence is why the source lacks what an error is about, although it lies on the disk.
func (e *Explainer) absence(subject string, folders []string) (reason, hint string) {
	if e.View == nil || subject == "" {
		return "", ""
	}
	if path.IsAbs(subject) {
		return e.View.Absence(subject)
	}
	for _, folder := range slices.Backward(folders) {
		if reason, hint = e.View.Absence(path.Join(folder, subject)); reason != "" {
			return reason, hint
		}
	}
	return "", ""
}

// folders are those that kustomize was in when it failed, the outermost first.
func (e *Explainer) folders(text string) []string {
	folders := []string{e.Folder}
	for _, match := range wentThrough.FindAllStringSubmatch(text, -1) {
		folders = append(folders, match[1])
	}
	return folders
}

// brokenFile: kustomize counts lines from the start of a document and names files without their folder, so look for ourselves.
func (e *Explainer) brokenFile(text, folder string) *protocol.Failure {
	find := yamlFinder(text)
	if e.View == nil || find == nil {
		return nil
	}
	var candidates []string
	if match := malformed.FindStringSubmatch(text); match != nil {
		candidates = append(candidates, path.Join(folder, match[1]))
	}
	for _, name := range e.View.Files() {
		if extension := path.Ext(name); extension == ".yaml" || extension == ".yml" {
			candidates = append(candidates, path.Join(source.Mount, name))
		}
	}
	for _, name := range candidates {
		if content, err := e.View.Content(name); err == nil {
			if found := find(e.View.RepositoryPath(name), content); found != nil {
				if by := e.View.NamedBy(name); by != nil {
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
func yamlFinder(text string) func(string, []byte) *protocol.Failure {
	switch {
	case strings.Contains(text, "already defined at line"):
		return yamldoc.DuplicateKey
	case strings.Contains(text, "unknown anchor '"):
		return yamldoc.UnknownAnchor(text)
	case oddities.MatchString(text):
		return yamldoc.Unsupported
	case strings.Contains(text, "yaml: ") || strings.Contains(text, "MalformedYAML"):
		return yamldoc.SyntaxError
	}
	return nil
}

// locate finds the file, and the line that mentions the subject: the innermost kustomization file that does, or the innermost there is.
func (e *Explainer) locate(f *protocol.Failure, folders []string, subject string, inside bool) {
	if e.View == nil {
		return
	}
	for _, folder := range folders {
		if by := e.View.NamedBy(folder); by != nil { // it cannot be fixed here
			f.Path, f.Line = by.Path, by.Line
			return
		}
	}
	for i := len(folders) - 1; i >= 0; i-- {
		if file := path.Join(folders[i], subject); inside && !e.View.IsDir(file) && e.View.Exists(file) {
			f.Path = e.View.RepositoryPath(file)
			return
		}
		for _, name := range konfig.RecognizedKustomizationFileNames() {
			file := path.Join(folders[i], name)
			content, err := e.View.Content(file)
			if err != nil {
				continue
			}
			line := yamldoc.LineOfWord(content, relativeTo(folders[i], subject))
			if f.Path == "" || line > 0 {
				f.Path, f.Line = e.View.RepositoryPath(file), line
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

// Unwrap takes the layers off an error of kustomize, and all but its first line.
func Unwrap(text string) string {
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

var upToRemote = regexp.MustCompile(`(?:\.\./)*\.\.` + source.RemoteMount)

// withRemoteNames names what is remote as the kustomization file does.
func (e *Explainer) withRemoteNames(text string) string {
	if e.View == nil || len(e.View.RemoteNames()) == 0 {
		return text
	}
	text = upToRemote.ReplaceAllString(text, source.RemoteMount)
	names := e.View.RemoteNames()
	for _, target := range slices.Backward(slices.Sorted(maps.Keys(names))) {
		text = strings.ReplaceAll(text, target, names[target].Shown)
	}
	return text
}

// clean takes our own paths out of a message, names files relative to the folder, and objects as kubectl does.
func (e *Explainer) clean(text, folder string) string {
	text = strings.TrimPrefix(objectID.ReplaceAllString(text, "$1/$3/$2"), "./")
	text = e.withRemoteNames(text)
	for _, cut := range []string{"[noNs]/", e.Scratch, folder + "/", source.Mount + "/"} {
		if len(cut) > 1 {
			text = strings.ReplaceAll(text, cut, "")
		}
	}
	return strings.ReplaceAll(text, source.Mount, "the source")
}

var userInURL = regexp.MustCompile(`(://)[^/@\s:]*:[^/@\s]*@`)

// redacted are messages without values of secrets, and without passwords in URLs.
func (e *Explainer) redacted(messages ...string) []string {
	found := secrets.Collector{Values: secrets.Values{}}
	if e.View != nil {
		found.Read = e.View.Content
		for _, name := range e.View.Files() {
			found.Add(path.Join(source.Mount, name))
		}
	}
	for i, message := range messages {
		messages[i] = userInURL.ReplaceAllString(found.Values.Hide(message), "${1}"+secrets.Mask+"@")
	}
	return messages
}
