package helm

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"sort"
	"strings"

	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/kio"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	kube "sigs.k8s.io/yaml"

	"devloop.invalid/toolchain/worker/internal/collect"
	"devloop.invalid/toolchain/worker/internal/diagnose"
	"devloop.invalid/toolchain/worker/internal/kustomize"
	"devloop.invalid/toolchain/worker/internal/protocol"
)

// The annotation in which Helm keeps the file of an object while post-renderers run.
const fileAnnotation = "postrenderer.helm.sh/postrender-filename"

// postRendered puts the rendered files through what helm-controller always has as Helm's post-renderer: spec.postRenderers, spec.commonMetadata,
// and labels of the owner. Whether hooks go through it is for spec.postRenderStrategy to say.
func (w *release) postRendered(files map[string]string) (map[string]string, error) {
	strategy := w.text("spec", "postRenderStrategy")
	if strategy != "nohooks" && strategy != "separate" {
		return w.postRender(files, "")
	}
	hooks, manifests, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	if err != nil {
		return nil, err
	}
	hookFiles, manifestFiles := map[string]string{}, map[string]string{}
	for _, each := range hooks {
		join(hookFiles, each.Path, each.Manifest)
	}
	for _, each := range manifests {
		join(manifestFiles, each.Name, each.Content)
	}
	if strategy == "separate" {
		if hookFiles, err = w.postRender(hookFiles, "hooks"); err != nil {
			return nil, err
		}
	}
	if manifestFiles, err = w.postRender(manifestFiles, "manifests"); err != nil {
		return nil, err
	}
	for name, text := range manifestFiles {
		join(hookFiles, name, text)
	}
	return hookFiles, nil
}

func join(files map[string]string, name, text string) {
	if before, ok := files[name]; ok {
		text = before + "\n---\n" + text
	}
	files[name] = text
}

func (w *release) postRender(files map[string]string, group string) (map[string]string, error) {
	objects, err := w.merged(files)
	if err != nil || len(objects) == 0 {
		return files, err
	}
	stream, err := kio.StringAll(objects)
	if err != nil {
		return nil, err
	}
	made, err := w.patchAll([]byte(stream))
	if err != nil {
		return nil, w.explainRefusal(err, objects)
	}
	return split(string(made), group, origins(objects))
}

// merged are the objects of all files, each with the name of its file.
func (w *release) merged(files map[string]string) (all []*kyaml.RNode, err error) {
	for _, name := range collect.SortedKeys(files) {
		if strings.HasPrefix(path.Base(name), "_") || strings.TrimSpace(files[name]) == "" {
			continue
		}
		for _, document := range documents(files[name]) {
			objects, err := kio.ParseAll(document)
			for _, object := range objects {
				if err == nil {
					err = object.PipeE(kyaml.SetAnnotation(fileAnnotation, name))
				}
			}
			if err != nil {
				return nil, w.invalidYAML(name, err)
			}
			all = append(all, objects...)
		}
	}
	return all, nil
}

// documents are those of a file, in its order.
func documents(file string) []string {
	byKey := releaseutil.SplitManifests(file)
	keys := slices.Collect(maps.Keys(byKey))
	sort.Sort(releaseutil.BySplitManifestsOrder(keys))
	all := make([]string, len(keys))
	for i, key := range keys {
		all[i] = byKey[key]
	}
	return all
}

// patchAll is one run of the post-renderer.
func (w *release) patchAll(stream []byte) (_ []byte, err error) {
	renderers, _, _ := unstructured.NestedSlice(w.object.Object, "spec", "postRenderers")
	for i, each := range renderers {
		fields, _ := each.(map[string]any)
		settings, _ := fields["kustomize"].(map[string]any)
		if settings == nil {
			continue
		}
		if stream, err = patched(stream, settings); err != nil {
			message := fmt.Sprintf("spec.postRenderers[%d] cannot be applied: %s", i, firstLine(diagnose.Unwrap(err.Error())))
			return nil, &refused{protocol.Failure{Kind: protocol.KindBuild, Message: message, Field: []any{"spec", "postRenderers", i}}, err}
		}
	}
	labels, _, _ := unstructured.NestedStringMap(w.object.Object, "spec", "commonMetadata", "labels")
	annotations, _, _ := unstructured.NestedStringMap(w.object.Object, "spec", "commonMetadata", "annotations")
	if stream, err = kustomize.AddMetadata(stream, labels, annotations); err != nil {
		return nil, &refused{protocol.Failure{Kind: protocol.KindBuild, Message: firstLine(diagnose.Unwrap(err.Error()))}, err}
	}
	return stream, nil
}

// patched puts the objects through kustomize with patches and images, as helm-controller does.
func patched(stream []byte, settings map[string]any) ([]byte, error) {
	fs := filesys.MakeFsInMemory()
	content, err := kube.Marshal(map[string]any{
		"apiVersion": types.KustomizationVersion, "kind": types.KustomizationKind, "resources": []string{"chart.yaml"},
		"patches": settings["patches"], "images": settings["images"],
	})
	if err != nil {
		return nil, err
	}
	_ = fs.WriteFile("/chart.yaml", stream)
	_ = fs.WriteFile("/kustomization.yaml", content)
	built, err := kustomize.Build(fs, "/", false)
	if err != nil {
		return nil, err
	}
	return built.AsYaml()
}

// origins are the files of objects, and of the items of lists, by what names them.
func origins(objects []*kyaml.RNode) map[string]string {
	found := map[string]string{}
	for _, object := range objects {
		file := object.GetAnnotations()[fileAnnotation]
		found[title(object)] = file
		items, err := object.Pipe(kyaml.Lookup("items"))
		if err != nil || items == nil {
			continue
		}
		_ = items.VisitElements(func(item *kyaml.RNode) error { found[title(item)] = file; return nil })
	}
	return found
}

func title(object *kyaml.RNode) string { return object.GetKind() + "/" + object.GetName() }

// split divides the stream into its files again. An object loses the name of its file to a patch of all annotations, the items of a list to the list.
func split(stream, group string, known map[string]string) (map[string]string, error) {
	objects, err := kio.ParseAll(stream)
	if err != nil {
		return nil, err
	}
	byFile := map[string][]*kyaml.RNode{}
	for i, object := range objects {
		name := cmp.Or(object.GetAnnotations()[fileAnnotation], known[title(object)], fmt.Sprintf("generated-by-postrender-%s-%d.yaml", group, i))
		if err := object.PipeE(kyaml.ClearAnnotation(fileAnnotation)); err != nil {
			return nil, err
		}
		byFile[name] = append(byFile[name], object)
	}
	files := map[string]string{}
	for name, objects := range byFile {
		if files[name], err = kio.StringAll(objects); err != nil {
			return nil, err
		}
	}
	return files, nil
}
