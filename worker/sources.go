package main

import (
	"path"
	"strings"

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

func newPreparation(v *view, keys *keyring, decrypt bool) *preparation {
	return &preparation{view: v, keys: keys, decrypt: decrypt, visited: map[string]bool{}}
}

func (p *preparation) visit(folder string) error {
	if p.visited[folder] {
		return nil
	}
	p.visited[folder] = true
	file, content := kustomizationFile(p.view, folder)
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

// withoutTarget finds what kustomize would panic at.
func (p *preparation) withoutTarget(file string, content []byte, k *types.Kustomization) *failure {
	for _, patch := range k.PatchesJson6902 {
		if patch.Target == nil {
			relative, _ := within(file)
			line := lineOfWord(content, "patchesJson6902")
			message := "a patch of patchesJson6902 has no target"
			return &failure{Kind: kindBuild, Message: message, Hint: "say which object it is for", Path: p.view.origin(relative), Line: line}
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
