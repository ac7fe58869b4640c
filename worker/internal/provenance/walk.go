package provenance

import (
	"path"
	"slices"

	"gopkg.in/yaml.v3"

	"devloop.invalid/toolchain/worker/internal/kustomize"
	"devloop.invalid/toolchain/worker/internal/source"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

// walk goes through the kustomization files of a build: what they include first, then they themselves. Files are those with resources.
type walk struct {
	view    *source.View
	remotes *kustomize.Preparation
	seen    map[string]bool
	files   []string
	visit   func(folder string, in *text, node *yaml.Node)
}

func newWalk(v *source.View) *walk {
	return &walk{view: v, remotes: kustomize.NewPreparation(v, nil, false), seen: map[string]bool{}}
}

// root begins with the folder of a Kustomization, for which Flux makes the file where it has none; more are its components.
func (w *walk) root(folder string, more []string) {
	if file, _ := kustomize.ReadFile(w.view, folder); file != "" {
		w.folder(folder, more)
		return
	}
	content, err := kustomize.GenerateFile(w.view, folder)
	if made := readText("", content); err == nil && len(made.documents) == 1 {
		w.included(folder, append(yamldoc.Scalars(made.documents[0], "resources"), more...))
	}
}

func (w *walk) folder(folder string, more []string) {
	if w.seen[folder] {
		return
	}
	w.seen[folder] = true
	file, content := kustomize.ReadFile(w.view, folder)
	if content == nil {
		return
	}
	kustomization := readText(file, content)
	if len(kustomization.documents) != 1 {
		return
	}
	root := kustomization.documents[0]
	w.included(folder, slices.Concat(yamldoc.Scalars(root, "resources"), yamldoc.Scalars(root, "bases"), yamldoc.Scalars(root, "components"), more))
	w.visit(folder, kustomization, root)
}

func (w *walk) included(folder string, names []string) {
	for _, name := range names {
		if inner := path.Join(folder, w.remotes.Resolve(folder, name)); w.view.IsDir(inner) {
			w.folder(inner, nil)
		} else {
			w.files = append(w.files, inner)
		}
	}
}
