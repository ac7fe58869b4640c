package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"sort"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
)

// judgeRequest checks every object that the builds of a scope rendered. Schemas is the folder with the definitions of Kubernetes 1.<Minor>.
type judgeRequest struct {
	Scope   string `json:"scope"`
	Schemas string `json:"schemas"`
	Minor   int    `json:"minor"`
}

// prepareRequest says what a judge will want, so that it is read meanwhile.
type prepareRequest struct {
	Schemas string `json:"schemas"`
}

// judgement is what is wrong with one object: the index counts the objects of the Kustomization owner. Codes beyond a violation's own are
// removed, deprecated, and unknown-kind.
type judgement struct {
	Owner      string      `json:"owner"`
	Index      int         `json:"index"`
	Violations []violation `json:"violations"`
}

// The code of an object whose kind nothing tells about.
const unknownKind = "unknown-kind"

type judge struct {
	catalog *catalog
	custom  *customKinds
	minor   minor
}

// judge says what is wrong with the objects; what it said in an earlier run holds as long as nothing that it looked at has changed.
func (s *session) judge(r *judgeRequest) (json.RawMessage, error) {
	if _, err := os.Stat(r.Schemas); err != nil {
		return nil, fmt.Errorf("the schemas of Kubernetes cannot be read: %w", err)
	}
	renderings := s.scope(r.Scope).rendered()
	said, err := s.verdict("schema", r.Schemas, renderings, func() any { return r.judged(renderings, nil) })
	if err != nil || !bytes.Contains(said, []byte(`"`+unknownKind+`"`)) {
		return said, err
	}
	stray := newCustomKinds()
	s.eachYAML(stray.addFile)
	if len(stray.known) == 0 {
		return said, nil
	}
	return json.Marshal(r.judged(renderings, stray))
}

func (r *judgeRequest) judged(renderings []*rendering, stray *customKinds) []judgement {
	catalog, err := openCatalog(r.Schemas)
	if err != nil {
		panic(err)
	}
	j := judge{catalog, newCustomKinds(), minor(r.Minor)}
	objects := objectsOf(renderings)
	j.gather(objects)
	j.custom.addFrom(stray)
	found := sideBySide(objects, j.check)
	return keep(found, func(each judgement) bool { return len(each.Violations) > 0 })
}

func objectsOf(renderings []*rendering) []object {
	var objects []object
	for _, rendering := range renderings {
		for i, each := range rendering.objects() {
			objects = append(objects, object{rendered: each, owner: rendering.owner, index: i})
		}
	}
	return sideBySide(objects, object.opened)
}

// gather takes the definitions of the environment first: they are what its cluster will have. Flux's own lie beside the program.
func (j judge) gather(objects []object) {
	for _, each := range objects {
		if bytes.Contains(each.Body, customMark) {
			j.custom.add(each.Body, false)
		}
	}
	if program, err := os.Executable(); err == nil {
		if content, err := os.ReadFile(filepath.Join(filepath.Dir(program), "crds.json")); err == nil {
			j.custom.addAll(content)
		}
	}
}

// object is a rendered object, and what it says of itself.
type object struct {
	*rendered
	owner  string
	index  int
	kind   groupVersionKind
	hidden map[string]bool // pointers to what is unknown
}

func (o object) opened() object {
	apiVersion, _ := o.body()["apiVersion"].(string)
	kind, _ := o.body()["kind"].(string)
	o.kind, o.hidden = kindFrom(apiVersion, kind), map[string]bool{}
	for _, pointer := range o.Unknown {
		o.hidden[pointer] = true
	}
	return o
}

