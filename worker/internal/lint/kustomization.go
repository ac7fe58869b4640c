// Package lint finds what kustomize ignores in kustomization files without an error.
package lint

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

	"devloop.invalid/toolchain/worker/internal/collect"
	"devloop.invalid/toolchain/worker/internal/kustomize"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/suggest"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

// Kustomizations looks at kustomization files.
func Kustomizations(readFile func(string) ([]byte, error), names []string) []protocol.LintFinding {
	found := collect.Parallel(names, func(name string) []protocol.LintFinding {
		content, err := readFile(name)
		if err != nil {
			return nil
		}
		return append(duplicates(readFile, name, content), ignored(name, content)...)
	})
	all := []protocol.LintFinding{}
	for _, each := range found {
		all = append(all, each...)
	}
	return all
}

// duplicates looks into the file, into its inline patches and into the patch files that it names.
func duplicates(readFile func(string) ([]byte, error), name string, content []byte) []protocol.LintFinding {
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

func repeatedIn(name string, content []byte, offset int) []protocol.LintFinding {
	if found := yamldoc.DuplicateKey(name, content); found != nil {
		return []protocol.LintFinding{{Code: protocol.LintDuplicate, Path: found.Path, Line: found.Line + offset, Message: found.Message + ", the last one counts", Hint: found.Hint}}
	}
	return nil
}

// patchNodes are the patches of a kustomization file: inline ones, and the names of files.
func patchNodes(kustomization *yaml.Node) []*yaml.Node {
	var all []*yaml.Node
	for _, list := range []string{"patches", "patchesStrategicMerge", "patchesJson6902"} {
		_, items := yamldoc.Child(kustomization, list)
		if items == nil {
			continue
		}
		for _, item := range items.Content {
			if item.Kind == yaml.ScalarNode {
				all = append(all, item)
			}
			for _, key := range []string{"patch", "path"} {
				if _, value := yamldoc.Child(item, key); value != nil && value.Kind == yaml.ScalarNode {
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

// ignored: Flux reads the kustomization file of a Kustomization's path itself and rewrites it without the fields that it does not know.
func ignored(name string, content []byte) []protocol.LintFinding {
	asJSON, err := kubeyaml.YAMLToJSON(content)
	if err != nil || !kustomize.IsFile(name) {
		return nil
	}
	var kustomization types.Kustomization
	strict, err := kubejson.UnmarshalStrict(asJSON, &kustomization, kubejson.DisallowUnknownFields)
	if err != nil {
		return nil
	}
	var found []protocol.LintFinding
	for _, each := range strict {
		if match := unknownField.FindStringSubmatch(each.Error()); match != nil && !tolerated.MatchString(match[1]) {
			message := fmt.Sprintf("%s is no field of a kustomization file, it is ignored", match[1])
			found = append(found, protocol.LintFinding{Code: protocol.LintIgnored, Path: name, Line: lineOfField(content, match[1]), Message: message, Hint: meantField(match[1])})
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
	if near := suggest.Nearest(name, names); near != "" {
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
	return yamldoc.Descend(document.Content[0], steps)
}
