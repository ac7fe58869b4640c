package main

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
)

// builder builds the Kustomizations of one repository.
type builder struct {
	repository  *repository
	keys        *keyring
	results     *results
	scratch     string
	showSecrets bool
}

// build renders one Kustomization as kustomize-controller does: generate, decrypt, build, substitute. What an earlier run made of the same
// is as good.
func (b *builder) build(in *scope, r *buildRequest) json.RawMessage {
	run := newRun(b, in, r)
	err := run.begin()
	if err == nil {
		if known := run.cached(); known != nil {
			return known
		}
		err = run.render()
	}
	if err != nil {
		run.result.Objects, run.exports = nil, map[string]*exported{}
		run.result.Failure = run.explainer().explain(err)
	}
	run.finish()
	result, bodies := run.result.encode()
	run.store(result, bodies)
	return result
}

// run is one build on its way. Sources are where its variables come from, nil for what nothing rendered; keeps is what others may ask for.
type run struct {
	builder       *builder
	request       *buildRequest
	scope         *scope
	kustomization unstructured.Unstructured
	fingerprint   string // of the Kustomization
	sources       []*exported
	view          *view
	folder        string
	preparation   *preparation
	variables     *variables
	result        buildResult
	exports       map[string]*exported
	exportsOnly   bool // nobody wants the result
	key           string
}

func newRun(b *builder, in *scope, r *buildRequest) *run {
	return &run{builder: b, request: r, scope: in, exports: map[string]*exported{}}
}

// begin gathers everything that the build will depend on.
func (b *run) begin() error {
	object := b.request.Object
	if object == nil {
		export := b.scope.find(exportKey("Kustomization", b.request.Namespace, b.request.Name))
		if export == nil {
			return fmt.Errorf("nothing rendered the Kustomization %s/%s", b.request.Namespace, b.request.Name)
		}
		object = export.content().object
		if export.whole { // else its path, for one, may be a secret
			b.fingerprint = export.fingerprint
		}
	}
	b.kustomization = *(&unstructured.Unstructured{Object: object}).DeepCopy()
	keys, err := references(b.kustomization)
	if err != nil {
		return err
	}
	for _, key := range keys {
		b.sources = append(b.sources, b.scope.find(key))
	}
	source, err := b.builder.repository.source(b.request.Base, b.request.Artifact)
	var known *failure
	if errors.As(err, &known) {
		return err
	}
	if err != nil {
		return &failure{Kind: kindMissing, Message: fmt.Sprintf("the source's folder %s does not exist", b.request.Base)}
	}
	b.view = source.view()
	return b.builder.repository.mountAll(b.view, b.request.Remotes)
}

func (b *run) render() error {
	objects, wantsOrigins, err := b.assemble()
	if err != nil {
		return err
	}
	return b.complete(objects, wantsOrigins)
}

// assemble is what kustomize does: everything but decryption and variables. Says whether the Kustomization asks for origin annotations.
func (b *run) assemble() (resmap.ResMap, bool, error) {
	if err := b.enter(); err != nil {
		return nil, false, err
	}
	wantsOrigins, err := b.generate()
	if err != nil {
		return nil, false, err
	}
	b.preparation = newPreparation(b.view, b.builder.keys, b.decrypts())
	if err := b.preparation.visit(b.folder); err != nil {
		return nil, false, err
	}
	objects, err := kustomizeBuild(b.view, b.folder, b.preparation.schemas)
	return objects, wantsOrigins, err
}

func (b *run) text(fields ...string) string {
	value, _, _ := unstructured.NestedString(b.kustomization.Object, fields...)
	return value
}

func (b *run) decrypts() bool { return b.text("spec", "decryption", "provider") == "sops" }

// enter finds the Kustomization's folder; like Flux it does not let the path climb out of the source.
func (b *run) enter() error {
	name := b.text("spec", "path")
	shown, unknown := reveal(name)
	b.result.Directory = b.view.origin(path.Join(".", path.Clean("/" + shown)[1:]))
	if unknown {
		return &failure{Kind: kindUnknown, Message: fmt.Sprintf("the path %s depends on a variable that cannot be known here", shown)}
	}
	b.folder = path.Join(mount, path.Clean("/"+name))
	if !b.view.IsDir(b.folder) {
		return &failure{Kind: kindMissing, Message: fmt.Sprintf("the path %s does not exist", shown)}
	}
	return nil
}

// generate puts the effective kustomization.yaml before the one of the repository. Flux's generator wants to read from a disk, so it gets
// a folder with the one file that it reads. Says whether the Kustomization itself asks for origin annotations.
func (b *run) generate() (bool, error) {
	file, content := kustomizationFile(b.view, b.folder)
	if content == nil {
		made, err := generated(b.view, b.folder)
		if err != nil {
			return false, err
		}
		file, content = path.Join(b.folder, "kustomization.yaml"), made
	}
	scratch, err := os.MkdirTemp(b.builder.scratch, "build-")
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
	present := keep(components, func(name string) bool { return b.view.Exists(path.Join(b.folder, name)) })
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
func (b *run) explainer() *explainer {
	return &explainer{b.view, b.folder, b.builder.scratch, b.preparation, b.builder.repository.readFile}
}

// kind is that of the object that the build is for.
func (b *run) kind() string { return "Kustomization" }

// finish lists the files that the build read, whether it went well or not.
func (b *run) finish() {
	b.result.Files, b.result.Encrypted = []string{}, []string{}
	if b.preparation != nil {
		b.result.Remote = b.preparation.remote
	}
	if b.view == nil {
		return
	}
	for _, name := range b.view.files() {
		file := b.view.origin(name)
		b.result.Files = append(b.result.Files, file)
		if content, err := b.view.content(path.Join(mount, name)); err == nil && isEncryptedFile(path.Base(name), content) {
			b.result.Encrypted = append(b.result.Encrypted, file)
		}
	}
	slices.Sort(b.result.Files)
	slices.Sort(b.result.Encrypted)
}
