package main

import (
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
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	"sigs.k8s.io/yaml"
)

// session is one repository with the keys to its secrets, and what was built of it so far.
type session struct {
	root    string
	scratch string
	keys    *keyring
	mu      sync.Mutex
	trees   map[string]*tree
	scopes  map[string]*scope
}

func openSession(r *openRequest) (*session, error) {
	keys, err := newKeyring(r.Identities)
	if err != nil {
		return nil, err
	}
	return &session{root: r.Root, scratch: r.Scratch, keys: keys, trees: map[string]*tree{}, scopes: map[string]*scope{}}, nil
}

func (s *session) tree(base string) (*tree, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.trees[base]; known != nil {
		return known, nil
	}
	made, err := newTree(filepath.Join(s.root, base))
	if err == nil {
		s.trees[base] = made
	}
	return made, err
}

// scope is what one environment rendered.
func (s *session) scope(name string) *scope {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scopes[name] == nil {
		s.scopes[name] = newScope()
	}
	return s.scopes[name]
}

// readFile reads a file that a build named, relative to the root.
func (s *session) readFile(name string) ([]byte, error) {
	source, err := s.tree(".")
	if err != nil {
		return nil, err
	}
	return source.content(path.Join(mount, name))
}

// exist says which of the folders there are.
func (s *session) exist(folders []string) []bool {
	found := make([]bool, len(folders))
	for i, name := range folders {
		info, err := os.Stat(filepath.Join(s.root, name))
		found[i] = err == nil && info.IsDir()
	}
	return found
}

// build renders one Kustomization as kustomize-controller does: generate, decrypt, build, substitute.
func (s *session) build(r *buildRequest) buildResult {
	run := &run{session: s, request: r, scope: s.scope(r.Scope), result: buildResult{Objects: []builtObject{}}}
	if err := run.render(); err != nil {
		run.result.Objects = []builtObject{}
		run.result.Failure = run.explain(err)
	}
	run.finish()
	return run.result
}

// run is one build on its way.
type run struct {
	session       *session
	request       *buildRequest
	scope         *scope
	kustomization unstructured.Unstructured
	view          *view
	folder        string
	preparation   *preparation
	variables     *variables
	result        buildResult
}

