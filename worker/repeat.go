package main

import (
	"sigs.k8s.io/kustomize/api/resource"
)

// repeat is the same build, from the same sources of variables, about to begin once more.
func (b *run) repeat() *run {
	again := newRun(b.builder, b.scope, b.request)
	again.kustomization, again.sources, again.view = b.kustomization, b.sources, b.view.tree.view()
	_ = b.builder.repository.mountAll(again.view, b.request.Remotes)
	return again
}

// repeatable gives what it takes to build again what kustomize gives, before decryption and variables.
func (b *run) repeatable() repeatable {
	again := b.repeat()
	if again.enter() != nil {
		again.folder = ""
	}
	return repeatable{object: again.kustomization.Object, view: again.view, folder: again.folder, try: again.try}
}

// try is what kustomize gives with other content in some files.
func (b *run) try(files map[string][]byte) (made []repeated) {
	again := b.repeat()
	for name, content := range files {
		if name != "" {
			_ = again.view.WriteFile(name, content)
		} else if again.kustomization.Object = objectOf(content); again.kustomization.Object == nil {
			return nil
		}
	}
	objects, _, err := again.assemble()
	if err != nil {
		return nil
	}
	for _, res := range objects.Resources() {
		made = append(made, repeated{originOf(res), res})
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
