package helm

import (
	"fmt"
	"slices"
	"strings"

	helmrelease "helm.sh/helm/v4/pkg/release/v1"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
	"sigs.k8s.io/yaml"

	"devloop.invalid/toolchain/worker/internal/collect"
	"devloop.invalid/toolchain/worker/internal/protocol"
)

// The values of helm.sh/hook that Helm knows.
var knownHooks = []string{
	helmrelease.HookPreInstall.String(), helmrelease.HookPostInstall.String(), helmrelease.HookPreDelete.String(),
	helmrelease.HookPostDelete.String(), helmrelease.HookPreUpgrade.String(), helmrelease.HookPostUpgrade.String(),
	helmrelease.HookPreRollback.String(), helmrelease.HookPostRollback.String(), helmrelease.HookTest.String(), "test-success",
}

// dropped are the objects that Helm silently leaves out: one unknown name in the annotation of a hook is enough.
func (w *release) dropped(files map[string]string) (all []*protocol.Failure) {
	for _, name := range collect.SortedKeys(files) {
		for _, text := range documents(files[name]) {
			if head, value := unknownHook(text); head != nil {
				all = append(all, w.droppedObject(name, head, value))
			}
		}
	}
	return all
}

// unknownHook is the head of an object with a hook that Helm does not know, and what its annotation says; nil for any other object.
func unknownHook(text string) (*releaseutil.SimpleHead, string) {
	var head releaseutil.SimpleHead
	if !strings.Contains(text, helmrelease.HookAnnotation) || yaml.Unmarshal([]byte(text), &head) != nil || head.Metadata == nil {
		return nil, ""
	}
	value, isHook := head.Metadata.Annotations[helmrelease.HookAnnotation]
	if !isHook || !slices.ContainsFunc(strings.Split(value, ","), isUnknownHook) {
		return nil, ""
	}
	return &head, value
}

func isUnknownHook(name string) bool {
	return !slices.Contains(knownHooks, strings.ToLower(strings.TrimSpace(name)))
}

func (w *release) droppedObject(name string, head *releaseutil.SimpleHead, value string) *protocol.Failure {
	result := &protocol.Failure{
		Kind:    protocol.KindBuild,
		Message: fmt.Sprintf("%s/%s, because Helm does not know the hook %q", head.Kind, head.Metadata.Name, value),
		Path:    w.fromRoot(name),
	}
	result.Line = w.lastLine(result.Path, func(line string) bool {
		_, text, found := strings.Cut(line, helmrelease.HookAnnotation)
		return found && !strings.HasPrefix(text, "-") && strings.Contains(text, value)
	})
	return result
}
