package environment

import (
	"strings"

	"devloop.invalid/toolchain/worker/internal/policy/cel"
	"devloop.invalid/toolchain/worker/internal/policy/selection"
	"devloop.invalid/toolchain/worker/internal/protocol"
)

// LabelsWhenAdmitted are its labels with those that kustomize-controller adds.
func (o *Object) LabelsWhenAdmitted() selection.Labels {
	namespace, name, _ := strings.Cut(o.owner, "/")
	set := selection.Labels{Unknown: o.Labels.Unknown, Others: o.Labels.Others, Known: map[string]string{}}
	for key, value := range o.Labels.Known {
		set.Known[key] = value
	}
	set.Known["kustomize.toolkit.fluxcd.io/name"], set.Known["kustomize.toolkit.fluxcd.io/namespace"] = name, namespace
	return set
}

// Request is what expressions may ask about the request that creates the object. Who asks is not known here.
func (o *Object) Request() map[string]any {
	kind := map[string]any{"group": o.Group, "version": o.Version, "kind": o.Kind}
	resource := map[string]any{"group": o.Group, "version": o.Version, "resource": o.Resource}
	request := map[string]any{
		"kind": kind, "resource": resource, "requestKind": kind, "requestResource": resource, "name": o.Name, "operation": "CREATE",
		"userInfo": cel.UnknownPart, "dryRun": cel.UnknownValue, "options": cel.UnknownPart, "uid": cel.UnknownValue,
	}
	if o.Namespaced {
		request["namespace"] = o.Namespace
	} else if o.Kind == "Namespace" && o.Group == "" {
		request["namespace"] = o.Name
	}
	return request
}

// Policy is evaluated against one object at a time, from several goroutines; About is the policy as an object.
type Policy interface {
	About() protocol.ObjectReference
	Evaluate(*Object) []protocol.PolicyResult
}
