package main

import (
	"encoding/json"
	"strings"
	"sync"

	kubejson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/kustomize/api/resource"
)

// scope is what one environment renders, and the part of it that other builds need: sources of variables and of values, with the values of
// secrets, and Kustomizations. None of that leaves the process.
type scope struct {
	mu         sync.Mutex
	exports    map[string]*exported
	renderings map[string]*rendering
}

// exported: owner is the Kustomization that rendered it. Of two owners the first in the alphabet counts, whichever was built first. Fingerprint
// changes with the content; it is "" where nothing that is stored may depend on it.
type exported struct {
	owner       string
	secret      bool
	whole       bool // the answer shows all of it
	fingerprint string
	index       int // among the objects of its build
	content     func() exportContent
}

type exportContent struct {
	values map[string]string
	object map[string]any
}

func newScope() *scope {
	return &scope{exports: map[string]*exported{}, renderings: map[string]*rendering{}}
}

func exportKey(kind, namespace, name string) string { return kind + "/" + namespace + "/" + name }

func isExported(res *resource.Resource) bool {
	switch res.GetKind() {
	case "ConfigMap", "Secret":
		return res.GetApiVersion() == "v1"
	case "Kustomization":
		return strings.HasPrefix(res.GetApiVersion(), "kustomize.toolkit.fluxcd.io/")
	case "HelmRelease":
		return strings.HasPrefix(res.GetApiVersion(), "helm.toolkit.fluxcd.io/")
	}
	return false
}

func exportKeyOf(res *resource.Resource) string {
	namespace := res.GetNamespace()
	if namespace == "" {
		namespace = "default"
	}
	return exportKey(res.GetKind(), namespace, res.GetName())
}

func (s *scope) find(key string) *exported {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.exports[key]
}

func (s *scope) keep(found map[string]*exported) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, object := range found {
		if known := s.exports[key]; known == nil || known.owner >= object.owner {
			s.exports[key] = object
		}
	}
}

func plainContent(body json.RawMessage) func() exportContent {
	return sync.OnceValue(func() exportContent {
		var object map[string]any
		_ = kubejson.Unmarshal(body, &object)
		return exportContent{values(object, ""), object}
	})
}

// values are the variables that a ConfigMap or a Secret defines; what is still encrypted is unknown.
func values(object map[string]any, state string) map[string]string {
	found := map[string]string{}
	for _, field := range []string{"data", "stringData"} {
		data, _ := object[field].(map[string]any)
		for key, value := range data {
			text, isText := value.(string)
			if !isText {
				continue
			}
			if field == "data" && object["kind"] == "Secret" {
				text = decoded(text)
			}
			if state == "sealed" && looksSealed(text) {
				text = hide(key)
			}
			found[key] = strings.ReplaceAll(text, "\n", "")
		}
	}
	return found
}

func (k *exported) orEmpty() exportContent {
	if k == nil {
		return exportContent{}
	}
	return k.content()
}
