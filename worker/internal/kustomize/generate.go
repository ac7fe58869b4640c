package kustomize

import (
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"devloop.invalid/toolchain/worker/internal/source"
)

// GenerateFile is the kustomization.yaml that Flux makes for a folder without one.
func GenerateFile(v *source.View, folder string) ([]byte, error) {
	k := types.Kustomization{TypeMeta: types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind}}
	if err := addManifests(v, folder, folder, &k.Resources); err != nil {
		return nil, err
	}
	if len(k.Resources) == 0 {
		k.Namespace = "_placeholder" // kustomize refuses an empty file
	}
	return yaml.Marshal(k)
}

// addManifests adds the manifests below folder: a folder with its own kustomization.yaml as such, every other YAML file on its own. Like Flux it
// does not walk through links, which may lead back to where they are.
func addManifests(v *source.View, base, folder string, resources *[]string) error {
	names, err := v.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, name := range names {
		item := path.Join(folder, name)
		relative := "." + strings.TrimPrefix(item, base)
		switch {
		case v.IsDir(item) && v.IsLink(folder, name):
		case v.IsDir(item) && hasKustomization(v, item):
			*resources = append(*resources, relative)
		case v.IsDir(item):
			if err := addManifests(v, base, item, resources); err != nil {
				return err
			}
		case strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml"):
			*resources = append(*resources, relative)
		}
	}
	return nil
}

func hasKustomization(v *source.View, folder string) bool {
	return slices.ContainsFunc(konfig.RecognizedKustomizationFileNames(), func(name string) bool {
		file := path.Join(folder, name)
		return v.Exists(file) && !v.IsDir(file)
	})
}
