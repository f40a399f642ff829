package run

import (
	"context"
	"sync"
	"testing"

	"errand/internal/store"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
)

func TestClaim_ConcurrentReplicas_ClaimEachRunOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env := environment{t, db}
		const runs, replicas = 40, 4
		alice := env.newUser()
		for range runs {
			env.addConversation(alice, env.newEngine(Options{}))
		}
		claims := make(chan claimedJob, 10*runs)
		errs := make(chan error, replicas)
		var start, done sync.WaitGroup
		start.Add(1)
		for range replicas {
			e := env.newEngine(Options{})
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

// claimAll claims runs until two claims in a row return none: a claim skips the rows that another one has locked.
func claimAll(e *Engine, into chan<- claimedJob) error {
	for empty := 0; empty < 2; {
		found, err := e.queries.claim(context.Background(), 1)
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
