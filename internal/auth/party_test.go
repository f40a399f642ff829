package auth

import (
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// Clerk sets no audience but "azp", Cognito's access tokens "client_id", Okta "cid", Entra's version 1 "appid".
func TestVerify_AuthorizedParties_ReplaceMissingAudience(t *testing.T) {
	type m = jwt.MapClaims
	const party = "https://app.example.com"
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()))
	token := func(changes m) string { return sign(t, "EdDSA", edKey(), claimsWith(changes), kidHeader("ed")) }

	a := i.newService(t, newFakeClock(), environ{"AUTH_AUTHORIZED_PARTIES": "other, " + party})
	for _, surface := range []Surface{GraphQL, MCP} {
		for _, claims := range []m{
			{"aud": nil, "azp": party},
			{"aud": nil, "client_id": "other"},
			{"aud": nil, "cid": party},
			{"aud": nil, "appid": party},
			{"azp": party},
			{"azp": party, "client_id": "evil"},
			{"azp": party, "aud": []string{"x", testAudience}},
		} {
			_, err := a.Verifier(surface).Verify(t.Context(), token(claims))
			require.NoError(t, err, claims)
		}
		for _, tc := range []struct {
			claims m
			reason Reason
		}{
			{m{"aud": nil}, ReasonMissingClaim},
			{m{}, ReasonMissingClaim},
			{m{"aud": nil, "azp": "evil"}, ReasonWrongParty},
			{m{"aud": nil, "azp": "evil", "client_id": party}, ReasonWrongParty},
			{m{"aud": nil, "azp": ""}, ReasonWrongParty},
			{m{"aud": nil, "azp": []string{party}}, ReasonWrongParty},
			{m{"azp": party, "aud": "https://other.example"}, ReasonWrongAudience},
			{m{"azp": party, "aud": []string{}}, ReasonWrongAudience},
			{m{"azp": party, "aud": 7}, ReasonWrongAudience},
			{m{"azp": party, "aud": nil, "iss": "https://evil.example"}, ReasonWrongIssuer},
		} {
			requireRejected(t, a.Verifier(surface), token(tc.claims), tc.reason, tc.claims)
		}
	}

	a = i.newService(t, newFakeClock(), environ{"AUTH_AUTHORIZED_PARTIES": party, "AUTH_MCP_AUDIENCE": "https://x/mcp"})
	_, err := a.Verifier(GraphQL).Verify(t.Context(), token(m{"aud": nil, "azp": party}))
	require.NoError(t, err)
	requireRejected(
		t,
		a.Verifier(MCP),
		token(m{"aud": nil, "azp": party}),
		ReasonMissingClaim,
		"/mcp has its own audience",
	)

	// WorkOS sets neither an audience nor a client: its keys belong to one application.
	a = i.newService(t, newFakeClock(), environ{"AUTH_AUDIENCE": "*"})
	for _, claims := range []m{{"aud": nil}, {"aud": "x"}, {"aud": nil, "azp": "x"}} {
		for _, surface := range []Surface{GraphQL, MCP} {
			_, err := a.Verifier(surface).Verify(t.Context(), token(claims))
			require.NoError(t, err)
		}
	}
	requireRejected(t, a.Verifier(GraphQL), token(m{"aud": nil, "iss": "x"}), ReasonWrongIssuer)
	a = i.newService(t, newFakeClock(), environ{"AUTH_AUDIENCE": "*", "AUTH_AUTHORIZED_PARTIES": party})
	_, err = a.Verifier(GraphQL).Verify(t.Context(), token(m{"aud": "account", "azp": party}))
	require.NoError(t, err, "Keycloak")
	requireRejected(t, a.Verifier(GraphQL), token(m{"aud": "account", "azp": "evil"}), ReasonWrongParty)
	a = i.newService(t, newFakeClock(), environ{"AUTH_AUDIENCE": "*", "AUTH_MCP_AUDIENCE": "https://x/mcp"})
	requireRejected(t, a.Verifier(MCP), token(m{"aud": nil}), ReasonMissingClaim)

	a = i.newService(t, newFakeClock(), nil)
	requireRejected(t, a.Verifier(GraphQL), token(m{"aud": nil, "azp": party}), ReasonMissingClaim, "explicit only")
}
