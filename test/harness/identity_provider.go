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

// IdentityProvider is an identity provider: its issuer and audience, two keys, and what its key endpoint answers.
type IdentityProvider struct {
	url     string
	Ed      ed25519.PrivateKey
	Rsa     *rsa.PrivateKey
	Fetches atomic.Int64

	mu      sync.Mutex
	handler http.HandlerFunc
}

const (
	Issuer   = "https://people.example"
	Audience = "https://errand.example"
)

func NewIdentityProvider(t *testing.T) *IdentityProvider {
	t.Helper()
	p := &IdentityProvider{}
	var err error
	_, p.Ed, err = ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	p.Rsa, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	p.PublishKeys(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.Fetches.Add(1)
		p.mu.Lock()
		answer := p.handler
		p.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

// Settings makes a server trust the provider.
func (p *IdentityProvider) Settings() Settings {
	return Settings{
		"BETTER_AUTH_SECRET": "", "AUTH_JWKS_URL": p.url + "/jwks", "AUTH_ISSUER": Issuer,
		"AUTH_AUDIENCE": Audience, "AUTH_MCP_AUDIENCE": Audience + "/mcp",
	}
}

func (p *IdentityProvider) Respond(answer http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handler = answer
}

// PublishKeys answers with both keys, and more.
func (p *IdentityProvider) PublishKeys(t *testing.T, more ...map[string]any) {
	t.Helper()
	body := p.KeySet(t, more...)
	p.Respond(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
}

func (p *IdentityProvider) KeySet(t *testing.T, more ...map[string]any) []byte {
	t.Helper()
	keys := append([]map[string]any{
		{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "ed", "x": Base64URL(p.Ed.Public().(ed25519.PublicKey))},
		{"kty": "RSA", "alg": "RS256", "kid": "rs", "n": Base64URL(p.Rsa.N.Bytes()), "e": "AQAB"},
	}, more...)
	body, err := json.Marshal(map[string]any{"keys": keys})
	require.NoError(t, err)
	return body
}

func Base64URL(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// Claims are those of a good token, with some changed; nil leaves one out.
func Claims(changes map[string]any) map[string]any {
	all := map[string]any{
		"iss": Issuer, "aud": Audience, "sub": "alice", "name": "Alice",
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	for name, value := range changes {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	return all
}

// SignToken makes a token of any header and any payload, with a key for the algorithm that the header need not name.
func SignToken(
	t *testing.T,
	header map[string]any,
	payload string,
	method jwt.SigningMethod,
	key crypto.PrivateKey,
) string {
	t.Helper()
	head, err := json.Marshal(header)
	require.NoError(t, err)
	text := Base64URL(head) + "." + Base64URL([]byte(payload))
	signature, err := method.Sign(text, key)
	require.NoError(t, err)
	return text + "." + Base64URL(signature)
}

// Token is a good one by the Ed25519 key, with some claims changed.
func (p *IdentityProvider) Token(t *testing.T, changes map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(Claims(changes))
	require.NoError(t, err)
	return p.SignPayload(t, string(payload))
}

// SignPayload is a token by the Ed25519 key of any payload.
func (p *IdentityProvider) SignPayload(t *testing.T, payload string) string {
	t.Helper()
	return SignToken(t, map[string]any{"alg": "EdDSA", "kid": "ed", "typ": "JWT"}, payload, jwt.SigningMethodEdDSA, p.Ed)
}
