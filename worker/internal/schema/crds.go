package schema

import (
	"bytes"
	"encoding/json"
	"sync"

	yamlutil "k8s.io/apimachinery/pkg/util/yaml"

	"devloop.invalid/toolchain/worker/internal/kubernetes"
)

// crd is what matters here of a CustomResourceDefinition.
type crd struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Spec       struct {
		Group string `json:"group"`
		Names struct {
			Kind string `json:"kind"`
		} `json:"names"`
		Versions []crdVersion `json:"versions"`
	} `json:"spec"`
}

type crdVersion struct {
	Name       string `json:"name"`
	Served     bool   `json:"served"`
	Deprecated bool   `json:"deprecated"`
	Warning    string `json:"deprecationWarning"`
	Schema     struct {
		OpenAPI openAPI `json:"openAPIV3Schema"`
	} `json:"schema"`
}

// crdKind is one version of a kind that a CustomResourceDefinition brings; assumed when nothing in the environment renders that.
type crdKind struct {
	schema  *schema
	version crdVersion
	assumed bool
}

// crdKinds by what they are called; the schema of each is made ready when it is first asked for.
type crdKinds struct {
	mu    sync.Mutex
	known map[kubernetes.Kind]*crdKind
	names map[[2]string]bool // group and kind, true when assumed
	ready map[kubernetes.Kind]bool
}

func newCustomKinds() *crdKinds {
	return &crdKinds{known: map[kubernetes.Kind]*crdKind{}, names: map[[2]string]bool{}, ready: map[kubernetes.Kind]bool{}}
}

// add takes the kinds of a definition that are not known yet: the first that says what a kind is counts.
func (c *crdKinds) add(content []byte, assumed bool) {
	var definition crd
	if json.Unmarshal(content, &definition) != nil || definition.Kind != "CustomResourceDefinition" {
		return
	}
	kind := definition.Spec.Names.Kind
	name := [2]string{definition.Spec.Group, kind}
	if _, known := c.names[name]; known {
		return
	}
	c.names[name] = assumed
	for _, version := range definition.Spec.Versions {
		c.known[kubernetes.Kind{Group: definition.Spec.Group, Version: version.Name, Kind: kind}] = &crdKind{version.Schema.OpenAPI.schema, version, assumed}
	}
}

// addFrom takes what others know and these do not.
func (c *crdKinds) addFrom(others *crdKinds) {
	if others == nil {
		return
	}
	for kind, each := range others.known {
		if _, known := c.names[[2]string{kind.Group, kind.Kind}]; !known {
			c.known[kind] = each
		}
	}
	for name, assumed := range others.names {
		if _, known := c.names[name]; !known {
			c.names[name] = assumed
		}
	}
}

// find gives the kind, ready to check with; safe to call side by side.
func (c *crdKinds) find(wanted kubernetes.Kind) *crdKind {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.known[wanted]
	if found != nil && !c.ready[wanted] {
		c.ready[wanted] = true
		found.schema.compile()
		found.schema.asObject()
		if found.schema != nil && found.assumed {
			addOperatorKinds(wanted, found.schema)
		}
	}
	return found
}

// hasOther says whether the kind is there in whatever version, and whether its definition is assumed.
func (c *crdKinds) hasOther(wanted kubernetes.Kind) (there, assumed bool) {
	assumed, there = c.names[[2]string{wanted.Group, wanted.Kind}]
	return there, assumed
}

// asObject adds the fields that every object has, which definitions need not list; a definition may still limit metadata.name.
func (s *schema) asObject() {
	if s == nil {
		return
	}
	s.Embedded = true
	s.refuseNulls()
	if metadata := s.Properties["metadata"]; metadata != nil {
		metadata.Preserve, metadata.refusesNull = true, false
		for _, below := range metadata.below() {
			below.refusesNull = false
		}
	}
}

// addAll adds the definitions of a list in JSON, such as the toolchain keeps of Flux's own.
func (c *crdKinds) addAll(content []byte) {
	var all []json.RawMessage
	if json.Unmarshal(content, &all) != nil {
		return
	}
	for _, each := range all {
		c.add(each, true)
	}
}

var customMark = []byte("CustomResourceDefinition")

// addFile adds the definitions of a YAML file that nothing renders.
func (c *crdKinds) addFile(content []byte) {
	if !bytes.Contains(content, customMark) {
		return
	}
	documents := yamlutil.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
	for {
		var document json.RawMessage
		if documents.Decode(&document) != nil { // the end, or no YAML: a template, say
			return
		}
		c.add(document, false)
	}
}

// The kinds that the Flux operator adds to the definitions of Alerts and Receivers.
var operatorKinds = []any{"FluxInstance", "ResourceSet", "ResourceSetInputProvider"}

// addOperatorKinds adds them to Flux's own definitions.
func addOperatorKinds(kind kubernetes.Kind, s *schema) {
	list := map[string]string{"Alert": "eventSources", "Receiver": "resources"}[kind.Kind]
	if kind.Group != "notification.toolkit.fluxcd.io" || list == "" {
		return
	}
	for _, step := range []string{"spec", list} {
		if s = s.Properties[step]; s == nil {
			return
		}
	}
	if s.Items != nil && s.Items.Properties["kind"] != nil && len(s.Items.Properties["kind"].Enum) > 0 {
		s.Items.Properties["kind"].Enum = append(s.Items.Properties["kind"].Enum, operatorKinds...)
	}
}
