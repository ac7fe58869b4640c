package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"sort"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
)

// complete turns kustomize's objects into what Flux would apply, and remembers those that other builds ask for.
func (b *run) complete(objects resmap.ResMap, wantsOrigins bool) error {
	variables, err := variablesOf(b.kustomization, b.sources, !b.request.Lenient)
	if err != nil {
		return err
	}
	b.variables = variables
	labels, _, _ := unstructured.NestedStringMap(b.kustomization.Object, "spec", "commonMetadata", "labels")
	annotations, _, _ := unstructured.NestedStringMap(b.kustomization.Object, "spec", "commonMetadata", "annotations")
	for _, res := range objects.Resources() {
		if b.exportsOnly && !isExported(res) {
			continue
		}
		origin, line, err := b.origin(res, wantsOrigins)
		if err != nil {
			return err
		}
		if res.GetName() == "" || res.GetKind() == "" || res.GetApiVersion() == "" {
			return &failure{Kind: kindBuild, Message: "an object without apiVersion, kind or name", Path: origin}
		}
		built, err := b.object(res, labels, annotations)
		if err != nil {
			return b.explainer().explainObject(err, objectName(res), origin)
		}
		if isTooDeep(built.Body) {
			return tooDeep(objectName(res), origin)
		}
		built.Origin, built.Line = origin, line
		b.result.Objects = append(b.result.Objects, *built)
	}
	return nil
}

func objectName(res *resource.Resource) string {
	parts := []string{res.GetKind(), res.GetNamespace(), res.GetName()}
	return strings.Join(keep(parts, func(part string) bool { return part != "" }), "/")
}

// origin is the file that an object came from, or the one that its generator is configured in, relative to the root; of a remote object, the
// file and the line that name what it came from.
func (b *run) origin(res *resource.Resource, keepAnnotation bool) (string, int, error) {
	origin, err := res.GetOrigin()
	if err != nil || origin == nil {
		return "", 0, err
	}
	if !keepAnnotation {
		if err := res.SetOrigin(nil); err != nil {
			return "", 0, err
		}
	}
	file := origin.Path
	if file == "" {
		file = origin.ConfiguredIn
	}
	if file == "" || origin.Repo != "" {
		return "", 0, nil
	}
	file = path.Join(b.folder, file)
	if by := b.view.namedBy(file); by != nil {
		return by.Path, by.Line, nil
	}
	return b.view.fromRoot(file), 0, nil
}

func (b *run) object(res *resource.Resource, labels, annotations map[string]string) (*builtObject, error) {
	state, before, err := b.opened(res)
	if err != nil {
		return nil, err
	}
	shown, err := b.substituted(res)
	if err != nil {
		return nil, err
	}
	for _, each := range []*resource.Resource{res, shown} {
		if err := addMetadata(each, labels, annotations); err != nil {
			return nil, err
		}
	}
	body, unknown, err := b.mask(shown, before, state)
	if err != nil {
		return nil, err
	}
	built := &builtObject{Body: body, Secret: state, Unknown: unknown}
	return built, b.export(res, built)
}

// opened decrypts an object where there is something to decrypt; it gives the state and the object as it was before.
func (b *run) opened(res *resource.Resource) (string, map[string]any, error) {
	whole := isEncrypted(res)
	if !whole && res.GetKind() != "Secret" {
		return "", nil, nil
	}
	before, err := res.Map()
	if err != nil {
		return "", nil, err
	}
	if !b.decrypts() || isDisabled(res.GetAnnotations(), "decrypt") {
		if whole {
			return "sealed", before, nil
		}
		return "", before, nil
	}
	state, err := b.builder.keys.openResource(res)
	if err != nil {
		err = &failure{Kind: kindDecryption, Message: fmt.Sprintf("%s cannot be decrypted: %v", objectName(res), err)}
	}
	return state, before, err
}

// substituted puts variables into an object and gives the one to show, without the values of secrets.
func (b *run) substituted(res *resource.Resource) (*resource.Resource, error) {
	if b.builder.showSecrets {
		return res, b.variables.substitute(res, b.variables.known)
	}
	if !b.variables.secret() || !isExported(res) {
		return res, b.variables.substitute(res, b.variables.shown)
	}
	shown := res.DeepCopy()
	if err := b.variables.substitute(shown, b.variables.shown); err != nil {
		return nil, err
	}
	if b.variables.substitute(res, b.variables.known) != nil { // what it says may quote a secret
		message := fmt.Sprintf("%s is no YAML any more with the values of the secrets in it", objectName(res))
		return nil, &failure{Kind: kindSubstitution, Message: message}
	}
	return shown, nil
}

func (b *run) owner() string { return b.request.Namespace + "/" + b.request.Name }

func isDisabled(annotations map[string]string, what string) bool {
	return strings.EqualFold(annotations["kustomize.toolkit.fluxcd.io/"+what], "disabled")
}

func addMetadata(res *resource.Resource, labels, annotations map[string]string) error {
	if len(labels) > 0 {
		if err := res.SetLabels(merged(res.GetLabels(), labels)); err != nil {
			return err
		}
	}
	if len(annotations) > 0 {
		return res.SetAnnotations(merged(res.GetAnnotations(), annotations))
	}
	return nil
}

// mask gives the object as JSON without secret values; before is the object as it was before decryption.
func (b *run) mask(res *resource.Resource, before map[string]any, state string) (json.RawMessage, []string, error) {
	content, err := res.MarshalJSON()
	if err != nil {
		return nil, nil, err
	}
	if state == "" && len(b.preparation.secrets) == 0 && !bytes.ContainsFunc(content, isHidden) {
		return bytes.TrimSpace(content), nil, nil
	}
	var object map[string]any
	if err := json.Unmarshal(content, &object); err != nil {
		return nil, nil, err
	}
	if state != "" {
		delete(object, "sops")
	}
	m := &masker{isSecret: res.GetKind() == "Secret", secrets: b.preparation.secrets}
	if b.builder.showSecrets {
		m.secrets, before = nil, nil
	}
	shown := m.value("", object, before)
	sort.Strings(m.unknown)
	content, err = json.Marshal(shown)
	return content, m.unknown, err
}
