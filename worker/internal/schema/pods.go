package schema

import (
	"fmt"
	"strings"

	"devloop.invalid/toolchain/worker/internal/collect"
	"devloop.invalid/toolchain/worker/internal/protocol"
)

// pod checks how the fields of a pod depend on each other; claims are the volumes that a StatefulSet adds.
func (w *validator) pod(spec map[string]any, at *path, claims map[string]bool) {
	if spec == nil {
		return
	}
	if containers, isList := spec["containers"].([]any); isList && len(containers) == 0 {
		w.report(protocol.SchemaValue, at.field("containers"), "", "must have at least one container")
	}
	volumes, known := w.volumes(spec, at, claims)
	for _, list := range []string{"initContainers", "containers"} {
		for i, container := range mappings(spec[list]) {
			below := at.field(list).item(i, container)
			if known {
				w.mounts(container, below.field("volumeMounts"), volumes)
			}
			for _, probe := range []string{"livenessProbe", "readinessProbe", "startupProbe"} {
				w.probe(container, below, probe)
			}
		}
	}
}

// volumes are the names of a pod's volumes, and whether all of them are known. Each has one source, or none for an empty folder.
func (w *validator) volumes(spec map[string]any, at *path, claims map[string]bool) (names map[string]bool, known bool) {
	names, known = map[string]bool{}, true
	for name := range claims {
		names[name] = true
	}
	for i, each := range mappings(spec["volumes"]) {
		below := at.field("volumes").item(i, each)
		names[fmt.Sprint(each["name"])] = true
		known = known && !w.isSkipped(each["name"], below.field("name"))
		sources := collect.Filter(collect.SortedKeys(each), func(key string) bool { return key != "name" && each[key] != nil })
		if len(sources) > 1 {
			w.report(protocol.SchemaValue, below, "keep one of them", "has more than one source: %s", strings.Join(sources, ", "))
		}
	}
	return names, known
}

func (w *validator) mounts(container map[string]any, at *path, volumes map[string]bool) {
	paths := map[string]bool{}
	for n, mount := range mappings(container["volumeMounts"]) {
		name, isText := mount["name"].(string)
		field := at.item(n, nil).field("name")
		if isText && !volumes[name] && !w.isSkipped(name, field) {
			w.report(protocol.SchemaValue, field, "", "%s is not a volume of the pod", w.shown(name))
		}
		where, _ := mount["mountPath"].(string)
		field = at.item(n, nil).field("mountPath")
		if paths[where] && where != "" && !w.isSkipped(where, field) {
			w.report(protocol.SchemaValue, field, "", "%s is the path of another mount too", w.shown(where))
		}
		paths[where] = true
	}
}

// probe: a probe has one handler.
func (w *validator) probe(container map[string]any, at *path, name string) {
	probe, isMapping := container[name].(map[string]any)
	if !isMapping {
		return
	}
	var handlers []string
	for _, handler := range []string{"exec", "grpc", "httpGet", "tcpSocket"} {
		if probe[handler] != nil {
			handlers = append(handlers, handler)
		}
	}
	if len(handlers) == 0 {
		w.report(protocol.SchemaMissing, at.field(name), "", "has none of exec, grpc, httpGet and tcpSocket")
	}
	if len(handlers) > 1 {
		w.report(protocol.SchemaValue, at.field(name), "keep one of them", "has more than one of %s", strings.Join(handlers, ", "))
	}
}
