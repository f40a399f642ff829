package authz

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// newEd25519 returns a key, and its JWK with this ID.
func newEd25519(t *testing.T, id string) (ed25519.PrivateKey, map[string]any) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return private, map[string]any{"kty": "OKP", "crv": "Ed25519", "kid": id, "x": harness.Base64URL(public)}
}

// publish makes the key endpoint serve these keys only.
func publish(t *testing.T, p *harness.IdentityProvider, keys ...map[string]any) {
	t.Helper()
	body := mustJSON(t, map[string]any{"keys": keys})
	p.Respond(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
}

// TestRotation_AfterForgedTokens_NewKeyAccepted checks that tokens with made-up key IDs or signatures do not delay the
// key that an issuer has just rotated to, under a new ID or the same.
func TestRotation_AfterForgedTokens_NewKeyAccepted(t *testing.T) {
	t.Parallel()
	p := harness.NewIdentityProvider(t)
	env := harness.Start(t, testdb.SQLiteURL(t), p.Settings())
	payload := string(mustJSON(t, harness.Claims(nil)))
	signed := func(id string, key ed25519.PrivateKey) *testclient.Client {
		return testclient.New(t, env.URL(), harness.SignToken(t, map[string]any{"alg": "EdDSA", "kid": id}, payload,
			jwt.SigningMethodEdDSA, key))
	}
	id := harness.ViewerID(t, testclient.New(t, env.URL(), p.Token(t, nil)))
	evil, _ := newEd25519(t, "")

	require.Equal(t, "UNAUTHENTICATED", signed("made-up", evil).Try(t, harness.ViewerIDDoc, nil).ErrorCode())
	next, nextJWK := newEd25519(t, "next")
	publish(t, p, nextJWK)
	require.Equal(t, id, harness.ViewerID(t, signed("next", next)))

	require.Equal(t, "UNAUTHENTICATED", signed("next", evil).Try(t, harness.ViewerIDDoc, nil).ErrorCode())
	again, againJWK := newEd25519(t, "next")
	publish(t, p, againJWK)
	require.Equal(t, id, harness.ViewerID(t, signed("next", again)))
	require.Equal(t, "UNAUTHENTICATED", signed("next", next).Try(t, harness.ViewerIDDoc, nil).ErrorCode())
}

// TestKeySet_FieldVariants_Accepted checks keys and headers of identity providers in the field.
func TestKeySet_FieldVariants_Accepted(t *testing.T) {
	t.Parallel()
	type m = map[string]any
	p := harness.NewIdentityProvider(t)
	curve, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	point, err := curve.PublicKey.Bytes()
	require.NoError(t, err)
	rsa := m{
		"kty": "RSA", "kid": "bare", "use": "sig", "n": harness.Base64URL(p.RSAKey.N.Bytes()), "e": "AQAB",
		"x5c": []string{"MIIBszCCARygAwIBAgIB"}, "x5t": "of-another-key", "x5t#S256": "of-another-key",
	}
	p.PublishKeys(t, rsa,
		m{
			"kty": "EC", "crv": "P-384", "kid": "curve", "key_ops": []string{"verify"}, "ext": true,
			"x": harness.Base64URL(point[1:49]), "y": harness.Base64URL(point[49:]),
		},
		m{"kty": "RSA", "kid": "enc", "use": "enc", "alg": "RSA-OAEP", "n": rsa["n"], "e": "AQAB"},
		m{"kty": "AKP", "kid": "post-quantum", "alg": "ML-DSA-44", "pub": "AAAA"})
	env := harness.Start(t, testdb.SQLiteURL(t), p.Settings())
	payload := string(mustJSON(t, harness.Claims(nil)))
	ids := map[string]bool{}
	for _, tc := range []struct {
		header m
		method jwt.SigningMethod
		key    any
	}{
		{m{"alg": "RS256", "kid": "bare"}, jwt.SigningMethodRS256, p.RSAKey},
		{m{"alg": "PS256", "kid": "bare"}, jwt.SigningMethodPS256, p.RSAKey},
		{m{"alg": "ES384", "kid": "curve"}, jwt.SigningMethodES384, curve},
		{m{"alg": "Ed25519", "kid": "ed", "typ": "application/at+jwt"}, jwt.SigningMethodEdDSA, p.Ed25519Key},
		{m{"alg": "EdDSA", "kid": "ed", "typ": "at+JWT"}, jwt.SigningMethodEdDSA, p.Ed25519Key},
		{m{"alg": "EdDSA", "kid": "ed", "typ": "JOSE"}, jwt.SigningMethodEdDSA, p.Ed25519Key},
		{m{"alg": "EdDSA"}, jwt.SigningMethodEdDSA, p.Ed25519Key},
	} {
		token := harness.SignToken(t, tc.header, payload, tc.method, tc.key)
		ids[harness.ViewerID(t, testclient.New(t, env.URL(), token))] = true
	}
	require.Len(t, ids, 1)
	for _, line := range []string{`"key_id":"enc"`, `"key_id":"post-quantum"`} {
		require.Contains(t, env.Logs.String(), line, "each skipped key is logged")
	}
}

// TestRotation_FloodOfMadeUpKeyIDs_NewKeyAccepted checks that a key published during a flood of made-up key IDs is used
// within seconds, and that tokens of loaded keys are served meanwhile.
func TestRotation_FloodOfMadeUpKeyIDs_NewKeyAccepted(t *testing.T) {
	t.Parallel()
	p := harness.NewIdentityProvider(t)
	env := harness.Start(t, testdb.SQLiteURL(t), p.Settings())
	good := testclient.New(t, env.URL(), p.Token(t, nil))
	id := harness.ViewerID(t, good)
	payload := string(mustJSON(t, harness.Claims(nil)))
	next, nextJWK := newEd25519(t, "next")
	before, began, published := p.Fetches.Load(), time.Now(), time.Time{}
	for i, a := range harness.Concurrently(200, func(i int) testclient.Response {
		if i == 100 {
			p.PublishKeys(t, nextJWK)
			published = time.Now()
		}
		header := map[string]any{"alg": "EdDSA", "kid": fmt.Sprint("made-up-", i)}
		token := harness.SignToken(t, header, payload, jwt.SigningMethodEdDSA, p.Ed25519Key)
		a, err := testclient.New(t, env.URL(), token).Do(t.Context(), harness.ViewerIDDoc, nil)
		if err != nil {
			t.Error(err)
		}
		return a
	}) {
		require.Contains(t, []string{"UNAUTHENTICATED", "SERVICE_UNAVAILABLE"}, a.ErrorCode(), i)
	}
	rotated := testclient.New(t, env.URL(), harness.SignToken(t, map[string]any{"alg": "EdDSA", "kid": "next"}, payload,
		jwt.SigningMethodEdDSA, next))
	require.Equal(t, id, harness.ViewerID(t, rotated))
	require.False(t, published.IsZero())
	require.LessOrEqual(t, p.Fetches.Load()-before, 2+int64(time.Since(began)/time.Second))
}

// TestKeySet_EndpointFailsLater_LoadedKeysServe checks that tokens of loaded keys are served at once while the key
// endpoint hangs, fails or serves something else and tokens with made-up key IDs arrive, that the log names the
// failure, and that a rotated key is used after the endpoint has recovered.
func TestKeySet_EndpointFailsLater_LoadedKeysServe(t *testing.T) {
	t.Parallel()
	respond := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if body == "" {
				w.WriteHeader(http.StatusInternalServerError)
			}
			_, _ = w.Write([]byte(body))
		}
	}
	var visited atomic.Int64
	private := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visited.Add(1) }))
	t.Cleanup(private.Close)
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		logged string
	}{
		"hangs":  {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "deadline exceeded"},
		"status": {respond(""), "status 500"},
		"page":   {respond("<html>planted"), "text/html"},
		"10 MB":  {respond(`{"keys":[` + strings.Repeat(" ", 10<<20) + "]}"), "larger than"},
		"redirect to a private address": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, private.URL, http.StatusTemporaryRedirect)
		}, "redirects are not followed"},
		"no keys":     {respond(`{"keys":[]}`), "no usable keys"},
		"disconnects": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		"long header": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 64<<10))
		}, "header"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := harness.NewIdentityProvider(t)
			env := harness.Start(t, testdb.SQLiteURL(t), p.Settings())
			good := testclient.New(t, env.URL(), p.Token(t, nil))
			id := harness.ViewerID(t, good)
			before := p.Fetches.Load()
			p.Respond(tc.answer)
			payload := string(mustJSON(t, harness.Claims(nil)))
			token := func(keyID string, key ed25519.PrivateKey) string {
				return harness.SignToken(t, map[string]any{"alg": "EdDSA", "kid": keyID}, payload, jwt.SigningMethodEdDSA, key)
			}
			var flood sync.WaitGroup
			for i := range 20 {
				client := testclient.New(t, env.URL(), token(fmt.Sprint("made-up-", i), p.Ed25519Key))
				flood.Go(func() {
					a, err := client.Do(t.Context(), harness.ViewerIDDoc, nil)
					if err != nil || a.ErrorCode() != "SERVICE_UNAVAILABLE" {
						t.Error(err, a.Raw)
					}
				})
			}
			require.Eventually(t, func() bool { return p.Fetches.Load() > before }, testclient.Timeout, harness.PollInterval)
			started := time.Now()
			require.Equal(t, id, harness.ViewerID(t, good))
			require.Less(t, time.Since(started), 4*time.Second, "less than a fetch that hangs")
			flood.Wait()
			require.Contains(t, env.Logs.String(), tc.logged)
			require.NotContains(t, env.Logs.String(), "planted")

			next, nextJWK := newEd25519(t, "next")
			p.PublishKeys(t, nextJWK)
			rotated := testclient.New(t, env.URL(), token("next", next))
			require.Eventually(t, func() bool {
				a, err := rotated.Do(t.Context(), harness.ViewerIDDoc, nil)
				return err == nil && a.ErrorCode() == ""
			}, testclient.Timeout, 100*time.Millisecond)
			require.Equal(t, id, harness.ViewerID(t, good))
		})
	}
	t.Cleanup(func() { require.Zero(t, visited.Load()) })
}
