package main

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubejson "k8s.io/apimachinery/pkg/util/json"
)

// rendering is what one build of a scope gave, or one of its HelmReleases. Judges look at it: what they say of it depends on the objects and
// on their own rules alone.
type rendering struct {
	owner       string // namespace/name of the Kustomization, or of the HelmRelease
	fingerprint string // changes whenever the objects do; '' where nothing that is stored may depend on them
	all         func() []*rendered

	maker maker        // what built or rendered it; nil for one with parts
	parts []*rendering // where its HelmReleases render something: the build, and one for each of them
}

// kind is the kind of its owner.
func (r *rendering) kind() string {
	if r.maker == nil {
		return "Kustomization"
	}
	return r.maker.kind()
}

// maker is the build or the release behind a rendering. It can make its objects again, to find out what sets a field in them.
type maker interface {
	kind() string // Kustomization or HelmRelease
	repeatable() repeatable
}

// repeatable is what it takes to make a rendering again: the object that asks for it, its source, the folder that is built (in a Kustomization's
// source, "" where there is none), and a function that gives the objects with other content in some files. The object itself goes by the name "".
type repeatable struct {
	object map[string]any
	view   *view
	folder string
	try    func(files map[string][]byte) []repeated
}

// repeated is one object that a repetition gave.
type repeated struct {
	origin  string
	content any // what marshals to its JSON
}

func (r *rendering) objects() []*rendered { return r.all() }

// cachedCheck is what a check finds in renderings, as JSON: what it found in an earlier run, when they and the check's own rules (any text
// that changes whenever its result could) are the same.
func cachedCheck(in *results, check, rules string, of []*rendering, ask func() any) (json.RawMessage, error) {
	key := checkKey(in, check, rules, of)
	if said := in.get(key); said != nil {
		return said, nil
	}
	said, err := json.Marshal(ask())
	if err == nil {
		in.put(key, said)
	}
	return said, err
}

// checkKey is "" where nothing may be stored.
func checkKey(in *results, check, rules string, of []*rendering) string {
	parts := []string{"check", check, rules}
	for _, each := range of {
		if each.fingerprint == "" {
			return ""
		}
		parts = append(parts, each.owner, each.fingerprint)
	}
	return in.key(parts...)
}

// rendered is one object as the answer shows it: without the values of secrets, ${NAME} where unknown says so.
type rendered struct {
	builtObject
	decode sync.Once
	object map[string]any
}

// body is the object, decoded when somebody asks for it; integers are int64, as Kubernetes has them. Nobody may change it.
func (r *rendered) body() map[string]any {
	r.decode.Do(func() { _ = kubejson.Unmarshal(r.Body, &r.object) })
	return r.object
}

// parsed reads an answer when somebody asks for its objects.
func parsed(result json.RawMessage) func() []*rendered {
	return sync.OnceValue(func() []*rendered {
		var answer struct {
			Objects []builtObject `json:"objects"`
		}
		_ = json.Unmarshal(result, &answer)
		return wrapped(answer.Objects)
	})
}

func wrapped(objects []builtObject) []*rendered {
	all := make([]*rendered, len(objects))
	for i, built := range objects {
		all[i] = &rendered{builtObject: built}
	}
	return all
}

// remember keeps what a build gave, instead of what an earlier build of the same Kustomization gave.
func (s *scope) remember(made *rendering) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renderings[made.owner] = made
}

// build is what the build of a Kustomization gave, without what its HelmReleases render; nil where there was none.
func (s *scope) build(owner string) *rendering {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.renderings[owner]; found == nil || found.parts == nil {
		return found
	} else {
		return found.parts[0]
	}
}

// part is what gave an object of a Kustomization, its build or one of its HelmReleases, and the object's index there.
func (s *scope) part(owner string, index int) (*rendering, int) {
	s.mu.Lock()
	whole := s.renderings[owner]
	s.mu.Unlock()
	if whole == nil || whole.parts == nil {
		return whole, index
	}
	for _, each := range whole.parts {
		count := len(each.objects())
		if index < count {
			return each, index
		}
		index -= count
	}
	return nil, 0
}

// parent says which build rendered the Kustomization or the HelmRelease behind another rendering, at which index, and the file that it came
// from; nil where none did.
func (s *scope) parent(of *rendering) (built *rendering, index int, origin string) {
	export := s.find(of.kind() + "/" + of.owner)
	if export == nil {
		return nil, 0, ""
	}
	built = s.build(export.owner)
	for i, object := range built.objects() {
		body := unstructured.Unstructured{Object: object.body()}
		if exportKey(body.GetKind(), cmp.Or(body.GetNamespace(), "default"), body.GetName()) == of.kind()+"/"+of.owner {
			return built, i, object.Origin
		}
	}
	return nil, 0, ""
}

// rendered gives everything that the scope's builds gave so far, by the names of their Kustomizations.
func (s *scope) rendered() []*rendering {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*rendering, 0, len(s.renderings))
	for _, each := range s.renderings {
		all = append(all, each)
	}
	slices.SortFunc(all, func(a, b *rendering) int { return strings.Compare(a.owner, b.owner) })
	return all
}

// extend adds what HelmReleases render to what the build of their Kustomization gave.
func (s *scope) extend(owner string, releases []*rendering) {
	s.mu.Lock()
	defer s.mu.Unlock()
	built := s.renderings[owner]
	if built == nil {
		return
	}
	if built.parts != nil {
		built = built.parts[0]
	}
	parts, storable := []string{built.fingerprint}, built.fingerprint != ""
	for _, each := range releases {
		parts, storable = append(parts, each.fingerprint), storable && each.fingerprint != ""
	}
	whole := &rendering{owner: owner, parts: append([]*rendering{built}, releases...)}
	if storable {
		whole.fingerprint = digest(parts...)
	}
	whole.all = sync.OnceValue(func() []*rendered {
		all := slices.Clone(built.all())
		for _, each := range releases {
			all = append(all, each.all()...)
		}
		return all
	})
	s.renderings[owner] = whole
}
