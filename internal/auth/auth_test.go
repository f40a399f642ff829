package auth

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"errand/internal/apperr"
	"errand/internal/viewer"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

func TestAuthenticate_ValidToken_ReturnsViewerAndExpiry(t *testing.T) {
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()))
	a := i.newService(t, newFakeClock(), nil)
	users := &countingUserStore{}
	cache := NewUserCache(users)
	token := sign(t, "EdDSA", edKey(), validClaims(), kidHeader("ed"))

	for surface, kind := range map[Surface]viewer.ActorKind{GraphQL: viewer.ActorUser, MCP: viewer.ActorMCP} {
		ctx, id, expires, err := a.Authenticator(surface, cache).Authenticate(t.Context(), token)
		require.NoError(t, err)
		require.Equal(t, "user_u1", id)
		require.Equal(t, testStart.Add(15*time.Minute+a.leeway), expires, "expiry includes the leeway")
		who, ok := viewer.FromContext(ctx)
		require.True(t, ok)
		require.Equal(t, viewer.Viewer{UserID: "user_u1", Actor: kind, Expires: testStart.Add(15 * time.Minute)}, who)
	}
	require.Equal(t, 1, users.calls)
}

func TestAuthenticate_InvalidTokenOrStoreError_NoViewer(t *testing.T) {
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()))
	a := i.newService(t, newFakeClock(), nil)
	users := &countingUserStore{}
	x := a.Authenticator(GraphQL, users)

	ctx, id, _, err := x.Authenticate(t.Context(), "nonsense")
	require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err))
	require.Empty(t, id)
	require.Zero(t, users.calls, "an invalid token does not reach the database")
	_, ok := viewer.FromContext(ctx)
	require.False(t, ok)

	users.err = errors.New("database down")
	ctx, _, _, err = x.Authenticate(t.Context(), sign(t, "EdDSA", edKey(), validClaims(), kidHeader("ed")))
	require.ErrorIs(t, err, users.err)
	_, ok = viewer.FromContext(ctx)
	require.False(t, ok)
}

// Errors and logs must not contain tokens, keys or the secrets in addresses.
func TestVerify_RejectedTokens_NoSecretInErrorsOrLogs(t *testing.T) {
	const planted = "hunter2plantedsecret"
	var output bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&output, &slog.HandlerOptions{Level: slog.LevelDebug}))
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()))
	c := newFakeClock()
	cfg := loadConfig(t, environ{
		"AUTH_JWKS_URL": i.URL + "/jwks?key=" + planted, "AUTH_ISSUER": testIssuer, "AUTH_AUDIENCE": testAudience,
		"BETTER_AUTH_SECRET": planted, "AUTH_ALLOW_SECRET_WITH_JWKS": "true",
	})
	a, err := newService(cfg, log, c.now)
	require.NoError(t, err)
	defer a.Close()
	a.jwks.waitIdle(t)

	hidden := jwt.MapClaims{
		"jti":  planted,
		"exp":  planted,
		"sub":  planted,
		"name": planted + "\n",
		"iss":  planted,
		"aud":  planted,
	}
	tokens := []string{
		planted, planted + ".x.y", base64url(`{"alg":"`+planted+`"}`) + ".e30.x",
		base64url(planted) + ".e30.x", base64url(`{"alg":"EdDSA","kid":"`+planted+`"}`) + ".e30.x",
		sign(t, "EdDSA", edKey(), hidden, kidHeader("ed")),
		sign(t, "EdDSA", newEdKey(t), validClaims(), kidHeader(planted)),
		sign(t, "HS256", []byte(planted), hidden, nil),
		sign(t, "HS256", []byte("other"), validClaims(), nil),
		sign(t, "EdDSA", edKey(), validClaims(), map[string]any{"kid": "ed", "typ": planted}),
		strings.Repeat(planted, 1000),
	}
	for _, token := range tokens {
		_, err := a.Verifier(GraphQL).Verify(t.Context(), token)
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err))
		for ; err != nil; err = errors.Unwrap(err) {
			fmt.Fprintf(&output, "%v %+v %#v\n", err, err, err)
		}
	}
	i.setHandler(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(planted)) })
	c.advance(refreshAfter)
	_, _ = a.Verifier(GraphQL).Verify(t.Context(), sign(t, "EdDSA", edKey(), validClaims(), kidHeader("ed")))
	a.jwks.waitIdle(t)
	i.Close()
	c.advance(refreshAfter)
	_, _ = a.Verifier(GraphQL).Verify(t.Context(), sign(t, "EdDSA", edKey(), validClaims(), kidHeader("ed")))
	a.jwks.waitIdle(t)

	require.Contains(t, output.String(), "signing keys could not be fetched")
	require.NotContains(t, output.String(), planted)
	require.NotContains(t, output.String(), base64url(planted)[:20])
	require.NotContains(t, output.String(), "eyJ", "no part of a token")
}

func TestNew_DevSignIn_LogsWarning(t *testing.T) {
	var output bytes.Buffer
	a, err := newService(loadConfig(t, devEnviron(t)), slog.New(slog.NewJSONHandler(&output, nil)), newFakeClock().now)
	require.NoError(t, err)
	defer a.Close()
	require.Contains(t, output.String(), "development sign-in is on")
	require.Contains(t, output.String(), `"level":"WARN"`)

	h, err := a.DevSignInHandler(loopbackListener, nil)
	require.NoError(t, err)
	w := serve(h, newDevSignInRequest(`{"user":"alice"}`))
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, output.String(), `"user":"alice"`)
	require.NotContains(t, output.String(), "eyJ")
}
