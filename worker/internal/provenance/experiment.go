package provenance

import (
	"reflect"

	"devloop.invalid/toolchain/worker/internal/scope"
)

// experiment is one build or release that is made again with changes, and what its trials gave.
type experiment struct {
	scope.Repeatable
	settings settings
	usual    assembly
	trials   map[string]assembly
}

func newExperiment(of *scope.Rendering) *experiment {
	made := &experiment{Repeatable: of.Maker.Repeatable(), trials: map[string]assembly{}}
	if of.Kind() == "HelmRelease" {
		made.settings = settingsOfRelease(made.Repeatable)
	} else {
		made.settings = settingsOf(made.Repeatable)
	}
	return made
}

// findAll runs experiments: what a build gives without a patch, or with another value in it, shows for certain what the patch does.
func findAll(of *scope.Rendering, asked []Field) []*finding {
	results := make([]*finding, len(asked))
	trials := newExperiment(of)
	for i, each := range asked {
		results[i] = trials.find(each)
	}
	return results
}

// The most objects that trials of one build may make: more would take seconds, and then nothing is said.
const maxTrialObjects = 20_000

func (l *experiment) find(asked Field) *finding {
	if result := l.commonMetadata(asked.Field); result != nil {
		return result
	}
	if len(l.settings) == 0 {
		return nil
	}
	if l.usual == nil {
		l.usual = l.tried(nil)
	}
	object := l.usual.object(asked.Index)
	if object == nil {
		return nil
	}
	value, depth := valueAt(object, asked.Field)
	if depth == len(asked.Field) && isScalar(value) {
		return l.last(func(s setting) editsFor { return s.sets }, asked, func(other map[string]any) bool {
			now, _ := valueAt(other, asked.Field)
			return !reflect.DeepEqual(now, value)
		})
	}
	if depth < len(asked.Field) {
		back := func(other map[string]any) bool { return isThere(other, asked.Field) }
		if result := l.last(func(s setting) editsFor { return s.removes }, asked, back); result != nil {
			return result
		}
	}
	return l.creator(Field{asked.Index, asked.Field[:depth]})
}

// commonMetadata comes last, after everything else.
func (l *experiment) commonMetadata(field []any) *finding {
	if len(field) != 3 || field[0] != "metadata" {
		return nil
	}
	path := []any{"spec", "commonMetadata", field[1], field[2]}
	if !isThere(l.Object, path) {
		return nil
	}
	return &finding{What: "commonMetadata", Field: path}
}

// last is the last of the settings that makes a difference to the object on its own.
func (l *experiment) last(of func(setting) editsFor, asked Field, differs func(map[string]any) bool) *finding {
	edits := l.settings.edits(of, l.usual.object(asked.Index), asked.Field)
	for i := len(edits) - 1; i >= 0; i-- {
		if object := l.trial(edits[i:i+1]).same(l.usual, asked.Index); object != nil && differs(object) {
			return edits[i].found(l.View)
		}
	}
	return nil
}

// creator is what first put the value there: without what comes after it, it stays, and without this one, too, it is gone.
func (l *experiment) creator(asked Field) *finding {
	if len(asked.Field) == 0 {
		return nil
	}
	edits := l.settings.edits(func(s setting) editsFor { return s.creates }, l.usual.object(asked.Index), asked.Field)
	gone := func(edits []*edit) bool {
		object := l.trial(edits).same(l.usual, asked.Index)
		return object != nil && !isThere(object, asked.Field)
	}
	if len(edits) > 1 && !gone(edits) {
		return nil
	}
	for i := len(edits) - 1; i >= 0; i-- {
		if gone(edits[i:]) {
			return edits[i].found(l.View)
		}
	}
	return nil
}

// trial builds with the edits made; an assembly without objects where that does not build.
func (l *experiment) trial(edits []*edit) assembly {
	files, ok := edited(edits)
	if !ok {
		return nil
	}
	key := jsonText(files)
	if l.trials[key] == nil {
		if len(l.trials)*len(l.usual) > maxTrialObjects {
			return nil
		}
		l.trials[key] = l.tried(files)
	}
	return l.trials[key]
}

// tried is never nil; what a library makes of a strange edit, a panic, says nothing.
func (l *experiment) tried(files map[string][]byte) (made assembly) {
	made = assembly{}
	defer func() { _ = recover() }()
	for _, each := range l.Try(files) {
		made = append(made, &assembled{RepeatedObject: each})
	}
	return made
}
