package diagnose

import (
	"encoding/base64"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
	"sigs.k8s.io/kustomize/api/types"
	kubeyaml "sigs.k8s.io/yaml"

	"devloop.invalid/toolchain/worker/internal/kustomize"
	"devloop.invalid/toolchain/worker/internal/source"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

// What stands in a message for what may be the value of a secret.
const hidden = "***"

// Shorter values are left out: they are words of every message.
const shortestValue = 4

// Shorter ones are looked for as whole words only.
const longValue = 8

// values are texts that a message must not quote.
type values map[string]bool

func (v values) add(text string) {
	for _, each := range append(strings.Split(text, "\n"), text) {
		if each = strings.TrimSpace(each); len(each) >= shortestValue && each != "true" && each != "false" {
			v[each] = true
		}
	}
}

// hide takes them out of a message, the longest first.
func (v values) hide(message string) string {
	longestFirst := slices.SortedFunc(maps.Keys(v), func(a, b string) int { return len(b) - len(a) })
	for _, value := range longestFirst {
		if len(value) >= longValue {
			message = strings.ReplaceAll(message, value, hidden)
		} else {
			whole := regexp.MustCompile(`(^|[^\w-])` + regexp.QuoteMeta(value) + `($|[^\w-])`)
			message = whole.ReplaceAllString(message, "${1}"+hidden+"${2}")
		}
	}
	return message
}

// secretValues are those of Secrets, of patches for them and of their generators in the files that the build read.
func (e *Explainer) secretValues() values {
	found := values{}
	if e.View == nil {
		return found
	}
	for _, name := range e.View.Files() {
		file := path.Join(source.Mount, name)
		if extension := path.Ext(name); extension != ".yaml" && extension != ".yml" && extension != ".json" && !kustomize.IsFile(name) {
			continue
		}
		if content, err := e.View.Content(file); err == nil {
			found.addFile(content)
			if kustomize.IsFile(name) {
				e.addGenerated(found, path.Dir(file), content)
			}
		}
	}
	return found
}

// addGenerated adds what the secretGenerators of a kustomization file put into Secrets.
func (e *Explainer) addGenerated(found values, folder string, content []byte) {
	var k types.Kustomization
	if kubeyaml.Unmarshal(content, &k) != nil {
		return
	}
	for _, generator := range k.SecretGenerator {
		for _, literal := range generator.LiteralSources {
			_, value, _ := strings.Cut(literal, "=")
			found.add(literal)
			found.add(strings.Trim(value, `"'`))
		}
		for _, file := range slices.Concat(generator.EnvSources, []string{generator.EnvSource}, generator.FileSources) {
			_, file = cutKey(file)
			if text, err := e.View.Content(path.Join(folder, file)); file != "" && err == nil {
				found.addLines(string(text))
			}
		}
	}
}

func cutKey(source string) (key, file string) {
	if key, file, named := strings.Cut(source, "="); named {
		return key, file
	}
	return "", source
}

func (v values) addLines(text string) {
	for line := range strings.Lines(text) {
		_, value, _ := strings.Cut(line, "=")
		v.add(line)
		v.add(strings.Trim(strings.TrimSpace(value), `"'`))
	}
}

func (v values) addFile(content []byte) {
	for _, document := range yamldoc.Split(content) {
		var node yaml.Node
		if yaml.Unmarshal(document, &node) == nil {
			v.addNode(&node, false)
		} else if brokenSecret.Match(document) {
			v.addBroken(string(document))
		}
	}
}

var (
	brokenSecret = regexp.MustCompile(`(?m)kind["']?\s*:\s*["']?Secret\b|\bstringData\b|secretGenerator`)
	brokenEntry  = regexp.MustCompile(`^[\s-]*["']?[\w./-]+["']?\s*[:=]\s*(.+)$`)
)

// addBroken adds the values of a Secret that is not valid YAML.
func (v values) addBroken(text string) {
	for line := range strings.Lines(text) {
		match := brokenEntry.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if match != nil && !slices.Contains([]string{"Secret", "v1", "Opaque"}, match[1]) {
			v.add(match[1])
			v.add(strings.Trim(match[1], `"' `))
		}
	}
}

// addNode goes through a document; target says that it is about a Secret.
func (v values) addNode(node *yaml.Node, target bool) {
	if node.Kind != yaml.MappingNode {
		for _, item := range node.Content {
			v.addNode(item, target)
		}
		if node.Kind == yaml.ScalarNode && strings.Contains(node.Value, "\n") {
			var inner yaml.Node
			if yaml.Unmarshal([]byte(node.Value), &inner) == nil && len(inner.Content) > 0 && inner.Content[0].Kind != yaml.ScalarNode {
				v.addNode(inner.Content[0], target)
			}
		}
		return
	}
	fields := fieldsOf(node)
	target = target || textOf(fields["kind"]) == "Secret" || fields["target"] != nil && textOf(fieldsOf(fields["target"])["kind"]) == "Secret"
	v.addOperation(fields, target)
	for key, value := range fields {
		switch {
		case key == "stringData", key == "data" && target:
			v.addScalars(value)
		default:
			v.addNode(value, target)
		}
	}
}

// addOperation adds the value of an operation of a JSON patch.
func (v values) addOperation(fields map[string]*yaml.Node, target bool) {
	where := textOf(fields["path"])
	if fields["value"] != nil && (strings.HasPrefix(where, "/stringData") || target && strings.HasPrefix(where, "/data")) {
		v.addScalars(fields["value"])
	}
}

func (v values) addScalars(node *yaml.Node) {
	if node.Kind == yaml.ScalarNode {
		v.add(node.Value)
		if plain, err := base64.StdEncoding.DecodeString(node.Value); err == nil {
			v.add(string(plain))
		}
	}
	for i, item := range node.Content {
		if node.Kind != yaml.MappingNode || i%2 == 1 {
			v.addScalars(item)
		}
	}
}

func fieldsOf(node *yaml.Node) map[string]*yaml.Node {
	fields := map[string]*yaml.Node{}
	if node.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(node.Content); i += 2 {
			fields[node.Content[i].Value] = node.Content[i+1]
		}
	}
	return fields
}

func textOf(node *yaml.Node) string {
	if node == nil {
		return ""
	}
	return node.Value
}

var userInURL = regexp.MustCompile(`(://)[^/@\s:]*:[^/@\s]*@`)

// redact keeps values of secrets, and passwords in URLs, out of a message.
func (e *Explainer) redact(message string) string {
	return userInURL.ReplaceAllString(e.secretValues().hide(message), "${1}"+hidden+"@")
}
