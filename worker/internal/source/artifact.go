package source

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"sigs.k8s.io/yaml"

	"devloop.invalid/toolchain/worker/internal/collect"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

// assemble puts an artifact together, in memory.
func (r *Repository) assemble(wanted *protocol.Artifact) (*Tree, error) {
	made := newLayout()
	for _, rule := range wanted.Copy {
		if err := r.copy(made, wanted, rule); err != nil {
			message := fmt.Sprintf("the artifact %s cannot be made: %v", wanted.Name, err)
			return nil, &protocol.Failure{Kind: protocol.KindBuild, Message: message, Hint: "correct what its ArtifactGenerator copies", Path: wanted.Origin}
		}
	}
	return &Tree{layout: made, entries: map[string]*entry{}}, nil
}

// copying is one rule at work.
type copying struct {
	protocol.CopyOperation
	source  sourceFS
	to      string
	exclude string // the folder that exclude patterns may count from
	layout  *layout
}

func (r *Repository) copy(made *layout, wanted *protocol.Artifact, rule protocol.CopyOperation) error {
	alias, pattern, ok := strings.Cut(strings.TrimPrefix(rule.From, "@"), "/")
	base, known := wanted.Sources[alias]
	to, inside := strings.CutPrefix(rule.To, "@artifact/")
	switch {
	case !ok || !strings.HasPrefix(rule.From, "@"):
		return fmt.Errorf("%s is not of the form @alias/pattern", rule.From)
	case !known:
		return fmt.Errorf("%s is none of its sources", alias)
	case !inside || to != "" && !filepath.IsLocal(to) || slices.Contains(strings.Split(to, "/"), ".."):
		return fmt.Errorf("%s does not lie in the artifact", rule.To)
	}
	for _, exclude := range rule.Exclude {
		if !doublestar.ValidatePattern(exclude) {
			return fmt.Errorf("%s is no pattern", exclude)
		}
	}
	source, err := r.tree(base, wanted.Settings[alias])
	if err != nil {
		return err
	}
	work := &copying{CopyOperation: rule, source: sourceFS{source}, to: path.Clean(to), exclude: ".", layout: made}
	if strings.ContainsAny(pattern, "*?[]") {
		return work.matches(pattern)
	}
	return work.one(path.Clean(pattern))
}

// matches copies what a pattern matches; of dir/** without the folder's own name.
func (c *copying) matches(pattern string) error {
	find := fs.Glob
	if c.Strategy == "Extract" {
		find = func(where fs.FS, pattern string) ([]string, error) { return doublestar.Glob(where, pattern) }
	}
	found, err := find(c.source, pattern)
	if err != nil {
		return fmt.Errorf("%s is no pattern", pattern)
	}
	c.exclude = literal(pattern)
	wanted := collect.Filter(found, func(name string) bool { return name != "." && !c.excluded(name) })
	if len(wanted) == 0 && !c.Optional {
		return fmt.Errorf("nothing matches %s", pattern)
	}
	folder, whole := strings.CutSuffix(pattern, "/**")
	for _, name := range wanted {
		target := name
		if whole {
			target = strings.TrimPrefix(name, folder+"/")
		}
		if err := c.matched(name, path.Join(c.to, target)); err != nil {
			return err
		}
	}
	return nil
}

func (c *copying) matched(name, target string) error {
	if c.Strategy != "Extract" {
		return c.all(name, target)
	}
	if !isArchive(name) {
		return nil
	}
	return c.extract(name)
}

// literal is the part of a pattern before the first folder with a wildcard.
func literal(pattern string) string {
	parts := strings.Split(path.Clean(pattern), "/")
	end := slices.IndexFunc(parts, func(part string) bool { return strings.ContainsAny(part, "*?[]") })
	return path.Clean(strings.Join(parts[:max(end, 0)], "/"))
}

// one copies what a rule names, as cp does: a folder goes into the target, a file becomes it unless the target is a folder.
func (c *copying) one(name string) error {
	info, err := c.source.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && c.Optional:
		return nil
	case err != nil:
		return fmt.Errorf("%s does not exist", name)
	case info.IsDir() && c.Strategy == "Extract":
		return fmt.Errorf("%s is a folder, not an archive", name)
	case info.IsDir():
		c.exclude = name
		return c.all(name, path.Join(c.to, path.Base(name)))
	case c.excluded(name):
		return nil
	case c.Strategy == "Extract" && !isArchive(name):
		return fmt.Errorf("%s is no archive (.tar.gz or .tgz)", name)
	case c.Strategy == "Extract":
		return c.extract(name)
	case strings.HasSuffix(c.To, "/") || c.layout.folders[c.to] != nil:
		return c.file(name, path.Join(c.to, path.Base(name)))
	}
	return c.file(name, c.to)
}

// all copies a file, or a folder with all that is in it.
func (c *copying) all(name, target string) error {
	return fs.WalkDir(c.source, name, func(each string, item fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative := strings.TrimPrefix(strings.TrimPrefix(each, name), "/")
		switch {
		case each != name && c.excluded(each) && item.IsDir():
			return fs.SkipDir
		case each != name && c.excluded(each):
			return nil
		case item.IsDir():
			return c.layout.mkdir(path.Join(target, relative))
		}
		return c.file(each, path.Join(target, relative))
	})
}

func (c *copying) file(name, target string) error {
	found := c.source.entry(c.source.at(name))
	if found.err != nil {
		return found.err
	}
	relative, _ := Within(found.real)
	file := &placedFile{from: c.source.Origin(relative), source: found}
	if before := c.layout.files[path.Clean(target)]; before != nil && c.Strategy == "Merge" {
		merged, err := mergedYAML(before, file)
		if err != nil {
			return fmt.Errorf("%s cannot be merged: %v", name, err)
		}
		file.content, file.made = merged, true
	}
	return c.layout.put(target, file)
}

func (c *copying) excluded(name string) bool {
	inside, below := strings.CutPrefix(name, c.exclude+"/")
	return c.excludes(name) || below && c.excludes(inside)
}

// excludes: a pattern without a slash is one for names, at any depth.
func (c *copying) excludes(name string) bool {
	return slices.ContainsFunc(c.Exclude, func(pattern string) bool {
		return doublestar.MatchUnvalidated(pattern, name) ||
			!strings.Contains(pattern, "/") && doublestar.MatchUnvalidated(pattern, path.Base(name))
	})
}

// mergedYAML puts the keys of the later file into those of the earlier one; lists are replaced as a whole.
func mergedYAML(earlier, later *placedFile) ([]byte, error) {
	merged := map[string]any{}
	for _, file := range []*placedFile{earlier, later} {
		content, err := file.read()
		if err != nil {
			return nil, err
		}
		for _, document := range yamldoc.Split(content) {
			var values map[string]any
			if err := yaml.Unmarshal(document, &values); err != nil {
				return nil, err
			}
			merged = collect.MergeValues(merged, values)
		}
	}
	return yaml.Marshal(merged)
}

func (c *copying) extract(name string) error {
	content, err := c.source.ReadFile(name)
	if err != nil {
		return err
	}
	err = unpack(content, func(inside string, file []byte) error {
		return c.layout.put(path.Join(c.to, inside), &placedFile{from: c.source.Origin(name), content: file, made: true})
	})
	if err != nil {
		return fmt.Errorf("%s cannot be unpacked: %v", name, err)
	}
	return nil
}
