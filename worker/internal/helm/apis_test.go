package helm

import (
	"slices"
	"testing"

	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

const widgets = `kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {kind: Widget}
  versions: [{name: v1, served: true}, {name: v1beta1, served: false}]
`

func TestTheClusterServesTheAPIsOfItsVersion(t *testing.T) {
	for version, each := range map[string]struct{ served, missing []string }{
		"v1.20.4": {[]string{"policy/v1beta1", "policy/v1beta1/PodSecurityPolicy", "batch/v1beta1/CronJob"}, []string{"policy/v1", "batch/v1/CronJob"}},
		"v1.36.2": {[]string{"v1", "v1/Pod", "policy/v1/PodDisruptionBudget", "apps/v1"}, []string{"policy/v1beta1", "extensions/v1beta1/Ingress", "v1/PodList"}},
	} {
		each.served = append(each.served, "apiextensions.k8s.io/v1", "apiextensions.k8s.io/v1/CustomResourceDefinition", "example.com/v1/Widget", "example.com/v1", "given/v1")
		each.missing = append(each.missing, "example.com/v1beta1", "apiextensions.k8s.io/v1/ConversionReview", "admission.k8s.io/v1")
		work := &release{request: &protocol.ReleasesRequest{Version: version, APIs: []string{"given/v1"}}}
		known := work.capabilities([]releaseObject{{"crds/widgets.yaml", yamldoc.ParseObject([]byte(widgets))}}).APIVersions
		for _, api := range each.served {
			if !slices.Contains(known, api) {
				t.Errorf("%s does not serve %s", version, api)
			}
		}
		for _, api := range each.missing {
			if slices.Contains(known, api) {
				t.Errorf("%s serves %s", version, api)
			}
		}
	}
}
