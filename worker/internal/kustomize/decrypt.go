package kustomize

import (
	"path"
	"slices"

	"github.com/getsops/sops/v3/cmd/sops/formats"
	"sigs.k8s.io/kustomize/api/types"

	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/sops"
	"devloop.invalid/toolchain/worker/internal/source"
)

// openSources decrypts what goes into Secrets and patches by way of files, in memory.
func (p *Preparation) openSources(folder string, k *types.Kustomization) error {
	for _, generator := range k.SecretGenerator {
		for _, item := range generator.FileSources {
			key, file := keyAndFile(item)
			if err := p.openFile(path.Join(folder, file), sops.FormatFor(key)); err != nil {
				return err
			}
		}
		for _, file := range slices.Concat(generator.EnvSources, []string{generator.EnvSource}) {
			format := sops.FormatFor(file)
			if format == formats.Binary {
				format = formats.Dotenv
			}
			if err := p.openFile(path.Join(folder, file), format); err != nil {
				return err
			}
		}
	}
	for _, patch := range k.Patches {
		if err := p.openFile(path.Join(folder, patch.Path), sops.FormatFor(patch.Path)); err != nil {
			return err
		}
	}
	return nil
}

// openFile replaces an encrypted file by its content, where there is a key. A file that cannot be opened stays as it is, as does a remote one.
func (p *Preparation) openFile(file string, format formats.Format) error {
	if source.RemoteRoot(file) != "" {
		return nil
	}
	content, err := p.view.ReadOriginal(file)
	if err != nil || !sops.LooksEncrypted(content) {
		return nil // a missing file is for kustomize to report
	}
	plain, branches, err := p.keys.DecryptDocument(content, format)
	if sops.IsSealed(err) {
		return nil
	}
	if err != nil {
		return &protocol.Failure{Kind: protocol.KindDecryption, Message: err.Error(), Path: p.view.ShownPath(file)}
	}
	p.Secrets.AddOpened(content, plain, branches, format)
	return p.view.WriteFile(file, plain)
}
