package source

import (
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"

	"devloop.invalid/toolchain/worker/internal/protocol"
)

var submodulePath = regexp.MustCompile(`(?m)^\s*path\s*=\s*"?(.*?)"?\s*$`)

// readSubmodules gives the folders of the submodules, whether they are checked out or not.
func readSubmodules(root string) map[string]bool {
	found := map[string]bool{}
	file := filepath.Join(root, ".gitmodules")
	if info, err := os.Lstat(file); err != nil || !info.Mode().IsRegular() {
		return found
	}
	content, _ := os.ReadFile(file)
	for _, match := range submodulePath.FindAllSubmatch(content, -1) {
		found[path.Clean(string(match[1]))] = true
	}
	return found
}

// withSubmodules adds the submodules that Flux fetches and that are not checked out here.
func (t *Tree) withSubmodules(settings protocol.SourceSettings) protocol.SourceSettings {
	if !settings.Submodules {
		return settings
	}
	unknown := maps.Clone(settings.Unknown)
	for folder := range t.submodules {
		if _, err := os.Lstat(filepath.Join(t.root, folder, ".git")); err != nil {
			if unknown == nil {
				unknown = map[string]string{}
			}
			unknown[folder] = "a submodule"
		}
	}
	settings.Unknown = unknown
	return settings
}

// isNested says whether a folder is a Git repository of its own whose files are no part of the source: of it Git keeps the commit alone.
func (t *Tree) isNested(relative string) bool {
	if relative == "." || t.submodules[relative] && t.settings.Submodules {
		return false
	}
	if t.submodules[relative] {
		return true
	}
	_, err := os.Lstat(filepath.Join(t.root, relative, ".git"))
	return err == nil
}

func (t *Tree) isIgnored(relative string) bool {
	return len(t.checkout.ignored) > 0 && t.checkout.ignored[path.Join(t.base, relative)]
}
