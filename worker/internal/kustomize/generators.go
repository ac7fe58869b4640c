package kustomize

import (
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"

	"devloop.invalid/toolchain/worker/internal/collect"
)

// keyAndFile takes apart an item under files: KEY=FILE, or FILE alone.
func keyAndFile(item string) (key, file string) {
	if key, file, named := strings.Cut(item, "="); named {
		return key, file
	}
	return path.Base(item), item
}

// SourceFiles are the files that a generator reads.
func SourceFiles(sources types.KvPairSources) []string {
	files := slices.Concat(sources.EnvSources, []string{sources.EnvSource})
	for _, item := range sources.FileSources {
		_, file := keyAndFile(item)
		files = append(files, file)
	}
	return collect.Filter(files, isNamed)
}

// replaceRemoteFiles does for the files of a generator what replaceRemotes does: they may be URLs, but not repositories.
func (p *Preparation) replaceRemoteFiles(folder string, sources *types.KvPairSources) bool {
	changed := false
	resolve := func(file string) string {
		if !isURL(file) {
			return file
		}
		changed = true
		return p.resolveFile(folder, file)
	}
	sources.EnvSource = resolve(sources.EnvSource)
	for i, file := range sources.EnvSources {
		sources.EnvSources[i] = resolve(file)
	}
	for i, item := range sources.FileSources {
		key, file := keyAndFile(item)
		if strings.Contains(file, "=") || !isURL(file) { // the first is an error of kustomize's
			continue
		}
		sources.FileSources[i] = resolve(file)
		if sources.FileSources[i] != "" {
			sources.FileSources[i] = key + "=" + sources.FileSources[i]
		}
	}
	sources.FileSources, sources.EnvSources = collect.Filter(sources.FileSources, isNamed), collect.Filter(sources.EnvSources, isNamed)
	return changed
}

func isNamed(file string) bool { return file != "" }
