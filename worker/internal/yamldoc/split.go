package yamldoc

import (
	"bufio"
	"bytes"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
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
