package secrets

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"devloop.invalid/toolchain/worker/internal/mask"
	"devloop.invalid/toolchain/worker/internal/sops"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

// Filter takes the values of secrets out of texts that are about to leave devloop. Files are those that builds read.
type Filter struct {
	Collector
	Keys  *sops.Keyring
	Files []string
}

// NewFilter collects the values in files, with what the keys open of them.
func NewFilter(read func(string) ([]byte, error), keys *sops.Keyring, files []string) *Filter {
	made := &Filter{Collector{read, Values{}}, keys, files}
	for _, name := range files {
		made.Add(name)
		made.open(name)
	}
	return made
}

// open adds what SOPS encrypted in a file.
func (f *Filter) open(name string) {
	content, err := f.Read(name)
	if err != nil || !sops.LooksEncrypted(content) {
		return
	}
	plain, branches, format, err := f.Keys.DecryptFile(path.Base(name), content)
	if err != nil {
		return
	}
	var opened mask.Secrets
	opened.AddOpened(content, plain, branches, format)
	for value := range opened {
		f.Values.add(value)
	}
}

// Messages hides values in what people read.
func (f *Filter) Messages(texts []string) []string {
	return f.apply(texts, Mask, func(value string, as weight) bool { return as >= named || isLongLine(value) })
}

// inManifests stands for a value where what is around it must stay YAML.
const inManifests = "REDACTED"

// Manifests hides in rendered objects what an encrypted file or a Secret holds; words there are settings.
func (f *Filter) Manifests(texts []string) []string {
	return f.apply(texts, inManifests, func(value string, as weight) bool {
		return (as == whole || isLongLine(value)) && !words.MatchString(value)
	})
}

func (f *Filter) apply(texts []string, by string, wanted func(string, weight) bool) []string {
	all := strings.Join(texts, "\n")
	var found []string
	for value, as := range f.Values {
		if wanted(value, as) && isTelling(value) && (strings.Contains(all, value) || strings.Contains(all, quoted(value))) {
			found = append(found, value)
		}
	}
	found = slices.DeleteFunc(found, f.namesSomething)
	clean := slices.Clone(texts)
	for _, value := range longestFirst(slices.Values(found)) {
		for i, text := range clean {
			clean[i] = replaceTold(text, value, by)
		}
	}
	return clean
}

// replaceTold replaces a value; words only where they stand as values: messages have words of their own.
func replaceTold(text, value, by string) string {
	if !words.MatchString(value) {
		return replaceValue(text, value, by)
	}
	asValue := regexp.MustCompile(`(^|["'=]|: |- )` + regexp.QuoteMeta(value) + `($|["',;)\]\n])`)
	return asValue.ReplaceAllString(text, "${1}"+by+"${2}")
}

// Shorter values are left in texts that are not about Secrets.
const shortestTelling = 6

var (
	placeholder = regexp.MustCompile(`\$\{|\{\{|^<.*>$|^\*+$|ENC\[|^\*\*SOPS\*\*$`)
	plainURL    = regexp.MustCompile(`^[a-z][a-z0-9+]*://[^@?]*$`)
)

func isTelling(value string) bool {
	return len(value) >= shortestTelling && !placeholder.MatchString(value) && !plainURL.MatchString(value)
}

// Lines of keys and certificates are longer than this; others say little without their neighbours.
const longLine = 32

func isLongLine(value string) bool {
	return len(value) >= longLine && !strings.ContainsAny(value, " \t\n")
}

// namesSomething says whether a value is a file, or what objects, namespaces, kinds or fields are called.
func (f *Filter) namesSomething(value string) bool {
	for _, name := range f.Files {
		if slices.Contains(strings.FieldsFunc(name, func(r rune) bool { return r == '/' || r == '.' }), value) || strings.HasSuffix("/"+name, "/"+value) {
			return true
		}
	}
	for _, name := range f.Files {
		content, err := f.Read(name)
		if err != nil || !strings.Contains(string(content), value) {
			continue
		}
		for _, document := range yamldoc.Split(content) {
			var node yaml.Node
			if yaml.Unmarshal(document, &node) == nil && isNameIn(&node, value) {
				return true
			}
		}
	}
	return false
}

var nameFields = []string{"name", "namespace", "kind", "namePrefix", "nameSuffix"}

func isNameIn(node *yaml.Node, value string) bool {
	if node.Kind != yaml.MappingNode {
		return slices.ContainsFunc(node.Content, func(item *yaml.Node) bool { return isNameIn(item, value) })
	}
	for key, item := range fieldsOf(node) {
		if key == "stringData" || key == "data" {
			continue
		}
		if key == value || slices.Contains(nameFields, key) && isPartOf(value, item.Value) || isNameIn(item, value) {
			return true
		}
	}
	return false
}

// isPartOf says whether a name has a value among its words, or is it.
func isPartOf(value, name string) bool {
	return name == value || slices.Contains(strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("-_./:", r) }), value)
}
