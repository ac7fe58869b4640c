package schema

import (
	"net"

	"devloop.invalid/toolchain/worker/internal/protocol"
)

// serviceType checks what a Service may have with its type, after ValidateService of k8s.io/kubernetes/pkg/apis/core/validation.
func (w *validator) serviceType(spec map[string]any, at *path) {
	kind := spec["type"]
	if (kind == "NodePort" || kind == "LoadBalancer") && spec["clusterIP"] == "None" {
		w.report(protocol.SchemaValue, at.field("clusterIP"), "", "must not be None with the type %s", kind)
	}
	names := map[any]bool{}
	for i, port := range mappings(spec["ports"]) {
		field := at.field("ports").item(i, nil)
		if number, _ := port["nodePort"].(int64); number != 0 && (kind == nil || kind == "ClusterIP") {
			w.report(protocol.SchemaValue, field.field("nodePort"), "set type: NodePort, or remove it", "must not be set with the type ClusterIP")
		}
		if name, _ := port["name"].(string); name != "" {
			if names[name] && !w.isSkipped(name, field.field("name")) {
				w.report(protocol.SchemaValue, field.field("name"), "", "%s is the name of another port too", w.shown(name))
			}
			names[name] = true
		}
	}
}

// backends: an Ingress leads somewhere, and names each port in one way.
func (w *validator) backends(spec map[string]any, at *path) {
	if spec != nil && spec["defaultBackend"] == nil && len(mappings(spec["rules"])) == 0 {
		w.report(protocol.SchemaMissing, at, "", "has neither defaultBackend nor rules")
	}
	backend, below := inside(spec, at, "defaultBackend")
	w.backend(backend, below)
	for i, rule := range mappings(spec["rules"]) {
		field := at.field("rules").item(i, nil)
		if host, _ := rule["host"].(string); net.ParseIP(host) != nil {
			w.report(protocol.SchemaValue, field.field("host"), "", "%s must be a DNS name, not an address", w.shown(host))
		}
		http, httpAt := inside(rule, field, "http")
		for n, each := range mappings(http["paths"]) {
			backend, below := inside(each, httpAt.field("paths").item(n, nil), "backend")
			w.backend(backend, below)
		}
	}
}

func (w *validator) backend(backend map[string]any, at *path) {
	service, serviceAt := inside(backend, at, "service")
	if service == nil {
		return
	}
	if backend["resource"] != nil {
		w.report(protocol.SchemaValue, at, "keep one of them", "has both service and resource")
		return
	}
	port, portAt := inside(service, serviceAt, "port")
	switch named, numbered := isSet(port["name"]), isSet(port["number"]); {
	case named && numbered:
		w.report(protocol.SchemaValue, portAt, "keep one of them", "has both name and number")
	case !named && !numbered:
		w.report(protocol.SchemaMissing, serviceAt, "", "has no port with a name or a number")
	}
}

// isSet is how Go sees a field that nobody set.
func isSet(value any) bool { return value != nil && value != "" && value != int64(0) }

// peers: each of a NetworkPolicy is either a range of addresses or a selection of pods.
func (w *validator) peers(spec map[string]any, at *path, direction, list string) {
	for i, rule := range mappings(spec[direction]) {
		field := at.field(direction).item(i, nil)
		for n, peer := range mappings(rule[list]) {
			selects := peer["podSelector"] != nil || peer["namespaceSelector"] != nil
			switch here := field.field(list).item(n, nil); {
			case peer["ipBlock"] != nil && selects:
				w.report(protocol.SchemaValue, here, "make it two peers", "has a selector beside ipBlock")
			case peer["ipBlock"] == nil && !selects:
				w.report(protocol.SchemaMissing, here, "for all, remove the list", "has none of ipBlock, namespaceSelector and podSelector")
			}
		}
	}
}
