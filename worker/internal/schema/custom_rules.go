package schema

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	structuralcel "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apimachinery/pkg/runtime"
	celconfig "k8s.io/apiserver/pkg/apis/cel"

	"devloop.invalid/toolchain/worker/internal/kubernetes"
	"devloop.invalid/toolchain/worker/internal/mask"
	"devloop.invalid/toolchain/worker/internal/protocol"
)

// openAPI is the schema of one version of a definition. Its rules (x-kubernetes-validations), nil where it has none, are compiled by the
// API server's library when the first object of the kind is checked.
type openAPI struct {
	schema *schema
	rules  func() *rules
}

type rules struct {
	structural *structuralschema.Structural
	validator  *structuralcel.Validator
}

var rulesMark = []byte("x-kubernetes-validations")

func (s *openAPI) UnmarshalJSON(content []byte) error {
	if bytes.Contains(content, rulesMark) {
		own := bytes.Clone(content)
		s.rules = sync.OnceValue(func() *rules { return compileRules(own) })
	}
	return json.Unmarshal(content, &s.schema)
}

// compileRules gives nil for a schema that the API server would refuse.
func compileRules(content []byte) *rules {
	var written apiextensions.JSONSchemaProps
	if json.Unmarshal(content, &written) != nil {
		return nil
	}
	structural := kubernetes.StructuralSchema(&written)
	if structural == nil {
		return nil
	}
	validator := structuralcel.NewValidator(structural, true, celconfig.PerCallLimit)
	if validator == nil {
		return nil
	}
	return &rules{structural, validator}
}

// customRules evaluates the rules of the definition. An object of which a part is unknown or masked is not checked; where it is invalid
// already, only what a rule says counts, not that it cannot be evaluated.
func (w *validator) customRules(kind *crdKind, o object) {
	if len(o.hidden) > 0 || o.Secret != "" || mask.MayBeMasked(o.Body) {
		return
	}
	compile := kind.version.Schema.OpenAPI.rules
	if compile == nil {
		return
	}
	known := compile()
	if known == nil {
		return
	}
	fields := runtime.DeepCopyJSON(o.Fields())
	defaulting.Default(fields, known.structural)
	isValid := len(w.found) == 0
	failed, _ := known.validator.Validate(context.Background(), nil, known.structural, fields, nil, celconfig.RuntimeCELCostBudget)
	for _, each := range failed {
		if !hasAny(each.Detail, "rule compile") && (isValid || !hasAny(each.Detail, evaluationErrors...)) {
			w.report(protocol.SchemaValue, pathOf(each.Field), "", "breaks a rule of its definition: %s", each.Detail)
		}
	}
}

// What the library says of a rule that cannot be evaluated.
var evaluationErrors = []string{" evaluating rule: ", "did not match a supported operator", "no further validation rules will be run"}

func hasAny(text string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
}

// pathOf reads a path as field.Path writes it: spec.items[0].labels[a.b/c]; the object itself is "<nil>".
func pathOf(written string) *path {
	var at *path
	for written != "" && written != "<nil>" {
		if inside, rest, found := strings.Cut(strings.TrimPrefix(written, "["), "]"); strings.HasPrefix(written, "[") && found {
			if index, err := strconv.Atoi(inside); err == nil {
				at = &path{above: at, index: index}
			} else {
				at = at.field(inside)
			}
			written = rest
			continue
		}
		written = strings.TrimPrefix(written, ".")
		end := strings.IndexAny(written, ".[")
		if end < 0 {
			end = len(written)
		}
		at, written = at.field(written[:end]), written[end:]
	}
	return at
}
