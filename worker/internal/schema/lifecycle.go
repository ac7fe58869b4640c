package schema

import (
	"fmt"
	"strings"

	"devloop.invalid/toolchain/worker/internal/kubernetes"
	"devloop.invalid/toolchain/worker/internal/protocol"
)

// apiVersionProblem says what a kind's age means at a version: "removed" or "deprecated" with the message and what to do, or nothing.
func apiVersionProblem(kind kubernetes.Kind, at kubernetes.Minor) (code protocol.SchemaCode, message, hint string) {
	life, known := kubernetes.Lifecycles()[kind]
	what := fmt.Sprintf("%s of %s", kind.Kind, kind.APIVersion())
	switch {
	case !known:
		return "", "", ""
	case life.Removed > 0 && at >= life.Removed:
		return protocol.SchemaRemoved, fmt.Sprintf("%s is gone since Kubernetes %s", what, life.Removed), instead(life)
	case life.Introduced > at:
		return protocol.SchemaRemoved, fmt.Sprintf("%s comes only with Kubernetes %s", what, life.Introduced), "use an older apiVersion, or a newer Kubernetes"
	case life.Deprecated > 0 && at >= life.Deprecated && life.Removed > 0:
		return protocol.SchemaDeprecated, fmt.Sprintf("%s is deprecated and goes away with Kubernetes %s", what, life.Removed), instead(life)
	case life.Deprecated > 0 && at >= life.Deprecated:
		return protocol.SchemaDeprecated, fmt.Sprintf("%s is deprecated since Kubernetes %s", what, life.Deprecated), instead(life)
	}
	return "", "", ""
}

func instead(life kubernetes.Lifecycle) string {
	if life.Replacement.Kind == "" {
		return "nothing takes its place in Kubernetes itself"
	}
	return strings.Join([]string{"use", life.Replacement.Kind, "of", life.Replacement.APIVersion()}, " ")
}
