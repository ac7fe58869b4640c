package provenance

import (
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"devloop.invalid/toolchain/worker/internal/scope"
	"devloop.invalid/toolchain/worker/internal/source"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

// settings are what the kustomization files of one build, and the Kustomization itself, do to objects, in the order in which it is done.
type settings []setting

// setting offers edits that could make a difference to a field of an object: to its value, to whether it is there, to whether it is gone.
// They are guesses, and too many rather than too few: a trial decides. A nil function offers none.
type setting struct{ sets, creates, removes editsFor }

type editsFor func(object map[string]any, field []any) []*edit

func (s settings) edits(of func(setting) editsFor, object map[string]any, field []any) (edits []*edit) {
	for _, each := range s {
		if guess := of(each); guess != nil {
			edits = append(edits, guess(object, field)...)
		}
	}
	return edits
}

func settingsOf(of scope.Repeatable) settings {
	kustomization, spec := ownText(of.Object)
	if spec == nil || of.Folder == "" {
		return nil
	}
	reader := newSettingsReader(of.View)
	reader.root(of.Folder, yamldoc.Scalars(spec, "components"))
	reader.add(of.Folder, kustomization, spec)
	return reader.made
}

// ownText is the text of a Kustomization or a HelmRelease, and its spec; nil where it has none.
func ownText(object map[string]any) (*text, *yaml.Node) {
	content, err := yaml.Marshal(object)
	own := readText("", content)
	if err != nil || len(own.documents) != 1 {
		return nil, nil
	}
	_, spec := yamldoc.Child(own.documents[0], "spec")
	return own, spec
}

// settingsReader takes what the kustomization files of a build do.
type settingsReader struct {
	*walk
	made settings
}

func newSettingsReader(v *source.View) *settingsReader {
	reader := &settingsReader{walk: newWalk(v)}
	reader.visit = reader.add
	return reader
}

// add takes what a kustomization file does; the fields of a Kustomization's spec have the same names, save for targetNamespace.
func (r *settingsReader) add(folder string, in *text, node *yaml.Node) {
	r.patches(folder, in, node, "patchesStrategicMerge")
	r.patches(folder, in, node, "patches")
	for _, key := range []string{"namespace", "targetNamespace"} {
		r.value("namespace", in, node, key, lastIs("namespace", "name"))
	}
	for _, key := range []string{"namePrefix", "nameSuffix"} {
		r.affix(key, in, node, key)
	}
	for _, label := range yamldoc.Items(node, "labels") {
		_, pairs := yamldoc.Child(label, "pairs")
		r.pairs("labels", in, node, "labels", pairs)
	}
	for _, key := range []string{"commonLabels", "commonAnnotations"} {
		_, pairs := yamldoc.Child(node, key)
		r.pairs(key, in, node, key, pairs)
	}
	r.patches(folder, in, node, "patchesJson6902")
	for _, replica := range yamldoc.Items(node, "replicas") {
		r.value("replicas", in, replica, "count", lastIs("replicas"))
	}
	r.images(in, node)
	r.replacements(in, node)
	r.transformers(folder, folder, in, node, "transformers")
}

func (r *settingsReader) images(in *text, node *yaml.Node) {
	for _, image := range yamldoc.Items(node, "images") {
		r.image(in, image)
	}
}

func (r *settingsReader) image(in *text, image *yaml.Node) {
	for _, key := range []string{"newName", "newTag", "digest"} { // the last one is asked first
		r.value("images", in, image, key, lastIs("image"))
	}
}

// A name is made of its file's and of this: only an affix that is wrong on its own is known to be the reason.
var plainPart = regexp.MustCompile(`^[a-z0-9.-]*$`)

func (r *settingsReader) affix(what string, in *text, node *yaml.Node, key string) {
	if _, value := yamldoc.Child(node, key); value != nil && !plainPart.MatchString(value.Value) {
		r.value(what, in, node, key, lastIs("name"))
	}
}

func lastIs(names ...string) func([]any) bool {
	return func(field []any) bool {
		last, _ := lastKey(field)
		return slices.Contains(names, last)
	}
}

func lastKey(field []any) (string, bool) {
	if len(field) == 0 {
		return "", false
	}
	key, ok := field[len(field)-1].(string)
	return key, ok
}

func (r *settingsReader) value(what string, in *text, node *yaml.Node, key string, about func([]any) bool) {
	_, scalar := yamldoc.Child(node, key)
	if scalar == nil || scalar.Kind != yaml.ScalarNode {
		return
	}
	r.made = append(r.made, setting{sets: func(_ map[string]any, field []any) []*edit {
		if !about(field) {
			return nil
		}
		return []*edit{another(what, in, scalar)}
	}})
}

// pairs are labels or annotations: the value of each, and all that there are.
func (r *settingsReader) pairs(what string, in *text, node *yaml.Node, key string, pairs *yaml.Node) {
	if pairs == nil || pairs.Kind != yaml.MappingNode {
		return
	}
	whole, _ := yamldoc.Child(node, key)
	r.made = append(r.made, setting{
		sets: func(_ map[string]any, field []any) []*edit {
			last, _ := lastKey(field)
			if _, value := yamldoc.Child(pairs, last); value != nil && value.Kind == yaml.ScalarNode {
				return []*edit{another(what, in, value)}
			}
			return nil
		},
		creates: func(_ map[string]any, field []any) []*edit {
			if last, _ := lastKey(field); !slices.Contains([]string{"labels", "annotations", "matchLabels"}, last) {
				return nil
			}
			return []*edit{without(what, in, node, whole)}
		},
	})
}

func (r *settingsReader) replacements(in *text, node *yaml.Node) {
	_, list := yamldoc.Child(node, "replacements")
	for _, item := range yamldoc.Items(node, "replacements") {
		r.made = append(r.made, setting{sets: func(_ map[string]any, field []any) []*edit {
			last, _ := lastKey(field)
			if _, path := yamldoc.Child(item, "path"); path == nil && (!mentions(item, last) || setsPart(item, last)) {
				return nil
			}
			return []*edit{without("replacements", in, list, item)}
		}})
	}
}

// setsPart: one with a delimiter replaces a part of a text; the rest, as likely what is wrong, is the object's own.
func setsPart(replacement *yaml.Node, last string) bool {
	return slices.ContainsFunc(yamldoc.Items(replacement, "targets"), func(target *yaml.Node) bool {
		_, options := yamldoc.Child(target, "options")
		return mentions(target, last) && options != nil && mentions(options, "delimiter")
	})
}

func mentions(node *yaml.Node, word string) bool {
	if node.Kind == yaml.ScalarNode {
		return strings.Contains(node.Value, word)
	}
	return slices.ContainsFunc(node.Content, func(item *yaml.Node) bool { return mentions(item, word) })
}
