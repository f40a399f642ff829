package auth

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"errand/internal/apperr"

	"github.com/stretchr/testify/require"
)

// fakeKeySource is what a jwksCache fetches from in tests with a fake clock (package synctest).
type fakeKeySource struct {
	mu      sync.Mutex
	keys    map[string]crypto.Signer
	failing bool
	latency time.Duration
	fetches int
}

// publish replaces the keys.
func (s *fakeKeySource) publish(keys map[string]crypto.Signer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = keys
}

func (s *fakeKeySource) fail(failing bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = failing
}

func (s *fakeKeySource) fetchCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fetches
}

// fetch returns the keys that were published at its start.
func (s *fakeKeySource) fetch(ctx context.Context) (*keySet, error) {
	s.mu.Lock()
	s.fetches++
	set, failing, latency := &keySet{}, s.failing, s.latency
	for id, key := range s.keys {
		set.keys = append(set.keys, publishedKey{id: id, algorithms: []string{algEdDSA}, key: key.Public()})
	}
	s.mu.Unlock()
	select {
	case <-time.After(latency):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if failing {
		return nil, errors.New("down")
	}
	return set, nil
}

// newRecheckTest returns a source with the key "ed", and a verifier of its tokens whose keys are loaded.
func newRecheckTest(t *testing.T, latency time.Duration) (*fakeKeySource, Verifier) {
	t.Helper()
	source := &fakeKeySource{keys: map[string]crypto.Signer{"ed": edKey()}, latency: latency}
	cache := newJWKSCache(source.fetch, time.Now, slog.New(slog.DiscardHandler))
	t.Cleanup(cache.Close)
	cache.prefetch()
	_, err := cache.get(t.Context())
	require.NoError(t, err)
	rules := tokenRules{algorithms: jwksAlgorithms, issuer: testIssuer, audience: []string{testAudience}, now: time.Now}
	return source, newJWTVerifier(rules, cache)
}

// signWith returns a token that is valid now.
func signWith(t *testing.T, key crypto.Signer, id string) string {
	t.Helper()
	claims := claimsWith(map[string]any{"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()})
	return sign(t, "EdDSA", key, claims, kidHeader(id))
}

// verifyWithin verifies a token and checks how long that takes at most.
func verifyWithin(t *testing.T, v Verifier, token string, limit time.Duration) {
	t.Helper()
	started := time.Now()
	_, err := v.Verify(t.Context(), token)
	require.NoError(t, err)
	require.LessOrEqual(t, time.Since(started), limit)
}

// A made-up key ID just before must not delay the key that an issuer has rotated to.
func TestRecheck_KeyRotatedAfterMadeUpID_Accepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, v := newRecheckTest(t, 0)
		next := newEdKey(t)
		requireRejected(t, v, signWith(t, edKey(), "made-up"), ReasonUnknownKey)
		source.publish(map[string]crypto.Signer{"next": next})
		verifyWithin(t, v, signWith(t, next, "next"), recheckInterval)
		require.Equal(t, 3, source.fetchCount())
		verifyWithin(t, v, signWith(t, next, "next"), 0)
		requireRejected(t, v, signWith(t, edKey(), "ed"), ReasonUnknownKey)
	})
}

// 1,000 made-up key IDs a second cause a fetch a second. They delay no token of a loaded key, and a token of a rotated
// key by two intervals at most.
func TestRecheck_FloodOfMadeUpIDs_BoundedFetchesAndDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, v := newRecheckTest(t, 100*time.Millisecond)
		good, next := signWith(t, edKey(), "ed"), newEdKey(t)
		ctx, stop := context.WithCancel(t.Context())
		var flood sync.WaitGroup
		flood.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				token := signWith(t, edKey(), fmt.Sprint("made-up-", i))
				flood.Go(func() {
					_, err := v.Verify(ctx, token)
					if code := apperr.CodeOf(err); code != apperr.Unauthenticated && code != apperr.Unavailable {
						t.Error(err)
					}
				})
				time.Sleep(time.Millisecond)
			}
		})
		const seconds = 10
		for second := range seconds {
			time.Sleep(time.Second)
			verifyWithin(t, v, good, 0)
			if second == seconds/2 {
				source.publish(map[string]crypto.Signer{"ed": edKey(), "next": next})
				published := time.Now()
				for {
					_, err := v.Verify(t.Context(), signWith(t, next, "next"))
					if err == nil {
						break
					}
					require.Equal(t, apperr.Unavailable, apperr.CodeOf(err), "not refused, since it may be valid")
					time.Sleep(apperr.From(err).RetryAfter)
				}
				require.LessOrEqual(t, time.Since(published), 2*recheckInterval+source.latency)
			}
		}
		stop()
		flood.Wait()
		require.LessOrEqual(t, source.fetchCount(), seconds+4)
	})
}

