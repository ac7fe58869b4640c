package helm

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	helmrelease "helm.sh/helm/v4/pkg/release/v1"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"devloop.invalid/toolchain/worker/internal/diagnose"
	"devloop.invalid/toolchain/worker/internal/protocol"
)

// An object that is there twice, in kustomize's words.
var twice = regexp.MustCompile(`already registered id: (\w+)\.\S*?/(\S+?)\.(?:\[noNs\]|[^\s.']+)(?:'|\s|$)`)

// A key that is there twice, in kyaml's words.
var keyTwice = regexp.MustCompile(`mapping key "([^"]*)" already defined`)

// refused is why a post-renderer fails, in its own words and in ours.
type refused struct {
	protocol.Failure
	cause error
}

func (w *release) explainRefusal(err error, objects []*kyaml.RNode) error {
	var said *refused
	if !errors.As(err, &said) {
		return err
	}
	if found := twice.FindStringSubmatch(said.cause.Error()); found != nil {
		return w.repeatedObject(found, objects)
	}
	if found := keyTwice.FindStringSubmatch(said.cause.Error()); found != nil {
		return w.repeatedKey(found[1], objects)
	}
	return &said.Failure
}

// repeatedKey tells of a key that is there twice in one object of a template, at its last line.
func (w *release) repeatedKey(key string, objects []*kyaml.RNode) error {
	result := &protocol.Failure{Kind: protocol.KindBuild, Message: fmt.Sprintf("the chart renders the key %s twice in one object", key), Hint: "remove one of them"}
	isBroken := func(object *kyaml.RNode) bool { _, err := object.Map(); return err != nil }
	if i := slices.IndexFunc(objects, isBroken); i >= 0 {
		result.Path = w.fromRoot(objects[i].GetAnnotations()[fileAnnotation])
		result.Line = w.lastLine(result.Path, func(line string) bool { return strings.HasPrefix(strings.TrimLeft(line, " -"), key+":") })
	}
	return result
}

// lastLine is the last line of a file that is wanted, 0 where none is.
func (w *release) lastLine(file string, wanted func(line string) bool) (last int) {
	content, _ := w.renderer.Repository.ReadFile(file)
	for i, line := range strings.Split(string(content), "\n") {
		if wanted(line) {
			last = i + 1
		}
	}
	return last
}

// repeatedObject tells of an object that is there twice: at its second template, or at the HelmRelease if a setting there keeps the two apart.
func (w *release) repeatedObject(found []string, objects []*kyaml.RNode) error {
	result := &protocol.Failure{Kind: protocol.KindBuild, Message: fmt.Sprintf("the chart renders %s/%s twice", found[1], found[2]), Hint: "remove one of them"}
	hooks := 0
	for _, object := range objects {
		if object.GetKind() == found[1] && object.GetName() == found[2] {
			result.Path = w.fromRoot(object.GetAnnotations()[fileAnnotation])
			hooks += min(len(object.GetAnnotations()[helmrelease.HookAnnotation]), 1)
		}
	}
	if hooks == 1 {
		result.Path, result.Message = "", result.Message+", once as a hook"
		result.Hint = "set spec.postRenderStrategy to separate or nohooks, or remove one of them"
	}
	return result
}

func (w *release) invalidYAML(name string, err error) error {
	message := "the template renders invalid YAML: " + strings.TrimPrefix(firstLine(diagnose.Unwrap(err.Error())), "yaml: ")
	return &protocol.Failure{Kind: protocol.KindBuild, Message: message, Path: w.fromRoot(name)}
}
