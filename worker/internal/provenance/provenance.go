// Package provenance finds what set a field of a rendered object: a patch, an image transformer, a Helm value and the like. It guesses, then
// builds again without the guess to be certain.
package provenance

import (
	"encoding/json"
	"path"

	"devloop.invalid/toolchain/worker/internal/cache"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/scope"
	"devloop.invalid/toolchain/worker/internal/source"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

// Field is a question: who set the field of the object at Index?
type Field struct {
	Index int   `json:"index"`
	Field []any `json:"field"`
}

// finding is what set a field, as one build or release knows it. What the Kustomization or HelmRelease itself says has no place yet: Field leads to it in
// the object, Inner is the line in the text there, 0 for the field as such. Block says that what is at the line is a text that begins one line
// below.
type finding struct {
	Path  string `json:"path,omitempty"`
	Line  int    `json:"line,omitempty"`
	What  string `json:"what"`
	Field []any  `json:"field,omitempty"`
	Inner int    `json:"inner,omitempty"`
	Block bool   `json:"block,omitempty"`
}

// Kustomizations that patch each other's patches end somewhere.
const maxDepth = 4

// Finder finds what sets fields of objects that were rendered from one repository.
type Finder struct {
	Repository *source.Repository
	Results    *cache.Results
}

// Find answers questions about one build, nil where the object's own file says it or where it is not certain.
func (s *Finder) Find(in *scope.Scope, of *scope.Rendering, asked []Field) []*protocol.FieldSource {
	sources := make([]*protocol.FieldSource, len(asked))
	for i, each := range s.found(in, of, asked, 0) {
		if each != nil && each.Path != "" {
			sources[i] = &protocol.FieldSource{Path: each.Path, Line: each.Line, What: each.What}
		}
	}
	return sources
}

func (s *Finder) found(in *scope.Scope, of *scope.Rendering, asked []Field, depth int) []*finding {
	if of == nil || depth > maxDepth {
		return nil
	}
	answer, err := scope.CachedCheck(s.Results, "provenance", jsonText(asked), []*scope.Rendering{of}, func() any { return findAll(of, asked) })
	var all []*finding
	if err != nil || json.Unmarshal(answer, &all) != nil {
		return nil
	}
	for i, each := range all {
		if each != nil && each.Path == "" {
			all[i] = s.inParent(in, of, each, depth)
		}
	}
	return all
}

// inParent finds the place of what the Kustomization or the HelmRelease says: in its own file, or in what its parent puts into it.
func (s *Finder) inParent(in *scope.Scope, of *scope.Rendering, result *finding, depth int) *finding {
	parent, index, origin := in.Parent(of)
	if origin == "" {
		return nil
	}
	if above := s.found(in, parent, []Field{{index, result.Field}}, depth+1); len(above) == 1 && above[0] != nil {
		return &finding{above[0].Path, inside(above[0].Line, result.Inner, above[0].Block), result.What, nil, 0, above[0].Block}
	}
	content, err := s.Repository.ReadFile(origin)
	if err != nil {
		return nil
	}
	object := yamldoc.FindDocument(content, of.Kind(), path.Base(of.Owner), path.Dir(of.Owner))
	key, value := yamldoc.Reach(object, result.Field)
	if value == nil {
		return nil
	}
	return &finding{origin, inside(key.Line, result.Inner, yamldoc.IsBlock(value)), result.What, nil, 0, yamldoc.IsBlock(value)}
}

// inside is the line of a text's own line inner, where the text stands at a line of its file.
func inside(line, inner int, block bool) int {
	if block {
		return line + inner
	}
	return line
}
