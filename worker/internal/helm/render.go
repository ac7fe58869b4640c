package helm

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	helmrelease "helm.sh/helm/v4/pkg/release/v1"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"

	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/source"
)

// Helm would fetch what a schema of values refers to, but for the drafts of JSON Schema, which it has.
var (
	schemaReference = regexp.MustCompile(`"\$(?:ref|dynamicRef|schema)"\s*:\s*"((?:https?|file):[^"]*)"`)
	knownDraft      = regexp.MustCompile(`^https?://json-schema\.org/(draft-0[467]/|draft/20(19-09|20-12)/)?schema#?$`)
)

// objects renders the chart as helm-controller's first installation would: CRDs, templates, hooks, then the post-renderers.
func (w *release) objects(loaded *chart.Chart, values map[string]any) ([]releaseObject, error) {
	if err := chartutil.ProcessDependencies(loaded, values); err != nil {
		return nil, err
	}
	definitions := w.definitions(loaded)
	capabilities := w.capabilities(definitions)
	if wanted := loaded.Metadata.KubeVersion; wanted != "" && !chartutil.IsCompatibleRange(wanted, capabilities.KubeVersion.String()) {
		return nil, fmt.Errorf("the chart is for Kubernetes %s, not for %s", wanted, capabilities.KubeVersion.Version)
	}
	options := common.ReleaseOptions{Name: w.name(), Namespace: w.namespace(), Revision: 1, IsInstall: true}
	unchecked := w.guarded || w.flag("spec", "install", "disableSchemaValidation") || fetchesSchema(loaded)
	rendering, err := util.ToRenderValuesWithSchemaValidation(loaded, values, options, capabilities, unchecked)
	if err != nil {
		return nil, err
	}
	objects, err := w.rendered(loaded, rendering, capabilities.APIVersions)
	if err == nil && isChanging(loaded) {
		var again []releaseObject
		again, err = w.rendered(loaded, rendering, capabilities.APIVersions)
		objects = markAllGenerated(objects, again)
	}
	return append(definitions, objects...), err
}

// rendered are the objects of one rendering, for a cluster that serves these APIs.
func (w *release) rendered(loaded *chart.Chart, values common.Values, served common.VersionSet) ([]releaseObject, error) {
	texts, err := w.renderTexts(loaded, values)
	if err != nil {
		return nil, err
	}
	if texts, err = w.postRendered(texts); err != nil {
		return nil, err
	}
	hooks, sorted, err := releaseutil.SortManifests(texts, nil, releaseutil.InstallOrder)
	if err != nil {
		return nil, err
	}
	w.result.Dropped = w.dropped(texts)
	if err := w.definedTooLate(sorted, hooks, served); err != nil {
		return nil, err
	}
	var manifests []manifest
	for _, each := range sorted {
		manifests = append(manifests, manifest{w.fromRoot(each.Name), each.Content})
	}
	for _, hook := range hooks {
		isTest := slices.ContainsFunc(hook.Events, func(event helmrelease.HookEvent) bool { return event == helmrelease.HookTest })
		if !isTest && !w.flag("spec", "install", "disableHooks") {
			manifests = append(manifests, manifest{w.fromRoot(hook.Path), hook.Manifest})
		}
	}
	return parsedManifests(manifests)
}

func fetchesSchema(loaded *chart.Chart) bool {
	for _, found := range schemaReference.FindAllSubmatch(loaded.Schema, -1) {
		if !knownDraft.Match(found[1]) {
			return true
		}
	}
	return slices.ContainsFunc(loaded.Dependencies(), fetchesSchema)
}

// renderTexts gives the text of each template.
func (w *release) renderTexts(loaded *chart.Chart, values common.Values) (map[string]string, error) {
	lookup := func(string, string, string, string) (map[string]any, error) {
		w.lookedUp = true
		return map[string]any{}, nil
	}
	texts, err := engine.Engine{CustomTemplateFuncs: template.FuncMap{"lookup": lookup}}.Render(loaded, values)
	if err != nil && w.lookedUp {
		message := "the chart looks up objects in the cluster, and does not render without them"
		return nil, &protocol.Failure{Kind: protocol.KindUnknown, Message: message}
	}
	if err != nil {
		return nil, err
	}
	for name := range texts {
		if strings.HasSuffix(name, "NOTES.txt") {
			delete(texts, name)
		}
	}
	return texts, nil
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

func firstLine(text string) string {
	first, _, _ := strings.Cut(text, "\n")
	return first
}
