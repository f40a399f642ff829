package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"errand/internal/apperr"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// longLived outlasts the hours that these tests let pass.
func longLived() jwt.MapClaims {
	return with(jwt.MapClaims{"exp": start.Add(100 * time.Hour).Unix()})
}

// flood sends tokens with made-up key ids from several sides at once.
func flood(t *testing.T, v Verifier, tokens int) {
	t.Helper()
	const senders = 8
	token := strings.Split(sign(t, "EdDSA", edKey(), goodClaims(), nil), ".")
	errs := make(chan error, tokens)
	var all sync.WaitGroup
	for sender := range senders {
		all.Go(func() {
			for n := range tokens / senders {
				header := fmt.Sprintf(`{"alg":"EdDSA","kid":"made-up-%d-%d"}`, sender, n)
				_, err := v.Verify(context.Background(), base64url(header)+"."+token[1]+"."+token[2])
				errs <- err
			}
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err))
		require.Equal(t, ReasonUnknownKey, ReasonOf(err))
	}
}

func TestFloodOfUnknownKeysCostsOneFetchPerCooldown(t *testing.T) {
	i := newIssuer(t, jwk(t, "ed", "EdDSA", edKey()))
	c := newClock()
	a := i.setup(t, c, nil)
	require.EqualValues(t, 1, i.fetches.Load())

	flood(t, a.Verifier(GraphQL), 10_000)
	require.EqualValues(t, 2, i.fetches.Load())
	c.advance(unknownKeyCooldown - time.Second)
	flood(t, a.Verifier(MCP), 1000)
	require.EqualValues(t, 2, i.fetches.Load(), "all surfaces share one cooldown")
	c.advance(time.Second)
	flood(t, a.Verifier(GraphQL), 1000)
	require.EqualValues(t, 3, i.fetches.Load())

	i.fail()
	c.advance(unknownKeyCooldown)
	flood(t, a.Verifier(GraphQL), 1000)
	require.EqualValues(t, 4, i.fetches.Load(), "a failing endpoint is not asked more often")
}

func TestRotationIsFollowedAtOnce(t *testing.T) {
	next := newEdKey(t)
	i := newIssuer(t, jwk(t, "ed", "EdDSA", edKey()))
	v := i.setup(t, newClock(), nil).Verifier(GraphQL)

	i.publish(t, jwk(t, "ed", "EdDSA", edKey()), jwk(t, "next", "EdDSA", next))
	_, err := v.Verify(t.Context(), sign(t, "EdDSA", next, goodClaims(), kid("next")))
	require.NoError(t, err)
	_, err = v.Verify(t.Context(), sign(t, "EdDSA", edKey(), goodClaims(), kid("ed")))
	require.NoError(t, err)

	i.publish(t, jwk(t, "next", "EdDSA", next))
	require.EqualValues(t, 2, i.fetches.Load())
}

func TestWithdrawnKeyIsForgottenOnRefresh(t *testing.T) {
	next := newEdKey(t)
	i := newIssuer(t, jwk(t, "ed", "EdDSA", edKey()))
	c := newClock()
	a := i.setup(t, c, nil)
	v := a.Verifier(GraphQL)
	old := sign(t, "EdDSA", edKey(), longLived(), kid("ed"))
	i.publish(t, jwk(t, "next", "EdDSA", next))

	c.advance(refreshAfter - time.Second)
	_, err := v.Verify(t.Context(), old)
	require.NoError(t, err)
	require.EqualValues(t, 1, i.fetches.Load())

	c.advance(time.Second)
	_, err = v.Verify(t.Context(), old)
	require.NoError(t, err, "a refresh holds nobody up")
	a.jwks.settle(t)
	require.EqualValues(t, 2, i.fetches.Load())
	c.advance(unknownKeyCooldown)
	requireRefused(t, v, old, ReasonUnknownKey)
}

func TestIdleServerAsksBeforeItTrustsOldKeys(t *testing.T) {
	i := newIssuer(t, jwk(t, "ed", "EdDSA", edKey()))
	c := newClock()
	v := i.setup(t, c, nil).Verifier(GraphQL)
	i.publish(t, jwk(t, "next", "EdDSA", newEdKey(t)))
	c.advance(staleAfter)
	requireRefused(t, v, sign(t, "EdDSA", edKey(), longLived(), kid("ed")), ReasonUnknownKey)
}

