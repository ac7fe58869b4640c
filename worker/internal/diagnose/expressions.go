package diagnose

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/fluxcd/pkg/envsubst"

	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/source"
)

var expression = regexp.MustCompile(`\$+\{[^}\n]*\}?`)

// brokenExpression is the first expression of a text that envsubst rejects, and its line; 0 if there is none.
func brokenExpression(content []byte) (string, int) {
	for number, line := range strings.Split(string(content), "\n") {
		if refused(line) && !strings.HasPrefix(strings.TrimSpace(line), "#") {
			for _, each := range expression.FindAllString(line, -1) {
				if refused(each) {
					return each, number + 1
				}
			}
			return "", number + 1
		}
	}
	return "", 0
}

func refused(text string) bool {
	if !strings.Contains(text, "${") {
		return false
	}
	_, err := envsubst.Eval(text, func(string) (string, bool) { return "0", true })
	return err != nil
}

// placeExpression finds the expression that envsubst cannot parse: in the object's own file first, then in the others that the build read.
func (e *Explainer) placeExpression(f *protocol.Failure) {
	if f.Kind != protocol.KindSubstitution || f.Line > 0 || e.View == nil || !strings.Contains(f.Message, "cannot be put into") {
		return
	}
	names := e.View.Files()
	for _, own := range []bool{true, false} {
		for _, name := range names {
			file := path.Join(source.Mount, name)
			if (e.View.RepositoryPath(file) == f.Path) != own {
				continue
			}
			content, err := e.View.Content(file)
			if err != nil {
				continue
			}
			if found, line := brokenExpression(content); line > 0 {
				f.Path, f.Line = e.View.RepositoryPath(file), line
				if found != "" {
					f.Message = fmt.Sprintf("Flux cannot substitute %s", found)
				}
				f.Hint = "write $${ to keep a literal ${, or set the annotation kustomize.toolkit.fluxcd.io/substitute: disabled on the object"
				return
			}
		}
	}
}
