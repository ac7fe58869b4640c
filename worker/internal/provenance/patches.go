package provenance

import (
	"path"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"devloop.invalid/toolchain/worker/internal/jsonpointer"
	"devloop.invalid/toolchain/worker/internal/sops"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

// patch is one document of a patch: a part of an object, or a list of operations.
type patch struct {
	text   *text
	root   *yaml.Node
	target *yaml.Node
}

// patches takes the patches of a list: inline or in files, of both kinds.
func (r *settingsReader) patches(folder string, in *text, node *yaml.Node, key string) {
	for _, item := range yamldoc.Items(node, key) {
		r.patch(folder, in, item)
	}
}

// patch takes one, which may be of several documents.
func (r *settingsReader) patch(folder string, in *text, item *yaml.Node) {
	written := r.written(folder, in, item)
	if written == nil {
		return
	}
	_, target := yamldoc.Child(item, "target")
	for _, root := range written.documents {
		one := patch{written, root, target}
		if root.Kind == yaml.SequenceNode {
			r.made = append(r.made, setting{one.setByOperation, one.createdByOperation, one.removedByOperation})
		} else {
			r.made = append(r.made, setting{one.setByMerge, one.createdByMerge, one.removedByMerge})
		}
	}
}

// written is the text of a patch, nil where it cannot be read or must not be edited.
func (r *settingsReader) written(folder string, in *text, item *yaml.Node) *text {
	name := item.Value
	if item.Kind == yaml.ScalarNode && strings.Contains(name, "\n") {
		return in.within(item)
	}
	for _, key := range []string{"patch", "jsonOp"} {
		if _, inline := yamldoc.Child(item, key); inline != nil {
			return in.within(inline)
		}
	}
	if _, file := yamldoc.Child(item, "path"); file != nil {
		name = file.Value
	}
	name = r.remotes.Resolve(folder, name)
	content, err := r.view.ReadFile(path.Join(folder, name))
	if name == "" || err != nil || sops.LooksEncrypted(content) {
		return nil
	}
	return readText(path.Join(folder, name), content)
}

// concerns says whether the patch may be meant for the object.
func (p patch) concerns(object map[string]any) bool {
	kind, _ := object["kind"].(string)
	name, _ := stringAt(object, "metadata", "name")
	if p.target != nil {
		return maySelect(p.target, "kind", kind) && maySelect(p.target, "name", name)
	}
	if p.root.Kind == yaml.SequenceNode {
		return true
	}
	_, ownKind := yamldoc.Child(p.root, "kind")
	_, ownName := yamldoc.Reach(p.root, []any{"metadata", "name"})
	return ownKind != nil && ownKind.Value == kind && ownName != nil && strings.Contains(name, ownName.Value)
}

// maySelect takes a pattern for a part of a name, which may have got more on its way.
func maySelect(target *yaml.Node, key, name string) bool {
	_, pattern := yamldoc.Child(target, key)
	if pattern == nil || pattern.Value == "" {
		return true
	}
	matched, err := regexp.MatchString(strings.TrimSuffix(strings.TrimPrefix(pattern.Value, "^"), "$"), name)
	return err != nil || matched
}

// -- parts of objects -----------------------------------------------------------------------------------------------------------------------

// match is a node that a field leads to, the node that holds it, and the key or item that it is there.
type match struct{ holder, key, value *yaml.Node }

// matches follows the steps into everything that they may mean: a list in a patch has not the items of the object's.
func matches(root *yaml.Node, steps []any) []match {
	found := []match{{nil, root, root}}
	for _, step := range steps {
		var next []match
		for _, each := range found {
			next = append(next, into(each.value, step)...)
		}
		found = next
	}
	return found
}

func into(node *yaml.Node, step any) (found []match) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if key, ok := step.(string); ok {
		if name, value := yamldoc.Child(node, key); value != nil {
			found = append(found, match{node, name, value})
		}
		return found
	}
	if node.Kind != yaml.SequenceNode {
		return nil
	}
	for _, item := range node.Content {
		if marks, ok := step.(map[string]any); !ok || mayMatch(item, marks) {
			found = append(found, match{node, item, item})
		}
	}
	return found
}

