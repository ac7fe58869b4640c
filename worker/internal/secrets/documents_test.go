package secrets

import (
	"strings"
	"testing"
)

func TestValuesOfSecretsInFiles(t *testing.T) {
	for name, text := range map[string]string{
		"data first":       "stringData: {a: canary-Zq1}\nkind: Secret\n",
		"data before kind": "data:\n  a: Y2FuYXJ5LVpxMQ==\nkind: Secret\n",
		"in a list":        "kind: List\nitems:\n- kind: Secret\n  stringData: {a: canary-Zq1}\n",
		"strategic patch":  "patches:\n- patch: |\n    kind: Secret\n    data:\n      a: canary-Zq1\n",
		"JSON patch":       "patches:\n- target: {kind: Secret}\n  patch: |\n    - {op: add, path: /data/a, value: canary-Zq1}\n",
		"JSON":             `{"data": {"a": "canary-Zq1"}, "kind": "Secret"}`,
		"merged":           "x: &x {a: canary-Zq1}\nkind: Secret\nstringData:\n  <<: *x\n",
		"broken":           "kind: Secret\nstringData:\n  a: 'canary-Zq1\n",
	} {
		found := Values{}
		found.addFile([]byte(text))
		if shown := found.Hide("it quotes canary-Zq1"); strings.Contains(shown, "canary") {
			t.Errorf("%s: %s", name, shown)
		}
	}
}

func TestOtherWordsStay(t *testing.T) {
	found := Values{}
	found.addFile([]byte("kind: ConfigMap\ndata: {a: other-value}\n---\nkind: Secret\nstringData: {a: apps, b: 'true'}\n"))
	want := "k8s/webapps: other-value is true"
	if got := found.Hide(want); got != want {
		t.Errorf("got %s", got)
	}
}
