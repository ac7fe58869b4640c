package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/fluxcd/pkg/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/resource"
)

// scope is the part of what one environment renders that other builds need: sources of variables, with the values of secrets, and
// Kustomizations. None of it leaves the process.
type scope struct {
	mu         sync.Mutex
	kept       map[string]keptObject
	renderings map[string]*rendering
}

// keptObject: owner is the Kustomization that rendered it. Of two owners the first in the alphabet counts, whichever was built first.
type keptObject struct {
	owner  string
	secret bool
	values map[string]string
	object map[string]any
}

func newScope() *scope {
	return &scope{kept: map[string]keptObject{}, renderings: map[string]*rendering{}}
}

func keptKey(kind, namespace, name string) string { return kind + "/" + namespace + "/" + name }

func isKept(res *resource.Resource) bool {
	switch res.GetKind() {
	case "ConfigMap", "Secret":
		return res.GetApiVersion() == "v1"
	case "Kustomization":
		return strings.HasPrefix(res.GetApiVersion(), "kustomize.toolkit.fluxcd.io/")
	}
	return false
}

func (s *scope) keep(res *resource.Resource, state, owner string) error {
	if !isKept(res) {
		return nil
	}
	object, err := res.Map()
	if err != nil {
		return err
	}
	namespace := res.GetNamespace()
	if namespace == "" {
		namespace = "default"
	}
	key := keptKey(res.GetKind(), namespace, res.GetName())
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.kept[key]; ok && known.owner < owner {
		return nil
	}
	s.kept[key] = keptObject{owner, state != "" || res.GetKind() == "Secret", values(object, state), object}
	return nil
}

// values are the variables that a ConfigMap or a Secret defines; what is still encrypted is unknown.
func values(object map[string]any, state string) map[string]string {
	found := map[string]string{}
	for _, field := range []string{"data", "stringData"} {
		data, _ := object[field].(map[string]any)
		for key, value := range data {
			text, isText := value.(string)
			if !isText {
				continue
			}
			if field == "data" && object["kind"] == "Secret" {
				text = decoded(text)
			}
			if state == "sealed" && looksSealed(text) {
				text = hide(key)
			}
			found[key] = strings.ReplaceAll(text, "\n", "")
		}
	}
	return found
}

func decoded(text string) string {
	if plain, err := base64.StdEncoding.DecodeString(text); err == nil {
		return string(plain)
	}
	return text
}

func looksSealed(text string) bool { return strings.Contains(text, string(encryptedMark)) }

func (s *scope) kustomization(namespace, name string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.kept[keptKey("Kustomization", namespace, name)]
	if kept.object == nil {
		return nil
	}
	return (&unstructured.Unstructured{Object: kept.object}).DeepCopy().Object
}

// variables of one Kustomization. shown has unknowns in place of what comes from secrets; incomplete means that a source of them was
// rendered by nothing here, so that a name that is not among them may still have a value in the cluster.
type variables struct {
	kustomization unstructured.Unstructured
	known, shown  map[string]string
	incomplete    bool
	always        bool
	strict        bool
}

func (s *scope) variables(k unstructured.Unstructured, strict bool) (*variables, error) {
	result := &variables{kustomization: k, known: map[string]string{}, shown: map[string]string{}, strict: strict}
	postBuild, _, _ := unstructured.NestedMap(k.Object, "spec", "postBuild")
	if postBuild == nil {
		result.known, result.shown = nil, nil
		return result, nil
	}
	strategy, _, _ := unstructured.NestedString(postBuild, "substituteStrategy")
	result.always = strategy == "Always"
	references, _, err := unstructured.NestedSlice(postBuild, "substituteFrom")
	if err != nil {
		return nil, fmt.Errorf("spec.postBuild.substituteFrom: %w", err)
	}
	for _, reference := range references {
		s.addFrom(result, k.GetNamespace(), reference)
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

func (s *scope) addFrom(v *variables, namespace string, reference any) {
	fields, _ := reference.(map[string]any)
	kind, _ := fields["kind"].(string)
	name, _ := fields["name"].(string)
	s.mu.Lock()
	defer s.mu.Unlock()
	source, ok := s.kept[keptKey(kind, namespace, name)]
	if !ok {
		v.incomplete = true
		return
	}
	for key, value := range source.values {
		v.known[key], v.shown[key] = value, value
		if source.secret {
			v.shown[key] = hide(key)
		}
	}
}

// As in Flux's library; checked here because it looks only where there is something to substitute.
var variableName = regexp.MustCompile("^[_[:alpha:]][_[:alpha:][:digit:]]*$")

func validNames(values map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !variableName.MatchString(name) {
			return &failure{Kind: "substitution", Message: fmt.Sprintf("%q is no name for a variable", name)}
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
		object := unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"postBuild": map[string]any{"substitute": asAny(values)}}}}
		_, err := kustomize.SubstituteVariables(context.Background(), nil, object, res,
			kustomize.SubstituteWithDryRun(true), kustomize.SubstituteWithStrict(v.strict),
			kustomize.SubstituteWithAlways(v.always || v.incomplete))
		if err == nil {
			return nil
		}
		missing := notSet.FindStringSubmatch(err.Error())
		if missing == nil {
			return &failure{Kind: "substitution", Message: notSubstituted(objectName(res), err)}
		}
		if !v.incomplete {
			return &failure{Kind: "undefined", Message: fmt.Sprintf("the variable %s is not defined", missing[1])}
		}
		values = merged(values, map[string]string{missing[1]: hide(missing[1])})
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
