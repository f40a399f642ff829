package integration

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

// identities is an identity provider: its issuer and audience, two keys, and what its key endpoint answers.
type identities struct {
	url     string
	ed      ed25519.PrivateKey
	rsa     *rsa.PrivateKey
	fetches atomic.Int64

	mu     sync.Mutex
	answer http.HandlerFunc
}

const (
	theIssuer   = "https://people.example"
	theAudience = "https://errand.example"
)

func newIdentities(t *testing.T) *identities {
	t.Helper()
	p := &identities{}
	var err error
	_, p.ed, err = ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	p.rsa, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	p.publish(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.fetches.Add(1)
		p.mu.Lock()
		answer := p.answer
		p.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

// environ makes a server trust the provider.
func (p *identities) environ() settings {
	return settings{
		"BETTER_AUTH_SECRET": "", "AUTH_JWKS_URL": p.url + "/jwks", "AUTH_ISSUER": theIssuer,
		"AUTH_AUDIENCE": theAudience, "AUTH_MCP_AUDIENCE": theAudience + "/mcp",
	}
}

func (p *identities) does(answer http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

// publish answers with both keys, and more.
func (p *identities) publish(t *testing.T, more ...map[string]any) {
	t.Helper()
	body := p.keys(t, more...)
	p.does(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
}

func (p *identities) keys(t *testing.T, more ...map[string]any) []byte {
	t.Helper()
	keys := append([]map[string]any{
		{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "ed", "x": b64(p.ed.Public().(ed25519.PublicKey))},
		{"kty": "RSA", "alg": "RS256", "kid": "rs", "n": b64(p.rsa.N.Bytes()), "e": "AQAB"},
	}, more...)
	body, err := json.Marshal(map[string]any{"keys": keys})
	require.NoError(t, err)
	return body
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// claims are those of a good token, with some changed; nil leaves one out.
func claims(changes map[string]any) map[string]any {
	all := map[string]any{
		"iss": theIssuer, "aud": theAudience, "sub": "alice", "name": "Alice",
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	for name, value := range changes {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	return all
}

// signed makes a token of any header and any payload, with a key for the algorithm that the header need not name.
func signed(
	t *testing.T,
	header map[string]any,
	payload string,
	method jwt.SigningMethod,
	key crypto.PrivateKey,
) string {
	t.Helper()
	head, err := json.Marshal(header)
	require.NoError(t, err)
	text := b64(head) + "." + b64([]byte(payload))
	signature, err := method.Sign(text, key)
	require.NoError(t, err)
	return text + "." + b64(signature)
}

// token is a good one by the Ed25519 key, with some claims changed.
func (p *identities) token(t *testing.T, changes map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims(changes))
	require.NoError(t, err)
	return p.raw(t, string(payload))
}

// raw is a token by the Ed25519 key of any payload.
func (p *identities) raw(t *testing.T, payload string) string {
	t.Helper()
	return signed(t, map[string]any{"alg": "EdDSA", "kid": "ed", "typ": "JWT"}, payload, jwt.SigningMethodEdDSA, p.ed)
}
