package authz

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// TestKeySet_UnknownKeyIDs_BoundedFetches checks that many tokens with unknown key IDs cause one fetch a second, and
// that valid tokens are accepted while it is pending.
func TestKeySet_UnknownKeyIDs_BoundedFetches(t *testing.T) {
	t.Parallel()
	p := harness.NewIdentityProvider(t)
	env := harness.Start(t, testdb.SQLiteURL(t), p.Settings())
	good := testclient.New(t, env.URL(), p.Token(t, nil))
	harness.ViewerID(t, good)
	began, before := time.Now(), p.Fetches.Load()
	release := make(chan struct{})
	body := p.KeySet(t)
	p.Respond(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
		_, _ = w.Write(body)
	})
	payload := string(mustJSON(t, harness.Claims(nil)))
	flood := make(chan testclient.Response)
	const n = 300
	go func() {
		defer close(flood)
		for _, a := range harness.Concurrently(n, func(i int) testclient.Response {
			header := map[string]any{"alg": "EdDSA", "kid": fmt.Sprint(rand.Text(), i)}
			a, err := testclient.New(t, env.URL(), harness.SignToken(t, header, payload, jwt.SigningMethodEdDSA,
				p.Ed25519Key)).Do(t.Context(), harness.ViewerIDDoc, nil)
			if err != nil {
				t.Error(err)
			}
			return a
		}) {
			flood <- a
		}
	}()
	require.Eventually(t, func() bool { return p.Fetches.Load() > before }, testclient.Timeout, harness.PollInterval)
	harness.ViewerID(t, good) // while the provider does not answer
	close(release)
	for a := range flood {
		require.Equal(t, "UNAUTHENTICATED", a.ErrorCode(), "%s", a.Raw)
	}
	require.LessOrEqual(t, p.Fetches.Load()-before, 1+int64(time.Since(began)/time.Second))
}

// TestKeySet_HostileContent_IsRejected checks responses of a compromised key endpoint: the server reports that it is
// unavailable, accepts no symmetric key, and recovers when the endpoint does.
func TestKeySet_HostileContent_IsRejected(t *testing.T) {
	t.Parallel()
	var visited, sent atomic.Int64
	redirectTarget := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visited.Add(1) }))
	t.Cleanup(redirectTarget.Close)
	for name, answer := range map[string]func(p *harness.IdentityProvider) http.HandlerFunc{
		"redirect": func(*harness.IdentityProvider) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, redirectTarget.URL, http.StatusFound)
			}
		},
		"100 MB": func(p *harness.IdentityProvider) http.HandlerFunc {
			keys := p.KeySet(t)
			return func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write(keys[:len(keys)-1])
				space := []byte(strings.Repeat(" ", 64<<10))
				for range 100 << 20 / len(space) {
					n, err := w.Write(space)
					if sent.Add(int64(n)); err != nil {
						return
					}
				}
				_, _ = w.Write([]byte("}"))
			}
		},
		"endless response": func(p *harness.IdentityProvider) http.HandlerFunc {
			keys := p.KeySet(t)
			return func(w http.ResponseWriter, r *http.Request) {
				_, _ = w.Write(keys)
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			}
		},
		"only symmetric keys": func(*harness.IdentityProvider) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				secret := harness.Base64URL([]byte(harness.Secret))
				_, _ = w.Write([]byte(`{"keys":[{"kty":"oct","kid":"shared","alg":"HS256","k":"` + secret + `"}]}`))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := harness.NewIdentityProvider(t)
			p.Respond(answer(p))
			env := harness.Start(t, testdb.SQLiteURL(t), p.Settings())
			shared := harness.SignToken(
				t,
				map[string]any{"alg": "HS256", "kid": "shared"},
				string(mustJSON(t, harness.Claims(nil))),
				jwt.SigningMethodHS256,
				[]byte(harness.Secret),
			)
			a := testclient.New(t, env.URL(), p.Token(t, nil)).Try(t, harness.ViewerIDDoc, nil)
			require.Equal(t, "SERVICE_UNAVAILABLE", a.ErrorCode(), "%s", a.Raw)
			require.Equal(t, http.StatusServiceUnavailable, a.Status, "the token may be valid")
			require.NotContains(t, a.Raw+env.Logs.String(), "data\":{\"viewer")
			a = testclient.New(t, env.URL(), shared).Try(t, harness.ViewerIDDoc, nil)
			require.Equal(t, "UNAUTHENTICATED", a.ErrorCode(), "a published symmetric key is not accepted")
			require.Zero(t, env.Count(t, "SELECT count(*) FROM users"))

			p.PublishKeys(t, map[string]any{
				"kty": "oct", "kid": "shared", "alg": "HS256",
				"k": harness.Base64URL([]byte(harness.Secret)),
			})
			require.Eventually(t, func() bool {
				a, err := testclient.New(t, env.URL(), p.Token(t, nil)).Do(t.Context(), harness.ViewerIDDoc, nil)
				return err == nil && a.ErrorCode() == ""
			}, testclient.Timeout, 50*time.Millisecond, "the server does not recover")
			require.Equal(t, "UNAUTHENTICATED", testclient.New(t, env.URL(), shared).Try(t, harness.ViewerIDDoc,
				nil).ErrorCode())
		})
	}
	t.Cleanup(func() {
		require.Zero(t, visited.Load())
		require.Less(t, sent.Load(), int64(32<<20), "the size of the key set is not limited")
	})
}

// TestAudience_OtherSurfacesToken_IsRejected checks that /mcp rejects tokens for the GraphQL API and vice versa.
func TestAudience_OtherSurfacesToken_IsRejected(t *testing.T) {
	t.Parallel()
	p := harness.NewIdentityProvider(t)
	env := harness.Start(t, testdb.SQLiteURL(t), p.Settings())
	for audience, want := range map[string][2]int{
		harness.Audience:          {http.StatusOK, http.StatusUnauthorized},
		harness.Audience + "/mcp": {http.StatusUnauthorized, http.StatusOK},
	} {
		token := p.Token(t, map[string]any{"aud": audience, "scope": "tasks:read tasks:write"})
		require.Equal(t, want[0], requestStatus(t, env, "application/json", "Bearer "+token))
		initialize, err := json.Marshal(map[string]any{
			"jsonrpc": "2.0", "id": 1, "method": "initialize",
			"params": map[string]any{
				"protocolVersion": "2025-11-25", "capabilities": map[string]any{}, "clientInfo": map[string]any{
					"name":    "test",
					"version": "1",
				},
			},
		})
		require.NoError(t, err)
		request, err := http.NewRequestWithContext(
			t.Context(),
			http.MethodPost,
			env.URL()+"/mcp",
			strings.NewReader(string(initialize)),
		)
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", "application/json, text/event-stream")
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, want[1], response.StatusCode, audience)
	}
}
