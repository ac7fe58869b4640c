package helm

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	chart "helm.sh/helm/v4/pkg/chart/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	kube "sigs.k8s.io/yaml"

	"devloop.invalid/toolchain/worker/internal/collect"
	"devloop.invalid/toolchain/worker/internal/diagnose"
	"devloop.invalid/toolchain/worker/internal/kustomize"
	"devloop.invalid/toolchain/worker/internal/mask"
	"devloop.invalid/toolchain/worker/internal/protocol"
)

// Which object is which after kustomize was at it.
const numberAnnotation = "devloop.invalid/number"

// postRendered are the objects after spec.postRenderers and spec.commonMetadata.
func (w *release) postRendered(manifests []manifest) ([]releaseObject, error) {
	objects, err := parsedManifests(manifests)
	if err != nil {
		return nil, err
	}
	renderers, _, _ := unstructured.NestedSlice(w.object.Object, "spec", "postRenderers")
	for i, each := range renderers {
		fields, _ := each.(map[string]any)
		settings, _ := fields["kustomize"].(map[string]any)
		if settings == nil || len(objects) == 0 {
			continue
		}
		if objects, err = patched(objects, settings); err != nil {
			message := fmt.Sprintf("spec.postRenderers[%d] cannot be applied: %s", i, firstLine(diagnose.Unwrap(err.Error())))
			return nil, &protocol.Failure{Kind: protocol.KindBuild, Message: message}
		}
	}
	labels, _, _ := unstructured.NestedStringMap(w.object.Object, "spec", "commonMetadata", "labels")
	annotations, _, _ := unstructured.NestedStringMap(w.object.Object, "spec", "commonMetadata", "annotations")
	for _, each := range objects {
		object := unstructured.Unstructured{Object: each.object}
		if len(labels) > 0 {
			object.SetLabels(collect.MergeStrings(object.GetLabels(), labels))
		}
		if len(annotations) > 0 {
			object.SetAnnotations(collect.MergeStrings(object.GetAnnotations(), annotations))
		}
	}
	return objects, nil
}

// patched puts the objects through kustomize with patches and images, as helm-controller does.
func patched(objects []releaseObject, settings map[string]any) ([]releaseObject, error) {
	fs := filesys.MakeFsInMemory()
	var input []byte
	for i, each := range objects {
		object := unstructured.Unstructured{Object: each.object}
		object.SetAnnotations(collect.MergeStrings(object.GetAnnotations(), map[string]string{numberAnnotation: strconv.Itoa(i)}))
		text, err := kube.Marshal(object.Object)
		if err != nil {
			return nil, err
		}
		input = append(append(input, "---\n"...), text...)
	}
	configuration := map[string]any{
		"apiVersion": types.KustomizationVersion, "kind": types.KustomizationKind, "resources": []string{"chart.yaml"},
		"patches": settings["patches"], "images": settings["images"],
	}
	content, err := kube.Marshal(configuration)
	if err != nil {
		return nil, err
	}
	_ = fs.WriteFile("/chart.yaml", input)
	_ = fs.WriteFile("/kustomization.yaml", content)
	built, err := kustomize.Build(fs, "/", false)
	if err != nil {
		return nil, err
	}
	var result []releaseObject
	for _, res := range built.Resources() {
		object, err := res.Map()
		if err != nil {
			return nil, err
		}
		one := unstructured.Unstructured{Object: object}
		annotations := one.GetAnnotations()
		number, err := strconv.Atoi(annotations[numberAnnotation])
		if err != nil || number >= len(objects) {
			return nil, fmt.Errorf("a patch replaces the annotations of %s/%s", one.GetKind(), one.GetName())
		}
		delete(annotations, numberAnnotation)
		one.SetAnnotations(annotations)
		if len(annotations) == 0 {
			unstructured.RemoveNestedField(object, "metadata", "annotations")
		}
		result = append(result, releaseObject{objects[number].origin, object})
	}
	return result, nil
}

// namespaced gives an object the namespace that Helm would apply it in, where its kind is known to have one.
func (w *release) namespaced(object map[string]any) {
	one := unstructured.Unstructured{Object: object}
	if one.GetNamespace() != "" {
		return
	}
	if kustomize.IsNamespaced(one.GetAPIVersion(), one.GetKind()) {
		one.SetNamespace(w.namespace())
	}
}

// Functions of templates that give something else each time.
var changing = regexp.MustCompile(`\b(rand\w+|gen[A-Z]\w+|uuidv4|now|ago|date\w*|htpasswd|bcrypt|shuffle|encryptAES)\b`)

func isChanging(loaded *chart.Chart) bool {
	for _, template := range loaded.Templates {
		if changing.Match(template.Data) {
			return true
		}
	}
	return slices.ContainsFunc(loaded.Dependencies(), isChanging)
}

// markGenerated puts unknowns where two renderings differ: what a chart generates each time is not worth showing.
func markGenerated(first, second any) any {
	switch value := first.(type) {
	case map[string]any:
		other, _ := second.(map[string]any)
		for key, item := range value {
			value[key] = markGenerated(item, other[key])
		}
		return value
	case []any:
		other, _ := second.([]any)
		for i := range value {
			if i < len(other) {
				value[i] = markGenerated(value[i], other[i])
			}
		}
		return value
	}
	if first != second {
		return mask.Hide("generated")
	}
	return first
}

func markAllGenerated(first, second []releaseObject) []releaseObject {
	for i := range first {
		if i < len(second) {
			first[i].object, _ = markGenerated(first[i].object, second[i].object).(map[string]any)
		}
	}
	return first
}
