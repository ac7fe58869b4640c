package kubernetes

import (
	"fmt"
	"reflect"
	"sync"

	kube "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// Minor is a minor version of Kubernetes 1.
type Minor int

// Lifecycle says which versions introduced, deprecated and removed a kind; 0 where that is not decided.
type Lifecycle struct {
	Introduced, Deprecated, Removed Minor
	Replacement                     Kind
}

type introducedType interface{ APILifecycleIntroduced() (int, int) }

type deprecatedType interface{ APILifecycleDeprecated() (int, int) }

type removedType interface{ APILifecycleRemoved() (int, int) }

type replacedType interface {
	APILifecycleReplacement() kube.GroupVersionKind
}

// Kinds that k8s.io/api does not know any more, after https://kubernetes.io/docs/reference/using-api/deprecation-guide/.
var goneKinds = map[Kind]Lifecycle{
	{Group: "apiextensions.k8s.io", Version: "v1beta1", Kind: "CustomResourceDefinition"}: {7, 16, 22, Kind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}},
	{Group: "apiregistration.k8s.io", Version: "v1beta1", Kind: "APIService"}:             {7, 10, 22, Kind{Group: "apiregistration.k8s.io", Version: "v1", Kind: "APIService"}},
	{Group: "policy", Version: "v1beta1", Kind: "PodSecurityPolicy"}:                      {10, 21, 25, Kind{}},
	{Group: "extensions", Version: "v1beta1", Kind: "PodSecurityPolicy"}:                  {3, 11, 16, Kind{}},
}

// Lifecycles are those of Kubernetes' own kinds, as the API server's warnings know them.
var Lifecycles = sync.OnceValue(func() map[Kind]Lifecycle {
	all := map[Kind]Lifecycle{}
	for known, goType := range scheme.Scheme.AllKnownTypes() {
		if value := reflect.New(goType).Interface(); goType.PkgPath() != "k8s.io/apimachinery/pkg/apis/meta/v1" {
			all[Kind{Group: known.Group, Version: known.Version, Kind: known.Kind}] = lifecycleOf(value)
		}
	}
	for kind, life := range goneKinds {
		all[kind] = life
	}
	return all
})

func lifecycleOf(value any) (life Lifecycle) {
	if known, ok := value.(introducedType); ok {
		life.Introduced = asMinor(known.APILifecycleIntroduced())
	}
	if known, ok := value.(deprecatedType); ok {
		life.Deprecated = asMinor(known.APILifecycleDeprecated())
	}
	if known, ok := value.(removedType); ok {
		life.Removed = asMinor(known.APILifecycleRemoved())
	}
	if known, ok := value.(replacedType); ok {
		instead := known.APILifecycleReplacement()
		life.Replacement = Kind{Group: instead.Group, Version: instead.Version, Kind: instead.Kind}
	}
	return life
}

// IsServed says whether the API server of a version has the kind, if its API version is enabled.
func (l Lifecycle) IsServed(at Minor) bool {
	return l.Introduced <= at && (l.Removed == 0 || at < l.Removed)
}

func asMinor(_, second int) Minor { return Minor(second) }

// String is the version as Kubernetes writes it.
func (m Minor) String() string { return fmt.Sprintf("v1.%d", int(m)) }
