package harness

import (
	"sync"
)

// Concurrently runs something n times at once and gives what came of each.
func Concurrently[T any](n int, do func(i int) T) []T {
	out := make([]T, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { out[i] = do(i) })
	}
	all.Wait()
	return out
}
