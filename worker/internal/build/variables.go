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
// rendered by nothing here, so that a name that is not among them may still have a value in the cluster.
type variables struct {
	kustomization unstructured.Unstructured
	known, shown  map[string]string
	incomplete    bool
	always        bool
	strict        bool
}

// references are the ConfigMaps and Secrets that a Kustomization takes variables from, as keys of a scope, in its order.
func references(k unstructured.Unstructured) ([]string, error) {
	listed, _, err := unstructured.NestedSlice(k.Object, "spec", "postBuild", "substituteFrom")
	if err != nil {
		return nil, fmt.Errorf("spec.postBuild.substituteFrom: %w", err)
	}
	var keys []string
	for _, reference := range listed {
		fields, _ := reference.(map[string]any)
		kind, _ := fields["kind"].(string)
		name, _ := fields["name"].(string)
		keys = append(keys, scope.Key(kind, k.GetNamespace(), name))
	}
	return keys, nil
}

// variablesOf puts together what sources (nil for one that nothing renders) and the Kustomization itself define.
func variablesOf(k unstructured.Unstructured, sources []*scope.Export, strict bool) (*variables, error) {
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
	inline, _, err := unstructured.NestedStringMap(postBuild, "substitute")
	if err != nil {
		return nil, fmt.Errorf("spec.postBuild.substitute: %w", err)
	}
	for name, value := range inline {
		result.known[name], result.shown[name] = value, value
	}
	return result, validNames(result.known)
}

func (v *variables) add(source *scope.Export) {
	if source == nil {
		v.incomplete = true
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

// substitute puts values in place, with Flux's own code. Where the sources are incomplete, a variable that has neither value nor default
// becomes an unknown.
func (v *variables) substitute(res *resource.Resource, values map[string]string) error {
	if values == nil || len(values) == 0 && !v.always && !v.incomplete {
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
		if !v.incomplete {
			return &protocol.Failure{Kind: protocol.KindUndefined, Message: fmt.Sprintf("the variable %s is not defined", missing[1]), Variable: missing[1]}
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
