package helm

import (
	"devloop.invalid/toolchain/worker/internal/scope"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

// Kind is that of the object that asks for the release.
func (w *release) Kind() string { return "HelmRelease" }

// Repeatable gives what it takes to render again.
func (w *release) Repeatable() scope.Repeatable {
	return scope.Repeatable{Object: w.object.Object, View: w.view, Try: w.try}
}

// try renders once more, from another HelmRelease where there is one; what it takes values from stays as it is.
func (w *release) try(files map[string][]byte) (made []scope.RepeatedObject) {
	again := &release{renderer: w.renderer, scope: w.scope, request: w.request, object: w.object, view: w.view.Tree.View(), sources: w.sources}
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
