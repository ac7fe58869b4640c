package main

// kind is that of the object that asks for the release.
func (w *release) kind() string { return "HelmRelease" }

// repeatable gives what it takes to render again.
func (w *release) repeatable() repeatable {
	return repeatable{object: w.object.Object, view: w.view, try: w.try}
}

// try renders once more, from another HelmRelease where there is one; what it takes values from stays as it is.
func (w *release) try(files map[string][]byte) (made []repeated) {
	again := &release{renderer: w.renderer, scope: w.scope, request: w.request, object: w.object, view: w.view.tree.view(), sources: w.sources}
	for name, content := range files {
		if again.object.Object = objectOf(content); name != "" || again.object.Object == nil {
			return nil
		}
	}
	objects, err := again.assemble()
	if err != nil {
		return nil
	}
	for _, each := range objects {
		made = append(made, repeated{each.origin, each.object})
	}
	return made
}
