package provenance

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"devloop.invalid/toolchain/worker/internal/cache"
	"devloop.invalid/toolchain/worker/internal/scope"
	"devloop.invalid/toolchain/worker/internal/suggest"
)

// look is a patch of one build whose target names an object. Covered says that there seems to be one. Key is the same wherever the patch is.
type look struct {
	At        *finding `json:"at"`
	Key       string   `json:"key"`
	Target    string   `json:"target"`
	Component bool     `json:"component,omitempty"`
	Covered   bool     `json:"covered,omitempty"`
}

// looks takes no time: most patches have an object among what was rendered.
func looks(of *scope.Rendering) (all []look) {
	found := readTargetedPatches(of.Maker.Repeatable())
	if len(found.patches) == 0 {
		return nil
	}
	open := found.open(fieldsOf(of))
	for _, each := range found.patches {
		at := each.with("", "", "").found(found.view)
		all = append(all, look{at, each.key(at), each.String(), each.component, !slices.Contains(open, each)})
	}
	return all
}

func fieldsOf(rendering *scope.Rendering) (objects []map[string]any) {
	for _, each := range rendering.Objects() {
		objects = append(objects, each.Fields())
	}
	return objects
}

// key is the place in a file. In Kustomizations it is the text: a parent puts one into many.
func (p *targetedPatch) key(at *finding) string {
	if at.Path != "" {
		return at.Path + ":" + strconv.Itoa(at.Line)
	}
	content, _ := yaml.Marshal(p.item)
	return cache.Digest(string(content))
}

// unmatched tries some patches of a build; it gives those that match nothing, with hints.
func unmatched(of *scope.Rendering, keys []string) map[string]string {
	repeatable := of.Maker.Repeatable()
	found := readTargetedPatches(repeatable)
	trials := &matchTrials{Repeatable: repeatable, objects: fieldsOf(of), names: found.names, hints: map[*targetedPatch]string{}}
	byPatch := map[*targetedPatch]string{}
	for _, each := range found.patches {
		if key := each.key(each.with("", "", "").found(found.view)); slices.Contains(keys, key) {
			byPatch[each] = key
		}
	}
	trials.decide(slices.Collect(maps.Keys(byPatch)))
	hints := map[string]string{}
	for patch, hint := range trials.hints {
		hints[byPatch[patch]] = hint
	}
	return hints
}

// matchTrials builds again with patches that fail wherever they are applied. Hints are those of the patches that are not.
type matchTrials struct {
	scope.Repeatable
	objects []map[string]any
	names   affixes
	count   int
	hints   map[*targetedPatch]string
}

const (
	failing = `[{"op": "test", "path": "/kind", "value": ""}]` // as soon as it is applied to an object
	invalid = "{"                                              // as soon as it is read
)

type trial int

const (
	unknown trial = iota // it would take too long
	succeeded
	failed
)

func (m *matchTrials) build(edits ...*edit) (result trial) {
	m.count++
	files, ok := edited(edits)
	if !ok || m.count*len(m.objects) > maxTrialObjects {
		return unknown
	}
	defer func() { _ = recover() }()
	if len(m.Try(files)) == 0 {
		return failed
	}
	return succeeded
}

// decide finds those that match nothing: all at once, or each half.
func (m *matchTrials) decide(patches []*targetedPatch) {
	if len(patches) == 0 {
		return
	}
	var edits []*edit
	for _, each := range patches {
		edits = append(edits, each.with(failing, "", ""))
	}
	switch half := len(patches) / 2; m.build(edits...) {
	case succeeded:
		for _, each := range patches {
			m.confirm(each)
		}
	case failed:
		if half > 0 {
			m.decide(patches[:half])
			m.decide(patches[half:])
		}
	}
}

// confirm makes sure that the build reads the patch: with the target that was probably meant it fails, or with no patch at all.
func (m *matchTrials) confirm(patch *targetedPatch) {
	hint, key, value := m.meant(patch)
	if hint != "" && m.build(patch.with(failing, key, value)) == failed {
		m.hints[patch] = hint
	} else if m.build(patch.with(invalid, "", "")) == failed {
		m.hints[patch] = ""
	}
}

// meant is what an object differs in, and the value that the target should have there ("": none).
func (m *matchTrials) meant(patch *targetedPatch) (hint, key, value string) {
	var names []string
	for _, each := range m.objects {
		differences, name := patch.differences(each), nameOf(each)
		kind, _ := each["kind"].(string)
		switch {
		case !m.names.mayCome(name, patch.plainName()):
			if len(differences) == 0 && literalName.MatchString(name) {
				names = append(names, name)
			}
		case len(differences) == 1 && differences[0] == "kind":
			return "did you mean the kind " + kind + "?", "kind", kind
		case len(differences) == 1:
			return "it matches without " + differences[0], differences[0], ""
		}
	}
	if near := nearest(patch.plainName(), names); near != "" {
		return "did you mean " + near + "?", "name", near
	}
	return "", "", ""
}

// nearest is the name without a slip of the pen, or the only one that is a longer one.
func nearest(name string, names []string) string {
	if found := suggest.Nearest(name, names); found != "" {
		return found
	}
	longer := ""
	for _, each := range names {
		if strings.Contains(each, name) && each != longer {
			if longer != "" {
				return ""
			}
			longer = each
		}
	}
	return longer
}
