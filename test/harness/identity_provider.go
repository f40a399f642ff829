package harness

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// IdentityProvider is a fake identity provider: it signs tokens with two keys and serves a JSON Web Key Set. Tests
// replace the response of the key endpoint with [IdentityProvider.Respond].
type IdentityProvider struct {
	url string
	// Ed25519Key signs EdDSA tokens, under the key ID "ed".
	Ed25519Key ed25519.PrivateKey
	// RSAKey signs RS256 tokens, under the key ID "rs".
	RSAKey *rsa.PrivateKey
	// Fetches counts the requests to the key endpoint.
	Fetches atomic.Int64

	mu      sync.Mutex
	handler http.HandlerFunc
}

// The claims of the identity provider's tokens.
const (
	// Issuer is the iss claim.
	Issuer = "https://people.example"
	// Audience is the aud claim of tokens for the GraphQL API; tokens for MCP have Audience + "/mcp".
	Audience = "https://errand.example"
)

// NewIdentityProvider starts an identity provider with new keys that publishes both. It stops when the test ends.
func NewIdentityProvider(t *testing.T) *IdentityProvider {
	t.Helper()
	p := &IdentityProvider{}
	var err error
	_, p.Ed25519Key, err = ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	p.RSAKey, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	p.PublishKeys(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.Fetches.Add(1)
		p.mu.Lock()
		handler := p.handler
		p.mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

// Settings returns the settings with which a server accepts the tokens of the provider and no shared secret.
func (p *IdentityProvider) Settings() Settings {
	return Settings{
		"BETTER_AUTH_SECRET": "", "AUTH_JWKS_URL": p.url + "/jwks", "AUTH_ISSUER": Issuer,
		"AUTH_AUDIENCE": Audience, "AUTH_MCP_AUDIENCE": Audience + "/mcp",
	}
}

// Respond sets the handler of the key endpoint.
func (p *IdentityProvider) Respond(handler http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handler = handler
}

// PublishKeys makes the key endpoint serve [IdentityProvider.KeySet].
func (p *IdentityProvider) PublishKeys(t *testing.T, extra ...map[string]any) {
	t.Helper()
	body := p.KeySet(t, extra...)
	p.Respond(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
}

// KeySet returns a JSON Web Key Set with both public keys and the extra ones.
func (p *IdentityProvider) KeySet(t *testing.T, extra ...map[string]any) []byte {
	t.Helper()
	keys := append([]map[string]any{
		{
			"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "ed",
			"x": Base64URL(p.Ed25519Key.Public().(ed25519.PublicKey)),
		},
		{"kty": "RSA", "alg": "RS256", "kid": "rs", "n": Base64URL(p.RSAKey.N.Bytes()), "e": "AQAB"},
	}, extra...)
	body, err := json.Marshal(map[string]any{"keys": keys})
	require.NoError(t, err)
	return body
}

// Base64URL encodes bytes as unpadded base64url, as JSON Web Signatures do.
func Base64URL(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// Claims returns the claims of a valid token with changes applied; a nil value removes the claim.
func Claims(changes map[string]any) map[string]any {
	claims := map[string]any{
		"iss": Issuer, "aud": Audience, "sub": "alice", "name": "Alice",
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	return claims
}

// SignToken returns a token with an arbitrary header and payload, signed with method and key. The alg header may name
// another algorithm, as in a forged token.
func SignToken(
	t *testing.T,
	header map[string]any,
	payload string,
	method jwt.SigningMethod,
	key crypto.PrivateKey,
) string {
	t.Helper()
	encodedHeader, err := json.Marshal(header)
	require.NoError(t, err)
	signed := Base64URL(encodedHeader) + "." + Base64URL([]byte(payload))
	signature, err := method.Sign(signed, key)
	require.NoError(t, err)
	return signed + "." + Base64URL(signature)
}

// Token returns a valid token, signed with the Ed25519 key, with changes applied as in [Claims].
func (p *IdentityProvider) Token(t *testing.T, changes map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(Claims(changes))
	require.NoError(t, err)
	return p.SignPayload(t, string(payload))
}

// SignPayload returns a token with an arbitrary payload, signed with the Ed25519 key.
func (p *IdentityProvider) SignPayload(t *testing.T, payload string) string {
	t.Helper()
	return SignToken(t, map[string]any{"alg": "EdDSA", "kid": "ed", "typ": "JWT"}, payload, jwt.SigningMethodEdDSA,
		p.Ed25519Key)
}
