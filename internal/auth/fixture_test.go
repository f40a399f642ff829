package auth

import (
	"context"
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

// testStart is the time at which the fake clock starts.
var testStart = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// fakeClock is a clock that moves by advance, and by tick with each reading.
type fakeClock struct {
	mu   sync.Mutex
	t    time.Time
	tick time.Duration
}

func newFakeClock() *fakeClock { return &fakeClock{t: testStart} }

// newTickingClock returns a clock for tests that reject several tokens, so that none waits for recheckInterval.
func newTickingClock() *fakeClock { return &fakeClock{t: testStart, tick: recheckInterval} }

func (c *fakeClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(c.tick)
	return c.t
}

func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func (c *fakeClock) setTick(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tick = d
}

// Keys are generated once, because RSA keys are slow to generate.
var (
	edKey   = sync.OnceValue(func() crypto.Signer { _, k, _ := ed25519.GenerateKey(rand.Reader); return k })
	ecKey   = sync.OnceValue(func() crypto.Signer { k, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader); return k })
	p384Key = sync.OnceValue(func() crypto.Signer { k, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader); return k })
	p521Key = sync.OnceValue(func() crypto.Signer { k, _ := ecdsa.GenerateKey(elliptic.P521(), rand.Reader); return k })
	rsaKey  = sync.OnceValue(func() crypto.Signer { k, _ := rsa.GenerateKey(rand.Reader, 2048); return k })
)

func newEdKey(t *testing.T) crypto.Signer {
	t.Helper()
	_, k, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return k
}

func newRSAKey(t *testing.T) crypto.Signer {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return k
}

// publicJWK returns the public JWK of a key. An empty alg is omitted.
func publicJWK(t *testing.T, kid, alg string, key crypto.Signer) map[string]any {
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

// fakeIssuer is the JWKS endpoint of an identity provider. Tests can change its responses.
type fakeIssuer struct {
	*httptest.Server
	fetches atomic.Int64

	mu      sync.Mutex
	handler http.HandlerFunc
}

func newFakeIssuer(t *testing.T, keys ...map[string]any) *fakeIssuer {
	t.Helper()
	i := &fakeIssuer{}
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

func (i *fakeIssuer) setHandler(h http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.handler = h
}

func (i *fakeIssuer) publish(t *testing.T, keys ...map[string]any) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"keys": keys})
	require.NoError(t, err)
	i.setHandler(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
}

func (i *fakeIssuer) fail() {
	i.setHandler(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusBadGateway) })
}

// hold delays responses until release is called.
func (i *fakeIssuer) hold() (release func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	gate, answer := make(chan struct{}), i.handler
	i.handler = func(w http.ResponseWriter, r *http.Request) {
		<-gate
		answer(w, r)
	}
	return func() { close(gate) }
}

type environ = map[string]string

func loadConfig(t *testing.T, environ environ) config.Config {
	t.Helper()
	cfg, err := config.Load(environ, "")
	require.NoError(t, err)
	return cfg
}

// newService returns a Service that uses the issuer's keys, after they were fetched.
func (i *fakeIssuer) newService(t *testing.T, c *fakeClock, more environ) *Service {
	t.Helper()
	environ := environ{"AUTH_JWKS_URL": i.URL, "AUTH_ISSUER": testIssuer, "AUTH_AUDIENCE": testAudience}
	maps.Copy(environ, more)
	a := newTestService(t, c, environ)
	a.jwks.waitIdle(t)
	return a
}

func newTestService(t *testing.T, c *fakeClock, environ environ) *Service {
	t.Helper()
	a, err := newService(loadConfig(t, environ), slog.New(slog.DiscardHandler), c.now)
	require.NoError(t, err)
	t.Cleanup(a.Close)
	return a
}

// waitIdle waits for the end of a running fetch.
func (s *jwksCache) waitIdle(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	pending := s.fetching
	s.mu.Unlock()
	require.NoError(t, waitFor(t.Context(), pending))
}

// validClaims returns the claims of an accepted token, valid for 15 minutes from testStart.
func validClaims() jwt.MapClaims {
	return jwt.MapClaims{
		"iss": testIssuer, "aud": testAudience, "sub": "u1", "name": "Ada", "email": "ada@example.com",
		"iat": testStart.Unix(), "exp": testStart.Add(15 * time.Minute).Unix(),
	}
}

// claimsWith returns validClaims with some claims changed; nil removes a claim.
func claimsWith(changes jwt.MapClaims) jwt.MapClaims {
	claims := validClaims()
	for name, value := range changes {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	return claims
}

// sign returns a signed token; header entries override those of the library.
func sign(t *testing.T, alg string, key any, claims jwt.Claims, header map[string]any) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.GetSigningMethod(alg), claims)
	maps.Copy(token.Header, header)
	signed, err := token.SignedString(key)
	require.NoError(t, err)
	return signed
}

func kidHeader(id string) map[string]any { return map[string]any{"kid": id} }

// requireRejected checks that a token is rejected for this reason and that the message does not reveal it.
func requireRejected(t *testing.T, v Verifier, token string, reason Reason, about ...any) {
	t.Helper()
	claims, err := v.Verify(t.Context(), token)
	require.Error(t, err, about...)
	require.Zero(t, claims)
	require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err), about...)
	require.Equal(t, reason, ReasonOf(err), about...)
	require.NotContains(t, apperr.From(err).Message, string(reason))
}

// waitForKeys waits until the keys of AUTH_JWKS_URL are loaded or cannot be fetched.
func waitForKeys(ctx context.Context, s *Service) error {
	_, err := s.jwks.get(ctx)
	return err
}
