package helm

import (
	"reflect"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	kube "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

// Beta versions that an API server serves unless it is told not to, see
// https://kubernetes.io/docs/reference/using-api/#api-groups; later ones are off.
var servedBetas = []string{
	"autoscaling/v2beta1", "autoscaling/v2beta2", "batch/v1beta1", "discovery.k8s.io/v1beta1", "events.k8s.io/v1beta1",
	"flowcontrol.apiserver.k8s.io/v1beta1", "flowcontrol.apiserver.k8s.io/v1beta2", "flowcontrol.apiserver.k8s.io/v1beta3",
	"node.k8s.io/v1beta1", "policy/v1beta1",
}

// Groups of Go types that no API server serves, and kinds of Kubernetes itself that have no Go type here.
var (
	unserved = []string{"apidiscovery.k8s.io", "imagepolicy.k8s.io", "admission.k8s.io"}
	others   = []string{
		"apiextensions.k8s.io/v1", "apiextensions.k8s.io/v1/CustomResourceDefinition",
		"apiregistration.k8s.io/v1", "apiregistration.k8s.io/v1/APIService",
	}
)

// capabilities are those of the environment's cluster once the chart's own definitions are applied.
func (w *release) capabilities(loaded *chart.Chart) *common.Capabilities {
	capabilities := common.DefaultCapabilities.Copy()
	if version, err := common.ParseKubeVersion(w.request.Version); err == nil {
		capabilities.KubeVersion = *version
	}
	served := slices.Concat(builtInAPIs(capabilities.KubeVersion), w.request.APIs)
	if w.text("spec", "install", "crds") != "Skip" {
		served = append(served, definedAPIs(loaded)...)
	}
	slices.Sort(served)
	capabilities.APIVersions = slices.Compact(served)
	return capabilities
}

type introducedType interface{ APILifecycleIntroduced() (int, int) }

type removedType interface{ APILifecycleRemoved() (int, int) }

// builtInAPIs are the versions and kinds that the API server of a Kubernetes version serves.
func builtInAPIs(at common.KubeVersion) []string {
	minor := 0
	for _, digit := range at.Minor {
		minor = 10*minor + int(digit-'0')
	}
	apis := slices.Clone(others)
	for known, goType := range scheme.Scheme.AllKnownTypes() {
		if isServed(known, reflect.New(goType).Interface(), minor) {
			apis = append(apis, known.GroupVersion().String(), known.GroupVersion().String()+"/"+known.Kind)
		}
	}
	return apis
}

func isServed(known kube.GroupVersionKind, value any, minor int) bool {
	introduced, hasLife := value.(introducedType)
	if !hasLife || strings.HasSuffix(known.Kind, "List") || slices.Contains(unserved, known.Group) {
		return false
	}
	if _, since := introduced.APILifecycleIntroduced(); since > minor {
		return false
	}
	if removed, ok := value.(removedType); ok {
		if _, at := removed.APILifecycleRemoved(); at > 0 && at <= minor {
			return false
		}
	}
	return !strings.Contains(known.Version, "alpha") && (!strings.Contains(known.Version, "beta") || slices.Contains(servedBetas, known.GroupVersion().String()))
}

// definedAPIs are those of the definitions in the chart's crds/, which are applied before the templates are rendered.
func definedAPIs(loaded *chart.Chart) (apis []string) {
	for _, file := range loaded.CRDObjects() {
		for _, document := range yamldoc.Split(file.File.Data) {
			var defined apiextensions.CustomResourceDefinition
			if yaml.Unmarshal(document, &defined) != nil {
				continue
			}
			for _, version := range defined.Spec.Versions {
				if version.Served {
					api := defined.Spec.Group + "/" + version.Name
					apis = append(apis, api, api+"/"+defined.Spec.Names.Kind)
				}
			}
		}
	}
	return apis
}
