package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// renderer renders the HelmReleases of one repository.
type renderer struct {
	repository *repository
	results    *results
}

// releases answers with one result for each release: its Directory is the chart, its Files are those of the chart.
func (h *renderer) releases(in *scope, r *releasesRequest) json.RawMessage {
	results := make([]json.RawMessage, len(r.Releases))
	made := make([]*rendering, len(r.Releases))
	for i, request := range r.Releases {
		results[i], made[i] = h.release(in, r, request)
	}
	in.extend(r.Namespace+"/"+r.Name, made)
	content, _ := json.Marshal(results)
	return content
}

// release is one HelmRelease on its way.
type release struct {
	renderer *renderer
	scope    *scope
	request  *releasesRequest
	object   unstructured.Unstructured
	view     *view
	folder   string // of the chart, below the mount
	sources  []*exported
	guarded  bool // some of its values must not be shown
	result   buildResult
}

func (h *renderer) release(in *scope, r *releasesRequest, one releaseRequest) (json.RawMessage, *rendering) {
	work := &release{renderer: h, scope: in, request: r}
	key, err := work.begin(one)
	if err == nil {
		if known, made := work.cached(key); made != nil {
			return known, made
		}
		err = work.render()
	}
	if err != nil {
		work.result.Objects, work.result.Failure = nil, work.explain(err)
	}
	work.finish()
	result, _ := work.result.encode()
	made := &rendering{owner: work.owner(), maker: work, all: func() []*rendered { return wrapped(work.result.Objects) }}
	if work.view != nil && key != "" {
		if inputs, ok := work.view.inputs(); ok {
			made.fingerprint = digest(key, string(inputs))
			entry := &cacheEntry{Inputs: inputs, Answer: result}
			h.results.put(key, entry.encode())
		}
	}
	return result, made
}

func (w *release) owner() string { return w.object.GetNamespace() + "/" + w.object.GetName() }

// begin gathers what the release depends on, and names it; "" where that must leave no trace.
func (w *release) begin(one releaseRequest) (string, error) {
	export := w.scope.find(exportKey("HelmRelease", one.Namespace, one.Name))
	if export == nil {
		return "", fmt.Errorf("nothing rendered the HelmRelease %s/%s", one.Namespace, one.Name)
	}
	w.object = *(&unstructured.Unstructured{Object: export.content().object}).DeepCopy()
	if w.object.GetNamespace() == "" {
		w.object.SetNamespace("default")
	}
	source, err := w.renderer.repository.source(one.Base, one.Artifact)
	if err != nil {
		return "", err
	}
	w.view = source.view()
	parts := []string{"release", w.request.Version, jsonOf(w.request.APIs), jsonOf(one), export.fingerprint}
	storable := export.whole
	for _, reference := range w.references() {
		values := w.scope.find(exportKey(reference.Kind, w.object.GetNamespace(), reference.Name))
		w.sources = append(w.sources, values)
		if values == nil {
			parts = append(parts, "absent")
			continue
		}
		storable = storable && values.fingerprint != ""
		parts = append(parts, values.fingerprint)
	}
	if !storable {
		return "", nil
	}
	return w.renderer.results.key(parts...), nil
}

func (w *release) cached(key string) (json.RawMessage, *rendering) {
	entry := decodeEntry(w.renderer.results.get(key))
	if entry == nil || !w.view.holds(entry.Inputs) {
		return nil, nil
	}
	made := &rendering{owner: w.owner(), maker: w, fingerprint: digest(key, string(entry.Inputs)), all: parsed(entry.Answer)}
	return entry.Answer, made
}

func (w *release) text(fields ...string) string {
	value, _, _ := unstructured.NestedString(w.object.Object, fields...)
	return value
}

func (w *release) flag(fields ...string) bool {
	value, _, _ := unstructured.NestedBool(w.object.Object, fields...)
	return value
}

func (w *release) namespace() string {
	if target := w.text("spec", "targetNamespace"); target != "" {
		return target
	}
	return w.object.GetNamespace()
}

// Helm's own limit for names of releases, and how helm-controller keeps it: what is cut off lives on as a digest.
const (
	longestName  = 53
	digestInName = 12
)

func (w *release) name() string {
	name := w.text("spec", "releaseName")
	if name == "" {
		name = w.object.GetName()
		if target := w.text("spec", "targetNamespace"); target != "" {
			name = target + "-" + name
		}
	}
	if len(name) <= longestName {
		return name
	}
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(name)))
	return name[:longestName-digestInName-1] + "-" + sum[:digestInName]
}

func (w *release) render() error {
	objects, err := w.assemble()
	if err != nil {
		return err
	}
	return w.show(objects)
}

// assemble is what helm-controller would apply.
func (w *release) assemble() ([]releaseObject, error) {
	loaded, err := w.chart()
	if err != nil {
		return nil, err
	}
	values, err := w.values()
	if err != nil {
		return nil, err
	}
	objects, err := w.objects(loaded, values)
	for _, each := range objects {
		w.namespaced(each.object)
	}
	return objects, err
}

func (w *release) capabilities() *common.Capabilities {
	capabilities := common.DefaultCapabilities.Copy()
	if version, err := common.ParseKubeVersion(w.request.Version); err == nil {
		capabilities.KubeVersion = *version
	}
	known := capabilities.APIVersions
	capabilities.APIVersions = append(known[:len(known):len(known)], w.request.APIs...)
	return capabilities
}

// explain puts what Helm says into few words. Where values are kept from it, a chart may well fail for that reason alone.
func (w *release) explain(err error) *failure {
	var known *failure
	if !errors.As(err, &known) {
		known = w.templateFailure(err.Error())
	}
	if w.guarded && known.Kind == kindBuild {
		return &failure{Kind: kindUnknown, Message: "its values come from a Secret, and the chart does not render without them"}
	}
	return known
}

func (w *release) finish() {
	w.result.Files, w.result.Encrypted = []string{}, []string{}
	if w.view == nil {
		return
	}
	if w.folder != "" {
		relative, _ := within(w.folder)
		w.result.Directory = w.view.origin(relative)
	}
	for _, name := range w.view.files() {
		w.result.Files = append(w.result.Files, w.view.origin(name))
	}
}

// fromRoot turns the name that Helm gives a file of the chart (chart/charts/sub/templates/a.yaml) into a path in the repository. What came
// out of an archive is the archive.
func (w *release) fromRoot(loaded *chart.Chart, name string) string {
	inside := strings.TrimPrefix(name, loaded.Name()+"/")
	for file := path.Join(w.folder, inside); ; file = path.Dir(file) {
		if w.view.has(file) || len(file) <= len(mount) {
			relative, _ := within(file)
			return w.view.origin(relative)
		}
	}
}
