package build

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"sort"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"

	"devloop.invalid/toolchain/worker/internal/collect"
	"devloop.invalid/toolchain/worker/internal/mask"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/scope"
	"devloop.invalid/toolchain/worker/internal/sops"
)

// finishObjects turns kustomize's objects into what Flux would apply, and remembers those that other builds ask for.
func (b *run) finishObjects(objects resmap.ResMap, wantsOrigins bool) error {
	variables, err := variablesOf(b.kustomization, b.sources, !b.request.Lenient)
	if err != nil {
		return err
	}
	b.variables = variables
	labels, _, _ := unstructured.NestedStringMap(b.kustomization.Object, "spec", "commonMetadata", "labels")
	annotations, _, _ := unstructured.NestedStringMap(b.kustomization.Object, "spec", "commonMetadata", "annotations")
	for _, res := range objects.Resources() {
		if b.exportsOnly && !scope.IsExported(res) {
			continue
		}
		origin, line, err := b.origin(res, wantsOrigins)
		if err != nil {
			return err
		}
		if res.GetName() == "" || res.GetKind() == "" || res.GetApiVersion() == "" {
			return &protocol.Failure{Kind: protocol.KindBuild, Message: "an object without apiVersion, kind or name", Path: origin}
		}
		built, err := b.object(res, labels, annotations)
		if err != nil {
			return b.explainer().ExplainObject(err, objectName(res), origin)
		}
		if built.Secret == protocol.SecretEncrypted && isSealed(res) {
			continue
		}
		if protocol.IsTooDeep(built.Body) {
			return protocol.TooDeep(objectName(res), origin)
		}
		if b.result.Failure == nil && variables.undefined != nil {
			explainer := b.explainer()
			b.result.Failure = explainer.Explain(explainer.ExplainObject(variables.undefined, objectName(res), origin))
		}
		built.Origin, built.Line = origin, line
		b.result.Objects = append(b.result.Objects, *built)
	}
	return nil
}

// isSealed says whether the kind or the name of an object is encrypted: then it is not known here which object it is, but Flux knows.
func isSealed(res *resource.Resource) bool {
	return sops.LooksSealed(res.GetApiVersion()) || sops.LooksSealed(res.GetKind()) || sops.LooksSealed(res.GetName()) || sops.LooksSealed(res.GetNamespace())
}

func objectName(res *resource.Resource) string {
	parts := []string{res.GetKind(), res.GetNamespace(), res.GetName()}
	return strings.Join(collect.Filter(parts, func(part string) bool { return part != "" }), "/")
}

// origin is the file that an object came from, or the one that its generator is configured in, relative to the root; of a remote object, the
// file and the line that name what it came from.
func (b *run) origin(res *resource.Resource, keepAnnotation bool) (string, int, error) {
	origin, err := res.GetOrigin()
	if err != nil || origin == nil {
		return "", 0, err
	}
	if !keepAnnotation {
		if err := res.SetOrigin(nil); err != nil {
			return "", 0, err
		}
	}
	file := origin.Path
	if file == "" {
		file = origin.ConfiguredIn
	}
	if file == "" || origin.Repo != "" {
		return "", 0, nil
	}
	file = path.Join(b.folder, file)
	if by := b.view.NamedBy(file); by != nil {
		return by.Path, by.Line, nil
	}
	return b.view.RepositoryPath(file), 0, nil
}

func (b *run) object(res *resource.Resource, labels, annotations map[string]string) (*protocol.BuiltObject, error) {
	state, before, err := b.decrypt(res)
	if err != nil {
		return nil, err
	}
	shown, err := b.substitute(res)
	if err != nil {
		return nil, err
	}
	for _, each := range []*resource.Resource{res, shown} {
		if err := addMetadata(each, labels, annotations); err != nil {
			return nil, err
		}
	}
	body, unknown, err := b.mask(shown, before, state)
	if err != nil {
		return nil, err
	}
	built := &protocol.BuiltObject{Body: body, Secret: state, Unknown: unknown}
	return built, b.export(res, built)
}

