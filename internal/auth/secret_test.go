package auth

import (
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

var testSecret = strings.Repeat("better-auth-", 4)

func TestSharedSecret(t *testing.T) {
	a := newAuth(t, newClock(), env{"BETTER_AUTH_SECRET": testSecret})
	v := a.Verifier(GraphQL)
	claims, err := v.Verify(t.Context(), sign(t, "HS256", []byte(testSecret), goodClaims(), nil))
	require.NoError(t, err)
	require.Equal(t, "u1", claims.Subject)
	require.Nil(t, a.DevSigner())

	requireRefused(t, v, sign(t, "HS256", []byte("another"), goodClaims(), nil), ReasonBadSignature)
	requireRefused(t, v, sign(t, "HS512", []byte(testSecret), goodClaims(), nil), ReasonBadAlgorithm)
	requireRefused(t, v, sign(t, "EdDSA", edKey(), goodClaims(), nil), ReasonBadAlgorithm)
	requireRefused(t, v, sign(t, "none", jwt.UnsafeAllowNoneSignatureType, goodClaims(), nil), ReasonBadAlgorithm)
	requireRefused(t, v, sign(t, "HS256", []byte(testSecret), with(jwt.MapClaims{"exp": nil}), nil), ReasonMissingClaim)
}

func TestSharedSecretChecksIssuerAndAudienceWhenSet(t *testing.T) {
	a := newAuth(t, newClock(), env{
		"BETTER_AUTH_SECRET": testSecret, "AUTH_ISSUER": testIssuer, "AUTH_AUDIENCE": testAudience,
	})
	token := func(changes jwt.MapClaims) string { return sign(t, "HS256", []byte(testSecret), with(changes), nil) }
	_, err := a.Verifier(GraphQL).Verify(t.Context(), token(nil))
	require.NoError(t, err)
	requireRefused(t, a.Verifier(GraphQL), token(jwt.MapClaims{"iss": "x"}), ReasonWrongIssuer)
	requireRefused(t, a.Verifier(GraphQL), token(jwt.MapClaims{"aud": "x"}), ReasonWrongAudience)
}

func TestBothKindsOfTokens(t *testing.T) {
	i := newIssuer(t, jwk(t, "ed", "EdDSA", edKey()))
	a := i.setup(t, newClock(), env{"BETTER_AUTH_SECRET": testSecret, "AUTH_ALLOW_SECRET_WITH_JWKS": "true"})
	v := a.Verifier(GraphQL)
	for _, token := range []string{
		sign(t, "EdDSA", edKey(), goodClaims(), kid("ed")),
		sign(t, "HS256", []byte(testSecret), goodClaims(), kid("ed")),
	} {
		_, err := v.Verify(t.Context(), token)
		require.NoError(t, err)
	}
	requireRefused(t, v, sign(t, "HS256", []byte("x"), goodClaims(), nil), ReasonBadSignature)
	requireRefused(t, v, sign(t, "EdDSA", newEdKey(t), goodClaims(), kid("ed")), ReasonBadSignature)
	requireRefused(t, v, sign(t, "none", jwt.UnsafeAllowNoneSignatureType, goodClaims(), nil), ReasonBadAlgorithm)
	requireRefused(t, v, sign(t, "EdDSA", edKey(), with(jwt.MapClaims{"aud": "x"}), kid("ed")), ReasonWrongAudience)
}

// The secret must not verify anything once published keys are configured alone.
func TestPublishedKeysAloneRefuseTheSecret(t *testing.T) {
	i := newIssuer(t, jwk(t, "ed", "EdDSA", edKey()))
	v := i.setup(t, newClock(), nil).Verifier(GraphQL)
	requireRefused(t, v, sign(t, "HS256", []byte(testSecret), goodClaims(), kid("ed")), ReasonBadAlgorithm)
}

// Where any issuer is accepted, what it is called is still a part of who somebody is.
func TestAnyIssuerIsHeldToItsForm(t *testing.T) {
	v := newAuth(t, newClock(), env{"BETTER_AUTH_SECRET": testSecret}).Verifier(GraphQL)
	token := func(issuer any) string {
		return sign(t, "HS256", []byte(testSecret), with(jwt.MapClaims{"iss": issuer}), nil)
	}
	for given, want := range map[any]string{nil: "", "": "", "https://x.example": "https://x.example"} {
		claims, err := v.Verify(t.Context(), token(given))
		require.NoError(t, err)
		require.Equal(t, want, claims.Issuer)
	}
	for _, bad := range []any{7, []string{"x"}, "x\x00", "x\n", " x", "x\u200b", strings.Repeat("x", MaxIssuerBytes+1)} {
		requireRefused(t, v, token(bad), ReasonBadClaim, bad)
	}
}