func mayMatch(item *yaml.Node, marks map[string]any) bool {
	for key, wanted := range marks {
		if _, value := yamldoc.Child(item, key); value != nil && value.Value != wanted {
			return false
		}
	}
	return true
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" }

func (p patch) setByMerge(object map[string]any, field []any) []*edit {
	if !p.concerns(object) {
		return nil
	}
	return p.others(matches(p.root, field))
}

func (p patch) others(found []match) (edits []*edit) {
	for _, each := range found {
		if each.value.Kind == yaml.ScalarNode && !isNull(each.value) {
			made := another("a patch", p.text, each.value)
			if made.about = each.key; each.key != each.value && yamldoc.IsBlock(each.value) {
				made.about = each.value
			}
			edits = append(edits, made)
		}
	}
	return edits
}

func (p patch) createdByMerge(object map[string]any, field []any) []*edit {
	if !p.concerns(object) {
		return nil
	}
	return p.removals(matches(p.root, field))
}

func (p patch) removals(found []match) (edits []*edit) {
	for _, each := range found {
		if each.holder != nil && !isNull(each.value) {
			edits = append(edits, without("a patch", p.text, each.holder, each.key))
		}
	}
	return edits
}

// removedByMerge: null takes a field away, and so do directives.
func (p patch) removedByMerge(object map[string]any, field []any) (edits []*edit) {
	if !p.concerns(object) {
		return nil
	}
	for depth := range field {
		for _, each := range matches(p.root, field[:depth]) {
			if directive, value := yamldoc.Child(each.value, "$patch"); value != nil {
				edits = append(edits, without("a patch", p.text, each.value, directive))
			}
		}
		for _, each := range matches(p.root, field[:depth+1]) {
			if each.holder != nil && isNull(each.value) {
				edits = append(edits, without("a patch", p.text, each.holder, each.key))
			}
		}
	}
	return edits
}

// -- operations -----------------------------------------------------------------------------------------------------------------------------

// operations gives those of some kinds whose path leads to the field or to something that holds it, with the steps that are left.
func (p patch) operations(object map[string]any, field []any, kinds string) (found []operation) {
	if !p.concerns(object) {
		return nil
	}
	for _, node := range p.root.Content {
		_, kind := yamldoc.Child(node, "op")
		_, pointer := yamldoc.Child(node, "path")
		if kind == nil || !strings.Contains(kinds, kind.Value) {
			continue
		}
		if kind.Value == "move" && strings.Contains(kinds, "remove") {
			_, pointer = yamldoc.Child(node, "from")
		}
		if rest, ok := below(pointer, field); ok {
			_, value := yamldoc.Child(node, "value")
			found = append(found, operation{node, value, rest})
		}
	}
	return found
}

type operation struct {
	node, value *yaml.Node
	rest        []any
}

// below gives the steps of the field that come after a JSON pointer. Positions in lists may change on the way.
func below(pointer *yaml.Node, field []any) ([]any, bool) {
	if pointer == nil {
		return nil, false
	}
	tokens := strings.Split(strings.TrimPrefix(pointer.Value, "/"), "/")
	if len(tokens) > len(field) {
		return nil, false
	}
	for i, token := range tokens {
		token = jsonpointer.Unescape(token)
		_, notNumber := strconv.Atoi(token)
		key, isKey := field[i].(string)
		if isKey && key != token || !isKey && token != "-" && notNumber != nil {
			return nil, false
		}
	}
	return field[len(tokens):], true
}

func (p patch) setByOperation(object map[string]any, field []any) (edits []*edit) {
	for _, each := range p.operations(object, field, "add replace copy move") {
		if each.value == nil {
			edits = append(edits, p.withoutOperation(each))
			continue
		}
		if len(each.rest) == 0 {
			key, _ := yamldoc.Child(each.node, "value")
			edits = append(edits, p.others([]match{{each.node, key, each.value}})...)
			continue
		}
		edits = append(edits, p.others(matches(each.value, each.rest))...)
	}
	return edits
}

func (p patch) createdByOperation(object map[string]any, field []any) (edits []*edit) {
	for _, each := range p.operations(object, field, "add replace copy") {
		if each.value == nil || len(each.rest) == 0 {
			edits = append(edits, p.withoutOperation(each))
			continue
		}
		edits = append(edits, p.removals(matches(each.value, each.rest))...)
	}
	return edits
}

func (p patch) removedByOperation(object map[string]any, field []any) (edits []*edit) {
	for _, each := range p.operations(object, field, "remove replace move") {
		edits = append(edits, p.withoutOperation(each))
	}
	return edits
}

// idle does nothing: kustomize takes no patch without operations. It is JSON, for patches that are.
var idle = readText("", []byte(`{"op": "copy", "from": "/kind", "path": "/kind"}`)).documents[0]

func (p patch) withoutOperation(of operation) *edit {
	return &edit{"a patch", p.text, of.node, *idle, p.text, of.node}
}