// decrypt decrypts an object where there is something to decrypt; it gives the state and the object as it was before.
func (b *run) decrypt(res *resource.Resource) (protocol.SecretState, map[string]any, error) {
	whole := sops.IsEncrypted(res)
	if !whole && res.GetKind() != "Secret" {
		return "", nil, nil
	}
	before, err := res.Map()
	if err != nil {
		return "", nil, err
	}
	if !b.decrypts() || isDisabled(res.GetAnnotations(), "decrypt") {
		if whole {
			return protocol.SecretEncrypted, before, nil
		}
		return "", before, nil
	}
	state, err := b.builder.Keys.DecryptObject(res)
	if err != nil {
		err = &protocol.Failure{Kind: protocol.KindDecryption, Message: fmt.Sprintf("%s cannot be decrypted: %v", objectName(res), err)}
	}
	return state, before, err
}

// substitute puts variables into an object and gives the one to show, without the values of secrets.
func (b *run) substitute(res *resource.Resource) (*resource.Resource, error) {
	if b.builder.ShowSecrets {
		return res, b.variables.substitute(res, b.variables.known)
	}
	if !b.variables.secret() || !scope.IsExported(res) {
		return res, b.variables.substitute(res, b.variables.shown)
	}
	shown := res.DeepCopy()
	if err := b.variables.substitute(shown, b.variables.shown); err != nil {
		return nil, err
	}
	if b.variables.substitute(res, b.variables.known) != nil { // what it says may quote a secret
		message := fmt.Sprintf("%s is no YAML any more with the values of the secrets in it", objectName(res))
		return nil, &protocol.Failure{Kind: protocol.KindSubstitution, Message: message}
	}
	return shown, nil
}

func (b *run) owner() string { return b.request.Namespace + "/" + b.request.Name }

func isDisabled(annotations map[string]string, what string) bool {
	return strings.EqualFold(annotations["kustomize.toolkit.fluxcd.io/"+what], "disabled")
}

func addMetadata(res *resource.Resource, labels, annotations map[string]string) error {
	if len(labels) > 0 {
		if err := res.SetLabels(collect.MergeStrings(res.GetLabels(), labels)); err != nil {
			return err
		}
	}
	if len(annotations) > 0 {
		return res.SetAnnotations(collect.MergeStrings(res.GetAnnotations(), annotations))
	}
	return nil
}

// withoutIdentity leaves out the fields that identify an object: Flux shows them, encrypted or not.
func withoutIdentity(before map[string]any) map[string]any {
	rest := maps.Clone(before)
	for _, key := range []string{"apiVersion", "kind", "type", "immutable"} {
		delete(rest, key)
	}
	if metadata, ok := rest["metadata"].(map[string]any); ok {
		metadata = maps.Clone(metadata)
		delete(metadata, "name")
		delete(metadata, "namespace")
		rest["metadata"] = metadata
	}
	return rest
}

// mask gives the object as JSON without secret values; before is the object as it was before decryption.
func (b *run) mask(res *resource.Resource, before map[string]any, state protocol.SecretState) (json.RawMessage, []string, error) {
	content, err := res.MarshalJSON()
	if err != nil {
		return nil, nil, err
	}
	if err := survivesYAML(res, content); err != nil {
		return nil, nil, err
	}
	if state == "" && len(b.preparation.Secrets) == 0 && !bytes.ContainsFunc(content, mask.IsHidden) {
		return bytes.TrimSpace(content), nil, nil
	}
	var object map[string]any
	if err := json.Unmarshal(content, &object); err != nil {
		return nil, nil, err
	}
	if state != "" {
		delete(object, "sops")
	}
	m := &mask.Masker{IsSecret: res.GetKind() == "Secret", Secrets: b.preparation.Secrets}
	before = withoutIdentity(before)
	if b.builder.ShowSecrets {
		m.Secrets, before = nil, nil
	}
	shown := m.Value("", object, before)
	sort.Strings(m.Unknown)
	content, err = json.Marshal(shown)
	return content, m.Unknown, err
}
