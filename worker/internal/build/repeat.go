package build

import (
	"sigs.k8s.io/kustomize/api/resource"

	"devloop.invalid/toolchain/worker/internal/scope"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

// repeat is the same build, from the same sources of variables, about to begin once more.
func (b *run) repeat() *run {
	again := newRun(b.builder, b.scope, b.request)
	again.kustomization, again.sources, again.view = b.kustomization, b.sources, b.view.Tree.View()
	_ = b.builder.Repository.MountAll(again.view, b.request.Remotes)
	return again
}

// Repeatable gives what it takes to build again what kustomize gives, before decryption and variables.
func (b *run) Repeatable() scope.Repeatable {
	again := b.repeat()
	if again.findFolder() != nil {
		again.folder = ""
	}
	return scope.Repeatable{Object: again.kustomization.Object, View: again.view, Folder: again.folder, Try: again.try}
}

// try is what kustomize gives with other content in some files.
func (b *run) try(files map[string][]byte) (made []scope.RepeatedObject) {
	again := b.repeat()
	for name, content := range files {
		if name != "" {
			_ = again.view.WriteFile(name, content)
		} else if again.kustomization.Object = yamldoc.ParseObject(content); again.kustomization.Object == nil {
			return nil
		}
	}
	objects, _, err := again.assemble()
	if err != nil {
		return nil
	}
	for _, res := range objects.Resources() {
		made = append(made, scope.RepeatedObject{Origin: originOf(res), Content: res})
	}
	return made
}

func originOf(res *resource.Resource) string {
	origin, err := res.GetOrigin()
	if err != nil || origin == nil {
		return ""
	}
	return origin.Path + " " + origin.ConfiguredIn
}
