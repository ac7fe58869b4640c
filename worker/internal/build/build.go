// Package build builds Flux Kustomizations as kustomize-controller does.
package build

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"

	fluxkustomize "github.com/fluxcd/pkg/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"devloop.invalid/toolchain/worker/internal/cache"
	"devloop.invalid/toolchain/worker/internal/collect"
	"devloop.invalid/toolchain/worker/internal/diagnose"
	"devloop.invalid/toolchain/worker/internal/kustomize"
	"devloop.invalid/toolchain/worker/internal/mask"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/scope"
	"devloop.invalid/toolchain/worker/internal/sops"
	"devloop.invalid/toolchain/worker/internal/source"
)

// Builder builds the Kustomizations of one repository.
type Builder struct {
	Repository  *source.Repository
	Keys        *sops.Keyring
	Results     *cache.Results
	Scratch     string
	ShowSecrets bool
}

// Build renders one Kustomization as kustomize-controller does: generate, decrypt, build, substitute. What an earlier run made of the same
// is as good.
func (b *Builder) Build(in *scope.Scope, r *protocol.BuildRequest) json.RawMessage {
	run := newRun(b, in, r)
	err := run.gather()
	if err == nil {
		if known := run.cached(); known != nil {
			return known
		}
		err = run.render()
	}
	if err != nil {
		run.result.Objects, run.exports = nil, map[string]*scope.Export{}
		run.result.Failure = run.explainer().Explain(err)
	}
	run.listFiles()
	inputs := run.inputs()
	result, bodies := run.result.Encode()
	run.store(inputs, result, bodies)
	return result
}

// run is one build on its way. Sources are where its variables come from, nil for what nothing rendered; keeps is what others may ask for.
type run struct {
	builder       *Builder
	request       *protocol.BuildRequest
	scope         *scope.Scope
	kustomization unstructured.Unstructured
	fingerprint   string // of the Kustomization
	sources       []variableSource
	view          *source.View
	folder        string
	preparation   *kustomize.Preparation
	variables     *variables
	result        protocol.BuildResult
	exports       map[string]*scope.Export
	exportsOnly   bool // the result is not needed
	key           string
}

func newRun(b *Builder, in *scope.Scope, r *protocol.BuildRequest) *run {
	return &run{builder: b, request: r, scope: in, exports: map[string]*scope.Export{}}
}

// gather gathers everything that the build will depend on.
func (b *run) gather() error {
	object := b.request.Object
	if object == nil {
		export := b.scope.Find(scope.Key("Kustomization", b.request.Namespace, b.request.Name))
		if export == nil {
			return fmt.Errorf("nothing rendered the Kustomization %s/%s", b.request.Namespace, b.request.Name)
		}
		object = export.Content().Object
		if export.Whole { // else its path, for one, may be a secret
			b.fingerprint = export.Fingerprint
		}
	}
	b.kustomization = *(&unstructured.Unstructured{Object: object}).DeepCopy()
	named, err := references(b.kustomization)
	if err != nil {
		return err
	}
	for _, each := range named {
		b.sources = append(b.sources, variableSource{b.scope.Find(each.key), each.optional})
	}
	source, err := b.builder.Repository.Source(b.request.Base, b.request.Settings, b.request.Artifact)
	var known *protocol.Failure
	if errors.As(err, &known) {
		return err
	}
	if err != nil {
		return &protocol.Failure{Kind: protocol.KindMissing, Message: fmt.Sprintf("the source's folder %s does not exist", b.request.Base)}
	}
	b.view = source.View()
	return b.builder.Repository.MountAll(b.view, b.request.Remotes)
}

func (b *run) render() error {
	objects, wantsOrigins, err := b.assemble()
	if err != nil {
		return err
	}
	return b.finishObjects(objects, wantsOrigins)
}

// assemble is what kustomize does: everything but decryption and variables. Says whether the Kustomization asks for origin annotations.
func (b *run) assemble() (resmap.ResMap, bool, error) {
	if err := b.findFolder(); err != nil {
		return nil, false, err
	}
	wantsOrigins, err := b.generate()
	if err != nil {
		return nil, false, err
	}
	b.preparation = kustomize.NewPreparation(b.view, b.builder.Keys, b.decrypts())
	if err := b.preparation.Visit(b.folder); err != nil {
		return nil, false, err
	}
	objects, err := kustomize.Build(b.view, b.folder, b.preparation.Schemas)
	return objects, wantsOrigins, err
}

