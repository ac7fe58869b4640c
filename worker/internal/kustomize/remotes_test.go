package kustomize

import "testing"

func TestRemoteNames(t *testing.T) {
	for name, want := range map[string]string{
		"https://user:token@example.com/a.yaml?key=1&ref=v1": "https://example.com/a.yaml?key=***&ref=v1",
		"https://github.com/o/r//deploy?ref=main":            "https://github.com/o/r//deploy?ref=main",
	} {
		if got := withoutCredentials(name); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	found := newRemoteName("https://github.com/o/r//deploy?ref=main")
	if found.Repo != "https://github.com/o/r.git" && found.Repo != "https://github.com/o/r" || found.Ref != "main" || found.Inside != "deploy" {
		t.Errorf("got %+v", found)
	}
	for name, want := range map[string]bool{"../base": false, "app.yaml": false, "https://example.com/a.yaml": true, "github.com/o/r?ref=v1": true} {
		if got := isRemote(name); got != want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
