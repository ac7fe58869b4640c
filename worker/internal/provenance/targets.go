package provenance

import (
	"cmp"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

// target is what a patch says about the objects that it is for: regular expressions for the whole of a value, and two selectors.
type target struct{ group, version, kind, name, namespace, labels, annotations string }

// name may have dots and anchors; any other pattern is for whatever there is.
var literalName = regexp.MustCompile(`^\^?(?:[A-Za-z0-9:_-]|\\?\.)+\$?$`)

// targetOf reads a target that names one object; nil for others. It gives the node of the name, too.
func targetOf(node *yaml.Node) (*target, *yaml.Node) {
	part := func(key string) string {
		if _, value := yamldoc.Child(node, key); value != nil && value.Kind == yaml.ScalarNode {
			return value.Value
		}
		return ""
	}
	if _, name := yamldoc.Child(node, "name"); name != nil && name.Kind == yaml.ScalarNode && literalName.MatchString(name.Value) {
		return &target{part("group"), part("version"), part("kind"), name.Value, part("namespace"), part("labelSelector"), part("annotationSelector")}, name
	}
	return nil, nil
}

func (t *target) plainName() string {
	return strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(t.name, "^"), "$"), `\.`, ".")
}

// String is such as Deployment web of apps/v1 in namespace shop.
func (t *target) String() string {
	text := "an object"
	if t.kind != "" {
		text = t.kind
	}
	text += " " + t.plainName()
	if api := strings.Trim(t.group+"/"+t.version, "/"); api != "" {
		text += " of " + api
	}
	for _, more := range []struct{ word, value string }{{"in namespace ", t.namespace}, {"with labels ", t.labels}, {"with annotations ", t.annotations}} {
		if more.value != "" {
			text += " " + more.word + more.value
		}
	}
	return text
}

// covers says whether the target is for an object, as it is written or as it was rendered. What kustomize sees is in between.
func (t *target) covers(object map[string]any, names affixes) bool {
	return names.mayCome(nameOf(object), t.plainName()) && len(t.differences(object)) == 0
}

func nameOf(object map[string]any) string {
	name, _ := stringAt(object, "metadata", "name")
	return name
}

// differences are the keys of the target, other than the name, that keep it from the object.
func (t *target) differences(object map[string]any) (keys []string) {
	apiVersion, _ := object["apiVersion"].(string)
	kind, _ := object["kind"].(string)
	namespace, _ := stringAt(object, "metadata", "namespace")
	api, _ := schema.ParseGroupVersion(apiVersion)
	for _, each := range []struct {
		key  string
		fits bool
	}{
		{"kind", fits(t.kind, kind)}, {"group", fits(t.group, api.Group)}, {"version", fits(t.version, api.Version)},
		{"namespace", fits(t.namespace, cmp.Or(namespace, "default"))},
		{"labelSelector", selects(t.labels, object, "labels")}, {"annotationSelector", selects(t.annotations, object, "annotations")},
	} {
		if !each.fits {
			keys = append(keys, each.key)
		}
	}
	return keys
}

func fits(pattern, value string) bool {
	matched, err := regexp.MatchString("^(?:"+pattern+")$", value)
	return pattern == "" || err == nil && matched
}

func selects(selector string, fields map[string]any, key string) bool {
	pairs, _ := valueAt(fields, []any{"metadata", key})
	values := labels.Set{}
	if pairs, ok := pairs.(map[string]any); ok {
		for key, value := range pairs {
			values[key], _ = value.(string)
		}
	}
	parsed, err := labels.Parse(selector)
	return err == nil && parsed.Matches(values)
}

// affixes are what a build puts before and behind names.
type affixes struct{ before, behind []string }

func (a *affixes) add(node *yaml.Node) {
	for key, list := range map[string]*[]string{"namePrefix": &a.before, "nameSuffix": &a.behind} {
		if _, value := yamldoc.Child(node, key); value != nil && value.Value != "" {
			*list = append(*list, value.Value)
		}
	}
}

var contentHash = regexp.MustCompile(`-[a-z0-9]{10}$`)

// mayCome says whether a rendered name may have come from another one.
func (a affixes) mayCome(rendered, from string) bool {
	if len(rendered) <= len(from) {
		return rendered == from
	}
	for _, before := range a.before {
		if rest, ok := strings.CutPrefix(rendered, before); ok && a.mayCome(rest, from) {
			return true
		}
	}
	for _, behind := range a.behind {
		if rest, ok := strings.CutSuffix(rendered, behind); ok && a.mayCome(rest, from) {
			return true
		}
	}
	hash := contentHash.FindString(rendered)
	return hash != "" && a.mayCome(strings.TrimSuffix(rendered, hash), from)
}