func TestLastGoodKeysServeWhileTheEndpointIsDown(t *testing.T) {
	i := newIssuer(t, jwk(t, "ed", "EdDSA", edKey()))
	c := newClock()
	a := i.setup(t, c, nil)
	token := sign(t, "EdDSA", edKey(), longLived(), kid("ed"))
	otherKeys, err := json.Marshal(map[string]any{"keys": []any{jwk(t, "next", "EdDSA", newEdKey(t))}})
	require.NoError(t, err)
	tooLarge := append(otherKeys, bytes.Repeat([]byte(" "), maxKeySetBytes)...)
	breakages := map[string]http.HandlerFunc{
		"status":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"no JSON":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"no keys":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"keys":[]}`)) },
		"too large": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(tooLarge) },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, i.URL+"/elsewhere", http.StatusFound)
		},
		"cut": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	for name, broken := range breakages {
		i.answer(broken)
		c.advance(2 * staleAfter)
		before := i.fetches.Load()
		_, err := a.Verifier(GraphQL).Verify(t.Context(), token)
		require.NoError(t, err, name)
		a.jwks.settle(t)
		require.Equal(t, before+1, i.fetches.Load(), name)
	}
	i.Close()
	c.advance(2 * staleAfter)
	_, err = a.Verifier(GraphQL).Verify(t.Context(), token)
	require.NoError(t, err, "connection refused")
}

func TestEndpointThatComesUpLater(t *testing.T) {
	i := newIssuer(t)
	c := newClock()
	a := i.setup(t, c, nil)
	token := sign(t, "EdDSA", edKey(), goodClaims(), kid("ed"))

	_, err := a.Verifier(GraphQL).Verify(t.Context(), token)
	require.Equal(t, apperr.Unavailable, apperr.CodeOf(err), "nothing speaks against the token itself")
	require.Equal(t, apperr.Unavailable, apperr.CodeOf(a.WaitForKeys(t.Context())))
	require.EqualValues(t, 1, i.fetches.Load())

	i.publish(t, jwk(t, "ed", "EdDSA", edKey()))
	c.advance(firstFetchRetryDelay)
	_, err = a.Verifier(GraphQL).Verify(t.Context(), token)
	require.NoError(t, err)
	require.NoError(t, a.WaitForKeys(t.Context()))
	require.EqualValues(t, 2, i.fetches.Load())
}

func TestOneFetchForManyWaiting(t *testing.T) {
	i := newIssuer(t, jwk(t, "ed", "EdDSA", edKey()))
	release := i.hold()
	a := newAuth(t, newClock(), env{"AUTH_JWKS_URL": i.URL, "AUTH_ISSUER": testIssuer, "AUTH_AUDIENCE": testAudience})
	token := sign(t, "EdDSA", edKey(), goodClaims(), kid("ed"))
	left, leave := context.WithCancel(t.Context())
	leave()
	_, err := a.Verifier(GraphQL).Verify(left, token)
	require.Equal(t, apperr.Unavailable, apperr.CodeOf(err), "who leaves does not wait, and stops nothing")

	results := make(chan error, 50)
	for range cap(results) {
		go func() {
			_, err := a.Verifier(GraphQL).Verify(context.Background(), token)
			results <- err
		}()
	}
	release()
	for range cap(results) {
		require.NoError(t, <-results)
	}
	require.EqualValues(t, 1, i.fetches.Load())
}

func TestUnknownKeyJoinsTheRefreshUnderWay(t *testing.T) {
	i := newIssuer(t, jwk(t, "ed", "EdDSA", edKey()))
	c := newClock()
	a := i.setup(t, c, nil)
	next := newEdKey(t)
	i.publish(t, jwk(t, "next", "EdDSA", next))
	release := i.hold()

	c.advance(refreshAfter)
	_, err := a.Verifier(GraphQL).Verify(t.Context(), sign(t, "EdDSA", edKey(), longLived(), kid("ed")))
	require.NoError(t, err)
	left, leave := context.WithCancel(t.Context())
	leave()
	fresh := sign(t, "EdDSA", next, longLived(), kid("next"))
	_, err = a.Verifier(GraphQL).Verify(left, fresh)
	require.Equal(t, apperr.Unavailable, apperr.CodeOf(err))
	release()
	a.jwks.settle(t)
	_, err = a.Verifier(GraphQL).Verify(t.Context(), fresh)
	require.NoError(t, err)
	require.EqualValues(t, 2, i.fetches.Load())
}

func TestNobodyWaitsForAnEndpointKnownToBeDown(t *testing.T) {
	i := newIssuer(t, jwk(t, "ed", "EdDSA", edKey()))
	c := newClock()
	a := i.setup(t, c, nil)
	i.fail()
	c.advance(refreshAfter)
	token := sign(t, "EdDSA", edKey(), longLived(), kid("ed"))
	_, err := a.Verifier(GraphQL).Verify(t.Context(), token)
	require.NoError(t, err)
	a.jwks.settle(t)

	release := i.hold()
	c.advance(2 * staleAfter)
	_, err = a.Verifier(GraphQL).Verify(t.Context(), token)
	require.NoError(t, err)
	a.jwks.mu.Lock()
	require.NotNil(t, a.jwks.fetching, "the answer came before the endpoint's")
	a.jwks.mu.Unlock()
	release()
}

func TestCloseEndsAHangingFetch(t *testing.T) {
	begun := make(chan struct{})
	s := newJWKSCache(func(ctx context.Context) (*keySet, error) {
		close(begun)
		<-ctx.Done()
		return nil, ctx.Err()
	}, newClock().now, slog.New(slog.DiscardHandler))
	s.prefetch()
	<-begun
	s.Close()
	s.Close()
	_, err := s.get(t.Context())
	require.Equal(t, apperr.Unavailable, apperr.CodeOf(err), "and nothing begins again")
}
