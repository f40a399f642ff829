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

// devEnviron returns an environment that enables the development sign-in, with the key in a temporary directory.
func devEnviron(t *testing.T) environ {
	return environ{"DATABASE_URL": "sqlite:" + filepath.Join(t.TempDir(), "errand.db")}
}

func TestDevSigner_Token_VerifiesUntilExpiryAndAfterRestart(t *testing.T) {
	c := newFakeClock()
	environ := devEnviron(t)
	a := newTestService(t, c, environ)
	token, expires, err := a.devSigner.Token("alice", 0)
	require.NoError(t, err)
	require.Equal(t, testStart.Add(DevTokenTTL), expires)

	restarted := newTestService(t, c, environ)
	for _, v := range []Verifier{a.Verifier(GraphQL), a.Verifier(MCP), restarted.Verifier(GraphQL)} {
		claims, err := v.Verify(t.Context(), token)
		require.NoError(t, err)
		require.Equal(
			t,
			Claims{Subject: "alice", Name: "alice", Issuer: DevIssuer, IssuedAt: testStart, ExpiresAt: expires},
			claims,
		)
	}
	c.advance(DevTokenTTL + time.Minute)
	requireRejected(t, a.Verifier(GraphQL), token, ReasonExpired)
}

func TestDevSigner_KeyOfOtherDirectory_Rejected(t *testing.T) {
	c := newFakeClock()
	token, _, err := newTestService(t, c, devEnviron(t)).devSigner.Token("alice", time.Hour)
	require.NoError(t, err)
	requireRejected(t, newTestService(t, c, devEnviron(t)).Verifier(GraphQL), token, ReasonBadSignature)
}

// A server with configured authentication must reject development tokens, even if its secret equals the
// development key.
func TestDevSigner_TokenOrVerifierOfOtherIssuer_Rejected(t *testing.T) {
	signer := &DevSigner{key: []byte(testSecret), now: newFakeClock().now}
	token, _, err := signer.Token("alice", time.Hour)
	require.NoError(t, err)
	v := newTestService(
		t,
		newFakeClock(),
		environ{"BETTER_AUTH_SECRET": testSecret, "AUTH_ISSUER": testIssuer},
	).Verifier(GraphQL)
	requireRejected(t, v, token, ReasonWrongIssuer)

	foreign := sign(t, "HS256", []byte(testSecret), validClaims(), nil)
	requireRejected(t, signer.newVerifier(0), foreign, ReasonWrongIssuer)
	noAudience := sign(t, "HS256", []byte(testSecret), claimsWith(jwt.MapClaims{"iss": DevIssuer}), nil)
	requireRejected(t, signer.newVerifier(0), noAudience, ReasonWrongAudience)
}

func TestDevSigner_UserNamesAndTTLs_Validated(t *testing.T) {
	signer := newTestService(t, newFakeClock(), devEnviron(t)).devSigner
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

func TestOpenDevSigner_NotDevelopmentOrNotLoopback_Error(t *testing.T) {
	_, err := OpenDevSigner(loadConfig(t, devEnviron(t)))
	require.NoError(t, err)
	_, err = OpenDevSigner(loadConfig(t, environ{"BETTER_AUTH_SECRET": testSecret}))
	require.ErrorIs(t, err, errNoDevSignIn)

	// A server with other users has no development sign-in.
	cfg := loadConfig(t, devEnviron(t))
	cfg.Server.Addr = "0.0.0.0:8080"
	s, err := New(cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.Nil(t, s.devSigner)
	_, err = OpenDevSigner(cfg)
	require.ErrorIs(t, err, errNoDevSignIn)
}
