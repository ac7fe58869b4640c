package cache

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestOnlyItsKeyReadsAResult(t *testing.T) {
	folder := t.TempDir()
	results := &Results{store: &store{folder: folder, limit: storeLimit}} // without the pruning beside it, which may outlast the test
	key := results.Key("build")
	results.Put(key, []byte("a password"))
	if got := results.Get(key); string(got) != "a password" {
		t.Errorf("got %q", got)
	}
	if results.Get(results.Key("another")) != nil || unseal(results.Key("another"), results.store.get(nameOf(key))) != nil {
		t.Error("another key reads it")
	}
	files, _ := filepath.Glob(filepath.Join(folder, "??", "*"))
	if len(files) != 1 {
		t.Fatalf("there are %d files", len(files))
	}
	if content, err := os.ReadFile(files[0]); err != nil || bytes.Contains(content, []byte("password")) {
		t.Errorf("it is in clear: %v", err)
	}
}

func TestWhatWasKeptInClearIsRemovedOnce(t *testing.T) {
	folder := t.TempDir()
	clear := filepath.Join(folder, "ab", "cd")
	for _, left := range []bool{false, true} {
		if err := os.MkdirAll(clear, 0o700); err != nil {
			t.Fatal(err)
		}
		(&store{folder: folder}).removeUnsealed()
		if _, err := os.Stat(clear); (err == nil) != left {
			t.Errorf("left: %v, want %v", err == nil, left)
		}
	}
}
