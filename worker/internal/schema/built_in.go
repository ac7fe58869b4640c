package schema

import (
	"fmt"
	"strings"

	"k8s.io/kubernetes/pkg/util/parsers"

	"devloop.invalid/toolchain/worker/internal/protocol"
)

// builtIn checks what no schema says: how the fields of a built-in object depend on each other, after k8s.io/kubernetes/pkg/apis/*/validation.
func (w *validator) builtIn(o object) {
	spec, _ := o.Fields()["spec"].(map[string]any)
	at := (*path)(nil).field("spec")
	switch o.kind.Group + "/" + o.kind.Kind {
	case "/Pod":
		w.pod(spec, at, nil)
	case "apps/Deployment", "apps/ReplicaSet", "apps/DaemonSet", "apps/StatefulSet":
		w.workload(spec, at)
	case "batch/Job":
		w.job(spec, at)
	case "batch/CronJob":
		w.schedule(spec, at)
		job, jobAt := inside(spec, at, "jobTemplate", "spec")
		w.job(job, jobAt)
	case "/Service":
		w.service(spec, at)
		w.serviceType(spec, at)
	case "/ConfigMap":
		w.keysTwice(o.Fields())
	case "networking.k8s.io/Ingress":
		w.ingress(spec, at)
		w.backends(spec, at)
	case "networking.k8s.io/NetworkPolicy":
		w.peers(spec, at, "ingress", "from")
		w.peers(spec, at, "egress", "to")
	case "rbac.authorization.k8s.io/Role", "rbac.authorization.k8s.io/ClusterRole":
		w.roleRules(o.Fields(), o.kind.Kind)
	case "rbac.authorization.k8s.io/RoleBinding", "rbac.authorization.k8s.io/ClusterRoleBinding":
		w.binding(o.Fields(), o.kind.Kind)
	case "autoscaling/HorizontalPodAutoscaler":
		w.autoscaler(spec, at)
	case "policy/PodDisruptionBudget":
		if spec["minAvailable"] != nil && spec["maxUnavailable"] != nil {
			w.report(protocol.SchemaValue, at, "keep one of them", "has both minAvailable and maxUnavailable")
		}
	}
}

// inside is the mapping below these fields, nil if there is none.
func inside(fields map[string]any, at *path, steps ...string) (map[string]any, *path) {
	for _, step := range steps {
		fields, _ = fields[step].(map[string]any)
		at = at.field(step)
	}
	return fields, at
}

func (w *validator) workload(spec map[string]any, at *path) {
	pod, podAt := inside(spec, at, "template", "spec")
	if policy := pod["restartPolicy"]; policy != nil && policy != "Always" && !w.isSkipped(policy, podAt.field("restartPolicy")) {
		w.report(protocol.SchemaValue, podAt.field("restartPolicy"), "", "must be Always here")
	}
	if strategy, strategyAt := inside(spec, at, "strategy"); strategy["type"] == "Recreate" && strategy["rollingUpdate"] != nil {
		w.report(protocol.SchemaValue, strategyAt.field("rollingUpdate"), "", "must not be set with the strategy Recreate")
	}
	w.rollout(spec, at)
	claims := map[string]bool{}
	for _, each := range mappings(spec["volumeClaimTemplates"]) {
		metadata, _ := each["metadata"].(map[string]any)
		claims[fmt.Sprint(metadata["name"])] = true
	}
	w.pod(pod, podAt, claims)
}

// rollout: a Deployment that may neither remove nor add a pod never makes progress.
func (w *validator) rollout(spec map[string]any, at *path) {
	strategy, strategyAt := inside(spec, at, "strategy", "rollingUpdate")
	if isZero(strategy["maxUnavailable"]) && isZero(strategy["maxSurge"]) {
		w.report(protocol.SchemaValue, strategyAt.field("maxUnavailable"), "", "must not be 0 where maxSurge is 0")
	}
}

func isZero(value any) bool { return value == int64(0) || value == "0%" }

func (w *validator) job(spec map[string]any, at *path) {
	pod, podAt := inside(spec, at, "template", "spec")
	if policy := pod["restartPolicy"]; pod != nil && (policy == nil || policy == "Always") {
		w.report(protocol.SchemaValue, podAt.field("restartPolicy"), "", "must be OnFailure or Never in a Job, the default is Always")
	}
	w.pod(pod, podAt, nil)
}

func (w *validator) schedule(spec map[string]any, at *path) {
	text, isText := spec["schedule"].(string)
	at = at.field("schedule")
	if !isText || w.isSkipped(text, at) {
		return
	}
	if strings.Contains(text, "TZ") {
		w.report(protocol.SchemaValue, at, "set spec.timeZone", "must not name a time zone")
	} else if _, err := parsers.ParseCronScheduleWithPanicRecovery(text); err != nil {
		w.report(protocol.SchemaValue, at, "", "%s is not a schedule: %v", w.shown(text), err)
	}
}

func (w *validator) service(spec map[string]any, at *path) {
	ports := mappings(spec["ports"])
	if len(ports) == 0 && spec["type"] != "ExternalName" && spec["clusterIP"] != "None" {
		w.missing("ports", at)
	}
	for i, port := range ports {
		if name := port["name"]; len(ports) > 1 && (name == nil || name == "") {
			w.report(protocol.SchemaMissing, at.field("ports").item(i, nil), "", "has no name, ports need one if there are several")
		}
	}
	if spec["type"] == "ExternalName" && (spec["externalName"] == nil || spec["externalName"] == "") {
		w.missing("externalName", at)
	}
}

// ingress: a path of the types Exact and Prefix is absolute.
func (w *validator) ingress(spec map[string]any, at *path) {
	for i, rule := range mappings(spec["rules"]) {
		http, httpAt := inside(rule, at.field("rules").item(i, nil), "http")
		for n, each := range mappings(http["paths"]) {
			text, _ := each["path"].(string)
			field := httpAt.field("paths").item(n, nil).field("path")
			if (each["pathType"] == "Exact" || each["pathType"] == "Prefix") && !strings.HasPrefix(text, "/") && !w.isSkipped(text, field) {
				w.report(protocol.SchemaValue, field, "", "%s must begin with /", w.shown(text))
			}
		}
	}
}

func (w *validator) autoscaler(spec map[string]any, at *path) {
	least, first := spec["minReplicas"].(int64)
	most, second := spec["maxReplicas"].(int64)
	if first && second && least > most {
		w.report(protocol.SchemaValue, at.field("maxReplicas"), "", "%d is less than minReplicas, %d", most, least)
	}
}

// mappings are the items of a list, nil for one that is not a mapping.
func mappings(value any) []map[string]any {
	var found []map[string]any
	items, _ := value.([]any)
	for _, item := range items {
		fields, _ := item.(map[string]any)
		found = append(found, fields)
	}
	return found
}