func (b *run) render() error {
	object := b.request.Object
	if object == nil {
		if object = b.scope.kustomization(b.request.Namespace, b.request.Name); object == nil {
			return fmt.Errorf("nothing rendered the Kustomization %s/%s", b.request.Namespace, b.request.Name)
		}
	}
	b.kustomization = unstructured.Unstructured{Object: object}
	source, err := b.session.tree(b.request.Base)
	if err != nil {
		return &failure{Kind: "missing", Message: fmt.Sprintf("the source's folder %s does not exist", b.request.Base)}
	}
	b.view = source.view()
	if err := b.enter(); err != nil {
		return err
	}
	wantsOrigins, err := b.generate()
	if err != nil {
		return err
	}
	b.preparation = &preparation{view: b.view, keys: b.session.keys, decrypt: b.decrypts(), visited: map[string]bool{}}
	if err := b.preparation.visit(b.folder); err != nil {
		return err
	}
	objects, err := kustomizeBuild(b.view, b.folder, b.preparation.schemas)
	if err != nil {
		return err
	}
	return b.complete(objects, wantsOrigins)
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
	b.result.Directory = path.Join(b.request.Base, path.Clean("/" + shown)[1:])
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

func kustomizeBuild(fs filesys.FileSystem, folder string, ownSchemas bool) (resmap.ResMap, error) {
	loadSchemas()
	if ownSchemas {
		schemaUse.Lock()
		defer schemaUse.Unlock()
		defer func() { openapi.ResetOpenAPI(); openapi.Schema() }()
	} else {
		schemaUse.RLock()
		defer schemaUse.RUnlock()
	}
	options := &krusty.Options{LoadRestrictions: types.LoadRestrictionsNone, PluginConfig: types.DisabledPluginConfig()}
	return krusty.MakeKustomizer(options).Run(fs, folder)
}

// complete turns kustomize's objects into what Flux would apply, and remembers those that other builds ask for.
func (b *run) complete(objects resmap.ResMap, wantsOrigins bool) error {
	variables, err := b.scope.variables(b.kustomization, !b.request.Lenient)
	if err != nil {
		return err
	}
	b.variables = variables
	labels, _, _ := unstructured.NestedStringMap(b.kustomization.Object, "spec", "commonMetadata", "labels")
	annotations, _, _ := unstructured.NestedStringMap(b.kustomization.Object, "spec", "commonMetadata", "annotations")
	for _, res := range objects.Resources() {
		origin, err := b.origin(res, wantsOrigins)
		if err != nil {
			return err
		}
		if res.GetName() == "" || res.GetKind() == "" || res.GetApiVersion() == "" {
			return &failure{Kind: "build", Message: "an object without apiVersion, kind or name", Path: origin}
		}
		built, err := b.object(res, labels, annotations)
		if err != nil {
			named := asFailure(err)
			named.Path, named.Object = origin, objectName(res)
			return named
		}
		built.Origin = origin
		b.result.Objects = append(b.result.Objects, *built)
	}
	return nil
}

func objectName(res *resource.Resource) string {
	parts := []string{res.GetKind(), res.GetNamespace(), res.GetName()}
	return strings.Join(keep(parts, func(part string) bool { return part != "" }), "/")
}

// origin is the file that an object came from, or the one that its generator is configured in, relative to the root.
func (b *run) origin(res *resource.Resource, keepAnnotation bool) (string, error) {
	origin, err := res.GetOrigin()
	if err != nil || origin == nil {
		return "", err
	}
	if !keepAnnotation {
		if err := res.SetOrigin(nil); err != nil {
			return "", err
		}
	}
	file := origin.Path
	if file == "" {
		file = origin.ConfiguredIn
	}
	if file == "" || origin.Repo != "" {
		return "", nil
	}
	return b.fromRoot(path.Join(b.folder, file)), nil
}

// fromRoot turns a path below the mount into one relative to the root.
func (b *run) fromRoot(name string) string {
	relative, ok := within(name)
	if !ok {
		return ""
	}
	return path.Join(b.request.Base, relative)
}

func (b *run) object(res *resource.Resource, labels, annotations map[string]string) (*builtObject, error) {
	state, before, err := b.opened(res)
	if err != nil {
		return nil, err
	}
	shown, err := b.substituted(res)
	if err != nil {
		return nil, err
	}
	for _, each := range []*resource.Resource{res, shown} {
		if err := addMetadata(each, labels, annotations); err != nil {
			return nil, err
		}
	}
	if err := b.scope.keep(res, state, b.owner()); err != nil {
		return nil, err
	}
	body, unknown, err := b.mask(shown, before, state)
	return &builtObject{Body: body, Secret: state, Unknown: unknown}, err
}

// opened decrypts an object where there is something to decrypt; it gives the state and the object as it was before.
func (b *run) opened(res *resource.Resource) (string, map[string]any, error) {
	whole := !res.Field("sops").IsNilOrEmpty()
	if !whole && res.GetKind() != "Secret" {
		return "", nil, nil
	}
	before, err := res.Map()
	if err != nil {
		return "", nil, err
	}
	if !b.decrypts() || isDisabled(res.GetAnnotations(), "decrypt") {
		return map[bool]string{true: "sealed"}[whole], before, nil
	}
	state, err := b.session.keys.openResource(res)
	if err != nil {
		err = &failure{Kind: "decryption", Message: fmt.Sprintf("%s cannot be decrypted: %v", objectName(res), err)}
	}
	return state, before, err
}

// substituted puts variables into an object and gives the one to show, without the values of secrets.
func (b *run) substituted(res *resource.Resource) (*resource.Resource, error) {
	if !b.variables.secret() || !isKept(res) {
		return res, b.variables.substitute(res, b.variables.shown)
	}
	shown := res.DeepCopy()
	if err := b.variables.substitute(shown, b.variables.shown); err != nil {
		return nil, err
	}
	if b.variables.substitute(res, b.variables.known) != nil { // what it says may quote a secret
		message := fmt.Sprintf("%s is no YAML any more with the values of the secrets in it", objectName(res))
		return nil, &failure{Kind: "substitution", Message: message}
	}
	return shown, nil
}

func (b *run) owner() string { return b.kustomization.GetNamespace() + "/" + b.kustomization.GetName() }

func isDisabled(annotations map[string]string, what string) bool {
	return strings.EqualFold(annotations["kustomize.toolkit.fluxcd.io/"+what], "disabled")
}

func addMetadata(res *resource.Resource, labels, annotations map[string]string) error {
	if len(labels) > 0 {
		if err := res.SetLabels(merged(res.GetLabels(), labels)); err != nil {
			return err
		}
	}
	if len(annotations) > 0 {
		return res.SetAnnotations(merged(res.GetAnnotations(), annotations))
	}
	return nil
}

func merged(first, second map[string]string) map[string]string {
	all := map[string]string{}
	for _, each := range []map[string]string{first, second} {
		for key, value := range each {
			all[key] = value
		}
	}
	return all
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
		file := path.Join(b.request.Base, name)
		b.result.Files = append(b.result.Files, file)
		if content, err := b.view.content(path.Join(mount, name)); err == nil && isEncryptedFile(path.Base(name), content) {
			b.result.Encrypted = append(b.result.Encrypted, file)
		}
	}
}
