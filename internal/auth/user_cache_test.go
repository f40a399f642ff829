package auth

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// countedUsers names every subject after itself and counts how often it was asked.
type countedUsers struct {
	mu    sync.Mutex
	asked int
	err   error
}

func (u *countedUsers) EnsureUser(_ context.Context, c Claims) (string, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.asked++
	return "user_" + c.Subject, u.err
}

func TestUsersAreAskedOnceAMinute(t *testing.T) {
	users, c := &countedUsers{}, newClock()
	cache := newUserCache(users, c.now)
	ensure := func(claims Claims, asked int) {
		t.Helper()
		id, err := cache.EnsureUser(t.Context(), claims)
		require.NoError(t, err)
		require.Equal(t, "user_"+claims.Subject, id)
		require.Equal(t, asked, users.asked)
	}
	ada := Claims{Issuer: "i", Subject: "ada", Name: "Ada", Email: "a@x"}
	ensure(ada, 1)
	ensure(ada, 1)
	ada.ExpiresAt = start
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

func TestFailuresAreNotKept(t *testing.T) {
	users := &countedUsers{err: errors.New("database down")}
	cache := NewUserCache(users)
	for range 3 {
		_, err := cache.EnsureUser(t.Context(), Claims{Subject: "ada"})
		require.ErrorIs(t, err, users.err)
	}
	require.Equal(t, 3, users.asked)
	require.Empty(t, cache.young)
}

func TestCacheIsBounded(t *testing.T) {
	users := &countedUsers{}
	cache := newUserCache(users, newClock().now)
	for n := range 5 * userCacheGeneration {
		_, err := cache.EnsureUser(t.Context(), Claims{Subject: strconv.Itoa(n)})
		require.NoError(t, err)
		require.LessOrEqual(t, len(cache.young)+len(cache.old), 2*userCacheGeneration)
	}
	asked := users.asked
	_, err := cache.EnsureUser(t.Context(), Claims{Subject: strconv.Itoa(4*userCacheGeneration - 1)})
	require.NoError(t, err)
	require.Equal(t, asked, users.asked, "the older generation still answers")
	cache.Evict("user_" + strconv.Itoa(4*userCacheGeneration-1))
	_, err = cache.EnsureUser(t.Context(), Claims{Subject: strconv.Itoa(4*userCacheGeneration - 1)})
	require.NoError(t, err)
	require.Equal(t, asked+1, users.asked)
}

// slowUsers answer when they are told to.
type slowUsers struct{ asked, answer chan struct{} }

func (u slowUsers) EnsureUser(_ context.Context, c Claims) (string, error) {
	u.asked <- struct{}{}
	<-u.answer
	return "user_" + c.Subject, nil
}

// A row that was read before its deletion must not be remembered after it.
func TestWhoIsForgottenMeanwhileIsNotRemembered(t *testing.T) {
	users := slowUsers{make(chan struct{}), make(chan struct{})}
	cache := NewUserCache(users)
	done := make(chan error)
	ensure := func() {
		_, err := cache.EnsureUser(context.Background(), Claims{Subject: "ada"})
		done <- err
	}
	for range 2 {
		go ensure()
		<-users.asked // the second time too: nothing was remembered
		cache.Evict("user_ada")
		users.answer <- struct{}{}
		require.NoError(t, <-done)
	}
}
