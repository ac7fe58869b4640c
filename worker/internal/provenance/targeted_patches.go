package provenance

import (
	"bytes"
	"slices"

	"gopkg.in/yaml.v3"

	"devloop.invalid/toolchain/worker/internal/collect"
	"devloop.invalid/toolchain/worker/internal/scope"
	"devloop.invalid/toolchain/worker/internal/source"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

// targetedPatches are the patches of a build whose target names one object, the affixes of its names, and the files of its resources.
type targetedPatches struct {
	view    *source.View
	patches []*targetedPatch
	names   affixes
	files   []string
}

// targetedPatch is an item of a kustomization file, or of a Kustomization's spec. What a component patches depends on who includes it.
type targetedPatch struct {
	*target
	in        *text
	item      *yaml.Node
	nameNode  *yaml.Node
	component bool
}

// readTargetedPatches leaves out what was fetched from elsewhere: it is not for this repository to correct.
func readTargetedPatches(of scope.Repeatable) *targetedPatches {
	found := &targetedPatches{view: of.View}
	kustomization, spec := ownText(of.Object)
	if spec == nil || of.Folder == "" {
		return found
	}
	files := newWalk(of.View)
	files.visit = func(_ string, in *text, node *yaml.Node) {
		found.names.add(node)
		if of.View.NamedBy(in.name) == nil {
			found.add(in, node, "patches", "patchesJson6902")
		}
	}
	files.root(of.Folder, yamldoc.Scalars(spec, "components"))
	found.names.add(spec)
	found.add(kustomization, spec, "patches")
	found.files = files.files
	return found
}

func (f *targetedPatches) add(in *text, node *yaml.Node, keys ...string) {
	_, kind := yamldoc.Child(node, "kind")
	for _, key := range keys {
		for _, item := range yamldoc.Items(node, key) {
			_, written := yamldoc.Child(item, "target")
			if target, name := targetOf(written); target != nil {
				f.patches = append(f.patches, &targetedPatch{target, in, item, name, kind != nil && kind.Value == "Component"})
			}
		}
	}
}

// open are those that seem to be for none of the objects, neither as they were rendered nor as they are written.
func (f *targetedPatches) open(objects []map[string]any) []*targetedPatch {
	left := uncovered(f.patches, objects, f.names)
	for _, file := range f.files {
		if len(left) == 0 {
			break
		}
		content, err := f.view.ReadFile(file)
		if err != nil || isBlank(content) { // another program writes it later, such as flux bootstrap
			return nil
		}
		mentioned := func(each *targetedPatch) bool { return bytes.Contains(content, []byte(each.plainName())) }
		if slices.ContainsFunc(left, mentioned) {
			left = uncovered(left, objectsIn(readText(file, content).documents), affixes{})
		}
	}
	return left
}

func uncovered(patches []*targetedPatch, objects []map[string]any, names affixes) []*targetedPatch {
	return collect.Filter(patches, func(each *targetedPatch) bool {
		return !slices.ContainsFunc(objects, func(object map[string]any) bool { return each.covers(object, names) })
	})
}

func objectsIn(documents []*yaml.Node) (objects []map[string]any) {
	for _, document := range documents {
		var object map[string]any
		if document.Decode(&object) == nil {
			objects = append(objects, object)
		}
	}
	return objects
}

// isBlank says whether there are only comments.
func isBlank(content []byte) bool {
	for line := range bytes.Lines(content) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' && !bytes.Equal(line, []byte("---")) {
			return false
		}
	}
	return true
}

// with is an edit that gives the patch another text, and its target another value at a key ("": none).
func (p *targetedPatch) with(patch, key, value string) *edit {
	_, written := yamldoc.Child(p.item, "target")
	target := &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i+1 < len(written.Content); i += 2 {
		if written.Content[i].Value != key {
			target.Content = append(target.Content, written.Content[i], written.Content[i+1])
		} else if value != "" {
			target.Content = append(target.Content, written.Content[i], textNode(value))
		}
	}
	altered := yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{textNode("target"), target, textNode("patch"), textNode(patch)}}
	return &edit{"a patch", p.in, p.item, altered, p.in, p.nameNode}
}

func textNode(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
}
