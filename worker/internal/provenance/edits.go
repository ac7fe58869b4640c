package provenance

import (
	"bytes"
	"strings"

	"gopkg.in/yaml.v3"

	"devloop.invalid/toolchain/worker/internal/source"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

// text is YAML that a build reads: a file by its name in the view, the Kustomization or the HelmRelease itself by none, or, with a host, the
// value of a scalar in another text.
type text struct {
	name      string
	documents []*yaml.Node
	in        *text
	host      *yaml.Node
}

// readText gives a text without documents where it is no YAML.
func readText(name string, content []byte) *text {
	made := &text{name: name}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var document yaml.Node
		if decoder.Decode(&document) != nil {
			return made
		}
		if len(document.Content) > 0 {
			made.documents = append(made.documents, document.Content[0])
		}
	}
}

func (t *text) within(host *yaml.Node) *text {
	inner := readText(t.name, []byte(host.Value))
	inner.in, inner.host = t, host
	return inner
}

// file is the text that is a file of its own.
func (t *text) file() *text {
	if t.in != nil {
		return t.in.file()
	}
	return t
}

// line is where a node stands in the file.
func (t *text) line(node *yaml.Node) int {
	if t.in == nil {
		return node.Line
	}
	return inside(t.in.line(t.host), node.Line, yamldoc.IsBlock(t.host))
}

func (t *text) encode() ([]byte, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	for _, document := range t.documents {
		if err := encoder.Encode(document); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), encoder.Close()
}

// edit replaces target by altered, in a text. What it is about is a node in the text at.
type edit struct {
	what    string
	in      *text
	target  *yaml.Node
	altered yaml.Node
	at      *text
	about   *yaml.Node
}

// edited gives the content of the files that the edits change, and leaves all texts as they were.
func edited(edits []*edit) (map[string][]byte, bool) {
	var undo []func()
	defer func() {
		for i := len(undo) - 1; i >= 0; i-- {
			undo[i]()
		}
	}()
	swap := func(node *yaml.Node, other yaml.Node) {
		before := *node
		*node = other
		undo = append(undo, func() { *node = before })
	}
	files := map[string][]byte{}
	for _, each := range edits {
		swap(each.target, each.altered)
		for inner := each.in; inner.in != nil; inner = inner.in {
			content, err := inner.encode()
			if err != nil {
				return nil, false
			}
			swap(inner.host, yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: string(content)})
		}
	}
	for _, each := range edits {
		file := each.in.file()
		content, err := file.encode()
		if err != nil {
			return nil, false
		}
		files[file.name] = content
	}
	return files, true
}

// found says where the node is that the edit is about.
func (e *edit) found(v *source.View) *finding {
	file := e.at.file()
	result := &finding{What: e.what, Block: yamldoc.IsBlock(e.about)}
	if by := v.NamedBy(file.name); by != nil {
		result.Path, result.Line = by.Path, by.Line
		return result
	}
	if file.name != "" {
		result.Path, result.Line = v.ShownPath(file.name), e.at.line(e.about)
		return result
	}
	outermost := e.about
	if e.at.in != nil { // patches are one text deep
		outermost, result.Inner = e.at.host, e.about.Line
	}
	result.Field = stepsTo(file.documents[0], outermost)
	return result
}

// stepsTo leads to a node, a key standing for its value.
func stepsTo(from, node *yaml.Node) []any {
	for i, item := range from.Content {
		step := any(float64(i))
		if from.Kind == yaml.MappingNode {
			if i%2 == 1 {
				continue
			}
			step = item.Value
			if item == node {
				return []any{step}
			}
			item = from.Content[i+1]
		}
		if item == node {
			return []any{step}
		}
		if rest := stepsTo(item, node); rest != nil {
			return append([]any{step}, rest...)
		}
	}
	return nil
}

// another is an edit that gives a scalar another value of its type.
func another(what string, in *text, scalar *yaml.Node) *edit {
	altered := *scalar
	switch scalar.ShortTag() {
	case "!!int", "!!float":
		sign := len(scalar.Value) - len(strings.TrimLeft(scalar.Value, "+-"))
		altered.Value = scalar.Value[:sign] + "1" + scalar.Value[sign:]
	case "!!bool":
		altered.Value = map[bool]string{true: "false", false: "true"}[strings.EqualFold(scalar.Value, "true")]
	default:
		altered.Value += "x"
	}
	return &edit{what, in, scalar, altered, in, scalar}
}

// without is an edit that takes an item of a list, or a key with its value, out of its node.
func without(what string, in *text, node, item *yaml.Node) *edit {
	altered := *node
	altered.Content = nil
	for i := 0; i < len(node.Content); i++ {
		if node.Content[i] != item {
			altered.Content = append(altered.Content, node.Content[i])
		} else if node.Kind == yaml.MappingNode {
			i++
		}
	}
	return &edit{what, in, node, altered, in, item}
}
