package kubernetes

import (
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
)

// StructuralSchema is the schema of a CustomResourceDefinition as the API server's libraries use it, nil for one that it would refuse.
func StructuralSchema(written *apiextensionsv1.JSONSchemaProps) *schema.Structural {
	var internal apiextensions.JSONSchemaProps
	if apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(written, &internal, nil) != nil {
		return nil
	}
	structural, err := schema.NewStructural(&internal)
	if err != nil {
		return nil
	}
	return structural
}
