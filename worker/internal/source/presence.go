package source

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"devloop.invalid/toolchain/worker/internal/collect"
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
		if isFileOrLink := item.Type()&^fs.ModeSymlink == 0; checkedOut && isFileOrLink {
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
	if t.checkout.absent[path.Join(t.base, relative)] {
		message := fmt.Sprintf("%s is not checked out completely: the checkout is sparse", t.Origin(relative))
		return &protocol.Failure{Kind: protocol.KindUnknown, Message: message, Hint: "`git sparse-checkout disable` checks out the rest"}
	}
	for _, name := range collect.SortedKeys(t.settings.Unknown) {
		if folder := strings.TrimPrefix(path.Clean("/"+name), "/"); isWithin(relative, folder) || isWithin(folder, relative) {
			message := fmt.Sprintf("%s comes from %s, which is not available here", folder, t.settings.Unknown[name])
			return &protocol.Failure{Kind: protocol.KindUnknown, Message: message}
		}
	}
	return nil
}

func isWithin(name, folder string) bool {
	return folder == "." || name == folder || strings.HasPrefix(name, folder+"/")
}
