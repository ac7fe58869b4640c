package collect

import (
	goruntime "runtime"
	"sync"
)

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
