package helm

import (
	"fmt"

	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	helmrelease "helm.sh/helm/v4/pkg/release/v1"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

const definitionKind = "CustomResourceDefinition"

// definitions are those of the chart's crds/, which are applied before the templates are rendered. helm-controller skips what else is there,
// and a definition whose name came before.
func (w *release) definitions(loaded *chart.Chart) []releaseObject {
	if w.text("spec", "install", "crds") == "Skip" {
		return nil
	}
	var all []releaseObject
	known := map[string]bool{}
	for _, each := range loaded.CRDObjects() {
		for _, document := range yamldoc.Split(each.File.Data) {
			object := unstructured.Unstructured{Object: yamldoc.ParseObject(document)}
			if object.GetKind() == definitionKind && !known[object.GetName()] {
				known[object.GetName()] = true
				all = append(all, releaseObject{w.fromRoot(each.Filename), object.Object})
			}
		}
	}
	return all
}

// definedKinds are the kinds that a definition serves, as group/version/Kind.
func definedKinds(definition map[string]any) (kinds []string) {
	group, _, _ := unstructured.NestedString(definition, "spec", "group")
	kind, _, _ := unstructured.NestedString(definition, "spec", "names", "kind")
	versions, _, _ := unstructured.NestedFieldNoCopy(definition, "spec", "versions")
	items, _ := versions.([]any)
	for _, item := range items {
		if version, _ := item.(map[string]any); version["served"] == true {
			kinds = append(kinds, fmt.Sprintf("%s/%v/%s", group, version["name"], kind))
		}
	}
	return kinds
}

// definedTooLate finds an object whose definition comes with the same templates: Helm looks up the kinds of all objects before it applies
// the first. A hook is looked up when its turn comes.
func (w *release) definedTooLate(manifests []releaseutil.Manifest, hooks []*helmrelease.Hook, served common.VersionSet) error {
	defined := map[string]bool{}
	for _, each := range manifests {
		addDefined(defined, each.Head.Kind, each.Content)
	}
	for _, hook := range hooks {
		addDefined(defined, hook.Kind, hook.Manifest)
	}
	for _, each := range manifests {
		if api := each.Head.Version + "/" + each.Head.Kind; defined[api] && !served.Has(api) {
			return &protocol.Failure{
				Kind:    protocol.KindBuild,
				Message: fmt.Sprintf("the templates render a %s of %s and its definition, which must exist first", each.Head.Kind, each.Head.Version),
				Hint:    "move the CustomResourceDefinition to the chart's crds/, or to a chart or a Kustomization that is applied before",
				Path:    w.fromRoot(each.Name),
			}
		}
	}
	return nil
}

func addDefined(defined map[string]bool, kind, text string) {
	if kind != definitionKind {
		return
	}
	for _, each := range definedKinds(yamldoc.ParseObject([]byte(text))) {
		defined[each] = true
	}
}
