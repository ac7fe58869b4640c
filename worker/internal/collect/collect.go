// Package collect has what the standard library lacks for slices and maps.
package collect

import (
	goruntime "runtime"
	"sort"
	"sync"
)

// Filter gives the items that are wanted, nil where none are.
func Filter[T any](list []T, wanted func(T) bool) []T {
	var found []T
	for _, item := range list {
		if wanted(item) {
			found = append(found, item)
		}
	}
	return found
}

// MergeValues merges maps as Helm merges values: what the second one says counts, lists are replaced as a whole.
func MergeValues(first, second map[string]any) map[string]any {
	all := make(map[string]any, len(first)+len(second))
	for key, value := range first {
		all[key] = value
	}
	for key, value := range second {
		inner, isMap := value.(map[string]any)
		if old, both := all[key].(map[string]any); isMap && both {
			value = MergeValues(old, inner)
		}
		all[key] = value
	}
	return all
}

// MergeStrings merges two maps; what the second one says counts.
func MergeStrings(first, second map[string]string) map[string]string {
	all := map[string]string{}
	for _, each := range []map[string]string{first, second} {
		for key, value := range each {
			all[key] = value
		}
	}
	return all
}

// SortedKeys are the keys of a map, sorted.
func SortedKeys[V any](fields map[string]V) []string {
	keys := make([]string, 0, len(fields))
	for key := range fields {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

// Parallel applies a function to all, on every core; the results are in the order of what they come from.
func Parallel[A, B any](all []A, work func(A) B) []B {
	results := make([]B, len(all))
	cores := goruntime.GOMAXPROCS(0)
	var pending sync.WaitGroup
	for core := range cores {
		pending.Add(1)
		go func() {
			defer pending.Done()
			for i := core; i < len(all); i += cores {
				results[i] = work(all[i])
			}
		}()
	}
	pending.Wait()
	return results
}
