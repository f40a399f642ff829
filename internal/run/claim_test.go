package run

import (
	"context"
	"sync"
	"testing"

	"errand/internal/store"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
)

// While leases hold, a run is claimed once, however many replicas reach for it.
func TestClaimsOfManyReplicasNeverMeet(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w := world{t, db}
		const runs, replicas = 40, 4
		alice := w.person()
		for range runs {
			w.newTurn(alice, w.engine(Options{}))
		}
		claims := make(chan claimed, 10*runs)
		errs := make(chan error, replicas)
		var start, done sync.WaitGroup
		start.Add(1)
		for range replicas {
			e := w.engine(Options{})
			done.Go(func() {
				start.Wait()
				errs <- claimAll(e, claims)
			})
		}
		start.Done()
		done.Wait()
		for range replicas {
			require.NoError(t, <-errs)
		}
		close(claims)
		seen := map[string]bool{}
		for c := range claims {
			require.Equal(t, 1, c.job.Attempt)
			require.False(t, seen[c.job.RunID])
			seen[c.job.RunID] = true
		}
		require.Len(t, seen, runs)
	})
}

// claimAll claims until nothing is left twice running: what others hold locked for a moment is not seen.
func claimAll(e *Engine, into chan<- claimed) error {
	for empty := 0; empty < 2; {
		found, err := e.claimUpTo(context.Background(), 1)
		if err != nil {
			return err
		}
		empty++
		for _, c := range found {
			into <- c
			empty = 0
		}
	}
	return nil
}
