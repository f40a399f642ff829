package authz

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// forgedTokens returns tokens that an attacker who has only the public keys can create, by description. lure is a URL
// that the server must not fetch.
func forgedTokens(t *testing.T, p *harness.IdentityProvider, lure string) map[string]string {
	t.Helper()
	payload, err := json.Marshal(harness.Claims(nil))
	require.NoError(t, err)
	good := string(payload)
	der, err := x509.MarshalPKIXPublicKey(&p.RSAKey.PublicKey)
	require.NoError(t, err)
	_, mine, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	type m = map[string]any
	sign := func(header m, payload string, method jwt.SigningMethod, key any) string {
		return harness.SignToken(t, header, payload, method, key)
	}
	eddsa, hs256, none := jwt.SigningMethodEdDSA, jwt.SigningMethodHS256, jwt.SigningMethodNone
	own, unsafe := p.Ed25519Key, jwt.UnsafeAllowNoneSignatureType
	jwk := m{"kty": "OKP", "crv": "Ed25519", "x": harness.Base64URL(mine.Public().(ed25519.PublicKey))}
	out := map[string]string{
		"none":                  sign(m{"alg": "none"}, good, none, unsafe),
		"none, named key":       sign(m{"alg": "nOnE", "kid": "ed"}, good, none, unsafe),
		"EdDSA unsigned":        sign(m{"alg": "EdDSA", "kid": "ed"}, good, none, unsafe),
		"key of another issuer": sign(m{"alg": "EdDSA", "kid": "ed"}, good, eddsa, mine),
		"key in the header":     sign(m{"alg": "EdDSA", "kid": "me", "jwk": jwk}, good, eddsa, mine),
		"key by URL":            sign(m{"alg": "EdDSA", "kid": "ed", "jku": lure, "x5u": lure}, good, eddsa, mine),
		"all-zero ECDSA signature": strings.Join([]string{
			harness.Base64URL([]byte(`{"alg":"ES256","kid":"ed"}`)),
			harness.Base64URL(payload),
			harness.Base64URL(make([]byte, 64)),
		}, "."),
		"padding in header": strings.Replace(p.Token(t, nil), ".", "=.", 1),
		"encrypted":         strings.Repeat("e30.", 4) + "e30",
		"kid is a path":     sign(m{"alg": "HS256", "kid": "../../../../../../dev/null"}, good, hs256, []byte{}),
		"kid is SQL":        sign(m{"alg": "EdDSA", "kid": "x' UNION SELECT 'AA==' --"}, good, eddsa, mine),
		"kid with NUL":      sign(m{"alg": "EdDSA", "kid": "ed\x00"}, good, eddsa, mine),
		"kid is a list":     sign(m{"alg": "EdDSA", "kid": []string{"ed"}}, good, eddsa, own),
		"kid of 4 kB":       sign(m{"alg": "EdDSA", "kid": strings.Repeat("k", 4000)}, good, eddsa, mine),
		"critical extension": sign(
			m{"alg": "EdDSA", "kid": "ed", "crit": []string{"b64"}, "b64": false}, good, eddsa, own,
		),
		"logout token":             sign(m{"alg": "EdDSA", "kid": "ed", "typ": "logout+jwt"}, good, eddsa, own),
		"nested":                   sign(m{"alg": "EdDSA", "kid": "ed", "cty": "JWT"}, p.Token(t, nil), eddsa, own),
		"PS256 with the RS256 key": sign(m{"alg": "PS256", "kid": "rs"}, good, jwt.SigningMethodPS256, p.RSAKey),
		"RS512":                    sign(m{"alg": "RS512", "kid": "rs"}, good, jwt.SigningMethodRS512, p.RSAKey),
		"too long":                 p.Token(t, m{"more": strings.Repeat("x", 9000)}),
	}
	for name, key := range map[string][]byte{
		"PEM":     pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
		"PKCS1":   x509.MarshalPKCS1PublicKey(&p.RSAKey.PublicKey),
		"DER":     der,
		"modulus": p.RSAKey.N.Bytes(),
		"key set": p.KeySet(t),
		"nothing": {},
		"Ed25519": p.Ed25519Key.Public().(ed25519.PublicKey),
	} {
		for _, kid := range []string{"rs", "ed"} {
			out["HS256 with the "+name+" as secret, naming "+kid] = sign(m{"alg": "HS256", "kid": kid}, good, hs256, key)
		}
	}
	return out
}

