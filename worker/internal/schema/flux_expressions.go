package schema

import (
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"

	"devloop.invalid/toolchain/worker/internal/protocol"
)

// fluxExpressions compiles the CEL of Flux's objects as its controllers do: one that does not compile stalls the object. Health checks are
// only parsed (github.com/fluxcd/pkg/runtime/cel, NewStatusEvaluator), the others know their variables and are true or false.
func (w *validator) fluxExpressions(o object) {
	spec, _ := o.Fields()["spec"].(map[string]any)
	top := (*path)(nil).field("spec")
	switch o.kind.Group + "/" + o.kind.Kind {
	case "kustomize.toolkit.fluxcd.io/Kustomization", "helm.toolkit.fluxcd.io/HelmRelease":
		for _, field := range []string{"current", "failed", "inProgress"} {
			w.expressions(spec, top, "healthCheckExprs", field, healthCheck)
		}
		w.expressions(spec, top, "dependsOn", "readyExpr", dependency)
	case "notification.toolkit.fluxcd.io/Receiver":
		environment := receiver
		if spec["type"] == "generic-oidc" {
			environment = oidcReceiver
		}
		w.expression(spec["resourceFilter"], top.field("resourceFilter"), cel.BoolType, environment)
		w.expressions(spec, top, "resources", "filter", environment)
		w.claims(spec, top)
	case "notification.toolkit.fluxcd.io/Provider":
		w.expression(spec["commitStatusExpr"], top.field("commitStatusExpr"), cel.StringType, provider)
	}
}

// claims are the expressions of a Receiver about the tokens that it gets.
func (w *validator) claims(spec map[string]any, top *path) {
	for i, provider := range mappings(spec["oidcProviders"]) {
		at := top.field("oidcProviders").item(i, nil)
		w.expressions(provider, at, "validations", "expression", token)
		for n, each := range mappings(provider["variables"]) {
			w.expression(each["expression"], at.field("variables").item(n, each).field("expression"), nil, token)
		}
	}
}

func (w *validator) expressions(spec map[string]any, at *path, list, field string, environment *celEnvironment) {
	for i, fields := range mappings(spec[list]) {
		w.expression(fields[field], at.field(list).item(i, fields).field(field), cel.BoolType, environment)
	}
}

// expression checks one; wanted is the type of its value, nil for any.
func (w *validator) expression(value any, at *path, wanted *cel.Type, environment *celEnvironment) {
	text, isText := value.(string)
	if !isText || text == "" || w.isSkipped(value, at) || strings.Contains(text, "${") {
		return
	}
	if environment == healthCheck {
		_, issues := environment.load().Parse(text)
		w.issues(issues, at, stalls)
		return
	}
	hint := stalls
	if wanted == cel.StringType {
		hint = "fix it: until then Flux sends no status"
	}
	compiled, issues := environment.load().Compile(text)
	switch failed := w.issues(issues, at, hint); {
	case failed || wanted == nil || compiled.OutputType() == wanted:
	case wanted == cel.BoolType:
		w.report(protocol.SchemaValue, at, "compare it with a value, for example == true", "must be true or false, it is of type %s", compiled.OutputType())
	default:
		w.report(protocol.SchemaValue, at, "convert it with string()", "must be a text, it is of type %s", compiled.OutputType())
	}
}

const stalls = "fix it: until then Flux stalls the object"

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

// plainIssue replaces the terms of the parser.
var plainIssue = strings.NewReplacer(
	"Syntax error: mismatched input '<EOF>'", "it ends too early",
	"Syntax error: token recognition error at: ", "unexpected ",
	"Syntax error: mismatched input ", "unexpected ",
	"Syntax error: extraneous input ", "unexpected ",
	"Syntax error: no viable alternative at input ", "unexpected ",
	"Syntax error: ", "",
	" (in container '')", "",
)

// celEnvironment is one of github.com/fluxcd/pkg/runtime/cel, made when the first expression needs it.
type celEnvironment struct{ load func() *cel.Env }

var (
	healthCheck  = newCELEnvironment()
	dependency   = newCELEnvironment("self", "dep")
	receiver     = newCELEnvironment("res", "req")
	oidcReceiver = newCELEnvironment("res", "req", "claims")
	token        = newCELEnvironment("claims", "vars")
	provider     = newCELEnvironment("event", "alert", "provider")
)

func newCELEnvironment(variables ...string) *celEnvironment {
	return &celEnvironment{sync.OnceValue(func() *cel.Env {
		options := []cel.EnvOption{
			cel.HomogeneousAggregateLiterals(), cel.EagerlyValidateDeclarations(true), cel.DefaultUTCTimeZone(true),
			cel.CrossTypeNumericComparisons(true), cel.OptionalTypes(), ext.Strings(), ext.Sets(), ext.Encoders(),
		}
		for _, name := range variables {
			options = append(options, cel.Variable(name, cel.ObjectType("google.protobuf.Struct")))
		}
		made, err := cel.NewEnv(options...)
		if err != nil {
			panic(err)
		}
		return made
	})}
}
