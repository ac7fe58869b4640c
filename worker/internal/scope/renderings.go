package scope

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubejson "k8s.io/apimachinery/pkg/util/json"

	"devloop.invalid/toolchain/worker/internal/cache"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/source"
)

// Rendering is what one build of a scope gave, or one of its HelmReleases. Judges look at it: what they say of it depends on the objects and
// on their own rules alone.
type Rendering struct {
	Owner       string // namespace/name of the Kustomization, or of the HelmRelease
	Fingerprint string // changes whenever the objects do; '' where nothing that is stored may depend on them
	All         func() []*Object

	Maker Maker        // what built or rendered it; nil for one with parts
	parts []*Rendering // where its HelmReleases render something: the build, and one for each of them
}

// Kind is the kind of its owner.
func (r *Rendering) Kind() string {
	if r.Maker == nil {
		return "Kustomization"
	}
	return r.Maker.Kind()
}

// Maker is the build or the release behind a rendering. It can make its objects again, to find out what sets a field in them.
type Maker interface {
	Kind() string // Kustomization or HelmRelease
	Repeatable() Repeatable
}

// Repeatable is what it takes to make a rendering again: the object that asks for it, its source, the folder that is built (in a Kustomization's
// source, "" where there is none), and a function that gives the objects with other content in some files. The object itself goes by the name "".
type Repeatable struct {
	Object map[string]any
	View   *source.View
	Folder string
	Try    func(files map[string][]byte) []RepeatedObject
}

// RepeatedObject is one object that a repetition gave.
type RepeatedObject struct {
	Origin  string
	Content any // what marshals to its JSON
}

// Objects are the objects that were rendered, in their order.
func (r *Rendering) Objects() []*Object { return r.All() }

// CachedCheck is what a check finds in renderings, as JSON: what it found in an earlier run, when they and the check's own rules (any text
// that changes whenever its result could) are the same.
func CachedCheck(in *cache.Results, check, rules string, of []*Rendering, ask func() any) (json.RawMessage, error) {
	key := checkKey(in, check, rules, of)
	if said := in.Get(key); said != nil {
		return said, nil
	}
	said, err := json.Marshal(ask())
	if err == nil {
		in.Put(key, said)
	}
	return said, err
}

// checkKey is "" where nothing may be stored.
func checkKey(in *cache.Results, check, rules string, of []*Rendering) string {
	parts := []string{"check", check, rules}
	for _, each := range of {
		if each.Fingerprint == "" {
			return ""
		}
		parts = append(parts, each.Owner, each.Fingerprint)
	}
	return in.Key(parts...)
}

// Object is one object as the answer shows it: without the values of secrets, ${NAME} where unknown says so.
type Object struct {
	protocol.BuiltObject
	decode sync.Once
	object map[string]any
}

// Fields is the object, decoded when it is first needed; integers are int64, as in Kubernetes. It is read-only.
func (r *Object) Fields() map[string]any {
	r.decode.Do(func() { _ = kubejson.Unmarshal(r.Body, &r.object) })
	return r.object
}

// ParseObjects reads an answer when its objects are first needed.
func ParseObjects(result json.RawMessage) func() []*Object {
	return sync.OnceValue(func() []*Object {
		var answer struct {
			Objects []protocol.BuiltObject `json:"objects"`
		}
		_ = json.Unmarshal(result, &answer)
		return WrapObjects(answer.Objects)
	})
}

// WrapObjects takes the objects of an answer.
func WrapObjects(objects []protocol.BuiltObject) []*Object {
	all := make([]*Object, len(objects))
	for i, built := range objects {
		all[i] = &Object{BuiltObject: built}
	}
	return all
}

// AddRendering keeps what a build gave, instead of what an earlier build of the same Kustomization gave.
func (s *Scope) AddRendering(made *Rendering) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renderings[made.Owner] = made
}

// build is what the build of a Kustomization gave, without what its HelmReleases render; nil where there was none.
func (s *Scope) build(owner string) *Rendering {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.renderings[owner]; found == nil || found.parts == nil {
		return found
	} else {
		return found.parts[0]
	}
}

// Part is what gave an object of a Kustomization, its build or one of its HelmReleases, and the object's index there.
func (s *Scope) Part(owner string, index int) (*Rendering, int) {
	s.mu.Lock()
	whole := s.renderings[owner]
	s.mu.Unlock()
	if whole == nil || whole.parts == nil {
		return whole, index
	}
	for _, each := range whole.parts {
		count := len(each.Objects())
		if index < count {
			return each, index
		}
		index -= count
	}
	return nil, 0
}

// Parent says which build rendered the Kustomization or the HelmRelease behind another rendering, at which index, and the file that it came
// from; nil where none did.
func (s *Scope) Parent(of *Rendering) (built *Rendering, index int, origin string) {
	export := s.Find(of.Kind() + "/" + of.Owner)
	if export == nil {
		return nil, 0, ""
	}
	built = s.build(export.Owner)
	for i, object := range built.Objects() {
		body := unstructured.Unstructured{Object: object.Fields()}
		if Key(body.GetKind(), cmp.Or(body.GetNamespace(), "default"), body.GetName()) == of.Kind()+"/"+of.Owner {
			return built, i, object.Origin
		}
	}
	return nil, 0, ""
}

// Renderings gives everything that the scope's builds gave so far, by the names of their Kustomizations.
func (s *Scope) Renderings() []*Rendering {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*Rendering, 0, len(s.renderings))
	for _, each := range s.renderings {
		all = append(all, each)
	}
	slices.SortFunc(all, func(a, b *Rendering) int { return strings.Compare(a.Owner, b.Owner) })
	return all
}

// Builds gives what each build gave, without what its HelmReleases render.
func (s *Scope) Builds() []*Rendering {
	all := s.Renderings()
	for i, each := range all {
		if each.parts != nil {
			all[i] = each.parts[0]
		}
	}
	return all
}

// AddReleases adds what HelmReleases render to what the build of their Kustomization gave.
func (s *Scope) AddReleases(owner string, releases []*Rendering) {
	s.mu.Lock()
	defer s.mu.Unlock()
	built := s.renderings[owner]
	if built == nil {
		return
	}
	if built.parts != nil {
		built = built.parts[0]
	}
	parts, storable := []string{built.Fingerprint}, built.Fingerprint != ""
	for _, each := range releases {
		parts, storable = append(parts, each.Fingerprint), storable && each.Fingerprint != ""
	}
	whole := &Rendering{Owner: owner, parts: append([]*Rendering{built}, releases...)}
	if storable {
		whole.Fingerprint = cache.Digest(parts...)
	}
	whole.All = sync.OnceValue(func() []*Object {
		all := slices.Clone(built.All())
		for _, each := range releases {
			all = append(all, each.All()...)
		}
		return all
	})
	s.renderings[owner] = whole
}
