package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/fluxcd/pkg/sourceignore"

	"devloop.invalid/toolchain/worker/internal/protocol"
)

// Absence says why the artifact lacks something that lies on the disk, and what helps; "" where nothing lies there.
func (t *Tree) Absence(name string) (reason, hint string) {
	relative, ok := Within(name)
	if !ok || t.layout != nil || t.fetched || t.entry(name).err == nil {
		return "", ""
	}
	parts := strings.Split(relative, "/")
	for depth := range parts {
		part := strings.Join(parts[:depth+1], "/")
		info, err := os.Lstat(filepath.Join(t.root, part))
		switch {
		case err != nil:
			return "", ""
		case t.isIgnored(part):
			return fmt.Sprintf("%s is ignored by Git", t.Origin(part)), "remove it from .gitignore, or add it with `git add --force`"
		case depth < len(parts)-1 && t.isNested(part):
			return fmt.Sprintf("%s is a separate Git repository, whose files Flux does not fetch", t.Origin(part)),
				"set spec.recurseSubmodules if it is a submodule, or commit its files to this repository"
		case info.Mode()&fs.ModeSymlink != 0:
			return fmt.Sprintf("%s is a symbolic link, which Flux leaves out of a source", t.Origin(part)), t.linkHint(part)
		}
	}
	return t.exclusion(relative)
}

func (t *Tree) linkHint(relative string) string {
	target, err := os.Readlink(filepath.Join(t.root, relative))
	if inside := path.Join(path.Dir(relative), target); err == nil && !path.IsAbs(target) && filepath.IsLocal(inside) {
		return fmt.Sprintf("refer to %s, or replace it with a copy", t.Origin(inside))
	}
	return "replace it with a copy of its target"
}

func (t *Tree) exclusion(relative string) (reason, hint string) {
	info, err := os.Lstat(filepath.Join(t.root, relative))
	if err != nil {
		return "", ""
	}
	shown := t.Origin(relative)
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.outsideCheckout(relative, info.IsDir()):
		return fmt.Sprintf("%s is not in spec.sparseCheckout of its source", shown), "add its folder there"
	case info.IsDir() && !t.holdsFile(relative, true):
		return fmt.Sprintf("%s has no files", shown), "add a file: Git does not keep empty folders"
	case !t.exclusions.exclude(relative, info.IsDir()):
		return fmt.Sprintf("all files of %s are excluded from its source", shown), "see .sourceignore and spec.ignore"
	}
	parts := strings.Split(relative, "/")
	if by := t.exclusions.patterns(parts[:len(parts)-1]); by.matcher.Match(parts, info.IsDir()) {
		return fmt.Sprintf("%s is excluded from its source", shown), "include it in " + sourceignore.IgnoreFile + " or in spec.ignore, with ! before its path"
	}
	return fmt.Sprintf("%s is excluded from its source, as Flux excludes pictures, archives and files of CI systems by default", shown),
		"any pattern in " + sourceignore.IgnoreFile + " or in spec.ignore replaces the default ones"
}

func (v *View) noteUnknown(err error) {
	var failure *protocol.Failure
	if !errors.As(err, &failure) || failure.Kind != protocol.KindUnknown {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.unknown == nil {
		v.unknown = failure
	}
}

// Unknown is the failure of a build that looked for what may exist, though not here; nil for any other.
func (v *View) Unknown() *protocol.Failure {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.unknown
}

// Missing is the failure for a folder or a file that the source lacks, what says what it is.
func (v *View) Missing(name, what string) *protocol.Failure {
	if unknown := v.Unknown(); unknown != nil {
		return unknown
	}
	failure := &protocol.Failure{Kind: protocol.KindMissing, Message: what + " does not exist"}
	if reason, hint := v.Absence(name); reason != "" {
		failure.Message, failure.Hint = what+" does not exist: "+reason, reason+": "+hint
	}
	return failure
}
