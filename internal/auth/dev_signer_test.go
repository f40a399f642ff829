package auth

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"errand/internal/apperr"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// development is an environment with the development sign-in and its key in a folder of its own.
func development(t *testing.T) env {
	return env{"DATABASE_URL": "sqlite:" + filepath.Join(t.TempDir(), "errand.db")}
}

func TestDevelopmentTokens(t *testing.T) {
	c := newClock()
	environ := development(t)
	a := newAuth(t, c, environ)
	token, expires, err := a.DevSigner().Token("alice", 0)
	require.NoError(t, err)
	require.Equal(t, start.Add(DevTokenTTL), expires)

	restarted := newAuth(t, c, environ)
	for _, v := range []Verifier{a.Verifier(GraphQL), a.Verifier(MCP), restarted.Verifier(GraphQL)} {
		claims, err := v.Verify(t.Context(), token)
		require.NoError(t, err)
		require.Equal(
			t,
			Claims{Subject: "alice", Name: "alice", Issuer: DevIssuer, IssuedAt: start, ExpiresAt: expires},
			claims,
		)
	}
	c.advance(DevTokenTTL + time.Minute)
	requireRefused(t, a.Verifier(GraphQL), token, ReasonExpired)
}

func TestTokensOfAnotherFolderAreRefused(t *testing.T) {
	c := newClock()
	token, _, err := newAuth(t, c, development(t)).DevSigner().Token("alice", time.Hour)
	require.NoError(t, err)
	requireRefused(t, newAuth(t, c, development(t)).Verifier(GraphQL), token, ReasonBadSignature)
}

// A development token must be worth nothing to a server with real authentication,
// even one whose secret happens to be the same.
func TestDevelopmentTokensAreForDevelopmentOnly(t *testing.T) {
	signer := &DevSigner{key: []byte(testSecret), now: newClock().now}
	token, _, err := signer.Token("alice", time.Hour)
	require.NoError(t, err)
	v := newAuth(t, newClock(), env{"BETTER_AUTH_SECRET": testSecret, "AUTH_ISSUER": testIssuer}).Verifier(GraphQL)
	requireRefused(t, v, token, ReasonWrongIssuer)

	foreign := sign(t, "HS256", []byte(testSecret), goodClaims(), nil)
	requireRefused(t, signer.verifier(0), foreign, ReasonWrongIssuer)
	noAudience := sign(t, "HS256", []byte(testSecret), with(jwt.MapClaims{"iss": DevIssuer}), nil)
	requireRefused(t, signer.verifier(0), noAudience, ReasonWrongAudience)
}

func TestDevelopmentNames(t *testing.T) {
	signer := newAuth(t, newClock(), development(t)).DevSigner()
	for _, name := range []string{"a", "Alice.B_c-7@example.com", strings.Repeat("x", 64)} {
		_, _, err := signer.Token(name, time.Hour)
		require.NoError(t, err, name)
	}
	for _, name := range []string{"", " ", "a b", "a\n", "a/b", "é", "a:b", strings.Repeat("x", 65)} {
		_, _, err := signer.Token(name, time.Hour)
		require.Equal(t, apperr.BadUserInput, apperr.CodeOf(err), name)
		require.Equal(t, "user", apperr.From(err).Field)
	}
	for _, ttl := range []time.Duration{-1, time.Millisecond, MaxDevTokenTTL + 1} {
		_, _, err := signer.Token("a", ttl)
		require.Equal(t, "ttl", apperr.From(err).Field)
	}
}

func TestDevSignerOpensOnlyInDevelopment(t *testing.T) {
	_, err := OpenDevSigner(configOf(t, development(t)))
	require.NoError(t, err)
	_, err = OpenDevSigner(configOf(t, env{"BETTER_AUTH_SECRET": testSecret}))
	require.ErrorIs(t, err, errNoDevSignIn)

	// config.Load refuses such a configuration; it is refused here all the same.
	cfg := configOf(t, development(t))
	cfg.Server.Addr = "0.0.0.0:8080"
	_, err = New(cfg, slog.New(slog.DiscardHandler))
	require.ErrorIs(t, err, errNoDevSignIn)
}
