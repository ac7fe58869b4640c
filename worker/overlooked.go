package main

import (
	"bytes"
	"fmt"
	"path"
	"reflect"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
	kubejson "sigs.k8s.io/json"
	"sigs.k8s.io/kustomize/api/types"
	kubeyaml "sigs.k8s.io/yaml"
)

// lintKustomizations looks at kustomization files.
func lintKustomizations(readFile func(string) ([]byte, error), names []string) []oversight {
	found := sideBySide(names, func(name string) []oversight {
		content, err := readFile(name)
		if err != nil {
			return nil
		}
		return append(duplicates(readFile, name, content), ignored(name, content)...)
	})
	all := []oversight{}
	for _, each := range found {
		all = append(all, each...)
	}
	return all
}

// duplicates looks into the file, into its inline patches and into the patches that lie beside it.
func duplicates(readFile func(string) ([]byte, error), name string, content []byte) []oversight {
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
		if content, err := readFile(file); err == nil {
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