// invalidClaims returns payloads that are invalid even when the provider signs them, by description: changes of the
// claims, or the payload itself.
func invalidClaims() map[string]any {
	type m = map[string]any
	hour := func(n int) int64 { return time.Now().Add(time.Duration(n) * time.Hour).Unix() }
	return map[string]any{
		"other issuer":                 m{"iss": "https://evil.example"},
		"issuer with a slash":          m{"iss": harness.Issuer + "/"},
		"no issuer":                    m{"iss": nil},
		"issuers":                      m{"iss": []string{harness.Issuer}},
		"other audience":               m{"aud": "https://other.example"},
		"no audience":                  m{"aud": nil},
		"audience of /mcp":             m{"aud": harness.Audience + "/mcp"},
		"other audiences":              m{"aud": []string{"a", "b"}},
		"no audiences":                 m{"aud": []string{}},
		"audience is a number":         m{"aud": 7},
		"audiences of numbers":         m{"aud": []any{7, harness.Audience}},
		"audience is an object":        m{"aud": m{harness.Audience: true}},
		"expired":                      m{"exp": hour(-1)},
		"no expiry":                    m{"exp": nil},
		"expiry is text":               m{"exp": fmt.Sprint(hour(1))},
		"expiry out of range":          m{"exp": 1e300},
		"expiry overflows":             m{"exp": 1e19},
		"expiry is negative":           m{"exp": -1},
		"expiry is true":               m{"exp": true},
		"expiry is a list":             m{"exp": []int64{hour(1)}},
		"not yet":                      m{"nbf": hour(1)},
		"not-before is text":           m{"nbf": "now"},
		"issued in the future":         m{"iat": hour(1)},
		"no subject":                   m{"sub": nil},
		"empty subject":                m{"sub": ""},
		"subject is a number":          m{"sub": 7},
		"subjects":                     m{"sub": []string{"alice"}},
		"subject with a null byte":     m{"sub": "alice\x00"},
		"subject with a line break":    m{"sub": "alice\nbob"},
		"subject with a bidi override": m{"sub": "\u202ealice"},
		"subject of 7 kB":              m{"sub": strings.Repeat("s", 7000)},
		"subject in capitals":          m{"sub": nil, "Sub": "alice"},
		"subject with a leading space": m{"sub": " alice"},
		"not an object":                `["alice"]`,
		"not JSON":                     `alice`,
		"deeply nested":                strings.Repeat("[", 3000),
		"null":                         `null`,
	}
}

// TestToken_Forged_IsRejected checks forged tokens over HTTP, SSE and WebSocket: the messages are generic, no account
// is created, and the key endpoint is not fetched for each.
func TestToken_Forged_IsRejected(t *testing.T) {
	t.Parallel()
	p := harness.NewIdentityProvider(t)
	lured := httptest.NewServer(
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the server fetched a URL from a token") }),
	)
	t.Cleanup(lured.Close)
	env := harness.Start(t, testdb.SQLiteURL(t), p.Settings())
	id := harness.ViewerID(t, testclient.New(t, env.URL(), p.Token(t, nil)))
	began, fetched := time.Now(), p.Fetches.Load()

	all := forgedTokens(t, p, lured.URL)
	for name, payload := range invalidClaims() {
		switch payload := payload.(type) {
		case string:
			all[name] = p.SignPayload(t, payload)
		case map[string]any:
			all[name] = p.Token(t, payload)
		}
	}
	for name, token := range all {
		c := testclient.New(t, env.URL(), token)
		a := c.Try(t, harness.ViewerIDDoc, nil)
		require.Equal(t, http.StatusUnauthorized, a.Status, name)
		require.Equal(t, "UNAUTHENTICATED", a.ErrorCode(), name)
		require.Contains(
			t,
			[]string{
				"The token is not valid.",
				"The token has expired. Sign in again.",
				"The token is longer than 8192 bytes.",
				`Send one header "Authorization: Bearer TOKEN".`,
			},
			a.Errors[0].Message,
			name,
		)
		require.Equal(t, http.StatusUnauthorized, requestStatus(t, env, "text/event-stream", "Bearer "+token), name)
		_, err := c.TryDial(t.Context())
		require.Error(t, err, name)
		if len(token) < 16<<10 {
			require.Regexp(t, "4403|close 1009", err.Error(), name)
		}
	}
	allowed := 1 + int64(time.Since(began)/time.Second)
	require.LessOrEqual(t, p.Fetches.Load()-fetched, allowed, "tokens cause at most one fetch a second")
	require.Equal(t, 1, env.Count(t, "SELECT count(*) FROM users"))

	for name, changes := range map[string]map[string]any{
		"fractional expiry":    {"exp": float64(time.Now().Add(time.Hour).Unix()) + 0.5},
		"one of two audiences": {"aud": []string{"https://other.example", harness.Audience}},
		"name of 5 kB":         {"name": strings.Repeat("n", 5000)},
		"name is an object":    {"name": map[string]any{"first": "Alice"}},
		"e-mail is a list":     {"email": []any{7}},
		"name with NUL":        {"name": "\x00"},
	} {
		require.Equal(t, id, harness.ViewerID(t, testclient.New(t, env.URL(), p.Token(t, changes))), name)
	}
	// RFC 7519 section 4: of claims with the same name, the last one counts, for everything.
	twice := p.SignPayload(t, strings.Replace(string(mustJSON(t, harness.Claims(nil))), `"sub":"alice"`,
		`"sub":"bob","sub":"alice"`, 1))
	require.Equal(t, id, harness.ViewerID(t, testclient.New(t, env.URL(), twice)))
}

