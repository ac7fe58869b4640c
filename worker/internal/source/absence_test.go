package source

import (
	"os"
	"path/filepath"
	"testing"

	"devloop.invalid/toolchain/worker/internal/protocol"
)

func TestWhatIsAbsentHasAReason(t *testing.T) {
	root := write(t, map[string]string{"app/x.yaml": "", "linked": "-> app", "outside": "-> /etc", "a.png": "", "docs/b.md": ""})
	if err := os.Mkdir(filepath.Join(root, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"linked/x.yaml": "linked is a symbolic link, which Flux leaves out of a source: refer to app, or replace it with a copy",
		"outside":       "outside is a symbolic link, which Flux leaves out of a source: replace it with a copy of its target",
		"empty":         "empty has no files: add a file: Git does not keep empty folders",
		"app":           ": ",
		"gone":          ": ",
	} {
		tree, err := newTree(root, ".", checkout{}, protocol.SourceSettings{})
		if err != nil {
			t.Fatal(err)
		}
		if reason, hint := tree.Absence(Mount + "/" + name); reason+": "+hint != want {
			t.Errorf("%s: %s: %s", name, reason, hint)
		}
	}
}

func TestWhatMayExistIsUnknown(t *testing.T) {
	root := write(t, map[string]string{"app/x.yaml": ""})
	repository := NewRepository(root, []string{"app/local.yaml"}, []string{"far/away/y.yaml"})
	settings := &protocol.SourceSettings{Unknown: map[string]string{"vendor/": "the GitRepository b", "more": "the GitRepository c"}}
	for name, want := range map[string]string{
		"far/away":      "far/away is not checked out completely: the checkout is sparse",
		"vendor/z.yaml": "vendor comes from the GitRepository b, which is not available here",
		"more":          "more comes from the GitRepository c, which is not available here",
		"gone":          "it does not exist",
	} {
		tree, err := repository.Source(".", settings, nil)
		if err != nil {
			t.Fatal(err)
		}
		view := tree.View()
		if view.Exists(Mount + "/" + name) {
			t.Errorf("%s exists", name)
		}
		if got := view.Missing(Mount+"/"+name, "it").Message; got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
