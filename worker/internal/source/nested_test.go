package source

import (
	"testing"

	"devloop.invalid/toolchain/worker/internal/protocol"
)

const submodules = "[submodule \"libs/one\"]\n\tpath = libs/one\n\turl = https://example.com/one\n[submodule \"two\"]\n\tpath = \"libs/two/\"\n"

func TestFilesOfASubmoduleAreThereIfFluxFetchesThem(t *testing.T) {
	root := write(t, map[string]string{
		".gitmodules": submodules, "libs/one/.git": "gitdir: x", "libs/one/a.yaml": "", "other/.git/HEAD": "", "other/b.yaml": "", "app/c.yaml": "",
	})
	for _, recurse := range []bool{false, true} {
		tree, err := newTree(root, ".", checkout{}, protocol.SourceSettings{Submodules: recurse})
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]bool{"libs/one": true, "libs/one/a.yaml": recurse, "other": true, "other/b.yaml": false, "app/c.yaml": true} {
			if got := tree.Has(Mount + "/" + name); got != want {
				t.Errorf("recurseSubmodules %v: %s is there: %v", recurse, name, got)
			}
		}
		if unknown := tree.unknown("libs/two/d.yaml"); (unknown != nil) != recurse {
			t.Errorf("recurseSubmodules %v: %v", recurse, unknown)
		}
	}
}
