package kustomize

//lint:file-ignore SA1019 repositories still use the deprecated fields of kustomization files

import (
	"path"
	"slices"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"

	"devloop.invalid/toolchain/worker/internal/collect"
	"devloop.invalid/toolchain/worker/internal/source"
)

// ReadFile gives the kustomization file of a folder, with its content; nil where it has none.
func ReadFile(v *source.View, folder string) (string, []byte) {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		file := path.Join(folder, name)
		if content, err := v.ReadFile(file); err == nil {
			return file, content
		}
	}
	return "", nil
}

// namedFiles are the files, the folders and the inline texts that kustomize reads as YAML for a kustomization file.
func namedFiles(k *types.Kustomization) []string {
	all := slices.Concat(k.Resources, k.Bases, k.Components, k.Generators, k.Transformers, k.Validators, k.Crds, k.Configurations)
	for _, patch := range slices.Concat(k.Patches, k.PatchesJson6902) {
		all = append(all, patch.Path, patch.Patch)
	}
	for _, patch := range k.PatchesStrategicMerge {
		all = append(all, string(patch))
	}
	for _, replacement := range k.Replacements {
		all = append(all, replacement.Path)
	}
	return collect.Filter(all, func(item string) bool { return item != "" })
}

// IsFile says whether kustomize would take the file for a kustomization file.
func IsFile(name string) bool {
	return slices.Contains(konfig.RecognizedKustomizationFileNames(), path.Base(name))
}
