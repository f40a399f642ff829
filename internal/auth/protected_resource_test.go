package auth

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"

	"errand/internal/auth/bearer"

	"github.com/stretchr/testify/require"
)

// challengePrefix is the challenge of https://errand.example.com/mcp without scope and error.
const challengePrefix = `Bearer realm="errand", ` +
	`resource_metadata="https://errand.example.com/.well-known/oauth-protected-resource/mcp"`

func TestProtectedResource_Metadata_MatchesRFC9728(t *testing.T) {
	cfg := loadConfig(
		t,
		environ{"AUTH_JWKS_URL": testIssuer + "/api/auth/jwks", "PUBLIC_URL": "https://errand.example.com"},
	)
	resource := NewProtectedResource(cfg, "/mcp")
	require.Equal(t, "/.well-known/oauth-protected-resource/mcp", resource.MetadataPath())

	w := serve(resource.Metadata(), httptest.NewRequest(http.MethodGet, resource.MetadataPath(), nil))
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.JSONEq(t, `{"resource":"https://errand.example.com/mcp","authorization_servers":["https://app.example.com"],
		"bearer_methods_supported":["header"],"resource_name":"Errand"}`, w.Body.String())

	require.Equal(
		t,
		http.StatusMethodNotAllowed,
		serve(resource.Metadata(), httptest.NewRequest(http.MethodPost, "/", nil)).Code,
	)
}

func TestProtectedResource_NoPublicURL_UsesRequestHost(t *testing.T) {
	resource := NewProtectedResource(loadConfig(t, nil), "/mcp")
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Host = "127.0.0.1:8080"
	w := serve(resource.Metadata(), r)
	require.JSONEq(
		t,
		`{"resource":"http://127.0.0.1:8080/mcp","bearer_methods_supported":["header"],"resource_name":"Errand"}`,
		w.Body.String(),
	)
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	r.TLS = &tls.ConnectionState{}
	require.Contains(t, serve(resource.Metadata(), r).Body.String(), "https://127.0.0.1:8080/mcp")
}

func TestProtectedResource_Challenge_QuotesErrorAndHost(t *testing.T) {
	resource := NewProtectedResource(loadConfig(t, environ{"PUBLIC_URL": "https://errand.example.com"}), "/mcp")
	r := httptest.NewRequest(http.MethodPost, "/mcp", nil)
	_, malformed := bearer.Parse("Basic YTpi")
	require.Equal(t, challengePrefix, resource.Challenge(r, nil))
	require.Equal(t, challengePrefix+`, error="invalid_token", error_description="The token has expired. Sign in again."`,
		resource.Challenge(r, unauthenticated(ReasonExpired)))
	require.Equal(
		t,
		challengePrefix+`, error="invalid_token", error_description="Send one header \"Authorization: Bearer TOKEN\"."`,
		resource.Challenge(r, malformed),
	)

	r.Host = "evil\"\r\nX: y"
	reflected := NewProtectedResource(loadConfig(t, nil), "/mcp").Challenge(r, nil)
	require.NotContains(t, reflected, "\r\n")
	require.Contains(t, reflected, `evil\"??X: y`)
}

func TestProtectedResource_Scopes_InMetadataAndChallenges(t *testing.T) {
	resource := NewProtectedResource(
		loadConfig(t, environ{"PUBLIC_URL": "https://errand.example.com"}),
		"/mcp",
		"tasks:read",
		"tasks:write",
	)
	r := httptest.NewRequest(http.MethodPost, "/mcp", nil)
	w := serve(resource.Metadata(), httptest.NewRequest(http.MethodGet, resource.MetadataPath(), nil))
	require.JSONEq(t, `{"resource":"https://errand.example.com/mcp","scopes_supported":["tasks:read","tasks:write"],
		"bearer_methods_supported":["header"],"resource_name":"Errand"}`, w.Body.String())
	require.Equal(t, challengePrefix+`, scope="tasks:read tasks:write"`, resource.Challenge(r, nil))
	require.Equal(
		t,
		challengePrefix+`, scope="tasks:write", error="insufficient_scope", `+
			`error_description="The token lacks the scope tasks:write."`,
		resource.InsufficientScope(r, "tasks:write"),
	)
}
