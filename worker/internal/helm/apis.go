package helm

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"

	"devloop.invalid/toolchain/worker/internal/kubernetes"
)

// Beta API versions that an API server serves by default; later ones are off, see
// https://kubernetes.io/docs/reference/using-api/#api-groups.
var servedBetas = []string{
	"autoscaling/v2beta1", "autoscaling/v2beta2", "batch/v1beta1", "discovery.k8s.io/v1beta1", "events.k8s.io/v1beta1",
	"flowcontrol.apiserver.k8s.io/v1beta1", "flowcontrol.apiserver.k8s.io/v1beta2", "flowcontrol.apiserver.k8s.io/v1beta3",
	"node.k8s.io/v1beta1", "policy/v1beta1",
}

// Groups that have Go types which no API server serves, and the kinds that it does serve of those or that have no Go type here.
var (
	unserved = []string{"apidiscovery.k8s.io", "imagepolicy.k8s.io", "admission.k8s.io", "apiextensions.k8s.io"}
	others   = []string{"apiextensions.k8s.io/v1/CustomResourceDefinition", "apiregistration.k8s.io/v1/APIService"}
)

// capabilities are those of the environment's cluster once the chart's own definitions are applied.
func (w *release) capabilities(definitions []releaseObject) *common.Capabilities {
	capabilities := common.DefaultCapabilities.Copy()
	if version, err := common.ParseKubeVersion(w.request.Version); err == nil {
		capabilities.KubeVersion = *version
	}
	minor, _ := strconv.Atoi(capabilities.KubeVersion.Minor)
	kinds := append(builtInKinds(kubernetes.Minor(minor)), others...)
	for _, each := range definitions {
		kinds = append(kinds, definedKinds(each.object)...)
	}
	served := slices.Concat(kinds, w.request.APIs)
	for _, kind := range kinds {
		served = append(served, path.Dir(kind))
	}
	slices.Sort(served)
	capabilities.APIVersions = slices.Compact(served)
	return capabilities
}

// builtInKinds are those of an API server, as group/version/Kind.
func builtInKinds(at kubernetes.Minor) (kinds []string) {
	for kind, life := range kubernetes.Lifecycles() {
		if life.IsServed(at) && isEnabled(kind) {
			kinds = append(kinds, kind.APIVersion()+"/"+kind.Kind)
		}
	}
	return kinds
}

func isEnabled(kind kubernetes.Kind) bool {
	isBeta := strings.Contains(kind.Version, "beta")
	return !strings.HasSuffix(kind.Kind, "List") && !slices.Contains(unserved, kind.Group) && !strings.Contains(kind.Version, "alpha") &&
		(!isBeta || slices.Contains(servedBetas, kind.APIVersion()))
}
