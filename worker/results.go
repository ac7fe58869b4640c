package main

// results keeps what was worked out in earlier runs, under keys of everything that it depends on. One without a store keeps nothing.
type results struct {
	store *store
	salt  string // what every result depends on
}

// openResults opens the store in a folder; basis is what every result in it depends on.
func openResults(folder string, basis ...string) *results {
	return &results{store: openStore(folder), salt: digest(basis...)}
}

// key names a result by what it depends on; "" where nothing is kept.
func (r *results) key(parts ...string) string {
	if r.store == nil {
		return ""
	}
	return digest(append([]string{r.salt}, parts...)...)
}

// get gives the result that was kept under a key, nil where there is none.
func (r *results) get(key string) []byte { return r.store.get(key) }

// put keeps a result under a key, for as long as there is room; under "" it keeps nothing.
func (r *results) put(key string, result []byte) { r.store.put(key, result) }
