// Package scope holds what one environment rendered: the objects, and what later builds need of them.
package scope

import (
	"encoding/json"
	"strings"
	"sync"

	kubejson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/kustomize/api/resource"

	"devloop.invalid/toolchain/worker/internal/mask"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/sops"
)

// Scope is what one environment renders, and the part of it that other builds need: sources of variables and of values, with the values of
// secrets, and Kustomizations. None of that leaves the process.
type Scope struct {
	mu         sync.Mutex
	exports    map[string]*Export
	renderings map[string]*Rendering
}

// Export: owner is the Kustomization that rendered it. Of two owners the first in the alphabet counts, whichever was built first. Fingerprint
// changes with the content; it is "" where nothing that is stored may depend on it.
type Export struct {
	Owner       string
	Secret      bool
	Whole       bool // the answer shows all of it
	Fingerprint string
	Index       int // among the objects of its build
	Content     func() Content
}

type Content struct {
	Values map[string]string
	Object map[string]any
}

// New is a scope in which nothing was rendered yet.
func New() *Scope {
	return &Scope{exports: map[string]*Export{}, renderings: map[string]*Rendering{}}
}

// Key names an export.
func Key(kind, namespace, name string) string { return kind + "/" + namespace + "/" + name }

// IsExported says whether other builds may need the object.
func IsExported(res *resource.Resource) bool {
	switch res.GetKind() {
	case "ConfigMap", "Secret":
		return res.GetApiVersion() == "v1"
	case "Kustomization":
		return strings.HasPrefix(res.GetApiVersion(), "kustomize.toolkit.fluxcd.io/")
	case "HelmChart":
		return strings.HasPrefix(res.GetApiVersion(), "source.toolkit.fluxcd.io/")
	case "HelmRelease":
		return strings.HasPrefix(res.GetApiVersion(), "helm.toolkit.fluxcd.io/")
	}
	return false
}

// KeyOf is the key of an object.
func KeyOf(res *resource.Resource) string {
	namespace := res.GetNamespace()
	if namespace == "" {
		namespace = "default"
	}
	return Key(res.GetKind(), namespace, res.GetName())
}

// Find gives the export with a key, nil where nothing rendered it.
func (s *Scope) Find(key string) *Export {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.exports[key]
}

// AddExports adds what a build exports.
func (s *Scope) AddExports(found map[string]*Export) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, object := range found {
		if known := s.exports[key]; known == nil || known.Owner >= object.Owner {
			s.exports[key] = object
		}
	}
}

// PlainContent decodes an object that the answer shows in full.
func PlainContent(body json.RawMessage) func() Content {
	return sync.OnceValue(func() Content {
		var object map[string]any
		_ = kubejson.Unmarshal(body, &object)
		return Content{ValuesOf(object, ""), object}
	})
}

// ValuesOf are the variables that a ConfigMap or a Secret defines; what is still encrypted is unknown.
func ValuesOf(object map[string]any, state protocol.SecretState) map[string]string {
	found := map[string]string{}
	for _, field := range []string{"data", "stringData"} {
		data, _ := object[field].(map[string]any)
		for key, value := range data {
			text, isText := value.(string)
			if !isText {
				continue
			}
			if field == "data" && object["kind"] == "Secret" {
				text = mask.Base64Text(text)
			}
			if state == protocol.SecretEncrypted && sops.LooksSealed(text) {
				text = mask.Hide(key)
			}
			found[key] = strings.ReplaceAll(text, "\n", "")
		}
	}
	return found
}

// OrEmpty is the content; that of a nil export is empty.
func (k *Export) OrEmpty() Content {
	if k == nil {
		return Content{}
	}
	return k.Content()
}
