package kustomize

import (
	"slices"
	"testing"

	"sigs.k8s.io/kustomize/api/types"

	"devloop.invalid/toolchain/worker/internal/source"
)

func TestFilesOfAGenerator(t *testing.T) {
	sources := types.KvPairSources{EnvSource: "a.env", EnvSources: []string{"b.env"}, FileSources: []string{"c.txt", "key=d/e.txt"}}
	if got := SourceFiles(sources); !slices.Equal(got, []string{"b.env", "a.env", "c.txt", "d/e.txt"}) {
		t.Errorf("got %v", got)
	}
	for item, want := range map[string][2]string{"d/e.txt": {"e.txt", "d/e.txt"}, "k=d/e.txt": {"k", "d/e.txt"}} {
		if key, file := keyAndFile(item); key != want[0] || file != want[1] {
			t.Errorf("%s: got %s and %s", item, key, file)
		}
	}
}

func TestFilesByURLAreLeftOutUntilTheyAreFetched(t *testing.T) {
	tree, err := source.NewRepository(t.TempDir(), nil, nil).Source(".", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	preparation := NewPreparation(tree.View(), nil, false)
	url := "https://example.com/a.yaml"
	sources := types.KvPairSources{EnvSource: url, FileSources: []string{"local.txt", "key=" + url}}
	if !preparation.replaceRemoteFiles(source.Mount, &sources) || sources.EnvSource != "" || !slices.Equal(sources.FileSources, []string{"local.txt"}) {
		t.Errorf("got %+v", sources)
	}
	if len(preparation.Remote) != 2 || preparation.Remote[0].Name != url || preparation.Remote[0].Repo != "" {
		t.Errorf("got %+v", preparation.Remote)
	}
	if preparation.replaceRemoteFiles(source.Mount, &sources) {
		t.Error("something changed, although nothing is remote any more")
	}
}
