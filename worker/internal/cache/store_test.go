package cache

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func newStore(t *testing.T, limit int64) *store {
	t.Helper()
	return &store{folder: t.TempDir(), limit: limit}
}

// held is how much lies in the store, drafts and all.
func (s *store) held(t *testing.T) (total int64) {
	t.Helper()
	err := filepath.WalkDir(s.folder, func(_ string, item fs.DirEntry, err error) error {
		if err != nil || item.IsDir() {
			return err
		}
		info, err := item.Info()
		total += info.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return total
}

func (s *store) age(t *testing.T, key string, by time.Duration) {
	t.Helper()
	then := time.Now().Add(-by)
	if err := os.Chtimes(s.file(key), then, then); err != nil {
		t.Fatal(err)
	}
}

func key(number int) string { return Digest(fmt.Sprint(number)) }

func TestTheStoreStaysWithinItsLimit(t *testing.T) {
	kept := newStore(t, 64<<10)
	for number := range 500 {
		kept.put(key(number), make([]byte, 1000))
		if held := kept.held(t); held > kept.limit+kept.limit/64+2000 {
			t.Fatalf("after %d entries it holds %d bytes, its limit is %d", number+1, held, kept.limit)
		}
	}
	if kept.get(key(499)) == nil {
		t.Error("the newest entry is gone")
	}
}

func TestWhatNobodyAskedForLongestGoesFirst(t *testing.T) {
	kept := newStore(t, 16<<10)
	for number := range 10 {
		kept.put(key(number), make([]byte, 1000))
		kept.age(t, key(number), time.Duration(100-number)*time.Hour)
	}
	if kept.get(key(0)) == nil { // which makes it the youngest
		t.Fatal("an entry is gone although there was room")
	}
	kept.limit = 8 << 10
	kept.shrink()
	for number := range 10 {
		if there, wanted := kept.get(key(number)) != nil, number == 0 || number > 5; there != wanted {
			t.Errorf("entry %d is there: %v", number, there)
		}
	}
}

func TestTheStoreIsLookedThroughOnceAnHour(t *testing.T) {
	kept := newStore(t, 1<<20)
	kept.prune()
	kept.put(key(1), make([]byte, 1000))
	kept.limit = 100
	if kept.prune(); kept.get(key(1)) == nil {
		t.Error("it was looked through twice")
	}
	long := time.Now().Add(-2 * pruneAfter)
	if err := os.Chtimes(filepath.Join(kept.folder, ".pruned"), long, long); err != nil {
		t.Fatal(err)
	}
	if kept.prune(); kept.get(key(1)) != nil {
		t.Error("it was not looked through")
	}
}

func TestADamagedEntryIsNone(t *testing.T) {
	content := bytes.Repeat([]byte("what was built "), 100)
	for name, damage := range map[string]func([]byte) []byte{
		"empty":   func([]byte) []byte { return nil },
		"short":   func(entry []byte) []byte { return entry[:10] },
		"cut":     func(entry []byte) []byte { return entry[:len(entry)/2] },
		"longer":  func(entry []byte) []byte { return append(entry, 0) },
		"start":   func(entry []byte) []byte { entry[0] ^= 1; return entry },
		"end":     func(entry []byte) []byte { entry[len(entry)-1] ^= 1; return entry },
		"another": func([]byte) []byte { return bytes.Repeat([]byte{0}, 2000) },
	} {
		kept := newStore(t, 1<<20)
		kept.put(key(1), content)
		kept.put(key(2), content)
		entry, err := os.ReadFile(kept.file(key(1)))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(kept.file(key(1)), damage(entry), 0o600); err != nil {
			t.Fatal(err)
		}
		if kept.get(key(1)) != nil {
			t.Errorf("%s: it is taken for an entry", name)
		}
		if kept.put(key(1), content); !bytes.Equal(kept.get(key(1)), content) || !bytes.Equal(kept.get(key(2)), content) {
			t.Errorf("%s: the store is of no use afterwards", name)
		}
	}
}

func TestAStoreThatCannotBeWrittenKeepsNothing(t *testing.T) {
	kept := newStore(t, 1<<20)
	if err := os.MkdirAll(filepath.Join(kept.file(key(1)), "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Dir(kept.file(key(2))), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for number := range 3 {
		kept.put(key(number), []byte("x"))
	}
	if kept.get(key(0)) == nil || kept.get(key(1)) != nil || kept.get(key(2)) != nil {
		t.Error("what cannot be kept is found, or what can be is not")
	}
	if drafts, _ := filepath.Glob(filepath.Join(kept.folder, "*", ".new-*")); len(drafts) > 0 {
		t.Errorf("drafts are left: %v", drafts)
	}
}
