package main

import (
	"path"
	"strings"

	"github.com/getsops/sops/v3/cmd/sops/formats"
	"sigs.k8s.io/kustomize/api/types"
)

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
		return &failure{Kind: kindDecryption, Message: err.Error(), Path: p.view.shown(file)}
	}
	p.secrets.addOpened(content, plain, branches, format)
	return p.view.WriteFile(file, plain)
}
