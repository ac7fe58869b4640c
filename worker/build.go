package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/fluxcd/pkg/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	"sigs.k8s.io/yaml"
)

// build renders one Kustomization as kustomize-controller does: generate, decrypt, build, substitute. What an earlier run made of the same
// is as good.
func (s *session) build(r *buildRequest) json.RawMessage {
	run := newRun(s, r)
	err := run.begin()
	if err == nil {
		if known := run.recall(); known != nil {
			return known
		}
		err = run.render()
	}
	if err != nil {
		run.result.Objects, run.keeps = nil, map[string]*keptObject{}
		run.result.Failure = run.explain(err)
	}
	run.finish()
	result, bodies := run.result.encode()
	run.store(result, bodies)
	return result
}

// run is one build on its way. Sources are where its variables come from, nil for what nothing rendered; keeps is what others may ask for.
type run struct {
	session       *session
	request       *buildRequest
	scope         *scope
	kustomization unstructured.Unstructured
	print         string // of the Kustomization
	sources       []*keptObject
	view          *view
	folder        string
	preparation   *preparation
	variables     *variables
	result        buildResult
	keeps         map[string]*keptObject
	keepsOnly     bool // nobody wants the result
	key           string
}

func newRun(s *session, r *buildRequest) *run {
	return &run{session: s, request: r, scope: s.scope(r.Scope), keeps: map[string]*keptObject{}}
}

// begin gathers everything that the build will depend on.
func (b *run) begin() error {
	object := b.request.Object
	if object == nil {
		kept := b.scope.find(keptKey("Kustomization", b.request.Namespace, b.request.Name))
		if kept == nil {
			return fmt.Errorf("nothing rendered the Kustomization %s/%s", b.request.Namespace, b.request.Name)
		}
		object = kept.content().object
		if kept.whole { // else its path, for one, may be a secret
			b.print = kept.print
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
	source, err := b.session.source(b.request)
	var known *failure
	if errors.As(err, &known) {
		return err
	}
	if err != nil {
		return &failure{Kind: "missing", Message: fmt.Sprintf("the source's folder %s does not exist", b.request.Base)}
	}
	b.view = source.view()
	return b.session.mountAll(b.view, b.request.Remotes)
}

func (b *run) render() error {
	objects, wantsOrigins, err := b.assemble()
	if err != nil {
		return err
	}
	return b.complete(objects, wantsOrigins)
}

// repeat is the same build, from the same sources of variables, about to begin once more.
func (b *run) repeat() *run {
	again := newRun(b.session, b.request)
	again.kustomization, again.sources, again.view = b.kustomization, b.sources, b.view.tree.view()
	_ = b.session.mountAll(again.view, b.request.Remotes)
	return again
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
	b.preparation = &preparation{view: b.view, keys: b.session.keys, decrypt: b.decrypts(), visited: map[string]bool{}}
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
		return &failure{Kind: "unknown", Message: fmt.Sprintf("the path %s depends on a variable that cannot be known here", shown)}
	}
	b.folder = path.Join(mount, path.Clean("/"+name))
	if found := b.view.entry(b.folder); found.err != nil || !found.info.IsDir() {
		return &failure{Kind: "missing", Message: fmt.Sprintf("the path %s does not exist", shown)}
	}
	return nil
}

// generate puts the effective kustomization.yaml before the one of the repository. Flux's generator wants to read from a disk, so it gets
// a folder with the one file that it reads. Says whether the Kustomization itself asks for origin annotations.
func (b *run) generate() (bool, error) {
	prepared := preparation{view: b.view}
	file, content := prepared.kustomizationFile(b.folder)
	if content == nil {
		made, err := generated(b.view, b.folder)
		if err != nil {
			return false, err
		}
		file, content = path.Join(b.folder, "kustomization.yaml"), made
	}
	scratch, err := os.MkdirTemp(b.session.scratch, "build-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(scratch)
	if err := os.WriteFile(filepath.Join(scratch, path.Base(file)), content, 0o600); err != nil {
		return false, err
	}
	manifest, _, _, err := kustomize.NewGenerator("", b.forGenerator()).GenerateManifest(scratch)
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

// kustomize keeps one schema for all builds of a process. Builds that bring their own run alone and leave the usual one behind.
var schemaUse sync.RWMutex

var loadSchemas = sync.OnceFunc(func() { openapi.Schema() })

func kustomizeBuild(fs filesys.FileSystem, folder string, ownSchemas bool) (objects resmap.ResMap, err error) {
	loadSchemas()
	if ownSchemas {
		schemaUse.Lock()
		defer schemaUse.Unlock()
		defer func() { openapi.ResetOpenAPI(); openapi.Schema() }()
	} else {
		schemaUse.RLock()
		defer schemaUse.RUnlock()
	}
	defer survive(&err)
	options := &krusty.Options{LoadRestrictions: types.LoadRestrictionsNone, PluginConfig: types.DisabledPluginConfig()}
	return krusty.MakeKustomizer(options).Run(fs, folder)
}

// survive makes an error of a panic of kustomize: causes.go says it in plain words, and at its kustomization file.
func survive(err *error) {
	where := panicLine()
	switch panicked := recover(); {
	case panicked == nil:
	case strings.Contains(where, "/kyaml/openapi."):
		*err = errors.New("panicked at a schema")
	default:
		*err = errors.New("panicked" + where + panicCause(panicked))
	}
}

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