func (j judge) check(o object) judgement {
	w := walker{definitions: j.catalog.definitions, unknown: o.hidden, secret: o.kind.Kind == "Secret" || o.Secret != ""}
	if o.hidden["/apiVersion"] || o.hidden["/kind"] {
		return judgement{}
	}
	custom := j.custom.find(o.kind)
	code, message, hint := aged(o.kind, j.minor)
	switch own := j.catalog.kinds[o.kind]; {
	case code != "":
		w.found = append(w.found, violation{Code: code, Field: []any{"apiVersion"}, Message: message, Hint: hint})
		w.walk(own, o.body(), nil, true)
	case own != nil:
		w.walk(own, o.body(), nil, true)
	case custom != nil:
		w.customKind(custom, o)
	default:
		w.found = append(w.found, j.stranger(o.kind))
	}
	return judgement{o.owner, o.index, w.found}
}

func (w *walker) customKind(kind *customKind, o object) {
	if kind.version.Deprecated {
		message := kind.version.Warning
		if message == "" {
			message = fmt.Sprintf("%s of %s is deprecated", o.kind.Kind, o.kind.apiVersion())
		}
		w.found = append(w.found, violation{Code: "deprecated", Field: []any{"apiVersion"}, Message: message})
	}
	fields := o.body()
	if kind.schema != nil && kind.schema.defaults {
		fields = runtime.DeepCopyJSON(fields)
		withDefaults(kind.schema, fields)
	}
	w.walk(kind.schema, fields, nil, true)
	for i := range w.found {
		w.found[i].Assumed = kind.assumed
	}
}

// stranger is a kind without a schema: one that its group does not have, or one that nothing here tells about.
func (j judge) stranger(kind groupVersionKind) violation {
	what := fmt.Sprintf("%s of %s", kind.Kind, kind.apiVersion())
	there, assumed := j.custom.hasOther(kind)
	found := violation{Code: "removed", Field: []any{"apiVersion"}, Hint: j.suggest(kind), Assumed: assumed}
	switch {
	case j.catalog.groups[kind.Group]:
		found.Message = fmt.Sprintf("Kubernetes %s does not know %s", j.minor, what)
	case assumed:
		found.Message = fmt.Sprintf("the Flux of this devloop does not know %s", what)
	case there:
		found.Message = fmt.Sprintf("its CustomResourceDefinition does not have %s", what)
	default:
		found = violation{Code: unknownKind, Field: []any{"kind"}, Message: what}
	}
	return found
}

// suggest names the versions that the kind does have, or the kind that was probably meant.
func (j judge) suggest(wanted groupVersionKind) string {
	var versions, kinds []string
	for _, known := range j.kinds() {
		if known.Kind == wanted.Kind {
			versions = append(versions, known.apiVersion())
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
	if near := nearest(wanted.Kind, kinds); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return ""
}

func (j judge) kinds() []groupVersionKind {
	var all []groupVersionKind
	for kind := range j.catalog.kinds {
		all = append(all, kind)
	}
	for kind := range j.custom.known {
		all = append(all, kind)
	}
	return all
}

// eachYAML visits the YAML files of the repository, without those of hidden folders.
func (s *session) eachYAML(visit func([]byte)) {
	_ = filepath.WalkDir(s.root, func(name string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() && name != s.root && strings.HasPrefix(entry.Name(), ".") {
			return filepath.SkipDir
		}
		if extension := filepath.Ext(name); err != nil || entry.IsDir() || extension != ".yaml" && extension != ".yml" {
			return nil
		}
		// A pipe has no end of waiting, and what a link leads to may have no end at all.
		if !entry.Type().IsRegular() {
			return nil
		}
		if content, err := os.ReadFile(name); err == nil {
			visit(content)
		}
		return nil
	})
}

// sideBySide applies a function to all, on every core; the results are in the order of what they come from.
func sideBySide[A, B any](all []A, work func(A) B) []B {
	results := make([]B, len(all))
	cores := goruntime.GOMAXPROCS(0)
	var pending sync.WaitGroup
	for core := range cores {
		pending.Add(1)
		go func() {
			defer pending.Done()
			for i := core; i < len(all); i += cores {
				results[i] = work(all[i])
			}
		}()
	}
	pending.Wait()
	return results
}