func (b *run) text(fields ...string) string {
	value, _, _ := unstructured.NestedString(b.kustomization.Object, fields...)
	return value
}

func (b *run) decrypts() bool { return b.text("spec", "decryption", "provider") == "sops" }

// findFolder finds the Kustomization's folder; like Flux it does not let the path climb out of the source.
func (b *run) findFolder() error {
	name := b.text("spec", "path")
	shown, unknown := mask.Reveal(name)
	b.result.Directory = b.view.Origin(path.Join(".", path.Clean("/" + shown)[1:]))
	if unknown {
		return &protocol.Failure{Kind: protocol.KindUnknown, Message: fmt.Sprintf("the path %s depends on a variable that cannot be known here", shown)}
	}
	b.folder = path.Join(source.Mount, path.Clean("/"+name))
	if b.view.IsDir(b.folder) {
		return nil
	}
	return b.view.Missing(b.folder, "the path "+shown)
}

// generate puts the effective kustomization.yaml before the one of the repository. Flux's generator wants to read from a disk, so it gets
// a folder with the one file that it reads. Says whether the Kustomization itself asks for origin annotations.
func (b *run) generate() (bool, error) {
	file, content := kustomize.ReadFile(b.view, b.folder)
	if content == nil {
		made, err := kustomize.GenerateFile(b.view, b.folder)
		if err != nil {
			return false, err
		}
		file, content = path.Join(b.folder, "kustomization.yaml"), made
	}
	scratch, err := os.MkdirTemp(b.builder.Scratch, "build-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(scratch)
	if err := os.WriteFile(filepath.Join(scratch, path.Base(file)), content, 0o600); err != nil {
		return false, err
	}
	manifest, _, _, err := fluxkustomize.NewGenerator("", b.forGenerator()).GenerateManifest(scratch)
	if err != nil {
		return false, err
	}
	manifest, wantsOrigins, err := withOrigins(manifest)
	if err != nil {
		return false, err
	}
	return wantsOrigins, b.view.WriteFile(file, manifest)
}

// forGenerator leaves out missing components that may be missing: the generator would look for them on its disk.
func (b *run) forGenerator() unstructured.Unstructured {
	if ignore, _, _ := unstructured.NestedBool(b.kustomization.Object, "spec", "ignoreMissingComponents"); !ignore {
		return b.kustomization
	}
	object := b.kustomization.DeepCopy()
	components, _, _ := unstructured.NestedStringSlice(object.Object, "spec", "components")
	present := collect.Filter(components, func(name string) bool { return b.view.Exists(path.Join(b.folder, name)) })
	_ = unstructured.SetNestedStringSlice(object.Object, present, "spec", "components")
	unstructured.RemoveNestedField(object.Object, "spec", "ignoreMissingComponents")
	return *object
}

func withOrigins(manifest []byte) ([]byte, bool, error) {
	var k types.Kustomization
	if err := yaml.Unmarshal(manifest, &k); err != nil {
		return nil, false, err
	}
	if slices.Contains(k.BuildMetadata, types.OriginAnnotations) {
		return manifest, true, nil
	}
	k.BuildMetadata = append(k.BuildMetadata, types.OriginAnnotations)
	manifest, err := yaml.Marshal(k)
	return manifest, false, err
}

// explainer explains what goes wrong from here on.
func (b *run) explainer() *diagnose.Explainer {
	return &diagnose.Explainer{View: b.view, Folder: b.folder, Scratch: b.builder.Scratch, Preparation: b.preparation, ReadFile: b.builder.Repository.ReadFile}
}

// Kind is that of the object that the build is for.
func (b *run) Kind() string { return "Kustomization" }

// listFiles lists the files that the build read, whether it went well or not.
func (b *run) listFiles() {
	b.result.Files, b.result.Encrypted = []string{}, []string{}
	if b.preparation != nil {
		b.result.Remote = b.preparation.Remote
	}
	if b.view == nil {
		return
	}
	for _, name := range b.view.Files() {
		file := b.view.Origin(name)
		b.result.Files = append(b.result.Files, file)
		if content, err := b.view.Content(path.Join(source.Mount, name)); err == nil && sops.IsEncryptedFile(path.Base(name), content) {
			b.result.Encrypted = append(b.result.Encrypted, file)
		}
	}
	slices.Sort(b.result.Files)
	slices.Sort(b.result.Encrypted)
}
