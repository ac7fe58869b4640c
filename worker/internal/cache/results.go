// Package cache keeps what was worked out in earlier runs on the disk. It holds no value that SOPS encrypted. Everything is sealed,
// because renderings hold the Secrets that are in clear in the repository.
package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
)

// Results stores results for later runs, under keys made of everything that they depend on. Without a folder it stores nothing. A key names
// the file and opens it; the name does not tell the key.
type Results struct {
	store *store
	salt  string // what every result depends on
}

// OpenResults opens the store in a folder; basis is what every result in it depends on.
func OpenResults(folder string, basis ...string) *Results {
	return &Results{store: openStore(folder), salt: Digest(basis...)}
}

// Key names a result by what it depends on; "" where nothing is stored.
func (r *Results) Key(parts ...string) string {
	if r.store == nil {
		return ""
	}
	return Digest(append([]string{r.salt}, parts...)...)
}

// Get gives the result that is stored under a key, nil where there is none.
func (r *Results) Get(key string) []byte { return unseal(key, r.store.get(nameOf(key))) }

// Put stores a result under a key, for as long as there is room; under "" it stores nothing.
func (r *Results) Put(key string, result []byte) { r.store.put(nameOf(key), seal(key, result)) }

// Digest is the name of what depends on all of the parts and on nothing else.
func Digest(parts ...string) string {
	sum := sha256.New()
	for _, part := range parts {
		var length [8]byte
		for i := range length {
			length[i] = byte(len(part) >> (8 * i))
		}
		sum.Write(length[:])
		_, _ = io.WriteString(sum, part)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// JSON is a value as a part of a key.
func JSON(value any) string {
	content, _ := json.Marshal(value)
	return string(content)
}
