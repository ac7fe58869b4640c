package main

import (
	"bytes"
	"encoding/json"
	"sync"

	yamlutil "k8s.io/apimachinery/pkg/util/yaml"
)

// customDefinition is what matters here of a CustomResourceDefinition.
type customDefinition struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Spec       struct {
		Group string `json:"group"`
		Names struct {
			Kind string `json:"kind"`
		} `json:"names"`
		Versions []customVersion `json:"versions"`
	} `json:"spec"`
}

type customVersion struct {
	Name       string `json:"name"`
	Served     bool   `json:"served"`
	Deprecated bool   `json:"deprecated"`
	Warning    string `json:"deprecationWarning"`
	Schema     struct {
		OpenAPI *shape `json:"openAPIV3Schema"`
	} `json:"schema"`
}

// customKind is one version of a kind that a CustomResourceDefinition brings; assumed when nothing in the environment renders that.
type customKind struct {
	schema  *shape
	version customVersion
	assumed bool
}

// customKinds by what they are called; the schema of each is made ready when it is first asked for.
type customKinds struct {
	mu    sync.Mutex
	known map[groupVersionKind]*customKind
	names map[[2]string]bool // group and kind, true when assumed
	ready map[groupVersionKind]bool
}

func newCustomKinds() *customKinds {
	return &customKinds{known: map[groupVersionKind]*customKind{}, names: map[[2]string]bool{}, ready: map[groupVersionKind]bool{}}
}

// add takes the kinds of a definition that are not known yet: the first that says what a kind is counts.
func (c *customKinds) add(content []byte, assumed bool) {
	var definition customDefinition
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
		c.known[groupVersionKind{definition.Spec.Group, version.Name, kind}] = &customKind{version.Schema.OpenAPI, version, assumed}
	}
}

// addFrom takes what others know and these do not.
func (c *customKinds) addFrom(others *customKinds) {
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
func (c *customKinds) find(wanted groupVersionKind) *customKind {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.known[wanted]
	if found != nil && !c.ready[wanted] {
		c.ready[wanted] = true
		found.schema.compile()
		found.schema.asObject()
	}
	return found
}

// hasOther says whether the kind is there in whatever version, and whether its definition is assumed.
func (c *customKinds) hasOther(wanted groupVersionKind) (there, assumed bool) {
	assumed, there = c.names[[2]string{wanted.Group, wanted.Kind}]
	return there, assumed
}

// asObject gives a schema what every object has and definitions need not tell; of the metadata a definition may limit the name.
func (s *shape) asObject() {
	if s == nil {
		return
	}
	s.Embedded = true
	if metadata := s.Properties["metadata"]; metadata != nil {
		metadata.Preserve = true
	}
}

// addAll adds the definitions of a list in JSON, such as the toolchain keeps of Flux's own.
func (c *customKinds) addAll(content []byte) {
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
func (c *customKinds) addFile(content []byte) {
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
