package build

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	fluxkustomize "github.com/fluxcd/pkg/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/resource"

	"devloop.invalid/toolchain/worker/internal/collect"
	"devloop.invalid/toolchain/worker/internal/mask"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/scope"
)

// variables of one Kustomization. shown has unknowns in place of what comes from secrets; incomplete means that a source of them was
// rendered by nothing here, so that a name that is not among them may still have a value in the cluster; awaited, that such a source must be
// there. undefined is the first variable without a value; what comes after it is built as if it had one.
type variables struct {
	kustomization unstructured.Unstructured
	known, shown  map[string]string
	incomplete    bool
	awaited       bool
	undefined     *protocol.Failure
	always        bool
	strict        bool
}

// reference is a ConfigMap or Secret that a Kustomization takes variables from, as the key of a scope.
type reference struct {
	key      string
	optional bool
}

// references are those of a Kustomization, in its order.
func references(k unstructured.Unstructured) ([]reference, error) {
	listed, _, err := unstructured.NestedSlice(k.Object, "spec", "postBuild", "substituteFrom")
	if err != nil {
		return nil, fmt.Errorf("spec.postBuild.substituteFrom: %w", err)
	}
	var found []reference
	for _, each := range listed {
		fields, _ := each.(map[string]any)
		kind, _ := fields["kind"].(string)
		name, _ := fields["name"].(string)
		optional, _ := fields["optional"].(bool)
		found = append(found, reference{scope.Key(kind, k.GetNamespace(), name), optional})
	}
	return found, nil
}

// variableSource is where variables come from; the export is nil for one that nothing renders.
type variableSource struct {
	*scope.Export
	optional bool
}

// variablesOf puts together what the sources and the Kustomization itself define.
func variablesOf(k unstructured.Unstructured, sources []variableSource, strict bool) (*variables, error) {
	result := &variables{kustomization: k, known: map[string]string{}, shown: map[string]string{}, strict: strict}
	postBuild, _, _ := unstructured.NestedMap(k.Object, "spec", "postBuild")
	if postBuild == nil {
		result.known, result.shown = nil, nil
		return result, nil
	}
	strategy, _, _ := unstructured.NestedString(postBuild, "substituteStrategy")
	result.always = strategy == "Always"
	for _, source := range sources {
		result.add(source)
	}
	if found := notString(postBuild["substitute"]); found != nil {
		return nil, found
	}
	inline, _, err := unstructured.NestedStringMap(postBuild, "substitute")
	if err != nil {
		return nil, fmt.Errorf("spec.postBuild.substitute: %w", err)
	}
	for name, value := range inline {
		result.known[name], result.shown[name] = value, value
	}
	return result, validNames(result.known)
}

// As in Flux's documentation: kustomize drops quotes around a variable.
const quoteIt = `put it in quotes; around a variable write ${quote}${NAME}${quote}, with the variable quote: '"'`

// notString finds the first variable whose value is not a string: Flux rejects such a Kustomization.
func notString(substitute any) error {
	inline, _ := substitute.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(inline)) {
		if _, ok := inline[name].(string); !ok {
			message := fmt.Sprintf("the value of the variable %s must be a string", name)
			field := []any{"spec", "postBuild", "substitute", name}
			return &protocol.Failure{Kind: protocol.KindSubstitution, Message: message, Hint: quoteIt, Field: field}
		}
	}
	return nil
}

func (v *variables) add(source variableSource) {
	if source.Export == nil {
		v.incomplete, v.awaited = true, v.awaited || !source.optional
		return
	}
	for key, value := range source.Content().Values {
		v.known[key], v.shown[key] = value, value
		if source.Secret {
			v.shown[key] = mask.Hide(key)
		}
	}
}

// As in Flux's library; checked here because it looks only where there is something to substitute.
var variableName = regexp.MustCompile("^[_[:alpha:]][_[:alpha:][:digit:]]*$")

func validNames(values map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !variableName.MatchString(name) {
			return &protocol.Failure{Kind: protocol.KindSubstitution, Message: fmt.Sprintf("%q is no name for a variable", name)}
		}
	}
	return nil
}

// secret says whether the values shown are not the real ones.
func (v *variables) secret() bool { return !maps.Equal(v.known, v.shown) }

var notSet = regexp.MustCompile(`variable not set \(strict mode\): "([^"]+)"`)

// substitute puts values in place, with Flux's own code. A variable that has neither value nor default becomes an unknown; that is a failure
// where the sources are complete.
func (v *variables) substitute(res *resource.Resource, values map[string]string) error {
	if values == nil || len(values) == 0 && !v.always && !v.awaited {
		return nil
	}
	text, err := res.AsYAML()
	if err != nil || !strings.Contains(string(text), "$") {
		return err
	}
	for {
		if err := keepHidden(res, values); err != nil {
			return err
		}
		object := unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"postBuild": map[string]any{"substitute": asAny(values)}}}}
		_, err := fluxkustomize.SubstituteVariables(context.Background(), nil, object, res,
			fluxkustomize.SubstituteWithDryRun(true), fluxkustomize.SubstituteWithStrict(v.strict),
			fluxkustomize.SubstituteWithAlways(v.always || v.incomplete))
		if err == nil {
			return nil
		}
		missing := notSet.FindStringSubmatch(err.Error())
		if missing == nil {
			return &protocol.Failure{Kind: protocol.KindSubstitution, Message: notSubstituted(objectName(res), err)}
		}
		if !v.incomplete && v.undefined == nil {
			v.undefined = &protocol.Failure{Kind: protocol.KindUndefined, Message: fmt.Sprintf("the variable %s is not defined", missing[1]), Variable: missing[1]}
		}
		values = collect.MergeStrings(values, map[string]string{missing[1]: mask.Hide(missing[1])})
	}
}

var innermost = regexp.MustCompile(`^(?:envsubst error: )?(?:variable substitution failed: |YAMLToJSON: yaml: (?:line \d+: )?)?`)

func notSubstituted(object string, err error) string {
	message := innermost.ReplaceAllString(err.Error(), "")
	if strings.Contains(err.Error(), "YAMLToJSON") {
		return fmt.Sprintf("%s is no YAML any more with its variables in place: %s", object, message)
	}
	return fmt.Sprintf("variables cannot be put into %s: %s", object, message)
}

func asAny(values map[string]string) map[string]any {
	result := make(map[string]any, len(values))
	for name, value := range values {
		result[name] = value
	}
	return result
}
