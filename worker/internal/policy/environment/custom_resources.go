package environment

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apimachinery/pkg/runtime"

	"devloop.invalid/toolchain/worker/internal/kubernetes"
)

// customResource is what a rendered CustomResourceDefinition says of its kind. schemas are structural, by version.
type customResource struct {
	plural     string
	namespaced bool
	schemas    func() map[string]*structuralschema.Structural
}

func newCustomResource(definition map[string]any) (customResource, string, string) {
	spec, _ := definition["spec"].(map[string]any)
	names, _ := spec["names"].(map[string]any)
	group, _ := spec["group"].(string)
	kind, _ := names["kind"].(string)
	plural, _ := names["plural"].(string)
	schemas := sync.OnceValue(func() map[string]*structuralschema.Structural { return structuralSchemas(definition) })
	return customResource{plural: plural, namespaced: spec["scope"] != "Cluster", schemas: schemas}, group, kind
}

func structuralSchemas(definition map[string]any) map[string]*structuralschema.Structural {
	var typed apiextensionsv1.CustomResourceDefinition
	if runtime.DefaultUnstructuredConverter.FromUnstructured(definition, &typed) != nil {
		return nil
	}
	found := map[string]*structuralschema.Structural{}
	for _, version := range typed.Spec.Versions {
		if version.Schema == nil || version.Schema.OpenAPIV3Schema == nil {
			continue
		}
		if structural := kubernetes.StructuralSchema(version.Schema.OpenAPIV3Schema); structural != nil {
			found[version.Name] = structural
		}
	}
	return found
}

// fluxResources are Flux's own kinds, whose definitions are next to the program: devloop installs Flux, so no environment renders them.
var fluxResources = sync.OnceValue(func() map[[2]string]customResource {
	found := map[[2]string]customResource{}
	program, err := os.Executable()
	if err != nil {
		return found
	}
	content, err := os.ReadFile(filepath.Join(filepath.Dir(program), "crds.json"))
	if err != nil {
		return found
	}
	var definitions []map[string]any
	if json.Unmarshal(content, &definitions) != nil {
		return found
	}
	for _, definition := range definitions {
		known, group, kind := newCustomResource(definition)
		found[[2]string{group, kind}] = known
	}
	return found
})

// customDecoded prunes and fills in a custom resource as the server does, where its definition is rendered in the same environment.
func (o *Object) customDecoded() (map[string]any, string) {
	known, ok := o.Environment.resources[[2]string{o.Group, o.Kind}]
	if !ok {
		known, ok = fluxResources()[[2]string{o.Group, o.Kind}]
	}
	if !ok {
		return nil, fmt.Sprintf("the CustomResourceDefinition of %s is rendered nowhere here, so its defaults are not known", o.Kind)
	}
	structural := known.schemas()[o.Version]
	if structural == nil {
		return nil, fmt.Sprintf("the CustomResourceDefinition of %s has no schema for %s that can be read", o.Kind, o.Version)
	}
	object := runtime.DeepCopyJSON(o.Rendered.Fields())
	pruning.Prune(object, structural, true)
	defaulting.PruneNonNullableNullsWithoutDefaults(object, structural)
	defaulting.Default(object, structural)
	return object, ""
}
