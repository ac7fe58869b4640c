package provenance

import (
	"path"

	"gopkg.in/yaml.v3"

	"devloop.invalid/toolchain/worker/internal/kustomize"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

// transformers takes kustomize's own transformers: texts, files, and folders that render them. What they name counts from base, the folder of
// the kustomization file that asks for them.
func (r *settingsReader) transformers(base, folder string, in *text, node *yaml.Node, key string) {
	for _, item := range yamldoc.Items(node, key) {
		if inner := path.Join(folder, r.remotes.Resolve(folder, item.Value)); r.view.IsDir(inner) {
			r.transformersOf(base, inner)
		} else if written := r.written(folder, in, item); written != nil {
			for _, document := range written.documents {
				r.transformer(base, written, document)
			}
		}
	}
}

func (r *settingsReader) transformersOf(base, folder string) {
	file, content := kustomize.ReadFile(r.view, folder)
	if content == nil || r.seen[folder] {
		return
	}
	r.seen[folder] = true
	written := readText(file, content)
	for _, document := range written.documents {
		r.transformers(base, folder, written, document, "resources")
	}
}

// transformer takes one document for what a kustomization file would say instead. Of other kinds nothing is known.
func (r *settingsReader) transformer(base string, in *text, document *yaml.Node) {
	_, kind := yamldoc.Child(document, "kind")
	if kind == nil {
		return
	}
	part := func(key string) *yaml.Node { _, value := yamldoc.Child(document, key); return value }
	switch kind.Value {
	case "PatchTransformer", "PatchJson6902Transformer":
		r.patch(base, in, document)
	case "PatchStrategicMergeTransformer":
		r.patches(base, in, document, "paths")
		if inline := part("patches"); inline != nil {
			r.patch(base, in, inline)
		}
	case "NamespaceTransformer":
		r.value("namespace", in, part("metadata"), "namespace", lastIs("namespace", "name"))
	case "PrefixTransformer":
		r.affix("namePrefix", in, document, "prefix")
	case "SuffixTransformer":
		r.affix("nameSuffix", in, document, "suffix")
	case "LabelTransformer":
		r.pairs("labels", in, document, "labels", part("labels"))
	case "AnnotationsTransformer":
		r.pairs("annotations", in, document, "annotations", part("annotations"))
	case "ReplicaCountTransformer":
		r.value("replicas", in, part("replica"), "count", lastIs("replicas"))
	case "ImageTagTransformer":
		r.image(in, part("imageTag"))
	case "ReplacementTransformer":
		r.replacements(in, document)
	}
}
