package helm

import (
	"fmt"
	"strings"

	"helm.sh/helm/v4/pkg/strvals"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"devloop.invalid/toolchain/worker/internal/collect"
	"devloop.invalid/toolchain/worker/internal/mask"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/sops"
)

// valuesReference is one of spec.valuesFrom, see ValuesReference of github.com/fluxcd/pkg/apis/meta.
type valuesReference struct {
	Kind, Name, Key, Target string
	Optional, Literal       bool
}

func (w *release) references() []valuesReference {
	listed, _, _ := unstructured.NestedSlice(w.object.Object, "spec", "valuesFrom")
	var references []valuesReference
	for _, item := range listed {
		fields, _ := item.(map[string]any)
		text := func(name string) string { value, _ := fields[name].(string); return value }
		flag := func(name string) bool { value, _ := fields[name].(bool); return value }
		reference := valuesReference{text("kind"), text("name"), text("valuesKey"), text("targetPath"), flag("optional"), flag("literal")}
		if reference.Key == "" {
			reference.Key = "values.yaml"
		}
		references = append(references, reference)
	}
	return references
}

// values puts together what helm-controller would: the references in their order, those with a place of their own into what is there by
// then and the release's own values, and these on top. Maps are shared on the way as they are there, so that what is set inside of one
// stays. What comes from a Secret is replaced by unknowns that templates can carry around.
func (w *release) values() (map[string]any, error) {
	found, _, _ := unstructured.NestedMap(w.object.Object, "spec", "values")
	own, _ := asFloats(found).(map[string]any)
	result := map[string]any{}
	for i, reference := range w.references() {
		text, found, err := w.referenced(i, reference)
		if err != nil {
			return nil, err
		}
		if !found {
			continue
		}
		guarded := w.sources[i].Secret
		w.guarded = w.guarded || guarded
		if reference.Target != "" {
			result = collect.MergeValues(result, own)
			if guarded {
				text = mask.Hide(reference.Key)
			}
			if err := putValue(result, reference, text); err != nil {
				return nil, misplaced(i, reference, err)
			}
			continue
		}
		var values map[string]any
		if err := yaml.Unmarshal([]byte(text), &values); err != nil {
			message := fmt.Sprintf("%s of %s %s is not valid YAML", reference.Key, reference.Kind, reference.Name)
			return nil, &protocol.Failure{Kind: protocol.KindBuild, Message: message, Field: valuesField(i)}
		}
		if guarded {
			values, _ = hideLeaves(reference.Key, values).(map[string]any)
		}
		result = collect.MergeValues(result, values)
	}
	return collect.MergeValues(result, own), nil
}

// referenced gives the text of a reference; false where there is none and need not be.
func (w *release) referenced(number int, reference valuesReference) (string, bool, error) {
	source := w.sources[number]
	if source == nil {
		if reference.Optional {
			return "", false, nil
		}
		message := fmt.Sprintf("its values come from %s %s, which nothing here renders", reference.Kind, reference.Name)
		return "", false, &protocol.Failure{Kind: protocol.KindUnknown, Message: message}
	}
	object := source.Content().Object
	for _, field := range []string{"stringData", "data"} {
		text, ok, _ := unstructured.NestedString(object, field, reference.Key)
		if !ok {
			continue
		}
		if field == "data" && reference.Kind == "Secret" {
			text = mask.Base64Text(text)
		}
		if sops.LooksSealed(text) && reference.Target == "" {
			return "", false, &protocol.Failure{Kind: protocol.KindUnknown, Message: fmt.Sprintf("its values are encrypted in %s %s", reference.Kind, reference.Name)}
		}
		return text, true, nil
	}
	if reference.Optional {
		return "", false, nil
	}
	message := fmt.Sprintf("%s %s has no %s to take values from", reference.Kind, reference.Name, reference.Key)
	return "", false, &protocol.Failure{Kind: protocol.KindBuild, Message: message, Hint: "correct spec.valuesFrom", Field: valuesField(number)}
}

var literalValue = strings.NewReplacer(`\`, `\\`, `,`, `\,`, `[`, `\[`, `]`, `\]`, `{`, `\{`, `}`, `\}`)

// putValue sets one value by its path, with Helm's own parser: what is in quotes or literal is a text, else true, 1 and {a,b} are what they say.
func putValue(values map[string]any, reference valuesReference, text string) error {
	quoted := func(mark string) bool {
		return strings.HasPrefix(text, mark) && strings.HasSuffix(text, mark)
	}
	switch {
	case reference.Literal:
		return strvals.ParseIntoString(reference.Target+"="+literalValue.Replace(text), values)
	case quoted(`'`) || quoted(`"`):
		return strvals.ParseIntoString(reference.Target+"="+strings.Trim(text, `'"`), values)
	}
	return strvals.ParseInto(reference.Target+"="+text, values)
}

func valuesField(number int) []any { return []any{"spec", "valuesFrom", number} }

// misplaced says why Helm cannot set a value at its path.
func misplaced(number int, reference valuesReference, err error) *protocol.Failure {
	message := fmt.Sprintf("%s of %s %s cannot be set at %s: %v", reference.Key, reference.Kind, reference.Name, reference.Target, err)
	failure := &protocol.Failure{Kind: protocol.KindBuild, Message: message, Field: valuesField(number)}
	if strvals.ParseIntoString(reference.Target+"=x", map[string]any{}) != nil {
		failure.Hint = "correct targetPath: keys with dots between them, [0] for the first item of a list"
	} else if !reference.Literal {
		failure.Hint = "Helm reads commas, braces and brackets in the value as syntax, as in --set: add literal: true to take it as it is"
	}
	return failure
}

// asFloats gives numbers as helm-controller decodes them: as in JSON, not as Kubernetes copies them.
func asFloats(value any) any {
	switch value := value.(type) {
	case map[string]any:
		result := make(map[string]any, len(value))
		for key, item := range value {
			result[key] = asFloats(item)
		}
		return result
	case []any:
		result := make([]any, len(value))
		for i, item := range value {
			result[i] = asFloats(item)
		}
		return result
	case int64:
		return float64(value)
	}
	return value
}

// hideLeaves puts unknowns in place of texts and numbers; switches stay, since they decide what a chart renders.
func hideLeaves(name string, value any) any {
	switch value := value.(type) {
	case map[string]any:
		hidden := make(map[string]any, len(value))
		for key, item := range value {
			hidden[key] = hideLeaves(key, item)
		}
		return hidden
	case []any:
		hidden := make([]any, len(value))
		for i, item := range value {
			hidden[i] = hideLeaves(name, item)
		}
		return hidden
	case nil, bool:
		return value
	}
	return mask.Hide(name)
}
