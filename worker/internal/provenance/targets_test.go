package provenance

import (
	"slices"
	"testing"

	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

func TestTargetsThatNameAnObject(t *testing.T) {
	for written, want := range map[string]string{
		`{kind: Deployment, name: web}`:                            "Deployment web",
		`{name: ^web$}`:                                            "an object web",
		`{kind: APIService, name: v1\.apps}`:                       "APIService v1.apps",
		`{group: apps, version: v1, kind: Deployment, name: web}`:  "Deployment web of apps/v1",
		`{kind: A, name: b, namespace: c, labelSelector: d=e}`:     "A b in namespace c with labels d=e",
		`{kind: A, name: b, version: v1, annotationSelector: d=e}`: "A b of v1 with annotations d=e",
		`{kind: Deployment}`:                                       "",
		`{kind: Deployment, name: web.*}`:                          "",
		`{kind: Deployment, name: a|b}`:                            "",
		`{kind: Deployment, name: "${NAME}"}`:                      "",
		`{labelSelector: a=b}`:                                     "",
		`{kind: Deployment, name: {a: b}}`:                         "",
	} {
		found, _ := targetOf(readText("", []byte(written)).documents[0])
		if found == nil && want != "" || found != nil && found.String() != want {
			t.Errorf("%s: got %v, want %s", written, found, want)
		}
	}
}

func TestDifferencesFromAnObject(t *testing.T) {
	object := yamldoc.ParseObject([]byte("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, labels: {app: web}}\n"))
	for written, want := range map[string][]string{
		`{kind: Deployment, name: web}`:                            nil,
		`{kind: Dep.*, group: apps, version: v1, name: web}`:       nil,
		`{kind: Deploy, name: web}`:                                {"kind"},
		`{name: web, namespace: default, labelSelector: app=web}`:  nil,
		`{name: web, namespace: shop, labelSelector: app!=web}`:    {"namespace", "labelSelector"},
		`{name: web, group: a, version: b, annotationSelector: x}`: {"group", "version", "annotationSelector"},
	} {
		target, _ := targetOf(readText("", []byte(written)).documents[0])
		if got := target.differences(object); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", written, got, want)
		}
	}
}

func TestNamesOnTheirWay(t *testing.T) {
	names := affixes{before: []string{"dev-", "my-"}, behind: []string{"-x"}}
	for rendered, want := range map[string]bool{
		"web": true, "dev-web": true, "my-dev-web-x": true, "dev-web-2tg5h8c9kf": true, "web-x-2tg5h8c9kf": true,
		"webs": false, "other-web": false, "dev-": false, "we": false,
	} {
		if got := names.mayCome(rendered, "web"); got != want {
			t.Errorf("%s: got %v", rendered, got)
		}
	}
}

func TestFilesWithoutObjects(t *testing.T) {
	for content, want := range map[string]bool{"": true, "# later\n---\n\n": true, "a: b": false, "# a\nb": false} {
		if isBlank([]byte(content)) != want {
			t.Errorf("%q: want %v", content, want)
		}
	}
}

func TestNearestName(t *testing.T) {
	for _, each := range []struct {
		name, want string
		names      []string
	}{
		{"wbe", "web", []string{"web", "api"}},
		{"web", "web-frontend", []string{"web-frontend", "api"}},
		{"web", "", []string{"web-frontend", "web-backend"}},
		{"web", "", []string{"database"}},
	} {
		if got := nearest(each.name, each.names); got != each.want {
			t.Errorf("%s in %v: got %s", each.name, each.names, got)
		}
	}
}
