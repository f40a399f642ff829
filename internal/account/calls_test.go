package account_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"errand/internal/account"
	"errand/internal/apperr"
	"errand/internal/auth"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
)

// The two services share only the database, like two replicas.
func TestAllowCall_ConcurrentOnTwoReplicas_ShareOneLimit(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *store.DB, s *account.Service) {
		const perMinute = 6
		replicas := []*account.Service{s, account.NewService(db.Client(), quota.Limits{}, account.Hooks{})}
		alice, bob := signIn(t, s, auth.Claims{Subject: "alice"}), signIn(t, s, auth.Claims{Subject: "bob"})
		start := time.Now()
		var allowed atomic.Int64
		var all sync.WaitGroup
		for i := range 30 {
			all.Go(func() {
				err := replicas[i%2].AllowCall(alice, perMinute)
				if err == nil {
					allowed.Add(1)
				} else if apperr.CodeOf(err) != apperr.RateLimited {
					t.Error(err)
				}
			})
		}
		all.Wait()
		refilled := int64(time.Since(start)/(time.Minute/perMinute)) + 1
		require.GreaterOrEqual(t, allowed.Load(), int64(perMinute))
		require.LessOrEqual(t, allowed.Load(), perMinute+refilled)
		require.NoError(t, s.AllowCall(bob, perMinute), "each user has a separate limit")
	})
}

func TestAllowCall_AfterRetryAfter_IsAllowed(t *testing.T) {
	forEachEngine(t, func(t *testing.T, _ *store.DB, s *account.Service) {
		const perMinute = 600
		alice := signIn(t, s, auth.Claims{Subject: "alice"})
		var limited *apperr.Error
		for limited == nil {
			if err := s.AllowCall(alice, perMinute); err != nil {
				require.ErrorAs(t, err, &limited)
			}
		}
		require.Equal(t, apperr.RateLimited, limited.Code)
		require.Positive(t, limited.RetryAfter)
		require.LessOrEqual(t, limited.RetryAfter, time.Minute/perMinute)
		<-time.After(limited.RetryAfter)
		require.NoError(t, s.AllowCall(alice, perMinute))
	})
}

func TestAllowCall_NoViewerOrDeletedAccount_IsUnauthenticated(t *testing.T) {
	forEachEngine(t, func(t *testing.T, _ *store.DB, s *account.Service) {
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(s.AllowCall(t.Context(), 1)))
		deleted := viewer.NewContext(t.Context(), viewer.Viewer{UserID: "user_01gone"})
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(s.AllowCall(deleted, 1)))
	})
}
