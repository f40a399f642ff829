package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"errand/internal/apperr"
	"errand/internal/config"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testIssuer   = "https://app.example.com"
	testAudience = "https://errand.example.com"
)

// start is the fixed moment at which every test begins.
var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// clock is a time that moves only when told to.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: start} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// Key material is made once: RSA keys take their time.
var (
	edKey  = sync.OnceValue(func() crypto.Signer { _, k, _ := ed25519.GenerateKey(rand.Reader); return k })
	ecKey  = sync.OnceValue(func() crypto.Signer { k, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader); return k })
	rsaKey = sync.OnceValue(func() crypto.Signer { k, _ := rsa.GenerateKey(rand.Reader, 2048); return k })
)

func newEdKey(t *testing.T) crypto.Signer {
	t.Helper()
	_, k, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return k
}

// jwk is the published half of a key; an empty alg is left out.
func jwk(t *testing.T, kid, alg string, key crypto.Signer) map[string]any {
	t.Helper()
	made, err := jwkset.NewJWKFromKey(key.Public(), jwkset.JWKOptions{
		Metadata: jwkset.JWKMetadataOptions{KID: kid, ALG: jwkset.ALG(alg), USE: jwkset.UseSig},
	})
	require.NoError(t, err)
	raw, err := json.Marshal(made.Marshal())
	require.NoError(t, err)
	published := map[string]any{}
	require.NoError(t, json.Unmarshal(raw, &published))
	if alg == "" {
		delete(published, "alg")
	}
	return published
}

// issuer is an identity provider's key endpoint that can misbehave.
type issuer struct {
	*httptest.Server
	fetches atomic.Int64

	mu      sync.Mutex
	handler http.HandlerFunc
}

func newIssuer(t *testing.T, keys ...map[string]any) *issuer {
	t.Helper()
	i := &issuer{}
	i.publish(t, keys...)
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.fetches.Add(1)
		i.mu.Lock()
		answer := i.handler
		i.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) answer(h http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.handler = h
}

func (i *issuer) publish(t *testing.T, keys ...map[string]any) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"keys": keys})
	require.NoError(t, err)
	i.answer(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
}

func (i *issuer) fail() {
	i.answer(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusBadGateway) })
}

// hold keeps answers back until the returned function is called.
func (i *issuer) hold() (release func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	gate, answer := make(chan struct{}), i.handler
	i.handler = func(w http.ResponseWriter, r *http.Request) {
		<-gate
		answer(w, r)
	}
	return func() { close(gate) }
}

type env = map[string]string

func configOf(t *testing.T, environ env) config.Config {
	t.Helper()
	cfg, err := config.Load(environ, "")
	require.NoError(t, err)
	return cfg
}

// setup starts an Auth over the issuer's keys and waits for them.
func (i *issuer) setup(t *testing.T, c *clock, more env) *Service {
	t.Helper()
	environ := env{"AUTH_JWKS_URL": i.URL, "AUTH_ISSUER": testIssuer, "AUTH_AUDIENCE": testAudience}
	maps.Copy(environ, more)
	a := newAuth(t, c, environ)
	a.jwks.settle(t)
	return a
}

func newAuth(t *testing.T, c *clock, environ env) *Service {
	t.Helper()
	a, err := New(configOf(t, environ), slog.New(slog.DiscardHandler), WithClock(c.now))
	require.NoError(t, err)
	t.Cleanup(a.Close)
	return a
}

// settle waits for the fetch under way, if any.
func (s *jwksCache) settle(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	pending := s.fetching
	s.mu.Unlock()
	require.NoError(t, waitFor(t.Context(), pending))
}

// goodClaims is what the issuer says of a person, valid for 15 minutes from start.
func goodClaims() jwt.MapClaims {
	return jwt.MapClaims{
		"iss": testIssuer, "aud": testAudience, "sub": "u1", "name": "Ada", "email": "ada@example.com",
		"iat": start.Unix(), "exp": start.Add(15 * time.Minute).Unix(),
	}
}

// with changes some claims; nil removes one.
func with(changes jwt.MapClaims) jwt.MapClaims {
	claims := goodClaims()
	for name, value := range changes {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	return claims
}

// sign makes a token; header entries override those of the library.
func sign(t *testing.T, alg string, key any, claims jwt.Claims, header map[string]any) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.GetSigningMethod(alg), claims)
	maps.Copy(token.Header, header)
	signed, err := token.SignedString(key)
	require.NoError(t, err)
	return signed
}

func kid(id string) map[string]any { return map[string]any{"kid": id} }

// requireRefused checks that a token is refused for this reason and that the person learns no more than they should.
func requireRefused(t *testing.T, v Verifier, token string, reason Reason, about ...any) {
	t.Helper()
	claims, err := v.Verify(t.Context(), token)
	require.Error(t, err, about...)
	require.Zero(t, claims)
	require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err), about...)
	require.Equal(t, reason, ReasonOf(err), about...)
	require.NotContains(t, apperr.From(err).Message, string(reason))
}