// mustJSON returns v as JSON.
func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return b
}

// requestStatus queries the viewer with the given Authorization headers and returns the HTTP status.
func requestStatus(t *testing.T, env *harness.Env, accept string, authorization ...string) int {
	t.Helper()
	status, _ := request(t, env, "/graphql", accept, func(h http.Header) { h["Authorization"] = authorization })
	return status
}

// request queries the viewer at a path with changed headers, and returns the HTTP status and the body.
func request(t *testing.T, env *harness.Env, path, accept string, change func(http.Header)) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(
		t.Context(),
		http.MethodPost,
		env.URL()+path,
		strings.NewReader(`{"query":"{ viewer { id } }"}`),
	)
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", accept)
	change(request.Header)
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	var body bytes.Buffer
	_, err = body.ReadFrom(response.Body)
	require.NoError(t, err)
	return response.StatusCode, body.String()
}

// TestToken_OutsideAuthorizationHeader_IsIgnored checks that a valid token in the URL, a cookie or another header
// does not authenticate, and that several or malformed Authorization headers are rejected.
func TestToken_OutsideAuthorizationHeader_IsIgnored(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t))
	good := harness.Token(t, "alice")
	require.Equal(t, http.StatusOK, requestStatus(t, env, "application/json", "Bearer "+good))
	for name, try := range map[string]struct {
		path   string
		change func(http.Header)
	}{
		"URL": {"/graphql?access_token=" + good + "&token=" + good + "&authorization=Bearer%20" + good, func(http.Header) {}},
		"cookies": {"/graphql", func(h http.Header) {
			h.Set("Cookie", "token="+good+"; Authorization=Bearer "+good+"; better-auth.session_token="+good)
		}},
		"Proxy-Authorization": {"/graphql", func(h http.Header) { h.Set("Proxy-Authorization", "Bearer "+good) }},
		"custom headers": {"/graphql", func(h http.Header) {
			h.Set("X-Auth-Token", good)
			h.Set("X-User-Id", "alice")
			h.Set("Sec-WebSocket-Protocol", good)
		}},
		"X-Forwarded-Authorization": {"/graphql", func(h http.Header) { h.Set("X-Forwarded-Authorization", "Bearer "+good) }},
	} {
		_, answer := request(t, env, try.path, "application/json", try.change)
		require.Contains(t, answer, "UNAUTHENTICATED", name)
	}
	for _, two := range [][]string{{"Bearer " + good, "Bearer x"}, {"Bearer x", "Bearer " + good}, {
		"Bearer " + good,
		"Bearer " + good,
	}, {"Basic eDp5", "Bearer " + good}} {
		require.Equal(
			t,
			http.StatusUnauthorized,
			requestStatus(t, env, "application/json", two...),
			"two Authorization headers are ambiguous",
		)
	}
	require.Equal(t, http.StatusUnauthorized, requestStatus(t, env, "application/json", "Basic "+good))
	require.Equal(t, 1, env.Count(t, "SELECT count(*) FROM users"))
	require.NotContains(t, env.Logs.String(), good[:40])
}

// TestToken_Expiry_LeewayAppliesToEveryTransport checks that AUTH_LEEWAY also applies to open streams and sockets.
func TestToken_Expiry_LeewayAppliesToEveryTransport(t *testing.T) {
	t.Parallel()
	p := harness.NewIdentityProvider(t)
	env := harness.Start(t, testdb.SQLiteURL(t), p.Settings(), harness.Settings{"AUTH_LEEWAY": "5m"})
	late := p.Token(t, map[string]any{"exp": time.Now().Add(-time.Minute).Unix()})
	c := testclient.New(t, env.URL(), late)
	harness.ViewerID(t, c)
	require.Equal(t, http.StatusOK, requestStatus(t, env, "text/event-stream", "Bearer "+late))
	sub := c.Dial(t).Subscribe(t, harness.TaskStreamDoc, nil)
	require.Eventually(t, func() bool { return env.Hub.Subscribers() == 1 }, testclient.Timeout, harness.PollInterval)
	harness.CreateTask(t, c, testclient.Vars{"title": "x"})
	_, err := sub.Next(t.Context())
	require.NoError(t, err)
	early := p.Token(
		t,
		map[string]any{"nbf": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Add(time.Minute).Unix()},
	)
	require.Equal(t, http.StatusOK, requestStatus(t, env, "application/json", "Bearer "+early))
	gone := p.Token(t, map[string]any{"exp": time.Now().Add(-6 * time.Minute).Unix()})
	require.Equal(t, http.StatusUnauthorized, requestStatus(t, env, "application/json", "Bearer "+gone))
}
