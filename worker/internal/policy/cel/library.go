// Package cel compiles and evaluates CEL expressions as the API server does, with values that may not be known.
package cel

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
	"k8s.io/apimachinery/pkg/util/version"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	apiservercel "k8s.io/apiserver/pkg/cel"
	"k8s.io/apiserver/pkg/cel/common"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/apiserver/pkg/cel/lazy"
	"k8s.io/apiserver/pkg/cel/library"
	"k8s.io/apiserver/pkg/cel/mutation"

	"devloop.invalid/toolchain/worker/internal/protocol"
)

// Declarations are the variables that expressions may use besides object, namespaceObject and variables.
type Declarations struct {
	Request, Params, Authorizer, Patches bool
}

// library of expressions of one policy: Kubernetes' own environment, with the variables that the policy defined so far.
type Library struct {
	env       *cel.Env
	variables *apiservercel.DeclType
	named     []namedExpression
}

type namedExpression struct {
	name string
	*Expression
}

var bases sync.Map

// baseFor is Kubernetes' environment for new expressions as an API server of this version (1.36) has it: like the server it accepts what
// the version before it understands, so that nothing breaks on the way back.
func baseFor(kubernetes string) (*environment.EnvSet, error) {
	parsed, err := version.ParseGeneric(kubernetes)
	if err != nil {
		return nil, fmt.Errorf("%s is no version of Kubernetes", kubernetes)
	}
	minor := version.MajorMinor(parsed.Major(), parsed.Minor()-1)
	base, _ := bases.LoadOrStore(minor.String(), sync.OnceValue(func() *environment.EnvSet { return environment.MustBaseEnvSet(minor) }))
	return base.(func() *environment.EnvSet)(), nil
}

// NewLibrary gives the environment of an API server of this version (1.36).
func NewLibrary(kubernetes string, declared Declarations) (*Library, error) {
	base, err := baseFor(kubernetes)
	if err != nil {
		return nil, err
	}
	own := apiservercel.NewObjectType("kubernetes.variables", map[string]*apiservercel.DeclField{})
	namespace, request := plugincel.BuildNamespaceType(), plugincel.BuildRequestType()
	options := []cel.EnvOption{
		cel.Variable(plugincel.VariableVarName, own.CelType()),
		cel.Variable(plugincel.ObjectVarName, cel.DynType),
		cel.Variable(plugincel.NamespaceVarName, namespace.CelType()),
	}
	if declared.Request {
		options = append(options, cel.Variable(plugincel.OldObjectVarName, cel.DynType), cel.Variable(plugincel.RequestVarName, request.CelType()))
	}
	if declared.Params {
		options = append(options, cel.Variable(plugincel.ParamsVarName, cel.DynType))
	}
	if declared.Authorizer {
		options = append(options, cel.Variable(plugincel.AuthorizerVarName, library.AuthorizerType),
			cel.Variable(plugincel.RequestResourceAuthorizerVarName, library.ResourceCheckType))
	}
	always := version.MajorMinor(1, 0)
	types := []*apiservercel.DeclType{own, namespace, request}
	extended, err := base.Extend(environment.VersionedOptions{IntroducedVersion: always, EnvOptions: options, DeclTypes: types}, environment.StrictCostOpt)
	if err == nil && declared.Patches {
		patches := []cel.EnvOption{common.ResolverEnvOption(&mutation.DynamicTypeResolver{}), environment.UnversionedLib(library.JSONPatch)}
		extended, err = extended.Extend(environment.VersionedOptions{IntroducedVersion: always, EnvOptions: patches})
	}
	if err != nil {
		return nil, err
	}
	return &Library{env: extended.NewExpressionsEnv(), variables: own}, nil
}

// Expression is a compiled CEL expression. Its second program, for what is not known in full, is made when it is needed. A delicate one
// looks at more than the object, which is never known in full.
type Expression struct {
	Text       string
	output     *cel.Type
	plain      cel.Program
	guarded    func() (cel.Program, error)
	contextual bool
}

var contextWords = []string{plugincel.NamespaceVarName, plugincel.RequestVarName, plugincel.AuthorizerVarName, plugincel.ParamsVarName}

func (l *Library) isContextual(text string) bool {
	if strings.Contains(text, plugincel.VariableVarName) && slices.ContainsFunc(l.named, func(n namedExpression) bool { return n.contextual }) {
		return true
	}
	return slices.ContainsFunc(contextWords, func(word string) bool { return strings.Contains(text, word) })
}

// CompileError is why an expression does not compile; line and column count from 1 in its text, 0 where they are not known.
type CompileError struct {
	Message, Expression string
	Line, Column        int
}

// Result is the error as a result of the policy that it is in, at a field of it.
func (f *CompileError) Result(about protocol.ObjectReference, field ...any) protocol.PolicyResult {
	return protocol.PolicyResult{
		Outcome: protocol.OutcomeInvalid, Policy: about, Field: field, Message: f.Message, Expression: f.Expression, Line: f.Line, Column: f.Column,
	}
}

// Compile wants one of the types as the result, any when there are none.
func (l *Library) Compile(text string, results ...*cel.Type) (*Expression, *CompileError) {
	ast, issues := l.env.Compile(text)
	if issues != nil && issues.Err() != nil {
		return nil, firstIssue(text, issues)
	}
	if !oneOf(ast.OutputType(), results) {
		return nil, &CompileError{Message: fmt.Sprintf("it must give %s, not %s", typeNames(results), ast.OutputType())}
	}
	plain, err := l.env.Program(ast)
	if err != nil {
		return nil, &CompileError{Message: OneLine(err.Error())}
	}
	guarded := sync.OnceValues(func() (cel.Program, error) { return l.env.Program(ast, cel.CustomDecorator(guardUnknown)) })
	return &Expression{Text: text, output: ast.OutputType(), plain: plain, guarded: guarded, contextual: l.isContextual(text)}, nil
}

