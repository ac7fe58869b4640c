// Package helm renders HelmReleases as helm-controller would install them.
package helm

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"devloop.invalid/toolchain/worker/internal/cache"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/scope"
	"devloop.invalid/toolchain/worker/internal/source"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

// Renderer renders the HelmReleases of one repository.
type Renderer struct {
	Repository *source.Repository
	Results    *cache.Results
}

// Render answers with one result for each release: its Directory is the chart, its Files are those of the chart.
func (h *Renderer) Render(in *scope.Scope, r *protocol.ReleasesRequest) json.RawMessage {
	results := make([]json.RawMessage, len(r.Releases))
	made := make([]*scope.Rendering, len(r.Releases))
	for i, request := range r.Releases {
		results[i], made[i] = h.release(in, r, request)
	}
	in.AddReleases(r.Namespace+"/"+r.Name, made)
	content, _ := json.Marshal(results)
	return content
}

// release is one HelmRelease on its way.
type release struct {
	renderer *Renderer
	scope    *scope.Scope
	request  *protocol.ReleasesRequest
	object   unstructured.Unstructured
	view     *source.View
	folder   string         // of the chart, below the mount
	chartOf  map[string]any // spec of the HelmChart that chartRef names
	sources  []*scope.Export
	guarded  bool // some of its values must not be shown
	lookedUp bool // a template asked for what the cluster has
	result   protocol.BuildResult
}

func (h *Renderer) release(in *scope.Scope, r *protocol.ReleasesRequest, one protocol.ReleaseRequest) (json.RawMessage, *scope.Rendering) {
	work := &release{renderer: h, scope: in, request: r}
	key, err := work.gather(one)
	if err == nil {
		if known, made := work.cached(key); made != nil {
			return known, made
		}
		err = work.render()
	}
	if err != nil {
		work.result.Objects, work.result.Failure = nil, work.explain(err)
	}
	work.listFiles()
	result, _ := work.result.Encode()
	made := &scope.Rendering{Owner: work.owner(), Maker: work, All: func() []*scope.Object { return scope.WrapObjects(work.result.Objects) }}
	if work.view != nil && key != "" {
		if inputs, ok := work.view.Inputs(); ok {
			made.Fingerprint = cache.Digest(key, string(inputs))
			entry := &cache.Entry{Inputs: inputs, Answer: result}
			h.Results.Put(key, entry.Encode())
		}
	}
	return result, made
}

func (w *release) owner() string { return w.object.GetNamespace() + "/" + w.object.GetName() }

// gather gathers what the release depends on, and names it; "" where that must leave no trace.
func (w *release) gather(one protocol.ReleaseRequest) (string, error) {
	export := w.scope.Find(scope.Key("HelmRelease", one.Namespace, one.Name))
	if export == nil {
		return "", fmt.Errorf("nothing rendered the HelmRelease %s/%s", one.Namespace, one.Name)
	}
	w.object = *(&unstructured.Unstructured{Object: export.Content().Object}).DeepCopy()
	if w.object.GetNamespace() == "" {
		w.object.SetNamespace("default")
	}
	source, err := w.renderer.Repository.Source(one.Base, one.Settings, one.Artifact)
	if err != nil {
		return "", err
	}
	w.view = source.View()
	parts := []string{"release", w.request.Version, cache.JSON(w.request.APIs), cache.JSON(one), export.Fingerprint}
	storable := export.Whole
	if named := w.namedChart(); named != nil {
		w.chartOf, _, _ = unstructured.NestedMap(named.Content().Object, "spec")
		parts, storable = append(parts, named.Fingerprint), storable && named.Whole
	}
	for _, reference := range w.references() {
		values := w.scope.Find(scope.Key(reference.Kind, w.object.GetNamespace(), reference.Name))
		w.sources = append(w.sources, values)
		if values == nil {
			parts = append(parts, "absent")
			continue
		}
		storable = storable && values.Fingerprint != ""
		parts = append(parts, values.Fingerprint)
	}
	if !storable {
		return "", nil
	}
	return w.renderer.Results.Key(parts...), nil
}

func (w *release) cached(key string) (json.RawMessage, *scope.Rendering) {
	entry := cache.DecodeEntry(w.renderer.Results.Get(key))
	if entry == nil || !w.view.StillHolds(entry.Inputs) {
		return nil, nil
	}
	made := &scope.Rendering{Owner: w.owner(), Maker: w, Fingerprint: cache.Digest(key, string(entry.Inputs)), All: scope.ParseObjects(entry.Answer)}
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
	return w.addToResult(objects)
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

// explain shortens what Helm says. Where values are masked, a chart may fail for that reason alone.
func (w *release) explain(err error) *protocol.Failure {
	var known *protocol.Failure
	if !errors.As(err, &known) {
		known = w.templateFailure(err.Error())
	}
	if w.guarded && known.Kind == protocol.KindBuild {
		return &protocol.Failure{Kind: protocol.KindUnknown, Message: "its values come from a Secret, and the chart does not render without them"}
	}
	return known
}

func (w *release) listFiles() {
	w.result.Files, w.result.Encrypted = []string{}, []string{}
	if w.view == nil {
		return
	}
	if w.folder != "" {
		relative, _ := source.Within(w.folder)
		w.result.Directory = w.view.Origin(relative)
	}
	for _, name := range w.view.Files() {
		w.result.Files = append(w.result.Files, w.view.Origin(name))
	}
}

// fromRoot turns the name that Helm gives a file of the chart (chart/charts/sub/templates/a.yaml) into a path in the repository. What came
// out of an archive is the archive.
func (w *release) fromRoot(name string) string {
	_, inside, _ := strings.Cut(name, "/")
	for file := path.Join(w.folder, inside); ; file = path.Dir(file) {
		if w.view.Has(file) || len(file) <= len(source.Mount) {
			relative, _ := source.Within(file)
			return w.view.Origin(relative)
		}
	}
}

// Kind is that of the object that asks for the release.
func (w *release) Kind() string { return "HelmRelease" }

// Repeatable gives what it takes to render again.
func (w *release) Repeatable() scope.Repeatable {
	return scope.Repeatable{Object: w.object.Object, View: w.view, Try: w.try}
}

// try renders once more, from another HelmRelease where there is one; what it takes values from stays as it is.
func (w *release) try(files map[string][]byte) (made []scope.RepeatedObject) {
	again := &release{
		renderer: w.renderer, scope: w.scope, request: w.request, object: w.object, view: w.view.Tree.View(), chartOf: w.chartOf, sources: w.sources,
	}
	for name, content := range files {
		if again.object.Object = yamldoc.ParseObject(content); name != "" || again.object.Object == nil {
			return nil
		}
	}
	objects, err := again.assemble()
	if err != nil {
		return nil
	}
	for _, each := range objects {
		made = append(made, scope.RepeatedObject{Origin: each.origin, Content: each.object})
	}
	return made
}
