// Package kustomize reads kustomization files and runs kustomize as Flux does.
package kustomize

//lint:file-ignore SA1019 repositories still use the deprecated fields of kustomization files

import (
	"path"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"devloop.invalid/toolchain/worker/internal/mask"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/sops"
	"devloop.invalid/toolchain/worker/internal/source"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

// Preparation goes through the kustomization files of one build before kustomize does: it leaves out what is remote and was not fetched, opens the encrypted
// files that generators and patches take in, as kustomize-controller does, and notes what the build must know.
type Preparation struct {
	view    *source.View
	keys    *sops.Keyring
	decrypt bool
	visited map[string]bool
	Remote  []protocol.RemoteName
	problem *protocol.Failure // of what was fetched
	Secrets mask.Secrets
	Schemas bool
}

// NewPreparation prepares the kustomization files of a view; without decrypt the keys are not used.
func NewPreparation(v *source.View, keys *sops.Keyring, decrypt bool) *Preparation {
	return &Preparation{view: v, keys: keys, decrypt: decrypt, visited: map[string]bool{}}
}

// Visit prepares a folder and every folder that it includes.
func (p *Preparation) Visit(folder string) error {
	if p.visited[folder] {
		return nil
	}
	p.visited[folder] = true
	file, content := ReadFile(p.view, folder)
	if content == nil {
		return nil
	}
	var kustomization types.Kustomization
	if yaml.Unmarshal(content, &kustomization) != nil {
		return nil // kustomize says it better
	}
	if found := p.patchWithoutTarget(file, content, &kustomization); found != nil {
		return found
	}
	p.Schemas = p.Schemas || len(kustomization.OpenAPI) > 0
	if err := p.checkRemoteReads(folder, &kustomization); err != nil {
		return err
	}
	if p.replaceRemotes(folder, &kustomization) {
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
	for _, item := range namedFiles(&kustomization) {
		if err := p.check(folder, file, item); err != nil {
			return err
		}
	}
	return nil
}

// patchWithoutTarget finds what kustomize would panic at.
func (p *Preparation) patchWithoutTarget(file string, content []byte, k *types.Kustomization) *protocol.Failure {
	for _, patch := range k.PatchesJson6902 {
		if patch.Target == nil {
			relative, _ := source.Within(file)
			line := yamldoc.LineOfWord(content, "patchesJson6902")
			message := "a patch of patchesJson6902 has no target"
			return &protocol.Failure{Kind: protocol.KindBuild, Message: message, Hint: "say which object it is for", Path: p.view.Origin(relative), Line: line}
		}
	}
	return nil
}

// Below this many bytes a file cannot have enough keys to be slow.
const largeFile = 16 << 10

// check refuses what kustomize would not survive: in a file, in an inline text of the kustomization file, or in all of a folder.
func (p *Preparation) check(folder, file, item string) error {
	if strings.Contains(item, "\n") {
		if found := p.yamlProblem(file, []byte(item)); found != nil {
			found.Line = 0 // which would count from the start of the text
			return found
		}
		return nil
	}
	name := path.Join(folder, item)
	if p.view.IsDir(name) {
		return p.Visit(name)
	}
	if content, err := p.view.Content(name); err == nil {
		if found := p.yamlProblem(name, content); found != nil {
			return found
		}
	}
	return nil
}

func (p *Preparation) yamlProblem(name string, content []byte) *protocol.Failure {
	if found := yamldoc.AliasProblem(p.view.ShownPath(name), content); found != nil {
		return found
	}
	// The library compares each key with each other one and has an error for every pair: thousands of them fill the memory.
	if len(content) > largeFile {
		return yamldoc.DuplicateKey(p.view.ShownPath(name), content)
	}
	return nil
}
