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

func TestAuthenticateMakesTheBearerTheViewer(t *testing.T) {
	i := newIssuer(t, jwk(t, "ed", "EdDSA", edKey()))
	a := i.setup(t, newClock(), nil)
	users := &countedUsers{}
	cache := NewUserCache(users)
	token := sign(t, "EdDSA", edKey(), goodClaims(), kid("ed"))

	for surface, kind := range map[Surface]viewer.ActorKind{GraphQL: viewer.ActorUser, MCP: viewer.ActorMCP} {
		ctx, id, expires, err := a.Authenticator(surface, cache).Authenticate(t.Context(), token)
		require.NoError(t, err)
		require.Equal(t, "user_u1", id)
		require.Equal(t, start.Add(15*time.Minute+a.leeway), expires, "until then the token is good")
		who, ok := viewer.FromContext(ctx)
		require.True(t, ok)
		require.Equal(t, viewer.Viewer{UserID: "user_u1", Actor: kind}, who)
	}
	require.Equal(t, 1, users.asked)
}

func TestAuthenticateRefusals(t *testing.T) {
	i := newIssuer(t, jwk(t, "ed", "EdDSA", edKey()))
	a := i.setup(t, newClock(), nil)
	users := &countedUsers{}
	x := a.Authenticator(GraphQL, users)

	ctx, id, _, err := x.Authenticate(t.Context(), "nonsense")
	require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err))
	require.Empty(t, id)
	require.Zero(t, users.asked, "a bad token never reaches the database")
	_, ok := viewer.FromContext(ctx)
	require.False(t, ok)

	users.err = errors.New("database down")
	ctx, _, _, err = x.Authenticate(t.Context(), sign(t, "EdDSA", edKey(), goodClaims(), kid("ed")))
	require.ErrorIs(t, err, users.err)
	_, ok = viewer.FromContext(ctx)
	require.False(t, ok)
}

// Everything that is refused, fails or is logged must keep tokens, keys and addresses' secrets to itself.
func TestNothingSecretIsSaidOrLogged(t *testing.T) {
	const planted = "hunter2plantedsecret"
	var said bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))
	i := newIssuer(t, jwk(t, "ed", "EdDSA", edKey()))
	c := newClock()
	cfg := configOf(t, env{
		"AUTH_JWKS_URL": i.URL + "/jwks?key=" + planted, "AUTH_ISSUER": testIssuer, "AUTH_AUDIENCE": testAudience,
		"BETTER_AUTH_SECRET": planted, "AUTH_ALLOW_SECRET_WITH_JWKS": "true",
	})
	a, err := New(cfg, log, WithClock(c.now))
	require.NoError(t, err)
	defer a.Close()
	a.jwks.settle(t)

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
		sign(t, "EdDSA", edKey(), hidden, kid("ed")),
		sign(t, "EdDSA", newEdKey(t), goodClaims(), kid(planted)),
		sign(t, "HS256", []byte(planted), hidden, nil),
		sign(t, "HS256", []byte("other"), goodClaims(), nil),
		sign(t, "EdDSA", edKey(), goodClaims(), map[string]any{"kid": "ed", "typ": planted}),
		strings.Repeat(planted, 1000),
	}
	for _, token := range tokens {
		_, err := a.Verifier(GraphQL).Verify(t.Context(), token)
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err))
		for ; err != nil; err = errors.Unwrap(err) {
			fmt.Fprintf(&said, "%v %+v %#v\n", err, err, err)
		}
	}
	i.answer(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(planted)) })
	c.advance(refreshAfter)
	_, _ = a.Verifier(GraphQL).Verify(t.Context(), sign(t, "EdDSA", edKey(), goodClaims(), kid("ed")))
	a.jwks.settle(t)
	i.Close()
	c.advance(refreshAfter)
	_, _ = a.Verifier(GraphQL).Verify(t.Context(), sign(t, "EdDSA", edKey(), goodClaims(), kid("ed")))
	a.jwks.settle(t)

	require.Contains(t, said.String(), "signing keys could not be fetched")
	require.NotContains(t, said.String(), planted)
	require.NotContains(t, said.String(), base64url(planted)[:20])
	require.NotContains(t, said.String(), "eyJ", "no part of a token")
}

func TestDevelopmentSignInIsAnnounced(t *testing.T) {
	var said bytes.Buffer
	a, err := New(configOf(t, development(t)), slog.New(slog.NewJSONHandler(&said, nil)), WithClock(newClock().now))
	require.NoError(t, err)
	defer a.Close()
	require.NoError(t, a.WaitForKeys(t.Context()))
	require.Contains(t, said.String(), "development sign-in is on")
	require.Contains(t, said.String(), `"level":"WARN"`)

	h, err := a.DevSignInHandler(loopbackListener)
	require.NoError(t, err)
	w := serve(h, signInRequest(`{"user":"alice"}`))
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, said.String(), `"user":"alice"`)
	require.NotContains(t, said.String(), "eyJ")
}
