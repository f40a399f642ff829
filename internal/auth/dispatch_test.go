package auth

import (
	"context"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// namedVerifier accepts every token, for the subject with its name.
type namedVerifier string

// Verify implements Verifier.
func (v namedVerifier) Verify(context.Context, string) (Claims, error) {
	return Claims{Subject: string(v)}, nil
}

func unsigned(t *testing.T, claims jwt.MapClaims) string {
	t.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodNone, claims).SignedString(jwt.UnsafeAllowNoneSignatureType)
	require.NoError(t, err)
	return token + "AA" // a signature of some form
}

func TestDispatcher_Token_GoesToOneVerifier(t *testing.T) {
	s := &Service{verifiers: map[Surface]Verifier{GraphQL: namedVerifier("provider"), MCP: namedVerifier("provider")}}
	s.AcceptIssuer("urn:errand:1", namedVerifier("local"))
	s.AcceptPrefix("errand_", namedVerifier("api"))
	for token, want := range map[string]string{
		unsigned(t, jwt.MapClaims{"iss": "urn:errand:1"}):  "local",
		unsigned(t, jwt.MapClaims{"iss": "urn:errand:12"}): "provider",
		unsigned(t, jwt.MapClaims{"ISS": "urn:errand:1"}):  "provider",
		unsigned(t, jwt.MapClaims{}):                       "provider",
		"errand_abc":                                       "api",
		"opaque":                                           "provider",
	} {
		for _, surface := range []Surface{GraphQL, MCP} {
			claims, err := s.Verifier(surface).Verify(t.Context(), token)
			require.NoError(t, err)
			require.Equal(t, want, claims.Subject, token)
		}
	}
}

func TestDispatcher_ProviderOnly_DoesNotDecodeToken(t *testing.T) {
	s := &Service{verifiers: map[Surface]Verifier{GraphQL: namedVerifier("provider"), MCP: namedVerifier("provider")}}
	s.AcceptPrefix("errand_", namedVerifier("api"))
	v, token := s.Verifier(GraphQL), unsigned(t, jwt.MapClaims{"iss": "https://other.example"})
	allocations := testing.AllocsPerRun(10, func() {
		claims, err := v.Verify(t.Context(), token)
		require.NoError(t, err)
		require.Equal(t, "provider", claims.Subject)
	})
	require.Less(t, allocations, 5.0)
}

func TestDispatcher_WithoutProvider_RefusesOtherIssuers(t *testing.T) {
	s := &Service{verifiers: map[Surface]Verifier{}}
	s.AcceptIssuer("urn:errand:1", namedVerifier("local"))
	for token, want := range map[string]Reason{
		unsigned(t, jwt.MapClaims{"iss": "https://other.example"}): ReasonWrongIssuer,
		unsigned(t, jwt.MapClaims{}):                               ReasonWrongIssuer,
		"opaque":                                                   ReasonMalformed,
	} {
		_, err := s.Verifier(GraphQL).Verify(t.Context(), token)
		require.Equal(t, want, ReasonOf(err), token)
	}
}
