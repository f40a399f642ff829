package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"errand/internal/apperr"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// longLivedClaims returns claims that stay valid while a test advances the clock by hours.
func longLivedClaims() jwt.MapClaims {
	return claimsWith(jwt.MapClaims{"exp": testStart.Add(100 * time.Hour).Unix()})
}

func TestJWKSCache_NewKeyPublished_FetchedOnFirstUse(t *testing.T) {
	next := newEdKey(t)
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()))
	v := i.newService(t, newFakeClock(), nil).Verifier(GraphQL)

	i.publish(t, publicJWK(t, "ed", "EdDSA", edKey()), publicJWK(t, "next", "EdDSA", next))
	_, err := v.Verify(t.Context(), sign(t, "EdDSA", next, validClaims(), kidHeader("next")))
	require.NoError(t, err)
	_, err = v.Verify(t.Context(), sign(t, "EdDSA", edKey(), validClaims(), kidHeader("ed")))
	require.NoError(t, err)

	i.publish(t, publicJWK(t, "next", "EdDSA", next))
	require.EqualValues(t, 2, i.fetches.Load())
}

func TestJWKSCache_KeyWithdrawn_RejectedAfterRefresh(t *testing.T) {
	next := newEdKey(t)
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()))
	c := newFakeClock()
	a := i.newService(t, c, nil)
	v := a.Verifier(GraphQL)
	old := sign(t, "EdDSA", edKey(), longLivedClaims(), kidHeader("ed"))
	i.publish(t, publicJWK(t, "next", "EdDSA", next))

	c.advance(refreshAfter - time.Second)
	_, err := v.Verify(t.Context(), old)
	require.NoError(t, err)
	require.EqualValues(t, 1, i.fetches.Load())

	c.advance(time.Second)
	_, err = v.Verify(t.Context(), old)
	require.NoError(t, err, "a request does not wait for a refresh")
	a.jwks.waitIdle(t)
	require.EqualValues(t, 2, i.fetches.Load())
	requireRejected(t, v, old, ReasonUnknownKey)
}

func TestJWKSCache_StaleKeys_RequestWaitsForFetch(t *testing.T) {
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()))
	c := newFakeClock()
	v := i.newService(t, c, nil).Verifier(GraphQL)
	i.publish(t, publicJWK(t, "next", "EdDSA", newEdKey(t)))
	c.advance(staleAfter)
	requireRejected(t, v, sign(t, "EdDSA", edKey(), longLivedClaims(), kidHeader("ed")), ReasonUnknownKey)
}

func TestJWKSCache_EndpointFails_LastKeysKept(t *testing.T) {
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()))
	c := newFakeClock()
	a := i.newService(t, c, nil)
	token := sign(t, "EdDSA", edKey(), longLivedClaims(), kidHeader("ed"))
	otherKeys, err := json.Marshal(map[string]any{"keys": []any{publicJWK(t, "next", "EdDSA", newEdKey(t))}})
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
		i.setHandler(broken)
		c.advance(2 * staleAfter)
		before := i.fetches.Load()
		_, err := a.Verifier(GraphQL).Verify(t.Context(), token)
		require.NoError(t, err, name)
		a.jwks.waitIdle(t)
		require.Equal(t, before+1, i.fetches.Load(), name)
	}
	i.Close()
	c.advance(2 * staleAfter)
	_, err = a.Verifier(GraphQL).Verify(t.Context(), token)
	require.NoError(t, err, "connection refused")
}

