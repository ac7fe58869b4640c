package main

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// kustomize wraps an error once per folder that it came through; what is left is the cause. Each pattern takes one layer off.
var wrappings = []*regexp.Regexp{
	regexp.MustCompile(`^accumulating (?:resources|components)(?: from '[^']*')?: `),
	regexp.MustCompile(`^accumulation err='[^\n]*?': (?:recursed|couldn't)`),
	regexp.MustCompile(`^recursed (?:accumulation of|merging from) path '[^']*': `),
	regexp.MustCompile(`^(?:accumulateDirectory|loader\.New): `),
	regexp.MustCompile(`^couldn't make target for path '[^']*': `),
	regexp.MustCompile(`^merging resources from '[^']*': `),
}

// visited finds the folders that kustomize was in when it failed; the last one is where the cause is.
var visited = regexp.MustCompile(`(?:accumulation of|merging from|make target for) path '([^']*)'`)

// causes: what kustomize says, what kind of failure that is, and how we put it.
var causes = []struct {
	pattern *regexp.Regexp
	kind    string
	message string
}{
	{regexp.MustCompile(`(?:evalsymlink failure on|open) '?([^\s']+)'?\s?: (?:.*: )?no such file or directory`), "missing", "$1 does not exist"},
	{regexp.MustCompile(`(?s)^unable to find one of 'kustomization.yaml'.*in directory '([^']*)'`), "build", "$1 has no kustomization.yaml"},
	{regexp.MustCompile(`unknown field "([^"]+)"`), "build", "kustomization.yaml has no field $1"},
	{regexp.MustCompile(`cannot unmarshal (\w+) into Go (?:struct field|value of type) (?:\w+\.)?([\w.]+) of type (\S+)`), "build", "the field $2 cannot be a $1"},
	{regexp.MustCompile(`may not add resource with an already registered id: (.*)$`), "build", "$1 is there twice"},
	{regexp.MustCompile(`no matches for Id ([^;]+); failed to find unique target for patch (.*)$`), "build", "the patch for $2 matches no object"},
	{regexp.MustCompile(`no resource matches strategic merge patch "([^"]+)"`), "build", "the patch for $1 matches no object"},
	{regexp.MustCompile(`missing metadata\.name in object`), "build", "an object has no metadata.name"},
	{regexp.MustCompile(`cycle detected: candidate root '([^']+)' contains visited root '([^']+)'`), "build", "$2 refers to $1, which contains it"},
	{regexp.MustCompile(`^(https?://\S+) is remote`), "remote", "$1 is remote"},
}

var (
	malformed = regexp.MustCompile(`(?s)MalformedYAMLError: (.*) in File: (\S+)`)
	yamlLine  = regexp.MustCompile(`yaml: line (\d+): (.*)`)
)

// explain puts an error into plain words and finds its file.
func (b *run) explain(err error) *failure {
	var known *failure
	if errors.As(err, &known) {
		return b.complement(known)
	}
	text := strings.ReplaceAll(err.Error(), `\"`, `"`)
	folder := b.lastFolder(text)
	if found := b.brokenFile(text, folder); found != nil {
		return found
	}
	result := &failure{Kind: "build", Message: b.clean(unwrapped(text), folder)}
	for _, cause := range causes {
		if match := cause.pattern.FindStringSubmatchIndex(text); match != nil {
			message := string(cause.pattern.ExpandString(nil, cause.message, text, match))
			result = &failure{Kind: cause.kind, Message: b.clean(message, folder)}
			if cause.kind == "missing" {
				result.Kind = "build"
			}
			break
		}
	}
	b.blame(result, folder)
	return b.complement(result)
}

// complement finds lines that are cheap to find now, since the files have been read.
func (b *run) complement(f *failure) *failure {
	if b.preparation != nil && len(b.preparation.remote) > 0 && f.Kind == "build" {
		f.Kind = "remote" // it may well be that what is missing is remote
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

func (b *run) lastFolder(text string) string {
	folder := b.folder
	if all := visited.FindAllStringSubmatch(text, -1); len(all) > 0 {
		folder = all[len(all)-1][1]
	}
	return folder
}

// brokenFile: kustomize counts lines from the start of a document and names files without their folder, so look for ourselves.
func (b *run) brokenFile(text, folder string) *failure {
	if b.view == nil || !strings.Contains(text, "yaml") && !strings.Contains(text, "YAML") {
		return nil
	}
	var candidates []string
	if match := malformed.FindStringSubmatch(text); match != nil {
		candidates = append(candidates, path.Join(folder, match[2]))
	}
	for _, name := range b.view.files() {
		if extension := path.Ext(name); extension == ".yaml" || extension == ".yml" {
			candidates = append(candidates, path.Join(mount, name))
		}
	}
	for _, name := range candidates {
		content, err := b.view.content(name)
		if err != nil {
			continue
		}
		if found := syntaxError(b.fromRoot(name), content); found != nil {
			return found
		}
	}
	return nil
}

// blame names the kustomization file of the folder, with the line that mentions what the message is about.
func (b *run) blame(f *failure, folder string) {
	if b.view == nil {
		return
	}
	for _, name := range []string{"kustomization.yaml", "kustomization.yml", "Kustomization"} {
		content, err := b.view.content(path.Join(folder, name))
		if err != nil {
			continue
		}
		f.Path = b.fromRoot(path.Join(folder, name))
		for _, word := range strings.Fields(f.Message) {
			if len(word) > 3 && f.Line == 0 && !strings.HasSuffix(word, "kustomization.yaml") {
				f.Line = mentioned(content, strings.Trim(word, "'\""))
			}
		}
	}
}

// mentioned finds the line of a list item or a key.
func mentioned(content []byte, word string) int {
	for number, line := range strings.Split(string(content), "\n") {
		item := strings.Trim(strings.TrimPrefix(strings.TrimSpace(line), "- "), `'"/`)
		if path.Clean(item) == path.Clean(word) || strings.HasPrefix(item, word+":") || strings.HasSuffix(item, ": "+word) {
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
	return strings.TrimSpace(text)
}

// clean takes our own paths out of a message; what lies in the folder is named from there.
func (b *run) clean(text, folder string) string {
	text = strings.ReplaceAll(text, folder+"/", "")
	text = strings.ReplaceAll(text, mount+"/", "")
	text = strings.ReplaceAll(text, mount, ".")
	if b.session.scratch != "" {
		text = regexp.MustCompile(regexp.QuoteMeta(b.session.scratch)+`/build-\d+/?`).ReplaceAllString(text, "")
	}
	if first, _, more := strings.Cut(text, "\n"); more && len(text) > 400 {
		return fmt.Sprintf("%s ...", first)
	}
	return text
}
