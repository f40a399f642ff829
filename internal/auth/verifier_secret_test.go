package auth

import (
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

var testSecret = strings.Repeat("better-auth-", 4)

func TestVerify_Secret_AcceptsHS256Only(t *testing.T) {
	a := newTestService(t, newFakeClock(), environ{"BETTER_AUTH_SECRET": testSecret})
	v := a.Verifier(GraphQL)
	claims, err := v.Verify(t.Context(), sign(t, "HS256", []byte(testSecret), validClaims(), nil))
	require.NoError(t, err)
	require.Equal(t, "u1", claims.Subject)
	require.Nil(t, a.devSigner)

	requireRejected(t, v, sign(t, "HS256", []byte("another"), validClaims(), nil), ReasonBadSignature)
	requireRejected(t, v, sign(t, "HS512", []byte(testSecret), validClaims(), nil), ReasonBadAlgorithm)
	requireRejected(t, v, sign(t, "EdDSA", edKey(), validClaims(), nil), ReasonBadAlgorithm)
	requireRejected(t, v, sign(t, "none", jwt.UnsafeAllowNoneSignatureType, validClaims(), nil), ReasonBadAlgorithm)
	requireRejected(
		t,
		v,
		sign(t, "HS256", []byte(testSecret), claimsWith(jwt.MapClaims{"exp": nil}), nil),
		ReasonMissingClaim,
	)
}

func TestVerify_SecretWithIssuerAndAudience_Checked(t *testing.T) {
	a := newTestService(t, newFakeClock(), environ{
		"BETTER_AUTH_SECRET": testSecret, "AUTH_ISSUER": testIssuer, "AUTH_AUDIENCE": testAudience,
	})
	token := func(changes jwt.MapClaims) string {
		return sign(t, "HS256", []byte(testSecret), claimsWith(changes), nil)
	}
	_, err := a.Verifier(GraphQL).Verify(t.Context(), token(nil))
	require.NoError(t, err)
	requireRejected(t, a.Verifier(GraphQL), token(jwt.MapClaims{"iss": "x"}), ReasonWrongIssuer)
	requireRejected(t, a.Verifier(GraphQL), token(jwt.MapClaims{"aud": "x"}), ReasonWrongAudience)
}

func TestVerify_JWKSAndSecret_BothAccepted(t *testing.T) {
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()))
	a := i.newService(t, newFakeClock(), environ{"BETTER_AUTH_SECRET": testSecret, "AUTH_ALLOW_SECRET_WITH_JWKS": "true"})
	v := a.Verifier(GraphQL)
	for _, token := range []string{
		sign(t, "EdDSA", edKey(), validClaims(), kidHeader("ed")),
		sign(t, "HS256", []byte(testSecret), validClaims(), kidHeader("ed")),
	} {
		_, err := v.Verify(t.Context(), token)
		require.NoError(t, err)
	}
	requireRejected(t, v, sign(t, "HS256", []byte("x"), validClaims(), nil), ReasonBadSignature)
	requireRejected(t, v, sign(t, "EdDSA", newEdKey(t), validClaims(), kidHeader("ed")), ReasonBadSignature)
	requireRejected(t, v, sign(t, "none", jwt.UnsafeAllowNoneSignatureType, validClaims(), nil), ReasonBadAlgorithm)
	requireRejected(
		t,
		v,
		sign(t, "EdDSA", edKey(), claimsWith(jwt.MapClaims{"aud": "x"}), kidHeader("ed")),
		ReasonWrongAudience,
	)
}

// With AUTH_JWKS_URL alone, tokens signed with a secret must be rejected.
func TestVerify_JWKSOnly_RejectsSecret(t *testing.T) {
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()))
	v := i.newService(t, newFakeClock(), nil).Verifier(GraphQL)
	requireRejected(t, v, sign(t, "HS256", []byte(testSecret), validClaims(), kidHeader("ed")), ReasonBadAlgorithm)
}

// The issuer is part of the user's identity, so its form is validated even where any issuer is accepted.
func TestVerify_AnyIssuer_FormValidated(t *testing.T) {
	v := newTestService(t, newFakeClock(), environ{"BETTER_AUTH_SECRET": testSecret}).Verifier(GraphQL)
	token := func(issuer any) string {
		return sign(t, "HS256", []byte(testSecret), claimsWith(jwt.MapClaims{"iss": issuer}), nil)
	}
	for given, want := range map[any]string{nil: "", "": "", "https://x.example": "https://x.example"} {
		claims, err := v.Verify(t.Context(), token(given))
		require.NoError(t, err)
		require.Equal(t, want, claims.Issuer)
	}
	for _, bad := range []any{7, []string{"x"}, "x\x00", "x\n", " x", "x\u200b", strings.Repeat("x", MaxIssuerBytes+1)} {
		requireRejected(t, v, token(bad), ReasonBadClaim, bad)
	}
}

// The users of built-in accounts and of the development sign-in are found by issuer and subject, so that an external
// key must not name theirs, whatever issuers are accepted.
func TestVerify_ReservedIssuer_RejectedForExternalKeys(t *testing.T) {
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()))
	both := i.newService(t, newFakeClock(), environ{
		"BETTER_AUTH_SECRET": testSecret, "AUTH_ALLOW_SECRET_WITH_JWKS": "true",
	})
	secret := newTestService(t, newFakeClock(), environ{"BETTER_AUTH_SECRET": testSecret})
	// The dispatcher passes the tokens of other databases' accounts on.
	secret.AcceptIssuer("urn:errand:here", namedVerifier("local"))
	for _, issuer := range []string{DevIssuer, AccountIssuerPrefix, AccountIssuerPrefix + "elsewhere"} {
		claims := claimsWith(jwt.MapClaims{"iss": issuer})
		for _, surface := range []Surface{GraphQL, MCP} {
			requireRejected(t, secret.Verifier(surface), sign(t, "HS256", []byte(testSecret), claims, nil),
				ReasonWrongIssuer, issuer)
			requireRejected(t, both.Verifier(surface), sign(t, "HS256", []byte(testSecret), claims, nil),
				ReasonWrongIssuer, issuer)
			requireRejected(t, both.Verifier(surface), sign(t, "EdDSA", edKey(), claims, kidHeader("ed")),
				ReasonWrongIssuer, issuer)
		}
	}
}
