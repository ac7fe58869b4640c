package helm

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

const twoMaps = `apiVersion: v1
kind: ConfigMap
metadata:
  name: a
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: b
`

func TestDocumentsKeepTheirOrder(t *testing.T) {
	if got := documents(strings.Repeat("---\na: 1\n", 11) + "---\nlast: 1\n"); len(got) != 12 || strings.TrimSpace(got[11]) != "last: 1" {
		t.Errorf("got %q", got)
	}
}

func TestFilesAreTheSameAfterAPostRenderer(t *testing.T) {
	work := emptySource(t)
	files, err := work.postRender(map[string]string{"chart/templates/a.yaml": twoMaps, "chart/templates/_b.tpl": "no YAML: at: all"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Collect(maps.Keys(files)); len(got) != 1 || files["chart/templates/a.yaml"] != twoMaps {
		t.Errorf("got %v", files)
	}
}

func TestHooksAndManifestsOfOneName(t *testing.T) {
	hook := strings.Replace(twoMaps, "name: b", "name: a\n  annotations: {helm.sh/hook: pre-install}", 1)
	for strategy, want := range map[string]string{"combined": "the chart renders ConfigMap/a twice, once as a hook", "nohooks": "", "separate": ""} {
		work := emptySource(t)
		work.object.Object = map[string]any{"spec": map[string]any{"postRenderStrategy": strategy}}
		files, err := work.postRendered(map[string]string{"chart/templates/a.yaml": hook})
		if want == "" && err == nil && strings.Count(files["chart/templates/a.yaml"], "kind: ConfigMap") == 2 {
			continue
		}
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, %v", strategy, files, err)
		}
	}
}
