package main

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
)

// declarations are the variables that expressions may use besides object, namespaceObject and variables.
type declarations struct {
	request, params, authorizer, patches bool
}

// library of expressions of one policy: Kubernetes' own environment, with the variables that the policy defined so far.
type celLibrary struct {
	env       *cel.Env
	variables *apiservercel.DeclType
	named     []namedExpression
}

type namedExpression struct {
	name string
	*expression
}

var celBases sync.Map

// celBase is Kubernetes' environment for new expressions as an API server of this version (1.36) has it: like the server it accepts what
// the version before it understands, so that nothing breaks on the way back.
func celBase(kubernetes string) (*environment.EnvSet, error) {
	parsed, err := version.ParseGeneric(kubernetes)
	if err != nil {
		return nil, fmt.Errorf("%s is no version of Kubernetes", kubernetes)
	}
	minor := version.MajorMinor(parsed.Major(), parsed.Minor()-1)
	base, _ := celBases.LoadOrStore(minor.String(), sync.OnceValue(func() *environment.EnvSet { return environment.MustBaseEnvSet(minor) }))
	return base.(func() *environment.EnvSet)(), nil
}

func newLibrary(kubernetes string, declared declarations) (*celLibrary, error) {
	base, err := celBase(kubernetes)
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
	if declared.request {
		options = append(options, cel.Variable(plugincel.OldObjectVarName, cel.DynType), cel.Variable(plugincel.RequestVarName, request.CelType()))
	}
	if declared.params {
		options = append(options, cel.Variable(plugincel.ParamsVarName, cel.DynType))
	}
	if declared.authorizer {
		options = append(options, cel.Variable(plugincel.AuthorizerVarName, library.AuthorizerType),
			cel.Variable(plugincel.RequestResourceAuthorizerVarName, library.ResourceCheckType))
	}
	always := version.MajorMinor(1, 0)
	types := []*apiservercel.DeclType{own, namespace, request}
	extended, err := base.Extend(environment.VersionedOptions{IntroducedVersion: always, EnvOptions: options, DeclTypes: types}, environment.StrictCostOpt)
	if err == nil && declared.patches {
		patches := []cel.EnvOption{common.ResolverEnvOption(&mutation.DynamicTypeResolver{}), environment.UnversionedLib(library.JSONPatch)}
		extended, err = extended.Extend(environment.VersionedOptions{IntroducedVersion: always, EnvOptions: patches})
	}
	if err != nil {
		return nil, err
	}
	return &celLibrary{env: extended.NewExpressionsEnv(), variables: own}, nil
}

// expression is a compiled CEL expression. Its second program, for what is not known in full, is made when it is needed. A delicate one
// looks at more than the object, which is never known in full.
type expression struct {
	text     string
	output   *cel.Type
	plain    cel.Program
	guarded  func() (cel.Program, error)
	delicate bool
}

var delicateWords = []string{plugincel.NamespaceVarName, plugincel.RequestVarName, plugincel.AuthorizerVarName, plugincel.ParamsVarName}

func (l *celLibrary) isDelicate(text string) bool {
	if strings.Contains(text, plugincel.VariableVarName) && slices.ContainsFunc(l.named, func(n namedExpression) bool { return n.delicate }) {
		return true
	}
	return slices.ContainsFunc(delicateWords, func(word string) bool { return strings.Contains(text, word) })
}

// celFault is why an expression does not compile; line and column count from 1 in its text, 0 where nobody can say.
type celFault struct {
	Message, Expression string
	Line, Column        int
}

func (f *celFault) result(about reference, field ...any) statement {
	return statement{
		Outcome: "invalid", Policy: about, Field: field, Message: f.Message, Expression: f.Expression, Line: f.Line, Column: f.Column,
	}
}

// compile wants one of the types as the result, any when there are none.
func (l *celLibrary) compile(text string, results ...*cel.Type) (*expression, *celFault) {
	ast, issues := l.env.Compile(text)
	if issues != nil && issues.Err() != nil {
		return nil, firstIssue(text, issues)
	}
	if !oneOf(ast.OutputType(), results) {
		return nil, &celFault{Message: fmt.Sprintf("it must give %s, not %s", typeNames(results), ast.OutputType())}
	}
	plain, err := l.env.Program(ast)
	if err != nil {
		return nil, &celFault{Message: oneLine(err.Error())}
	}
	guarded := sync.OnceValues(func() (cel.Program, error) { return l.env.Program(ast, cel.CustomDecorator(guardUnknown)) })
	return &expression{text: text, output: ast.OutputType(), plain: plain, guarded: guarded, delicate: l.isDelicate(text)}, nil
}

func firstIssue(text string, issues *cel.Issues) *celFault {
	first := issues.Errors()[0]
	return &celFault{Message: strings.TrimSuffix(oneLine(first.Message), " (in container '')"), Expression: text, Line: max(first.Location.Line(), 0), Column: first.Location.Column() + 1}
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

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

// define makes the expression known to those that follow as variables.<name>, with its type.
func (l *celLibrary) define(name, text string) *celFault {
	compiled, fault := l.compile(text)
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

// celInput is what expressions see: one object and what stands around it. It counts what all of them cost together.
type celInput struct {
	object, oldObject, params, namespace, request any
	partial                                       bool
	variables                                     *lazy.MapValue
	budget                                        int64
}

func (l *celLibrary) input(object map[string]any, isPartial bool) *celInput {
	in := &celInput{object: object, partial: isPartial, budget: celconfig.RuntimeCELCostBudget}
	in.variables = lazy.NewMapValue(l.variables)
	for _, each := range l.named {
		in.variables.Append(each.name, func(*lazy.MapValue) ref.Val {
			value, err := each.evaluate(in)
			if err != nil {
				return types.NewErr("variable %s: %v", each.name, err)
			}
			return value
		})
	}
	return in
}

func (in *celInput) ResolveName(name string) (any, bool) {
	switch name {
	case plugincel.ObjectVarName:
		return in.object, true
	case plugincel.OldObjectVarName:
		return in.oldObject, true
	case plugincel.ParamsVarName:
		return in.params, true
	case plugincel.RequestVarName:
		return in.request, true
	case plugincel.NamespaceVarName:
		return in.namespace, true
	case plugincel.VariableVarName:
		return in.variables, true
	case plugincel.AuthorizerVarName, plugincel.RequestResourceAuthorizerVarName:
		return unknownValue, true
	}
	return nil, false
}

func (in *celInput) Parent() interpreter.Activation { return nil }

// errUnknown: the result hangs on something that nobody can know here.
var errUnknown = errors.New("it hangs on a value that is " + notKnown)

const notKnown = "not known here"

// evaluate gives the value, errUnknown, or what the API server would stumble over.
func (e *expression) evaluate(in *celInput) (ref.Val, error) {
	program := e.plain
	if in.partial || e.delicate {
		made, err := e.guarded()
		if err != nil {
			return nil, err
		}
		program = made
	}
	value, details, err := program.Eval(in)
	if err == nil && types.IsUnknown(value) || err != nil && (in.partial || strings.Contains(err.Error(), notKnown)) {
		return nil, errUnknown
	}
	if details != nil && details.ActualCost() != nil {
		in.budget -= int64(min(*details.ActualCost(), math.MaxInt64))
	}
	if in.budget < 0 {
		return nil, fmt.Errorf("it costs more than the API server allows for one policy")
	}
	return value, err
}
