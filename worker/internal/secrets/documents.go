package secrets

import (
	"encoding/base64"
	"path"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
	"sigs.k8s.io/kustomize/api/types"
	kubeyaml "sigs.k8s.io/yaml"

	"devloop.invalid/toolchain/worker/internal/kustomize"
	"devloop.invalid/toolchain/worker/internal/sops"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

// Collector collects the values of Secrets, of patches for them and of their generators from files that Read reads.
type Collector struct {
	Read   func(name string) ([]byte, error)
	Values Values
}

// Add adds what a file holds. Those that it names are looked for beside it.
func (c *Collector) Add(name string) {
	isKustomization := kustomize.IsFile(name)
	if extension := path.Ext(name); extension != ".yaml" && extension != ".yml" && extension != ".json" && !isKustomization {
		return
	}
	content, err := c.Read(name)
	if err != nil {
		return
	}
	c.Values.addNamed(string(content))
	if !mayHoldSecret(content) {
		return
	}
	c.Values.addFile(content)
	if isKustomization {
		c.addGenerated(path.Dir(name), content)
	}
}

// addGenerated adds what the secretGenerators of a kustomization file put into Secrets.
func (c *Collector) addGenerated(folder string, content []byte) {
	var k types.Kustomization
	if kubeyaml.Unmarshal(content, &k) != nil {
		return
	}
	for _, generator := range k.SecretGenerator {
		for _, literal := range generator.LiteralSources {
			c.Values.addVariable(literal)
		}
		for _, file := range kustomize.SourceFiles(generator.KvPairSources) {
			if text, err := c.Read(path.Join(folder, file)); err == nil && !sops.LooksEncrypted(text) {
				c.Values.addVariables(string(text))
			}
		}
	}
}

func (v Values) addVariables(text string) {
	for line := range strings.Lines(text) {
		v.addVariable(line)
	}
	v.add(text)
}

// addVariable adds the value of KEY=VALUE.
func (v Values) addVariable(line string) {
	_, value, _ := strings.Cut(line, "=")
	v.note(line, part)
	v.add(strings.Trim(strings.TrimSpace(value), `"'`))
}

func (v Values) addFile(content []byte) {
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
func (v Values) addBroken(text string) {
	for line := range strings.Lines(text) {
		match := brokenEntry.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if match != nil && !slices.Contains([]string{"Secret", "v1", "Opaque"}, match[1]) {
			v.add(match[1])
			v.add(strings.Trim(match[1], `"'*&! `))
		}
	}
}

// addNode goes through a document; target says that it is about a Secret.
func (v Values) addNode(node *yaml.Node, target bool) {
	if node.Kind != yaml.MappingNode {
		for _, item := range node.Content {
			v.addNode(item, target)
		}
		if node.Kind == yaml.ScalarNode && mayBeDocument(node.Value) {
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

func mayBeDocument(text string) bool {
	return strings.Contains(text, "\n") || strings.HasPrefix(text, "[") || strings.HasPrefix(text, "{")
}

// addOperation adds the value of an operation of a JSON patch.
func (v Values) addOperation(fields map[string]*yaml.Node, target bool) {
	where := textOf(fields["path"])
	if fields["value"] != nil && (strings.HasPrefix(where, "/stringData") || target && strings.HasPrefix(where, "/data")) {
		v.addScalars(fields["value"])
	}
}

func (v Values) addScalars(node *yaml.Node) {
	if node.Kind == yaml.ScalarNode {
		v.add(node.Value)
		if plain, err := base64.StdEncoding.DecodeString(node.Value); err == nil {
			v.add(string(plain))
		}
	}
	if node.Kind == yaml.AliasNode && node.Alias.Kind == yaml.MappingNode { // its own aliases can be endless
		for _, value := range fieldsOf(node.Alias) {
			v.add(value.Value)
		}
	}
	for i, item := range node.Content {
		if item = resolved(item); node.Kind != yaml.MappingNode || i%2 == 1 {
			v.addScalars(item)
		}
	}
}

// resolved is what an alias stands for, where that is a single value: others can be endless.
func resolved(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode && node.Alias != nil && node.Alias.Kind == yaml.ScalarNode {
		return node.Alias
	}
	return node
}

func fieldsOf(node *yaml.Node) map[string]*yaml.Node {
	fields := map[string]*yaml.Node{}
	if node.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(node.Content); i += 2 {
			fields[node.Content[i].Value] = resolved(node.Content[i+1])
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
