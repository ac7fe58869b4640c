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

// findDropped notes the objects that Helm drops without a word: one unknown name among those of a hook is enough.
func (w *release) findDropped(files map[string]string) {
	w.result.Dropped = nil
	for _, name := range collect.SortedKeys(files) {
		for _, text := range releaseutil.SplitManifests(files[name]) {
			var head releaseutil.SimpleHead
			if yaml.Unmarshal([]byte(text), &head) != nil || head.Metadata == nil {
				continue
			}
			value, isHook := head.Metadata.Annotations[helmrelease.HookAnnotation]
			if isHook && slices.ContainsFunc(strings.Split(value, ","), isUnknownHook) {
				w.result.Dropped = append(w.result.Dropped, w.dropped(name, &head, value))
			}
		}
	}
	slices.SortFunc(w.result.Dropped, func(a, b *protocol.Failure) int { return strings.Compare(a.Path+a.Message, b.Path+b.Message) })
}

func isUnknownHook(name string) bool {
	return !slices.Contains(knownHooks, strings.ToLower(strings.TrimSpace(name)))
}

func (w *release) dropped(name string, head *releaseutil.SimpleHead, value string) *protocol.Failure {
	result := &protocol.Failure{
		Kind:    protocol.KindBuild,
		Message: fmt.Sprintf("%s/%s, because %q is no hook that Helm knows", head.Kind, head.Metadata.Name, value),
		Path:    w.fromRoot(name),
	}
	content, _ := w.renderer.Repository.ReadFile(result.Path)
	for i, line := range strings.Split(string(content), "\n") {
		if _, text, found := strings.Cut(line, helmrelease.HookAnnotation); found && !strings.HasPrefix(text, "-") && strings.Contains(text, value) {
			result.Line = i + 1
		}
	}
	return result
}
