package schema

import (
	"devloop.invalid/toolchain/worker/internal/protocol"
)

const rbac = "rbac.authorization.k8s.io"

// roleRules checks each rule of a role, after k8s.io/kubernetes/pkg/apis/rbac/validation.
func (w *validator) roleRules(fields map[string]any, kind string) {
	for i, rule := range mappings(fields["rules"]) {
		at := (*path)(nil).field("rules").item(i, nil)
		if verbs, isList := rule["verbs"].([]any); isList && len(verbs) == 0 {
			w.report(protocol.SchemaValue, at.field("verbs"), "", "must have at least one verb")
		}
		resources, _ := rule["resources"].([]any)
		groups, _ := rule["apiGroups"].([]any)
		if len(resources) > 0 && len(groups) == 0 {
			w.report(protocol.SchemaMissing, at, `for pods, Secrets and the like it is ""`, "has resources without apiGroups")
		}
		if urls, _ := rule["nonResourceURLs"].([]any); len(urls) > 0 && kind == "Role" {
			w.report(protocol.SchemaValue, at.field("nonResourceURLs"), "use a ClusterRole", "must not be set in a Role")
		}
	}
}

// binding: the role has a group, and an account a namespace, which is that of a RoleBinding where it has none.
func (w *validator) binding(fields map[string]any, kind string) {
	role, at := inside(fields, nil, "roleRef")
	if group := role["apiGroup"]; group != nil && group != "" && group != rbac && !w.isSkipped(group, at.field("apiGroup")) {
		w.report(protocol.SchemaValue, at.field("apiGroup"), "", "must be %s", rbac)
	}
	for i, subject := range mappings(fields["subjects"]) {
		if kind == "ClusterRoleBinding" && subject["kind"] == "ServiceAccount" && !isSet(subject["namespace"]) {
			w.report(protocol.SchemaMissing, (*path)(nil).field("subjects").item(i, nil), "", "has no namespace, a ServiceAccount needs one")
		}
	}
}

// keysTwice: a key of a ConfigMap is either text or binary.
func (w *validator) keysTwice(fields map[string]any) {
	texts, _ := fields["data"].(map[string]any)
	binaries, at := inside(fields, nil, "binaryData")
	for key := range binaries {
		if _, both := texts[key]; both {
			w.report(protocol.SchemaValue, at.field(key), "keep one of them", "is a key of data too")
		}
	}
}
