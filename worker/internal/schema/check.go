// Package schema checks objects against the schemas of Kubernetes and of CustomResourceDefinitions.
package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	"devloop.invalid/toolchain/worker/internal/cache"
	"devloop.invalid/toolchain/worker/internal/collect"
	"devloop.invalid/toolchain/worker/internal/kubernetes"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/scope"
	"devloop.invalid/toolchain/worker/internal/source"
	"devloop.invalid/toolchain/worker/internal/suggest"
)

// checker knows the kinds of one Kubernetes version and those of an environment.
type checker struct {
	catalog *catalog
	custom  *crdKinds
	minor   kubernetes.Minor
}

// Check says what is wrong with the objects; what it said in an earlier run holds as long as nothing that it looked at has changed.
func Check(in *source.Repository, earlier *cache.Results, of *scope.Scope, r *protocol.SchemaRequest) (json.RawMessage, error) {
	if _, err := os.Stat(r.Schemas); err != nil {
		return nil, fmt.Errorf("the schemas of Kubernetes cannot be read: %w", err)
	}
	renderings := of.Renderings()
	said, err := scope.CachedCheck(earlier, "schema", r.Schemas, renderings, func() any { return checkAll(r, renderings, nil) })
	if err != nil || !bytes.Contains(said, []byte(`"`+string(protocol.SchemaUnknownKind)+`"`)) {
		return said, err
	}
	stray := newCustomKinds()
	in.EachYAML(stray.addFile)
	if len(stray.known) == 0 {
		return said, nil
	}
	return json.Marshal(checkAll(r, renderings, stray))
}

func checkAll(r *protocol.SchemaRequest, renderings []*scope.Rendering, stray *crdKinds) []protocol.SchemaResult {
	catalog, err := openCatalog(r.Schemas)
	if err != nil {
		panic(err)
	}
	c := checker{catalog, newCustomKinds(), kubernetes.Minor(r.Minor)}
	objects := objectsOf(renderings)
	c.gather(objects)
	c.custom.addFrom(stray)
	found := collect.Parallel(objects, c.check)
	return collect.Filter(found, func(each protocol.SchemaResult) bool { return len(each.Violations) > 0 })
}

func objectsOf(renderings []*scope.Rendering) []object {
	var objects []object
	for _, rendering := range renderings {
		for i, each := range rendering.Objects() {
			objects = append(objects, object{Object: each, owner: rendering.Owner, index: i})
		}
	}
	return collect.Parallel(objects, object.decode)
}

// gather prefers the definitions of the environment: they are what its cluster will have. Flux's own are next to the program.
func (c checker) gather(objects []object) {
	for _, each := range objects {
		if bytes.Contains(each.Body, customMark) {
			c.custom.add(each.Body, false)
		}
	}
	if program, err := os.Executable(); err == nil {
		if content, err := os.ReadFile(filepath.Join(filepath.Dir(program), "crds.json")); err == nil {
			c.custom.addAll(content)
		}
	}
}

// object is a rendered object, and what it says of itself.
type object struct {
	*scope.Object
	owner  string
	index  int
	kind   kubernetes.Kind
	hidden map[string]bool // pointers to what is unknown
}

func (o object) decode() object {
	apiVersion, _ := o.Fields()["apiVersion"].(string)
	kind, _ := o.Fields()["kind"].(string)
	o.kind, o.hidden = kubernetes.ParseKind(apiVersion, kind), map[string]bool{}
	for _, pointer := range o.Unknown {
		o.hidden[pointer] = true
	}
	return o
}

func (c checker) check(o object) protocol.SchemaResult {
	w := validator{definitions: c.catalog.definitions, unknown: o.hidden, secret: o.kind.Kind == "Secret" || o.Secret != ""}
	if o.hidden["/apiVersion"] || o.hidden["/kind"] {
		return protocol.SchemaResult{}
	}
	custom := c.custom.find(o.kind)
	code, message, hint := apiVersionProblem(o.kind, c.minor)
	switch own := c.catalog.kinds[o.kind]; {
	case code != "":
		w.found = append(w.found, protocol.SchemaError{Code: code, Field: []any{"apiVersion"}, Message: message, Hint: hint})
		w.walk(own, o.Fields(), nil, true)
	case own != nil:
		w.walk(own, o.Fields(), nil, true)
		w.builtIn(o)
	case custom != nil:
		w.customKind(custom, o)
	default:
		w.found = append(w.found, c.unknownKindError(o.kind))
	}
	return protocol.SchemaResult{Owner: o.owner, Index: o.index, Violations: w.found}
}

func (w *validator) customKind(kind *crdKind, o object) {
	if kind.version.Deprecated {
		message := kind.version.Warning
		if message == "" {
			message = fmt.Sprintf("%s of %s is deprecated", o.kind.Kind, o.kind.APIVersion())
		}
		w.found = append(w.found, protocol.SchemaError{Code: protocol.SchemaDeprecated, Field: []any{"apiVersion"}, Message: message})
	}
	fields := o.Fields()
	if kind.schema != nil && kind.schema.defaults {
		fields = runtime.DeepCopyJSON(fields)
		withDefaults(kind.schema, fields)
	}
	w.walk(kind.schema, fields, nil, true)
	w.customRules(kind, o)
	for i := range w.found {
		w.found[i].Assumed = kind.assumed
	}
	w.fluxExpressions(o)
}

// unknownKindError is the error for a kind without a schema: one that its group does not have, or one of an unknown group.
func (c checker) unknownKindError(kind kubernetes.Kind) protocol.SchemaError {
	what := fmt.Sprintf("%s of %s", kind.Kind, kind.APIVersion())
	there, assumed := c.custom.hasOther(kind)
	found := protocol.SchemaError{Code: protocol.SchemaRemoved, Field: []any{"apiVersion"}, Hint: c.suggest(kind), Assumed: assumed}
	switch {
	case c.catalog.groups[kind.Group]:
		found.Message = fmt.Sprintf("Kubernetes %s does not know %s", c.minor, what)
	case assumed:
		found.Message = fmt.Sprintf("the Flux of this devloop does not know %s", what)
	case there:
		found.Message = fmt.Sprintf("its CustomResourceDefinition does not have %s", what)
	default:
		found = protocol.SchemaError{Code: protocol.SchemaUnknownKind, Field: []any{"kind"}, Message: what}
	}
	return found
}

// suggest names the versions that the kind does have, or the kind that was probably meant.
func (c checker) suggest(wanted kubernetes.Kind) string {
	var versions, kinds []string
	for _, known := range c.kinds() {
		if known.Kind == wanted.Kind {
			versions = append(versions, known.APIVersion())
		}
		if known.Group == wanted.Group {
			kinds = append(kinds, known.Kind)
		}
	}
	sort.Strings(versions)
	if len(versions) > 0 {
		return "it is there as " + strings.Join(versions, ", ")
	}
	sort.Strings(kinds)
	if near := suggest.Nearest(wanted.Kind, kinds); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return ""
}

func (c checker) kinds() []kubernetes.Kind {
	var all []kubernetes.Kind
	for kind := range c.catalog.kinds {
		all = append(all, kind)
	}
	for kind := range c.custom.known {
		all = append(all, kind)
	}
	return all
}
