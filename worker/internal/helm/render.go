package helm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	helmrelease "helm.sh/helm/v4/pkg/release/v1"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kube "sigs.k8s.io/yaml"

	"devloop.invalid/toolchain/worker/internal/mask"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/source"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

// manifest is one object of a chart, and its file in the repository.
type manifest struct {
	origin string
	text   string
}

// remoteSchema: Helm would fetch what a schema of values refers to.
var remoteSchema = regexp.MustCompile(`"\$(ref|dynamicRef|schema)"\s*:\s*"(https?|file):`)

// objects renders the chart as helm-controller's first installation would: CRDs, templates, hooks, then the post-renderers.
func (w *release) objects(loaded *chart.Chart, values map[string]any) ([]releaseObject, error) {
	capabilities := w.capabilities()
	if wanted := loaded.Metadata.KubeVersion; wanted != "" && !chartutil.IsCompatibleRange(wanted, capabilities.KubeVersion.String()) {
		return nil, fmt.Errorf("the chart is for Kubernetes %s, not for %s", wanted, capabilities.KubeVersion.Version)
	}
	if err := chartutil.ProcessDependencies(loaded, values); err != nil {
		return nil, err
	}
	options := common.ReleaseOptions{Name: w.name(), Namespace: w.namespace(), Revision: 1, IsInstall: true}
	unchecked := w.guarded || w.flag("spec", "install", "disableSchemaValidation") || fetchesSchema(loaded)
	rendering, err := util.ToRenderValuesWithSchemaValidation(loaded, values, options, capabilities, unchecked)
	if err != nil {
		return nil, err
	}
	first, err := w.rendered(loaded, rendering)
	if err != nil || !isChanging(loaded) {
		return first, err
	}
	second, err := w.rendered(loaded, rendering)
	return markAllGenerated(first, second), err
}

// rendered are the objects of one rendering.
func (w *release) rendered(loaded *chart.Chart, values common.Values) ([]releaseObject, error) {
	texts, err := renderTexts(loaded, values)
	if err != nil {
		return nil, err
	}
	hooks, sorted, err := releaseutil.SortManifests(texts, nil, releaseutil.InstallOrder)
	if err != nil {
		return nil, err
	}
	manifests := w.definitions(loaded)
	for _, each := range sorted {
		manifests = append(manifests, manifest{w.fromRoot(loaded, each.Name), each.Content})
	}
	for _, hook := range hooks {
		isTest := slices.ContainsFunc(hook.Events, func(event helmrelease.HookEvent) bool { return event == helmrelease.HookTest })
		if !isTest && !w.flag("spec", "install", "disableHooks") {
			manifests = append(manifests, manifest{w.fromRoot(loaded, hook.Path), hook.Manifest})
		}
	}
	return w.postRendered(manifests)
}

func fetchesSchema(loaded *chart.Chart) bool {
	return remoteSchema.Match(loaded.Schema) || slices.ContainsFunc(loaded.Dependencies(), fetchesSchema)
}

// renderTexts gives the text of each template.
func renderTexts(loaded *chart.Chart, values common.Values) (map[string]string, error) {
	texts, err := engine.Render(loaded, values)
	if err != nil {
		return nil, err
	}
	for name := range texts {
		if path.Base(name) == "NOTES.txt" {
			delete(texts, name)
		}
	}
	return texts, nil
}

// definitions are the CRDs of the chart, which are not templates.
func (w *release) definitions(loaded *chart.Chart) []manifest {
	if w.text("spec", "install", "crds") == "Skip" {
		return nil
	}
	var all []manifest
	for _, each := range loaded.CRDObjects() {
		for _, document := range yamldoc.Split(each.File.Data) {
			all = append(all, manifest{w.fromRoot(loaded, each.Filename), string(document)})
		}
	}
	return all
}

// place of a template's failure: chart/templates/a.yaml:3:12, in brackets or not.
var templatePlace = regexp.MustCompile(`(?:\(|at |template: |^)([\w.-]+/[\w./-]+):(\d+)(?::\d+)?\)?`)

func (w *release) templateFailure(text string) *protocol.Failure {
	result := &protocol.Failure{Kind: protocol.KindBuild}
	if match := templatePlace.FindStringSubmatch(text); match != nil && w.folder != "" {
		if _, inside, ok := strings.Cut(match[1], "/"); ok && w.view.Has(path.Join(w.folder, inside)) {
			relative, _ := source.Within(path.Join(w.folder, inside))
			result.Path = w.view.Origin(relative)
			result.Line, _ = strconv.Atoi(match[2])
		}
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	message := lines[len(lines)-1]
	if at := templatePlace.FindStringIndex(message); at != nil && at[0] <= len("execution error at ") {
		message = message[at[1]:]
	}
	result.Message = strings.TrimLeft(strings.TrimSpace(message), ":- ")
	return result
}

// addToResult puts objects into the answer, as build does.
func (w *release) addToResult(objects []releaseObject) error {
	for _, each := range objects {
		content, err := json.Marshal(each.object)
		if err != nil {
			return err
		}
		built := protocol.BuiltObject{Body: content, Origin: each.origin}
		if bytes.ContainsFunc(content, mask.IsHidden) || w.guarded {
			m := &mask.Masker{IsSecret: each.object["kind"] == "Secret"}
			shown := m.Value("", each.object, nil)
			if built.Body, err = json.Marshal(shown); err != nil {
				return err
			}
			slices.Sort(m.Unknown)
			built.Unknown = m.Unknown
		}
		if protocol.IsTooDeep(built.Body) {
			return protocol.TooDeep("an object of the chart", each.origin)
		}
		w.result.Objects = append(w.result.Objects, built)
	}
	return nil
}

type releaseObject struct {
	origin string
	object map[string]any
}

func parsedManifests(manifests []manifest) ([]releaseObject, error) {
	var objects []releaseObject
	for _, each := range manifests {
		var object map[string]any
		if err := kube.Unmarshal([]byte(each.text), &object); err != nil {
			return nil, &protocol.Failure{Kind: protocol.KindBuild, Message: "a template renders no YAML: " + firstLine(err.Error()), Path: each.origin}
		}
		if len(object) == 0 {
			continue
		}
		one := unstructured.Unstructured{Object: object}
		if one.GetKind() == "" || one.GetAPIVersion() == "" {
			return nil, &protocol.Failure{Kind: protocol.KindBuild, Message: "a template renders an object without apiVersion or kind", Path: each.origin}
		}
		objects = append(objects, releaseObject{each.origin, object})
	}
	return objects, nil
}

func firstLine(text string) string {
	first, _, _ := strings.Cut(text, "\n")
	return first
}
