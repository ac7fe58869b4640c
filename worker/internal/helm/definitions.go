package helm

import (
	"fmt"
	"slices"

	chart "helm.sh/helm/v4/pkg/chart/v2"
	helmrelease "helm.sh/helm/v4/pkg/release/v1"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"devloop.invalid/toolchain/worker/internal/protocol"
)

// undefined finds an object whose definition comes with the same templates: Helm looks up the kinds of all objects before it applies the first.
// A hook is looked up when its turn comes.
func (w *release) undefined(loaded *chart.Chart, manifests []releaseutil.Manifest, hooks []*helmrelease.Hook) error {
	defined := map[string]bool{}
	for _, each := range manifests {
		addDefined(defined, each.Head.Kind, each.Content)
	}
	for _, hook := range hooks {
		addDefined(defined, hook.Kind, hook.Manifest)
	}
	if len(defined) == 0 {
		return nil
	}
	served := w.capabilities(loaded).APIVersions
	for _, each := range manifests {
		if api := each.Head.Version + "/" + each.Head.Kind; defined[api] && !slices.Contains(served, api) {
			return &protocol.Failure{
				Kind:    protocol.KindBuild,
				Message: fmt.Sprintf("the templates render a %s of %s together with its definition, which Helm needs before", each.Head.Kind, each.Head.Version),
				Hint:    "move the CustomResourceDefinition to crds/ of the chart, or to a chart or a Kustomization that comes first",
				Path:    w.fromRoot(each.Name),
			}
		}
	}
	return nil
}

func addDefined(defined map[string]bool, kind, text string) {
	var found apiextensions.CustomResourceDefinition
	if kind != "CustomResourceDefinition" || yaml.Unmarshal([]byte(text), &found) != nil {
		return
	}
	for _, version := range found.Spec.Versions {
		defined[found.Spec.Group+"/"+version.Name+"/"+found.Spec.Names.Kind] = true
	}
}
