package account_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"errand/internal/account"
	"errand/internal/apperr"
	"errand/internal/auth"
	"errand/internal/store"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
)

// TestCallsCountTogether: however many come at once, on services that share nothing but
// the database, a minute's calls pass and no more than time itself makes room for.
func TestCallsCountTogether(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, s *account.Service) {
		const perMinute = 6
		replicas := []*account.Service{s, account.NewService(db.Client(), account.Hooks{})}
		alice, bob := as(t, s, auth.Claims{Subject: "alice"}), as(t, s, auth.Claims{Subject: "bob"})
		began := time.Now()
		var passed atomic.Int64
		var all sync.WaitGroup
		for i := range 30 {
			all.Go(func() {
				err := replicas[i%2].AllowCall(alice, perMinute)
				if err == nil {
					passed.Add(1)
				} else if apperr.CodeOf(err) != apperr.RateLimited {
					t.Error(err)
				}
			})
		}
		all.Wait()
		room := int64(time.Since(began)/(time.Minute/perMinute)) + 1
		require.GreaterOrEqual(t, passed.Load(), int64(perMinute))
		require.LessOrEqual(t, passed.Load(), perMinute+room)
		require.NoError(t, s.AllowCall(bob, perMinute), "everybody has a limit of their own")
	})
}

// TestARefusedCallIsToldTheWait, after which it is admitted; what was refused did not count.
func TestARefusedCallIsToldTheWait(t *testing.T) {
	each(t, func(t *testing.T, _ *store.DB, s *account.Service) {
		const perMinute = 600
		alice := as(t, s, auth.Claims{Subject: "alice"})
		var refusal *apperr.Error
		for refusal == nil {
			if err := s.AllowCall(alice, perMinute); err != nil {
				require.True(t, errors.As(err, &refusal), "%v", err)
			}
		}
		require.Equal(t, apperr.RateLimited, refusal.Code)
		require.Positive(t, refusal.RetryAfter)
		require.LessOrEqual(t, refusal.RetryAfter, time.Minute/perMinute)
		<-time.After(refusal.RetryAfter)
		require.NoError(t, s.AllowCall(alice, perMinute))
	})
}

func TestNobodysCallsAreRefused(t *testing.T) {
	each(t, func(t *testing.T, _ *store.DB, s *account.Service) {
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(s.AllowCall(t.Context(), 1)))
		gone := viewer.NewContext(t.Context(), viewer.Viewer{UserID: "user_01gone"})
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(s.AllowCall(gone, 1)))
	})
}
