package cache

import (
	"bytes"
	"crypto/sha256"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"
)

const (
	storeLimit  = 512 << 20
	pruneAfter  = time.Hour
	noteUseWhen = 15 * time.Minute
)

// store keeps answers of earlier runs on the disk. An entry that cannot be read or was cut short is none. A nil store keeps nothing.
//
// When it holds more than its limit in bytes, the least recently used entries are deleted until a quarter of it is free. It is looked
// through once an hour, and whenever one process has put in a 64th of the limit: each may put it over the limit by no more than that.
type store struct {
	folder string
	limit  int64
	added  atomic.Int64 // bytes, since this process looked last
}

func openStore(folder string) *store {
	if folder == "" || os.MkdirAll(folder, 0o700) != nil {
		return nil
	}
	kept := &store{folder: folder, limit: storeLimit}
	kept.removeUnsealed()
	go kept.prune()
	return kept
}

// removeUnsealed deletes, once, what earlier versions kept in clear.
func (s *store) removeUnsealed() {
	mark := filepath.Join(s.folder, ".sealed")
	if _, err := os.Stat(mark); err == nil {
		return
	}
	entries, _ := filepath.Glob(filepath.Join(s.folder, "??"))
	for _, each := range entries {
		if os.RemoveAll(each) != nil {
			return
		}
	}
	_ = os.WriteFile(mark, nil, 0o600)
}

func (s *store) file(key string) string { return filepath.Join(s.folder, key[:2], key[2:]) }

// get gives what was put under a key, or nil.
func (s *store) get(key string) []byte {
	if s == nil || key == "" {
		return nil
	}
	content, err := os.ReadFile(s.file(key))
	if err != nil || len(content) < sha256.Size {
		return nil
	}
	content, sum := content[:len(content)-sha256.Size], content[len(content)-sha256.Size:]
	if actual := sha256.Sum256(content); !bytes.Equal(actual[:], sum) {
		_ = os.Remove(s.file(key))
		return nil
	}
	s.noteUse(key)
	return content
}

func (s *store) noteUse(key string) {
	if info, err := os.Stat(s.file(key)); err == nil && time.Since(info.ModTime()) > noteUseWhen {
		now := time.Now()
		_ = os.Chtimes(s.file(key), now, now)
	}
}

// put keeps content under a key; a full disk or the like costs time in the next run and nothing else.
func (s *store) put(key string, content []byte) {
	if s == nil || key == "" {
		return
	}
	file := s.file(key)
	if os.MkdirAll(filepath.Dir(file), 0o700) != nil {
		return
	}
	draft, err := os.CreateTemp(filepath.Dir(file), ".new-")
	if err != nil {
		return
	}
	sum := sha256.Sum256(content)
	_, err = draft.Write(append(content[:len(content):len(content)], sum[:]...))
	if closed := draft.Close(); err == nil && closed == nil {
		err = os.Rename(draft.Name(), file)
	}
	if err != nil {
		_ = os.Remove(draft.Name())
	} else if s.added.Add(int64(len(content))) > s.limit/64 {
		s.added.Store(0)
		s.shrink()
	}
}

// prune makes room, at most once an hour.
func (s *store) prune() {
	mark := filepath.Join(s.folder, ".pruned")
	if info, err := os.Stat(mark); err == nil && time.Since(info.ModTime()) < pruneAfter {
		return
	}
	s.shrink()
	_ = os.WriteFile(mark, nil, 0o600)
}

type storedFile struct {
	path string
	size int64
	used time.Time
}

func (s *store) shrink() {
	var files []storedFile
	var total int64
	_ = filepath.WalkDir(s.folder, func(path string, item fs.DirEntry, err error) error {
		if err != nil || item.IsDir() {
			return nil
		}
		if info, err := item.Info(); err == nil {
			files = append(files, storedFile{path, info.Size(), info.ModTime()})
			total += info.Size()
		}
		return nil
	})
	if total <= s.limit {
		return
	}
	slices.SortFunc(files, func(a, b storedFile) int { return a.used.Compare(b.used) })
	for _, each := range files {
		if total <= s.limit/4*3 {
			return
		}
		if os.Remove(each.path) == nil {
			total -= each.size
		}
	}
}
