package yamldoc

import (
	"bufio"
	"bytes"
	"path"
	"regexp"
	"strings"

	kubejson "k8s.io/apimachinery/pkg/util/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	kubeyaml "sigs.k8s.io/yaml"
)

// Split splits a file as Kubernetes does.
func Split(content []byte) [][]byte {
	var all [][]byte
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		document, err := reader.Read()
		if err != nil {
			return all
		}
		all = append(all, document)
	}
}

// ParseObject reads YAML with the types that Kubernetes copies.
func ParseObject(content []byte) (object map[string]any) {
	if text, err := kubeyaml.YAMLToJSON(content); err == nil {
		_ = kubejson.Unmarshal(text, &object)
	}
	return object
}

// LineOfText is the line where a text begins, 0 where it is not there.
func LineOfText(content []byte, text string) int {
	before, _, found := bytes.Cut(content, []byte(text))
	if !found {
		return 0
	}
	return 1 + bytes.Count(before, []byte("\n"))
}

// LineOfWord finds the line with the word as a whole: a list item, a key, a value or the end of a path.
func LineOfWord(content []byte, word string) int {
	if word == "" {
		return 0
	}
	whole := regexp.MustCompile(`(^|[\s"'/:=-])` + regexp.QuoteMeta(path.Clean(word)) + `/?(["',:\s\]]|$)`)
	for number, line := range strings.Split(string(content), "\n") {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") && whole.MatchString(line) {
			return number + 1
		}
	}
	return 0
}
