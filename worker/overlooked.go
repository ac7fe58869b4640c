package main

import (
	"bytes"
	"fmt"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
	kubejson "sigs.k8s.io/json"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	kubeyaml "sigs.k8s.io/yaml"
)

// overlookedRequest asks what kustomize passes over without a word in kustomization files and in the patches that they name.
type overlookedRequest struct {
	Paths []string `json:"paths"`
}

// oversight: Code is duplicate (the last of two keys counts) or ignored (a field that there is not, in a file that Flux reads itself).
type oversight struct {
	Code    string `json:"code"`
	Path    string `json:"path"`
	Line    int    `json:"line"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

func (s *session) overlooked(r *overlookedRequest) []oversight {
	found := sideBySide(r.Paths, func(name string) []oversight {
		content, err := s.readFile(name)
		if err != nil {
			return nil
		}
		return append(s.duplicates(name, content), ignored(name, content)...)
	})
	all := []oversight{}
	for _, each := range found {
		all = append(all, each...)
	}
	return all
}

func isKustomizationFile(name string) bool {
	return slices.Contains(konfig.RecognizedKustomizationFileNames(), path.Base(name))
}

// duplicates looks into the file, into its inline patches and into the patches that lie beside it.
func (s *session) duplicates(name string, content []byte) []oversight {
	found := repeatedIn(name, content, 0)
	var document yaml.Node
	if yaml.Unmarshal(content, &document) != nil || len(document.Content) == 0 {
		return found
	}
	for _, patch := range patchNodes(document.Content[0]) {
		if patch.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
			found = append(found, repeatedIn(name, []byte(patch.Value), patch.Line)...)
			continue
		}
		file := path.Join(path.Dir(name), patch.Value)
		if content, err := s.readFile(file); err == nil {
			found = append(found, repeatedIn(file, content, 0)...)
		}
	}
	return found
}

func repeatedIn(name string, content []byte, offset int) []oversight {
	if found := duplicateKey(name, content); found != nil {
		return []oversight{{"duplicate", found.Path, found.Line + offset, found.Message + ", the last one counts", found.Hint}}
	}
	return nil
}

// patchNodes are the patches of a kustomization file: inline ones, and the names of files.
func patchNodes(kustomization *yaml.Node) []*yaml.Node {
	var all []*yaml.Node
	for _, list := range []string{"patches", "patchesStrategicMerge", "patchesJson6902"} {
		_, items := child(kustomization, list)
		if items == nil {
			continue
		}
		for _, item := range items.Content {
			if item.Kind == yaml.ScalarNode {
				all = append(all, item)
			}
			for _, key := range []string{"patch", "path"} {
				if _, value := child(item, key); value != nil && value.Kind == yaml.ScalarNode {
					all = append(all, value)
				}
			}
		}
	}
	return all
}

var unknownField = regexp.MustCompile(`^unknown field "(.+)"$`)

// Fields that kustomize still takes, and keys that are there for the anchors in them.
var tolerated = regexp.MustCompile(`^(imageTags$|x-|\.)`)

// ignored: Flux reads the kustomization file of a Kustomization's path by itself and writes it anew, without what it does not know.
func ignored(name string, content []byte) []oversight {
	asJSON, err := kubeyaml.YAMLToJSON(content)
	if err != nil || !isKustomizationFile(name) {
		return nil
	}
	var kustomization types.Kustomization
	strict, err := kubejson.UnmarshalStrict(asJSON, &kustomization, kubejson.DisallowUnknownFields)
	if err != nil {
		return nil
	}
	var found []oversight
	for _, each := range strict {
		if match := unknownField.FindStringSubmatch(each.Error()); match != nil && !tolerated.MatchString(match[1]) {
			message := fmt.Sprintf("%s is no field of a kustomization file, it is ignored", match[1])
			found = append(found, oversight{"ignored", name, lineOfField(content, match[1]), message, meantField(match[1])})
		}
	}
	return found
}

func meantField(name string) string {
	var names []string
	for i, kind := 0, reflect.TypeFor[types.Kustomization](); i < kind.NumField(); i++ {
		if tag, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ","); tag != "" {
			names = append(names, tag)
		}
	}
	if near := nearest(name, names); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return ""
}

var fieldStep = regexp.MustCompile(`[^.\[\]]+`)

// lineOfField finds a field in the form patches[0].pathh.
func lineOfField(content []byte, name string) int {
	var document yaml.Node
	if yaml.NewDecoder(bytes.NewReader(content)).Decode(&document) != nil || len(document.Content) == 0 {
		return 0
	}
	var steps []any
	for _, step := range fieldStep.FindAllString(name, -1) {
		var index float64
		if _, err := fmt.Sscanf(step, "%g", &index); err == nil {
			steps = append(steps, index)
		} else {
			steps = append(steps, step)
		}
	}
	return descend(document.Content[0], steps)
}

// oddity finds what is YAML and still no object: keys that are no texts, merges of what is no mapping, values that do not fit their tag.
func oddity(name string, content []byte) *failure {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var document yaml.Node
		if decoder.Decode(&document) != nil {
			return nil
		}
		if line, message, hint := odd(&document); line > 0 {
			return &failure{Kind: "yaml", Message: message, Hint: hint, Path: path.Clean(name), Line: line}
		}
	}
}

func odd(node *yaml.Node) (line int, message, hint string) {
	for i, item := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 {
			if line, message, hint = oddKey(item, node.Content[i+1]); line > 0 {
				return line, message, hint
			}
		}
		if line, message, hint = odd(item); line > 0 {
			return line, message, hint
		}
	}
	var value any
	if node.Kind == yaml.ScalarNode && node.Style&yaml.TaggedStyle != 0 && strings.HasPrefix(node.Tag, "!!") && node.Decode(&value) != nil {
		return node.Line, fmt.Sprintf("the value is no %s, as its tag says", node.Tag), ""
	}
	return 0, "", ""
}

func oddKey(key, value *yaml.Node) (line int, message, hint string) {
	switch tag := key.ShortTag(); {
	case key.Kind != yaml.ScalarNode && key.Kind != yaml.AliasNode:
		return key.Line, "a key is a list or a mapping, it must be a text", ""
	case tag == "!!merge" && value.Kind != yaml.MappingNode && value.Kind != yaml.AliasNode && value.Kind != yaml.SequenceNode:
		return key.Line, "the value of << must be a mapping", ""
	case tag != "!!str" && tag != "!!merge" && key.Kind == yaml.ScalarNode:
		return key.Line, fmt.Sprintf("the key %s must be a text", key.Value), fmt.Sprintf("put it in quotes: %q", key.Value)
	}
	return 0, "", ""
}

// unknownAnchor finds the alias that a message of the reader names.
func unknownAnchor(text string) func(string, []byte) *failure {
	_, name, _ := strings.Cut(text, "unknown anchor '")
	name, _, _ = strings.Cut(name, "'")
	return func(file string, content []byte) *failure {
		line := lineOfText(content, "*"+name)
		if line == 0 {
			return nil
		}
		return &failure{Kind: "yaml", Message: fmt.Sprintf("there is no anchor &%s before *%s", name, name), Path: path.Clean(file), Line: line}
	}
}
