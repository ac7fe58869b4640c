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

// releasesRequest renders the HelmReleases of one Kustomization, in this order, from charts in the repository. Their objects become part of
// what the Kustomization's build gave, after its own. Version is the one of Kubernetes; APIs are what its CRDs define, as group/version and
// group/version/Kind.
type releasesRequest struct {
	Scope     string           `json:"scope"`
	Namespace string           `json:"namespace"`
	Name      string           `json:"name"`
	Version   string           `json:"version"`
	APIs      []string         `json:"apis"`
	Releases  []releaseRequest `json:"releases"`
}

// releaseRequest names a HelmRelease that a build of the scope rendered, and where its chart's path counts from.
type releaseRequest struct {
	Namespace string           `json:"namespace"`
	Name      string           `json:"name"`
	Base      string           `json:"base"`
	Artifact  *artifactRequest `json:"artifact,omitempty"`
}

// releases answers with one result for each release: its Directory is the chart, its Files are those of the chart.
func (s *session) releases(r *releasesRequest) json.RawMessage {
	results := make([]json.RawMessage, len(r.Releases))
	made := make([]*rendering, len(r.Releases))
	for i, request := range r.Releases {
		results[i], made[i] = s.release(r, request)
	}
	s.scope(r.Scope).extend(r.Namespace+"/"+r.Name, made)
	content, _ := json.Marshal(results)
	return content
}

// release is one HelmRelease on its way.
type release struct {
	session *session
	request *releasesRequest
	object  unstructured.Unstructured
	view    *view
	folder  string // of the chart, below the mount
	sources []*keptObject
	guarded bool // some of its values must not be shown
	result  buildResult
}

func (s *session) release(r *releasesRequest, one releaseRequest) (json.RawMessage, *rendering) {
	work := &release{session: s, request: r}
	key, err := work.begin(one)
	if err == nil {
		if known, made := work.recall(key); made != nil {
			return known, made
		}
		err = work.render()
	}
	if err != nil {
		work.result.Objects, work.result.Failure = nil, work.explain(err)
	}
	work.finish()
	result, _ := work.result.encode()
	made := &rendering{owner: work.owner(), release: work, all: func() []*rendered { return wrapped(work.result.Objects) }}
	if work.view != nil && key != "" {
		if seen, ok := work.view.seen.encode(); ok {
			made.print = digest(key, string(seen))
			s.store.put(key, storedEntry(storedHead{Sights: len(seen)}, seen, result))
		}
	}
	return result, made
}

func (w *release) owner() string { return w.object.GetNamespace() + "/" + w.object.GetName() }

// begin gathers what the release depends on, and names it; ” where that must leave no trace.
func (w *release) begin(one releaseRequest) (string, error) {
	scope := w.session.scope(w.request.Scope)
	kept := scope.find(keptKey("HelmRelease", one.Namespace, one.Name))
	if kept == nil {
		return "", fmt.Errorf("nothing rendered the HelmRelease %s/%s", one.Namespace, one.Name)
	}
	w.object = *(&unstructured.Unstructured{Object: kept.content().object}).DeepCopy()
	if w.object.GetNamespace() == "" {
		w.object.SetNamespace("default")
	}
	source, err := w.session.source(&buildRequest{Base: one.Base, Artifact: one.Artifact})
	if err != nil {
		return "", err
	}
	w.view = source.view()
	parts := []string{"release", w.session.salt, w.request.Version, jsonOf(w.request.APIs), jsonOf(one), kept.print}
	storable := kept.whole && w.session.store != nil
	for _, reference := range w.references() {
		values := scope.find(keptKey(reference.Kind, w.object.GetNamespace(), reference.Name))
		w.sources = append(w.sources, values)
		if values == nil {
			parts = append(parts, "absent")
			continue
		}
		storable = storable && values.print != ""
		parts = append(parts, values.print)
	}
	if !storable {
		return "", nil
	}
	return digest(parts...), nil
}

func (w *release) recall(key string) (json.RawMessage, *rendering) {
	head, seen, result := readEntry(w.session.store.get(key))
	if head == nil || !w.view.holds(seen) {
		return nil, nil
	}
	return result, &rendering{owner: w.owner(), release: w, print: digest(key, string(seen)), all: parsed(result)}
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
	if w.guarded && known.Kind == "build" {
		return &failure{Kind: "unknown", Message: "its values come from a Secret, and the chart does not render without them"}
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
		if w.view.tree.entry(file).err == nil || len(file) <= len(mount) {
			relative, _ := within(file)
			return w.view.origin(relative)
		}
	}
}