func TestJWKSCache_EndpointDownAtStart_UnavailableThenRetried(t *testing.T) {
	i := newFakeIssuer(t)
	c := newFakeClock()
	a := i.newService(t, c, nil)
	token := sign(t, "EdDSA", edKey(), validClaims(), kidHeader("ed"))

	_, err := a.Verifier(GraphQL).Verify(t.Context(), token)
	require.Equal(t, apperr.Unavailable, apperr.CodeOf(err), "the token may be valid")
	require.Equal(t, apperr.Unavailable, apperr.CodeOf(waitForKeys(t.Context(), a)))
	require.EqualValues(t, 1, i.fetches.Load())

	i.publish(t, publicJWK(t, "ed", "EdDSA", edKey()))
	c.advance(firstFetchRetryDelay)
	_, err = a.Verifier(GraphQL).Verify(t.Context(), token)
	require.NoError(t, err)
	require.NoError(t, waitForKeys(t.Context(), a))
	require.EqualValues(t, 2, i.fetches.Load())
}

func TestJWKSCache_ConcurrentRequests_ShareOneFetch(t *testing.T) {
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()))
	release := i.hold()
	a := newTestService(
		t,
		newFakeClock(),
		environ{"AUTH_JWKS_URL": i.URL, "AUTH_ISSUER": testIssuer, "AUTH_AUDIENCE": testAudience},
	)
	token := sign(t, "EdDSA", edKey(), validClaims(), kidHeader("ed"))
	left, leave := context.WithCancel(t.Context())
	leave()
	_, err := a.Verifier(GraphQL).Verify(left, token)
	require.Equal(
		t,
		apperr.Unavailable,
		apperr.CodeOf(err),
		"a canceled request does not wait and does not cancel the fetch",
	)

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

func TestJWKSCache_StaleKeysAndEndpointDown_NoWait(t *testing.T) {
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()))
	c := newFakeClock()
	a := i.newService(t, c, nil)
	i.fail()
	c.advance(refreshAfter)
	token := sign(t, "EdDSA", edKey(), longLivedClaims(), kidHeader("ed"))
	_, err := a.Verifier(GraphQL).Verify(t.Context(), token)
	require.NoError(t, err)
	a.jwks.waitIdle(t)

	release := i.hold()
	c.advance(2 * staleAfter)
	_, err = a.Verifier(GraphQL).Verify(t.Context(), token)
	require.NoError(t, err)
	a.jwks.mu.Lock()
	require.NotNil(t, a.jwks.fetching, "the request returned before the fetch")
	a.jwks.mu.Unlock()
	release()
}

func TestJWKSCache_CloseDuringFetch_Canceled(t *testing.T) {
	begun := make(chan struct{})
	s := newJWKSCache(func(ctx context.Context) (*keySet, error) {
		close(begun)
		<-ctx.Done()
		return nil, ctx.Err()
	}, newFakeClock().now, slog.New(slog.DiscardHandler))
	s.prefetch()
	<-begun
	s.Close()
	s.Close()
	_, err := s.get(t.Context())
	require.Equal(t, apperr.Unavailable, apperr.CodeOf(err), "no fetch starts after Close")
}

// A wrong clock makes all tokens fail; the log names it once.
func TestJWKSCache_ClockDiffers_LoggedOnce(t *testing.T) {
	var output bytes.Buffer
	i := newFakeIssuer(t)
	body := mustJSON(t, map[string]any{"keys": []any{publicJWK(t, "ed", "EdDSA", edKey())}})
	i.setHandler(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
		_, _ = w.Write(body)
	})
	cfg := loadConfig(t, environ{"AUTH_JWKS_URL": i.URL, "AUTH_ISSUER": testIssuer})
	c := newFakeClock()
	a, err := newService(cfg, slog.New(slog.NewJSONHandler(&output, nil)), c.now)
	require.NoError(t, err)
	t.Cleanup(a.Close)
	for range 3 {
		a.jwks.waitIdle(t)
		c.advance(refreshAfter)
		_, err = a.jwks.get(t.Context())
		require.NoError(t, err)
	}
	a.jwks.waitIdle(t)
	require.Equal(t, 1, strings.Count(output.String(), "clock differs"))
	require.Contains(t, output.String(), `"ahead":"1h0m0s"`)
}
