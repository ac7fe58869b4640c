package provenance

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"

	"devloop.invalid/toolchain/worker/internal/collect"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/scope"
)

// patchedBuild is a build whose patches name objects; number is that of its scope.
type patchedBuild struct {
	*scope.Rendering
	number int
	in     *scope.Scope
	looks  []look
	hints  map[string]string // of what matches nothing, by the keys of patches
}

// Unmatched finds the patches whose target matches nothing in any build of the scopes, sorted by their places. Only targets with the name of an
// object count. Where it is not certain that nothing matches, nothing is said.
func (s *Finder) Unmatched(scopes []*scope.Scope, whole bool) []protocol.PatchResult {
	builds := s.look(scopes)
	covered := map[string]bool{}
	for _, build := range builds {
		for _, each := range build.looks {
			covered[each.Key] = covered[each.Key] || each.Covered || each.Component && !whole
		}
	}
	collect.Parallel(builds, func(build *patchedBuild) error { return s.try(build, covered) })
	for _, build := range builds {
		for _, each := range build.looks {
			if _, unmatched := build.hints[each.Key]; !unmatched {
				covered[each.Key] = true
			}
		}
	}
	found := []protocol.PatchResult{}
	for _, build := range builds {
		for _, each := range build.looks {
			if covered[each.Key] {
				continue
			}
			if place := s.place(build, each); place != nil {
				found = append(found, protocol.PatchResult{
					Scope: build.number, Owner: build.Owner, Path: place.Path, Line: place.Line, Target: each.Target, Hint: build.hints[each.Key],
					Shared: each.At.Path == "",
				})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b protocol.PatchResult) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Owner, b.Owner))
	})
	return found
}

func (s *Finder) look(scopes []*scope.Scope) (builds []*patchedBuild) {
	for number, in := range scopes {
		for _, of := range in.Builds() {
			if len(of.Objects()) > 0 {
				builds = append(builds, &patchedBuild{Rendering: of, number: number, in: in})
			}
		}
	}
	collect.Parallel(builds, func(build *patchedBuild) error {
		return s.cached(build, "patches", "", &build.looks, func() any { return looks(build.Rendering) })
	})
	return collect.Filter(builds, func(build *patchedBuild) bool { return len(build.looks) > 0 })
}

func (s *Finder) cached(build *patchedBuild, check, rules string, into any, ask func() any) error {
	said, err := scope.CachedCheck(s.Results, check, rules, []*scope.Rendering{build.Rendering}, ask)
	if err != nil {
		return err
	}
	return json.Unmarshal(said, into)
}

// try runs trials for the patches that seem to have no object anywhere.
func (s *Finder) try(build *patchedBuild, covered map[string]bool) error {
	var keys []string
	for _, each := range build.looks {
		if !covered[each.Key] {
			keys = append(keys, each.Key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return s.cached(build, "patch-trials", jsonText(keys), &build.hints, func() any { return unmatched(build.Rendering, keys) })
}

// place is where the patch is written. A target of a Kustomization's spec that has a value of a secret in it has none.
func (s *Finder) place(build *patchedBuild, of look) *finding {
	if of.At.Path != "" {
		return of.At
	}
	parent, index, _ := build.in.Parent(build.Rendering)
	if parent == nil {
		return nil
	}
	target := of.At.Field[:len(of.At.Field)-1]
	shown, _ := valueAt(parent.Objects()[index].Fields(), target)
	used, _ := valueAt(build.Maker.Repeatable().Object, target)
	if !reflect.DeepEqual(shown, used) {
		return nil
	}
	return s.inParent(build.in, build.Rendering, of.At, 0)
}
