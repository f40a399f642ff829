package auth

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"errand/internal/apperr"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// fakeProvider is an OpenID Connect provider with a discovery document, which tests can change.
type fakeProvider struct {
	*httptest.Server
	keys     *fakeIssuer
	document atomic.Pointer[map[string]any] // nil: status 500
	fetches  atomic.Int64
}

func newFakeProvider(t *testing.T, keys ...map[string]any) *fakeProvider {
	t.Helper()
	p := &fakeProvider{keys: newFakeIssuer(t, keys...)}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.fetches.Add(1)
		document := p.document.Load()
		if document == nil || r.URL.Path != discoveryPath {
			http.Error(w, "down", http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(*document)
	}))
	t.Cleanup(p.Close)
	p.publish(nil)
	return p
}

// publish sets the discovery document, with changes; a nil value removes a member.
func (p *fakeProvider) publish(changes map[string]any) {
	document := map[string]any{
		"issuer":                 p.URL,
		"authorization_endpoint": p.URL + "/authorize",
		"token_endpoint":         p.URL + "/token",
		"jwks_uri":               p.keys.URL,
	}
	for name, value := range changes {
		if document[name] = value; value == nil {
			delete(document, name)
		}
	}
	p.document.Store(&document)
}

func (p *fakeProvider) environ(more environ) environ {
	e := environ{"AUTH_OIDC_ISSUER": p.URL, "AUTH_OIDC_CLIENT_ID": "errand"}
	for name, value := range more {
		e[name] = value
	}
	return e
}

func TestVerify_DiscoveredKeys_AcceptIDTokens(t *testing.T) {
	p := newFakeProvider(t, publicJWK(t, "ed", "EdDSA", edKey()))
	token := func(changes jwt.MapClaims) string {
		claims := claimsWith(jwt.MapClaims{"iss": p.URL, "aud": "errand"})
		for name, value := range changes {
			claims[name] = value
		}
		return sign(t, "EdDSA", edKey(), claims, kidHeader("ed"))
	}
	s := newTestService(t, newTickingClock(), p.environ(nil))
	for _, surface := range []Surface{GraphQL, MCP} {
		claims, err := s.Verifier(surface).Verify(t.Context(), token(nil))
		require.NoError(t, err)
		require.Equal(t, p.URL, claims.Issuer)
		requireRejected(t, s.Verifier(surface), token(jwt.MapClaims{"aud": "other"}), ReasonWrongAudience, "")
		requireRejected(t, s.Verifier(surface), token(jwt.MapClaims{"iss": p.URL + "/"}), ReasonWrongIssuer, "")
	}

	s = newTestService(
		t,
		newTickingClock(),
		p.environ(environ{"AUTH_AUTHORIZED_PARTIES": "app", "AUTH_MCP_AUDIENCE": "mcp"}),
	)
	_, err := s.Verifier(GraphQL).Verify(t.Context(), token(nil))
	require.NoError(t, err, "an ID token without azp")
	requireRejected(t, s.Verifier(GraphQL), token(jwt.MapClaims{"azp": "evil"}), ReasonWrongParty, "")
	requireRejected(t, s.Verifier(MCP), token(nil), ReasonWrongAudience, "")
}

// TestVerify_TwoIssuers_EachKeyBoundToItsIssuer signs tokens of each issuer with the key of the other.
func TestVerify_TwoIssuers_EachKeyBoundToItsIssuer(t *testing.T) {
	p := newFakeProvider(t, publicJWK(t, "k", "EdDSA", edKey()))
	other := newFakeIssuer(t, publicJWK(t, "k", "ES256", ecKey()))
	s := newTestService(t, newTickingClock(), p.environ(environ{
		"AUTH_JWKS_URL": other.URL, "AUTH_ISSUER": testIssuer, "AUTH_AUDIENCE": testAudience,
	}))
	claims := func(issuer, audience string) jwt.MapClaims {
		return claimsWith(jwt.MapClaims{"iss": issuer, "aud": audience})
	}
	for _, surface := range []Surface{GraphQL, MCP} {
		v := s.Verifier(surface)
		_, err := v.Verify(t.Context(), sign(t, "EdDSA", edKey(), claims(p.URL, "errand"), kidHeader("k")))
		require.NoError(t, err)
		_, err = v.Verify(t.Context(), sign(t, "ES256", ecKey(), claims(testIssuer, testAudience), kidHeader("k")))
		require.NoError(t, err)
		requireRejected(t, v, sign(t, "EdDSA", edKey(), claims(testIssuer, testAudience), kidHeader("k")),
			ReasonBadAlgorithm, "")
		requireRejected(t, v, sign(t, "ES256", ecKey(), claims(p.URL, "errand"), kidHeader("k")), ReasonBadAlgorithm, "")
		requireRejected(
			t,
			v,
			sign(t, "ES256", ecKey(), claims(testIssuer, "errand"), kidHeader("k")),
			ReasonWrongAudience,
			"",
		)
	}
}

func TestDiscovery_InvalidDocument_IsRejected(t *testing.T) {
	p := newFakeProvider(t)
	for _, changes := range []map[string]any{
		{"issuer": p.URL + "/"},
		{"issuer": nil},
		{"token_endpoint": nil},
		{"jwks_uri": "file:///etc/passwd"},
		{"authorization_endpoint": "https://user:password@" + p.Listener.Addr().String()},
	} {
		p.publish(changes)
		d := newDiscovery(p.URL, time.Now)
		_, err := d.Provider(t.Context())
		require.Error(t, err, changes)
		require.NotContains(t, err.Error(), "passw")
		d.close()
	}
	require.False(t, newDiscovery("https://id.example", time.Now).isSafe("http://id.example/keys"))
}

// TestDiscovery_ProviderDown_KeepsDocument shows that a server starts without its provider, finds it later and keeps
// its endpoints while it is down again.
func TestDiscovery_ProviderDown_KeepsDocument(t *testing.T) {
	p, clock := newFakeProvider(t), newFakeClock()
	p.document.Store(nil)
	s := newTestService(t, clock, p.environ(nil))
	_, err := s.Discovery().Provider(t.Context())
	require.ErrorContains(t, err, "status 500")
	_, err = s.Verifier(GraphQL).Verify(t.Context(), sign(t, "EdDSA", edKey(), claimsWith(nil), kidHeader("k")))
	require.Equal(t, apperr.Unavailable, apperr.CodeOf(err))

	p.publish(nil)
	clock.advance(discoveryRetry)
	found, err := s.Discovery().Provider(t.Context())
	require.NoError(t, err)
	require.Equal(t, p.URL+"/token", found.Token)

	p.document.Store(nil)
	clock.advance(discoveryRefresh)
	found, err = s.Discovery().Provider(t.Context())
	require.NoError(t, err)
	require.Equal(t, p.URL+"/token", found.Token)
}