func firstIssue(text string, issues *cel.Issues) *CompileError {
	first := issues.Errors()[0]
	return &CompileError{Message: strings.TrimSuffix(OneLine(first.Message), " (in container '')"), Expression: text, Line: max(first.Location.Line(), 0), Column: first.Location.Column() + 1}
}

// OneLine puts a text on one line.
func OneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func oneOf(got *cel.Type, wanted []*cel.Type) bool {
	for _, each := range wanted {
		if got.IsExactType(each) || each.IsExactType(cel.AnyType) {
			return true
		}
	}
	return len(wanted) == 0
}

func typeNames(all []*cel.Type) string {
	names := make([]string, len(all))
	for i, each := range all {
		names[i] = each.String()
	}
	return strings.Join(names, " or ")
}

// Define makes the expression known to those that follow as variables.<name>, with its type.
func (l *Library) Define(name, text string) *CompileError {
	compiled, fault := l.Compile(text)
	if fault != nil {
		return fault
	}
	l.variables.Fields[name] = apiservercel.NewDeclField(name, declared(compiled.output), true, nil, nil)
	l.named = append(l.named, namedExpression{name, compiled})
	return nil
}

// declared turns a CEL type into what the type provider wants; what has no counterpart is dynamic.
func declared(t *cel.Type) *apiservercel.DeclType {
	simple := map[*cel.Type]*apiservercel.DeclType{
		cel.BoolType: apiservercel.BoolType, cel.BytesType: apiservercel.BytesType, cel.DoubleType: apiservercel.DoubleType,
		cel.DurationType: apiservercel.DurationType, cel.IntType: apiservercel.IntType, cel.NullType: apiservercel.NullType,
		cel.StringType: apiservercel.StringType, cel.TimestampType: apiservercel.TimestampType, cel.UintType: apiservercel.UintType,
	}
	if known := simple[t]; known != nil {
		return known
	}
	switch parameters := t.Parameters(); {
	case t.Kind() == types.ListKind && len(parameters) == 1:
		return apiservercel.NewListType(declared(parameters[0]), -1)
	case t.Kind() == types.MapKind && len(parameters) == 2:
		return apiservercel.NewMapType(declared(parameters[0]), declared(parameters[1]), -1)
	}
	return apiservercel.DynType
}

// Input is what expressions see: one object and what stands around it. It counts what all of them cost together.
type Input struct {
	object, oldObject, Params, Namespace, Request any
	Partial                                       bool
	variables                                     *lazy.MapValue
	budget                                        int64
}

// Input is what the expressions of the library see of an object.
func (l *Library) Input(object map[string]any, isPartial bool) *Input {
	in := &Input{object: object, Partial: isPartial, budget: celconfig.RuntimeCELCostBudget}
	in.variables = lazy.NewMapValue(l.variables)
	for _, each := range l.named {
		in.variables.Append(each.name, func(*lazy.MapValue) ref.Val {
			value, err := each.Evaluate(in)
			if err != nil {
				return types.NewErr("variable %s: %v", each.name, err)
			}
			return value
		})
	}
	return in
}

// ResolveName gives the value of a variable, for cel-go.
func (in *Input) ResolveName(name string) (any, bool) {
	switch name {
	case plugincel.ObjectVarName:
		return in.object, true
	case plugincel.OldObjectVarName:
		return in.oldObject, true
	case plugincel.ParamsVarName:
		return in.Params, true
	case plugincel.RequestVarName:
		return in.Request, true
	case plugincel.NamespaceVarName:
		return in.Namespace, true
	case plugincel.VariableVarName:
		return in.variables, true
	case plugincel.AuthorizerVarName, plugincel.RequestResourceAuthorizerVarName:
		return UnknownValue, true
	}
	return nil, false
}

// Parent is none, for cel-go.
func (in *Input) Parent() interpreter.Activation { return nil }

// ErrUnknown is the error of an expression whose result depends on a value that is not known.
var ErrUnknown = errors.New("it depends on a value that is " + NotKnown)

// NotKnown is part of the message of every value that is not known.
const NotKnown = "not known here"

// Evaluate gives the value, errUnknown, or what the API server would stumble over.
func (e *Expression) Evaluate(in *Input) (ref.Val, error) {
	program := e.plain
	if in.Partial || e.contextual {
		made, err := e.guarded()
		if err != nil {
			return nil, err
		}
		program = made
	}
	value, details, err := program.Eval(in)
	if err == nil && types.IsUnknown(value) || err != nil && (in.Partial || strings.Contains(err.Error(), NotKnown)) {
		return nil, ErrUnknown
	}
	if details != nil && details.ActualCost() != nil {
		in.budget -= int64(min(*details.ActualCost(), math.MaxInt64))
	}
	if in.budget < 0 {
		return nil, fmt.Errorf("it costs more than the API server allows for one policy")
	}
	return value, err
}

// Message follows the API server: an expression that fails, is empty or has several lines counts for nothing.
func Message(expression *Expression, text, fallback string, in *Input) string {
	if expression != nil {
		if value, err := expression.Evaluate(in); err == nil {
			if said, ok := value.Value().(string); ok {
				if said = strings.TrimSpace(said); said != "" && len(said) <= longestMessage && !strings.Contains(said, "\n") {
					return said
				}
			}
		}
	}
	if text != "" {
		return strings.TrimSpace(text)
	}
	return "failed expression: " + OneLine(fallback)
}

// The API server takes no longer message.
const longestMessage = 5 * 1024
