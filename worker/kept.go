package main

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/api/resource"
)

// scope is what one environment renders, and the part of it that other builds need: sources of variables and of values, with the values of
// secrets, and Kustomizations. None of that leaves the process.
type scope struct {
	mu         sync.Mutex
	kept       map[string]*keptObject
	renderings map[string]*rendering
}

// keptObject: owner is the Kustomization that rendered it. Of two owners the first in the alphabet counts, whichever was built first. Print
// changes with the content; it is ” where nothing that is stored may depend on it.
type keptObject struct {
	owner   string
	secret  bool
	whole   bool // the answer shows all of it
	print   string
	index   int // among the objects of its build
	content func() keptContent
}

type keptContent struct {
	values map[string]string
	object map[string]any
}

func newScope() *scope {
	return &scope{kept: map[string]*keptObject{}, renderings: map[string]*rendering{}}
}

func keptKey(kind, namespace, name string) string { return kind + "/" + namespace + "/" + name }

func isKept(res *resource.Resource) bool {
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

func keyOf(res *resource.Resource) string {
	namespace := res.GetNamespace()
	if namespace == "" {
		namespace = "default"
	}
	return keptKey(res.GetKind(), namespace, res.GetName())
}

func (s *scope) find(key string) *keptObject {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept[key]
}

func (s *scope) keep(found map[string]*keptObject) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, object := range found {
		if known := s.kept[key]; known == nil || known.owner >= object.owner {
			s.kept[key] = object
		}
	}
}

// keep notes an object for other builds; shown is how the answer shows it. Where that is the whole truth, it is enough.
func (b *run) keep(res *resource.Resource, shown *builtObject) error {
	if !isKept(res) {
		return nil
	}
	object := &keptObject{owner: b.owner(), index: len(b.result.Objects)}
	object.secret = shown.Secret != "" || res.GetKind() == "Secret"
	b.keeps[keyOf(res)] = object
	if !object.secret && len(shown.Unknown) == 0 {
		object.whole, object.print = true, digest(string(shown.Body))
		object.content = plainContent(shown.Body)
		return nil
	}
	text, err := res.MarshalJSON() // its own map has numbers that Kubernetes cannot copy
	if err != nil {
		return err
	}
	var body map[string]any
	if err := decodeJSON(text, &body); err != nil {
		return err
	}
	content := keptContent{values(body, shown.Secret), body}
	object.content = func() keptContent { return content }
	return nil
}

func plainContent(body json.RawMessage) func() keptContent {
	return sync.OnceValue(func() keptContent {
		var object map[string]any
		_ = decodeJSON(body, &object)
		return keptContent{values(object, ""), object}
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

func decoded(text string) string {
	if plain, err := base64.StdEncoding.DecodeString(text); err == nil {
		return string(plain)
	}
	return text
}

func looksSealed(text string) bool { return strings.Contains(text, string(encryptedMark)) }
