package source

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fluxcd/pkg/sourceignore"

	"devloop.invalid/toolchain/worker/internal/protocol"
)

// hasFile says whether the artifact has what lies at a path of the disk and is no folder.
func (t *Tree) hasFile(relative string, mode fs.FileMode) bool {
	return mode.IsRegular() && t.checkedOut(relative) && !t.exclusions.exclude(relative, false)
}

// hasFolder says whether the artifact has a folder: Git knows none without a file, and the archive none that is excluded with all of its files.
func (t *Tree) hasFolder(relative string) bool {
	if t.isNested(relative) { // Git checks out an empty folder
		return !t.exclusions.exclude(relative, true)
	}
	return relative == "." || t.holdsFile(relative, !t.exclusions.exclude(relative, true))
}

// holdsFile says whether a folder holds a file of the artifact, at any depth; with checkedOut one that is only checked out is enough.
func (t *Tree) holdsFile(folder string, checkedOut bool) bool {
	items, err := os.ReadDir(filepath.Join(t.root, folder))
	if err != nil {
		return true // the error shows where the folder is read
	}
	isFile := func(item fs.DirEntry) bool {
		inside := path.Join(folder, item.Name())
		if t.isIgnored(inside) {
			return false
		}
		if checkedOut && item.Type()&^fs.ModeSymlink == 0 {
			return t.checkedOut(inside)
		}
		return !item.IsDir() && t.hasFile(inside, item.Type())
	}
	return slices.ContainsFunc(items, isFile) || slices.ContainsFunc(items, func(item fs.DirEntry) bool {
		inside := path.Join(folder, item.Name())
		if !item.IsDir() || item.Name() == ".git" || t.isIgnored(inside) {
			return false
		}
		if t.isNested(inside) {
			return checkedOut || !t.exclusions.exclude(inside, true)
		}
		return t.holdsFile(inside, checkedOut || !t.exclusions.exclude(inside, true))
	})
}

// checkedOut says whether the file is part of a sparse checkout: go-git compares beginnings of paths, not folders.
func (t *Tree) checkedOut(relative string) bool {
	return len(t.settings.Sparse) == 0 || slices.ContainsFunc(t.settings.Sparse, func(folder string) bool {
		return strings.HasPrefix(relative, strings.TrimPrefix(folder, "./"))
	})
}

// outsideCheckout says whether a sparse checkout leaves out the file, or all that a folder may hold.
func (t *Tree) outsideCheckout(relative string, isDir bool) bool {
	return !t.checkedOut(relative) && (!isDir || !slices.ContainsFunc(t.settings.Sparse, func(folder string) bool {
		return strings.HasPrefix(strings.TrimPrefix(folder, "./"), relative+"/")
	}))
}

// unknown is the failure for a path that may exist: in, or above, a folder that comes from elsewhere. nil for any other.
func (t *Tree) unknown(relative string) *protocol.Failure {
	if t.absent[path.Join(t.base, relative)] {
		message := fmt.Sprintf("%s is not all here: Git has a sparse checkout", t.Origin(relative))
		return &protocol.Failure{Kind: protocol.KindUnknown, Message: message, Hint: "`git sparse-checkout disable` checks out the rest"}
	}
	for folder, what := range t.settings.Unknown {
		if folder = strings.TrimPrefix(path.Clean("/"+folder), "/"); isWithin(relative, folder) || isWithin(folder, relative) {
			return &protocol.Failure{Kind: protocol.KindUnknown, Message: fmt.Sprintf("%s comes from %s, which is not available here", folder, what)}
		}
	}
	return nil
}

// unknownBelow is the failure for a folder whose content is not all here.
func (t *Tree) unknownBelow(relative string) error {
	if found := t.unknown(relative); found != nil {
		return found
	}
	return nil
}

func isWithin(name, folder string) bool {
	return folder == "." || name == folder || strings.HasPrefix(name, folder+"/")
}

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
			return fmt.Sprintf("%s is ignored by Git", t.Origin(part)), "take it out of .gitignore, or add it with `git add --force`"
		case depth < len(parts)-1 && t.isNested(part):
			return fmt.Sprintf("%s is a Git repository of its own, whose files Flux does not fetch", t.Origin(part)),
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
		return fmt.Sprintf("refer to %s, or put a copy in its place", t.Origin(inside))
	}
	return "put a copy of what it leads to in its place"
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
		return fmt.Sprintf("%s holds no file", shown), "add a file: Git keeps no empty folder"
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