// An issuer may replace a key under its ID.
func TestRecheck_SameIDNewKey_Accepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, v := newRecheckTest(t, 0)
		next := newEdKey(t)
		requireRejected(t, v, signWith(t, newEdKey(t), "ed"), ReasonBadSignature)
		source.publish(map[string]crypto.Signer{"ed": next})
		verifyWithin(t, v, signWith(t, next, "ed"), recheckInterval)
		requireRejected(t, v, signWith(t, edKey(), "ed"), ReasonBadSignature)

		source.publish(map[string]crypto.Signer{"": edKey()})
		verifyWithin(t, v, sign(t, "EdDSA", edKey(), claimsWith(map[string]any{
			"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
		}), nil), recheckInterval)
	})
}

// A fetch that started before a token arrived may have been answered before the token's key was published.
func TestRecheck_FetchInProgress_NextOneDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, v := newRecheckTest(t, 3*time.Second)
		next := newEdKey(t)
		madeUp := signWith(t, edKey(), "made-up")
		go func() { _, _ = v.Verify(t.Context(), madeUp) }()
		synctest.Wait()
		source.publish(map[string]crypto.Signer{"next": next})
		verifyWithin(t, v, signWith(t, edKey(), "ed"), 0)
		verifyWithin(t, v, signWith(t, next, "next"), 2*source.latency)
		require.Equal(t, 3, source.fetchCount())
	})
}

// A client that repeats a token with an unknown ID causes fewer and fewer fetches; the first repetition is not held,
// since an issuer may publish a key after its first use.
func TestRecheck_RepeatedUnknownID_HeldLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, v := newRecheckTest(t, 0)
		next := newEdKey(t)
		early := signWith(t, next, "next")
		requireRejected(t, v, early, ReasonUnknownKey)
		source.publish(map[string]crypto.Signer{"ed": edKey(), "next": next})
		verifyWithin(t, v, early, recheckInterval)

		before := source.fetchCount()
		stale := signWith(t, edKey(), "withdrawn")
		for range 600 {
			requireRejected(t, v, stale, ReasonUnknownKey)
			time.Sleep(100 * time.Millisecond)
		}
		require.LessOrEqual(t, source.fetchCount()-before, 7, "in a minute")
	})
}

// While the issuer fails, a token with an unknown ID is not refused, and waits for nothing.
func TestRecheck_IssuerFails_UnavailableAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, v := newRecheckTest(t, 0)
		source.fail(true)
		next := newEdKey(t)
		token := signWith(t, next, "next")
		for range 100 {
			_, err := v.Verify(t.Context(), token)
			require.Equal(t, apperr.Unavailable, apperr.CodeOf(err))
			require.Equal(t, ReasonKeysUnavailable, ReasonOf(err))
		}
		require.Equal(t, 2, source.fetchCount())
		verifyWithin(t, v, signWith(t, edKey(), "ed"), 0)
		requireRejected(t, v, signWith(t, next, "ed"), ReasonBadSignature)

		source.fail(false)
		source.publish(map[string]crypto.Signer{"next": next})
		time.Sleep(recheckRetryDelay)
		verifyWithin(t, v, token, 0)
	})
}

// Tokens beyond maxRechecking do not wait.
func TestRecheck_TooManyWaiting_Unavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, v := newRecheckTest(t, time.Minute)
		_ = source
		ctx, leave := context.WithCancel(t.Context())
		var waiting sync.WaitGroup
		for i := range maxRechecking {
			token := signWith(t, edKey(), fmt.Sprint("made-up-", i))
			waiting.Go(func() {
				_, err := v.Verify(ctx, token)
				if apperr.CodeOf(err) != apperr.Unavailable {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		_, err := v.Verify(t.Context(), signWith(t, edKey(), "one more"))
		require.Equal(t, apperr.Unavailable, apperr.CodeOf(err))
		verifyWithin(t, v, signWith(t, edKey(), "ed"), 0)
		leave()
		waiting.Wait()
	})
}

// An issuer that answers slowly delays a token of a loaded key by staleWait at most, however long the server was idle.
func TestJWKSCache_StaleKeysAndSlowIssuer_ShortWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, v := newRecheckTest(t, time.Minute)
		time.Sleep(2 * staleAfter)
		verifyWithin(t, v, signWith(t, edKey(), "ed"), staleWait)
		require.Equal(t, 2, source.fetchCount())
	})
}
