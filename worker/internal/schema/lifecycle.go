package schema

import (
	"fmt"
	"reflect"
	"strings"
	"sync"

	kube "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	"devloop.invalid/toolchain/worker/internal/kubernetes"
	"devloop.invalid/toolchain/worker/internal/protocol"
)

// minor is a minor version of Kubernetes 1.
type minor int

// lifecycle is the way of one kind through the versions: 0 where that is not decided.
type lifecycle struct {
	introduced, deprecated, removed minor
	replacement                     kubernetes.Kind
}

type introducedType interface{ APILifecycleIntroduced() (int, int) }

type deprecatedType interface{ APILifecycleDeprecated() (int, int) }

type removedType interface{ APILifecycleRemoved() (int, int) }

type replacedType interface {
	APILifecycleReplacement() kube.GroupVersionKind
}

// Kinds that k8s.io/api does not know any more, after https://kubernetes.io/docs/reference/using-api/deprecation-guide/.
var goneKinds = map[kubernetes.Kind]lifecycle{
	{Group: "apiextensions.k8s.io", Version: "v1beta1", Kind: "CustomResourceDefinition"}: {7, 16, 22, kubernetes.Kind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}},
	{Group: "apiregistration.k8s.io", Version: "v1beta1", Kind: "APIService"}:             {7, 10, 22, kubernetes.Kind{Group: "apiregistration.k8s.io", Version: "v1", Kind: "APIService"}},
	{Group: "policy", Version: "v1beta1", Kind: "PodSecurityPolicy"}:                      {10, 21, 25, kubernetes.Kind{}},
	{Group: "extensions", Version: "v1beta1", Kind: "PodSecurityPolicy"}:                  {3, 11, 16, kubernetes.Kind{}},
}

// lifecycles are those of Kubernetes' own kinds, as the API server's warnings know them, and the groups that are Kubernetes' own.
var lifecycles = sync.OnceValue(func() map[kubernetes.Kind]lifecycle {
	all := map[kubernetes.Kind]lifecycle{}
	for known, goType := range scheme.Scheme.AllKnownTypes() {
		if value := reflect.New(goType).Interface(); goType.PkgPath() != "k8s.io/apimachinery/pkg/apis/meta/v1" {
			all[kubernetes.Kind{Group: known.Group, Version: known.Version, Kind: known.Kind}] = lifecycleOf(value)
		}
	}
	for kind, life := range goneKinds {
		all[kind] = life
	}
	return all
})

func lifecycleOf(value any) (life lifecycle) {
	if known, ok := value.(introducedType); ok {
		life.introduced = asMinor(known.APILifecycleIntroduced())
	}
	if known, ok := value.(deprecatedType); ok {
		life.deprecated = asMinor(known.APILifecycleDeprecated())
	}
	if known, ok := value.(removedType); ok {
		life.removed = asMinor(known.APILifecycleRemoved())
	}
	if known, ok := value.(replacedType); ok {
		instead := known.APILifecycleReplacement()
		life.replacement = kubernetes.Kind{Group: instead.Group, Version: instead.Version, Kind: instead.Kind}
	}
	return life
}

func asMinor(_, second int) minor { return minor(second) }

// String is the version as Kubernetes writes it.
func (m minor) String() string { return fmt.Sprintf("v1.%d", int(m)) }

// apiVersionProblem says what a kind's age means at a version: "removed" or "deprecated" with the message and what to do, or nothing.
func apiVersionProblem(kind kubernetes.Kind, at minor) (code protocol.SchemaCode, message, hint string) {
	life, known := lifecycles()[kind]
	what := fmt.Sprintf("%s of %s", kind.Kind, kind.APIVersion())
	switch {
	case !known:
		return "", "", ""
	case life.removed > 0 && at >= life.removed:
		return protocol.SchemaRemoved, fmt.Sprintf("%s is gone since Kubernetes %s", what, life.removed), instead(life)
	case life.introduced > at:
		return protocol.SchemaRemoved, fmt.Sprintf("%s comes only with Kubernetes %s", what, life.introduced), "use an older apiVersion, or a newer Kubernetes"
	case life.deprecated > 0 && at >= life.deprecated && life.removed > 0:
		return protocol.SchemaDeprecated, fmt.Sprintf("%s is deprecated and goes away with Kubernetes %s", what, life.removed), instead(life)
	case life.deprecated > 0 && at >= life.deprecated:
		return protocol.SchemaDeprecated, fmt.Sprintf("%s is deprecated since Kubernetes %s", what, life.deprecated), instead(life)
	}
	return "", "", ""
}

func instead(life lifecycle) string {
	if life.replacement.Kind == "" {
		return "nothing takes its place in Kubernetes itself"
	}
	return strings.Join([]string{"use", life.replacement.Kind, "of", life.replacement.APIVersion()}, " ")
}
