package kustomize

import (
	//lint:ignore SA1019 helm-controller uses it
	"sigs.k8s.io/kustomize/api/builtins"
	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
)

// AddMetadata adds labels and annotations to a stream of objects, as helm-controller does for spec.commonMetadata. It refuses what a build
// would refuse: an object that is there twice, or one without a name.
func AddMetadata(stream []byte, labels, annotations map[string]string) (text []byte, err error) {
	LoadSchemas()
	schemaUse.RLock()
	defer schemaUse.RUnlock()
	defer survive(&err)
	objects, err := resmap.NewFactory(provider.NewDefaultDepProvider().GetResourceFactory()).NewResMapFromBytes(stream)
	if err != nil {
		return nil, err
	}
	for _, transformer := range []resmap.Transformer{
		&builtins.LabelTransformerPlugin{Labels: labels, FieldSpecs: below("metadata/labels")},
		&builtins.AnnotationsTransformerPlugin{Annotations: annotations, FieldSpecs: below("metadata/annotations")},
	} {
		if err := transformer.Transform(objects); err != nil {
			return nil, err
		}
	}
	return objects.AsYaml()
}

func below(field string) []types.FieldSpec {
	return []types.FieldSpec{{Path: field, CreateIfNotPresent: true}}
}
