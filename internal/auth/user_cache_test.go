package auth

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// countingUserStore derives the user ID from the subject and counts calls.
type countingUserStore struct {
	mu    sync.Mutex
	calls int
	err   error
}

func (u *countingUserStore) EnsureUser(_ context.Context, c Claims) (string, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.calls++
	return "user_" + c.Subject, u.err
}

func TestUserCache_SameClaims_OneStoreCallPerMinute(t *testing.T) {
	users, c := &countingUserStore{}, newFakeClock()
	cache := newUserCache(users, c.now)
	ensure := func(claims Claims, asked int) {
		t.Helper()
		id, err := cache.EnsureUser(t.Context(), claims)
		require.NoError(t, err)
		require.Equal(t, "user_"+claims.Subject, id)
		require.Equal(t, asked, users.calls)
	}
	ada := Claims{Issuer: "i", Subject: "ada", Name: "Ada", Email: "a@x"}
	ensure(ada, 1)
	ensure(ada, 1)
	ada.ExpiresAt = testStart
	ensure(ada, 1)

	renamed := ada
	renamed.Name = "Ada L"
	ensure(renamed, 2)
	shifted := ada
	shifted.Name, shifted.Email = "Adaa", "@x"
	ensure(shifted, 3)
	foreign := ada
	foreign.Issuer = "j"
	ensure(foreign, 4)

	c.advance(userCacheTTL)
	ensure(ada, 5)
	ensure(ada, 5)
	cache.Evict("user_ada")
	ensure(ada, 6)
}

func TestUserCache_StoreErrors_NotCached(t *testing.T) {
	users := &countingUserStore{err: errors.New("database down")}
	cache := NewUserCache(users)
	for range 3 {
		_, err := cache.EnsureUser(t.Context(), Claims{Subject: "ada"})
		require.ErrorIs(t, err, users.err)
	}
	require.Equal(t, 3, users.calls)
	require.Empty(t, cache.young)
}

func TestUserCache_ManyUsers_Bounded(t *testing.T) {
	users := &countingUserStore{}
	cache := newUserCache(users, newFakeClock().now)
	for n := range 5 * userCacheGeneration {
		_, err := cache.EnsureUser(t.Context(), Claims{Subject: strconv.Itoa(n)})
		require.NoError(t, err)
		require.LessOrEqual(t, len(cache.young)+len(cache.old), 2*userCacheGeneration)
	}
	asked := users.calls
	_, err := cache.EnsureUser(t.Context(), Claims{Subject: strconv.Itoa(4*userCacheGeneration - 1)})
	require.NoError(t, err)
	require.Equal(t, asked, users.calls, "the old generation is still used")
	cache.Evict("user_" + strconv.Itoa(4*userCacheGeneration-1))
	_, err = cache.EnsureUser(t.Context(), Claims{Subject: strconv.Itoa(4*userCacheGeneration - 1)})
	require.NoError(t, err)
	require.Equal(t, asked+1, users.calls)
}

// blockingUserStore reports each call on called and returns after a receive on release.
type blockingUserStore struct{ called, release chan struct{} }

func (u blockingUserStore) EnsureUser(_ context.Context, c Claims) (string, error) {
	u.called <- struct{}{}
	<-u.release
	return "user_" + c.Subject, nil
}

// A user that was read before its deletion must not be cached after it.
func TestUserCache_EvictedDuringStoreCall_NotCached(t *testing.T) {
	users := blockingUserStore{make(chan struct{}), make(chan struct{})}
	cache := NewUserCache(users)
	done := make(chan error)
	ensure := func() {
		_, err := cache.EnsureUser(context.Background(), Claims{Subject: "ada"})
		done <- err
	}
	for range 2 {
		go ensure()
		<-users.called // the second time too: nothing was cached
		cache.Evict("user_ada")
		users.release <- struct{}{}
		require.NoError(t, <-done)
	}
}
