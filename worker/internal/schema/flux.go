package schema

import (
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"

	"devloop.invalid/toolchain/worker/internal/kubernetes"
	"devloop.invalid/toolchain/worker/internal/protocol"
)

// The kinds of the Flux operator, which adds them to the definitions of Alerts and Receivers.
var operatorKinds = []any{"FluxInstance", "ResourceSet", "ResourceSetInputProvider"}

// addOperatorKinds extends Flux's own definitions by what the Flux operator adds to them.
func addOperatorKinds(kind kubernetes.Kind, s *schema) {
	list := map[string]string{"Alert": "eventSources", "Receiver": "resources"}[kind.Kind]
	if kind.Group != "notification.toolkit.fluxcd.io" || list == "" {
		return
	}
	for _, step := range []string{"spec", list} {
		if s = s.Properties[step]; s == nil {
			return
		}
	}
	if s.Items != nil && s.Items.Properties["kind"] != nil && len(s.Items.Properties["kind"].Enum) > 0 {
		s.Items.Properties["kind"].Enum = append(s.Items.Properties["kind"].Enum, operatorKinds...)
	}
}

// fluxExpressions compiles the CEL of Flux's objects as its controllers do: one that does not compile stalls the object. Health checks are
// only parsed (github.com/fluxcd/pkg/runtime/cel, NewStatusEvaluator), the others know their variables and are true or false.
func (w *validator) fluxExpressions(o object) {
	spec, _ := o.Fields()["spec"].(map[string]any)
	top := (*path)(nil).field("spec")
	switch o.kind.Group + "/" + o.kind.Kind {
	case "kustomize.toolkit.fluxcd.io/Kustomization", "helm.toolkit.fluxcd.io/HelmRelease":
		for _, field := range []string{"current", "failed", "inProgress"} {
			w.expressions(spec, top, "healthCheckExprs", field)
		}
		w.expressions(spec, top, "dependsOn", "readyExpr", "self", "dep")
	case "notification.toolkit.fluxcd.io/Receiver":
		variables := []string{"res", "req"}
		if spec["type"] == "generic-oidc" {
			variables = append(variables, "claims")
		}
		w.expression(spec["resourceFilter"], top.field("resourceFilter"), cel.BoolType, variables...)
		w.expressions(spec, top, "resources", "filter", variables...)
		w.claims(spec, top)
	case "notification.toolkit.fluxcd.io/Provider":
		w.expression(spec["commitStatusExpr"], top.field("commitStatusExpr"), cel.StringType, "event", "alert", "provider")
	}
}

// claims are the expressions of a Receiver about the tokens that it gets.
func (w *validator) claims(spec map[string]any, top *path) {
	for i, provider := range mappings(spec["oidcProviders"]) {
		at := top.field("oidcProviders").item(i, nil)
		w.expressions(provider, at, "validations", "expression", "claims", "vars")
		for n, each := range mappings(provider["variables"]) {
			w.expression(each["expression"], at.field("variables").item(n, each).field("expression"), nil, "claims", "vars")
		}
	}
}

func (w *validator) expressions(spec map[string]any, at *path, list, field string, variables ...string) {
	items, _ := spec[list].([]any)
	for i, item := range items {
		if fields, ok := item.(map[string]any); ok {
			w.expression(fields[field], at.field(list).item(i, item).field(field), cel.BoolType, variables...)
		}
	}
}

// expression checks one; wanted is the type of its value, nil for any.
func (w *validator) expression(value any, at *path, wanted *cel.Type, variables ...string) {
	text, isText := value.(string)
	if !isText || text == "" || w.isSkipped(value, at) || strings.Contains(text, "${") {
		return
	}
	environment, err := fluxEnvironment(variables)
	if err != nil {
		return
	}
	if len(variables) == 0 {
		_, issues := environment.Parse(text)
		w.issues(issues, at, stalls)
		return
	}
	hint := stalls
	if wanted == cel.StringType {
		hint = "correct it, until then Flux sends no status"
	}
	compiled, issues := environment.Compile(text)
	switch failed := w.issues(issues, at, hint); {
	case failed || wanted == nil || compiled.OutputType() == wanted:
	case wanted == cel.BoolType:
		w.report(protocol.SchemaValue, at, "compare it with a value, for example == true", "must be true or false, it is of type %s", compiled.OutputType())
	default:
		w.report(protocol.SchemaValue, at, "convert it with string()", "must be a text, it is of type %s", compiled.OutputType())
	}
}

const stalls = "correct it, until then Flux stalls the object"

// issues reports the first of them, if there is one.
func (w *validator) issues(issues *cel.Issues, at *path, hint string) bool {
	if issues == nil || issues.Err() == nil {
		return false
	}
	first := issues.Errors()[0]
	message, _, _ := strings.Cut(first.Message, "\n")
	message, _, _ = strings.Cut(message, " expecting ")
	message = plainIssue.Replace(message)
	w.report(protocol.SchemaValue, at, hint, "is not valid CEL, column %d: %s", first.Location.Column()+1, message)
	return true
}

// plainIssue takes the parser's words out of a message.
var plainIssue = strings.NewReplacer(
	"Syntax error: mismatched input '<EOF>'", "it ends too early",
	"Syntax error: token recognition error at: ", "unexpected ",
	"Syntax error: mismatched input ", "unexpected ",
	"Syntax error: extraneous input ", "unexpected ",
	"Syntax error: no viable alternative at input ", "unexpected ",
	"Syntax error: ", "",
	" (in container '')", "",
)

// fluxEnvironment is that of github.com/fluxcd/pkg/runtime/cel.
func fluxEnvironment(variables []string) (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.HomogeneousAggregateLiterals(), cel.EagerlyValidateDeclarations(true), cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true), cel.OptionalTypes(), ext.Strings(), ext.Sets(), ext.Encoders(),
	}
	for _, name := range variables {
		options = append(options, cel.Variable(name, cel.ObjectType("google.protobuf.Struct")))
	}
	return cel.NewEnv(options...)
}
