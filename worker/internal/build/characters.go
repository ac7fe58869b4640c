package build

import (
	"bytes"
	"fmt"
	"unicode"

	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/yaml"

	"devloop.invalid/toolchain/worker/internal/protocol"
)

// survivesYAML refuses an object with a character that Flux cannot read back: it writes what it built as YAML and reads that.
func survivesYAML(res *resource.Resource, content []byte) error {
	at := bytes.IndexFunc(content, isUnusual)
	if at < 0 {
		return nil
	}
	text, err := res.AsYAML()
	if err == nil {
		_, err = yaml.YAMLToJSON(text)
	}
	if err == nil {
		return nil
	}
	message := fmt.Sprintf("%s has a character that YAML does not allow (U+%04X)", objectName(res), []rune(string(content[at:]))[0])
	return &protocol.Failure{Kind: protocol.KindBuild, Message: message, Hint: "remove the character: Flux writes what it built as YAML, and cannot read it back"}
}

// isUnusual is true for control characters beyond ASCII and for code points that are not characters.
func isUnusual(char rune) bool {
	return char > 0x7e && (unicode.IsControl(char) || char&0xfffe == 0xfffe)
}
