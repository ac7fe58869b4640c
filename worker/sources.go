package main

import (
	"path"
	"slices"
	"strings"

	"github.com/getsops/sops/v3/cmd/sops/formats"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"
)

// preparation goes through the kustomization files of one build before kustomize does: it leaves out what is remote and was not fetched, opens the encrypted
// files that generators and patches take in, as kustomize-controller does, and notes what the build must know.
type preparation struct {
	view    *view
	keys    *keyring
	decrypt bool
	visited map[string]bool
	remote  []remoteName
	problem *failure // of what was fetched
	secrets secretValues
	schemas bool
}

func (p *preparation) visit(folder string) error {
	if p.visited[folder] {
		return nil
	}
	p.visited[folder] = true
	file, content := p.kustomizationFile(folder)
	if content == nil {
		return nil
	}
	var kustomization types.Kustomization
	if yaml.Unmarshal(content, &kustomization) != nil {
		return nil // kustomize says it better
	}
	if found := p.withoutTarget(file, content, &kustomization); found != nil {
		return found
	}
	p.schemas = p.schemas || len(kustomization.OpenAPI) > 0
	if err := p.contained(folder, &kustomization); err != nil {
		return err
	}
	if p.takeRemote(folder, &kustomization) {
		if changed, err := yaml.Marshal(kustomization); err == nil {
			_ = p.view.WriteFile(file, changed)
		}
	}
	if p.problem != nil {
		return p.problem
	}
	if p.decrypt {
		if err := p.openSources(folder, &kustomization); err != nil {
			return err
		}
	}
	for _, item := range named(&kustomization) {
		if err := p.check(folder, file, item); err != nil {
			return err
		}
	}
	return nil
}

// named are the files, the folders and the inline texts that kustomize reads as YAML for a kustomization file.
func named(k *types.Kustomization) []string {
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
	return keep(all, func(item string) bool { return item != "" })
}

// withoutTarget finds what kustomize would panic at.
func (p *preparation) withoutTarget(file string, content []byte, k *types.Kustomization) *failure {
	for _, patch := range k.PatchesJson6902 {
		if patch.Target == nil {
			relative, _ := within(file)
			line := mentioned(content, "patchesJson6902")
			message := "a patch of patchesJson6902 has no target"
			return &failure{Kind: "build", Message: message, Hint: "say which object it is for", Path: p.view.origin(relative), Line: line}
		}
	}
	return nil
}

// Below this many bytes a file cannot have enough keys to be slow.
const largeFile = 16 << 10

// check refuses what kustomize would not survive: in a file, in an inline text of the kustomization file, or in all of a folder.
func (p *preparation) check(folder, file, item string) error {
	if strings.Contains(item, "\n") {
		if found := p.trouble(file, []byte(item)); found != nil {
			found.Line = 0 // which would count from the start of the text
			return found
		}
		return nil
	}
	name := path.Join(folder, item)
	if p.view.IsDir(name) {
		return p.visit(name)
	}
	if content, err := p.view.content(name); err == nil {
		if found := p.trouble(name, content); found != nil {
			return found
		}
	}
	return nil
}

func (p *preparation) trouble(name string, content []byte) *failure {
	if found := aliasTrouble(p.view.shown(name), content); found != nil {
		return found
	}
	// The library compares each key with each other one and has an error for every pair: thousands of them fill the memory.
	if len(content) > largeFile {
		return duplicateKey(p.view.shown(name), content)
	}
	return nil
}

func (p *preparation) kustomizationFile(folder string) (string, []byte) {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		file := path.Join(folder, name)
		if content, err := p.view.ReadFile(file); err == nil {
			return file, content
		}
	}
	return "", nil
}

func keep[T any](list []T, wanted func(T) bool) []T {
	var kept []T
	for _, item := range list {
		if wanted(item) {
			kept = append(kept, item)
		}
	}
	return kept
}

// openSources decrypts what goes into Secrets and patches by way of files, in memory.
func (p *preparation) openSources(folder string, k *types.Kustomization) error {
	for _, generator := range k.SecretGenerator {
		for _, source := range generator.FileSources {
			key, file, named := strings.Cut(source, "=")
			if !named {
				file = key
			}
			if err := p.openFile(path.Join(folder, file), formatFor(key)); err != nil {
				return err
			}
		}
		for _, file := range append(generator.EnvSources, generator.EnvSource) {
			format := formatFor(file)
			if format == formats.Binary {
				format = formats.Dotenv
			}
			if err := p.openFile(path.Join(folder, file), format); err != nil {
				return err
			}
		}
	}
	for _, patch := range k.Patches {
		if err := p.openFile(path.Join(folder, patch.Path), formatFor(patch.Path)); err != nil {
			return err
		}
	}
	return nil
}

// openFile replaces an encrypted file by its content, where there is a key; what cannot be opened stays as it is.
func (p *preparation) openFile(file string, format formats.Format) error {
	content, err := p.view.original(file)
	if err != nil || !looksEncrypted(content) {
		return nil // a missing file is for kustomize to report
	}
	plain, branches, err := p.keys.open(content, format)
	if isSealed(err) {
		return nil
	}
	if err != nil {
		return &failure{Kind: "decryption", Message: err.Error(), Path: p.view.shown(file)}
	}
	p.secrets.addOpened(content, plain, branches, format)
	return p.view.WriteFile(file, plain)
}

// generated is the kustomization.yaml that Flux makes for a folder without one.
func generated(v *view, folder string) ([]byte, error) {
	k := types.Kustomization{TypeMeta: types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind}}
	if err := collect(v, folder, folder, &k.Resources); err != nil {
		return nil, err
	}
	if len(k.Resources) == 0 {
		k.Namespace = "_placeholder" // kustomize refuses an empty file
	}
	return yaml.Marshal(k)
}

// collect adds the manifests below folder: a folder with its own kustomization.yaml as such, every other YAML file by itself. Like Flux it
// does not walk through links, which may lead back to where they are.
func collect(v *view, base, folder string, resources *[]string) error {
	names, err := v.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, name := range names {
		item := path.Join(folder, name)
		relative := "." + strings.TrimPrefix(item, base)
		switch {
		case v.IsDir(item) && isLink(v, folder, name):
		case v.IsDir(item) && hasKustomization(v, item):
			*resources = append(*resources, relative)
		case v.IsDir(item):
			if err := collect(v, base, item, resources); err != nil {
				return err
			}
		case strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml"):
			*resources = append(*resources, relative)
		}
	}
	return nil
}

func isLink(v *view, folder, name string) bool {
	return v.entry(path.Join(folder, name)).real != path.Join(v.entry(folder).real, name)
}

func hasKustomization(v *view, folder string) bool {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if file := path.Join(folder, name); v.Exists(file) && !v.IsDir(file) {
			return true
		}
	}
	return false
}
