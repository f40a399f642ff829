package harness

import (
	"sync"
)

// Concurrently calls do n times in parallel, each with its index, waits for all calls and returns their results by
// index. do must not call t.FailNow, because it does not run in the test's goroutine.
func Concurrently[T any](n int, do func(i int) T) []T {
	results := make([]T, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { results[i] = do(i) })
	}
	wg.Wait()
	return results
}
