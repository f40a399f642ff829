package authz

import (
	"encoding/json"
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
	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// refusedLines returns the log lines about refusals, decoded.
func refusedLines(t *testing.T, env *harness.Env) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for line := range strings.Lines(env.Logs.String()) {
		var fields map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &fields))
		if fields["msg"] == "token refused" || fields["msg"] == "request refused" {
			require.Less(t, len(line), 2500)
			lines = append(lines, fields)
		}
	}
	return lines
}

// metricValue returns the value of a metric's sample, "" when there is none.
func metricValue(t *testing.T, env *harness.Env, sample string) string {
	t.Helper()
	w := httptest.NewRecorder()
	env.Metrics.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if value, ok := strings.CutPrefix(line, sample+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// socketInit opens a socket, sends connection_init with a token and returns it with the first message's type or the
// close error.
func socketInit(t *testing.T, env *harness.Env, token string) (*websocket.Conn, string, error) {
	t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	conn, _, err := dialer.DialContext(t.Context(), strings.Replace(env.URL(), "http", "ws", 1)+"/graphql", nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	payload := map[string]any{}
	if token != "" {
		payload["authorization"] = "Bearer " + token
	}
	require.NoError(t, conn.WriteJSON(map[string]any{"type": "connection_init", "payload": payload}))
	var m struct{ Type string }
	err = conn.ReadJSON(&m)
	return conn, m.Type, err
}

// TestRefusal_EveryReason_LoggedAndCounted checks that the operator sees why a token was refused, what it has and what
// is expected, while the client does not.
func TestRefusal_EveryReason_LoggedAndCounted(t *testing.T) {
	t.Parallel()
	type m = map[string]any
	p := harness.NewIdentityProvider(t)
	p.PublishKeys(t, m{"kty": "RSA", "kid": "enc", "use": "enc", "n": harness.Base64URL(p.RSAKey.N.Bytes()), "e": "AQAB"})
	env := harness.Start(t, testdb.SQLiteURL(t), p.Settings())
	payload := string(mustJSON(t, harness.Claims(nil)))
	evil, _ := newEd25519(t, "")
	signed := func(header m) string { return harness.SignToken(t, header, payload, jwt.SigningMethodEdDSA, evil) }
	long := strings.Repeat("x", 4000)
	for reason, tc := range map[string]struct {
		token string
		want  m
	}{
		"malformed": {"planted-token", m{
			"parts": 1.0,
			"hint": "not a JSON Web Token: the issuer may have issued an opaque one; with Auth0, clients must request " +
				"an audience",
		}},
		"too_long":      {strings.Repeat("a", 9000), nil},
		"bad_signature": {signed(m{"alg": "EdDSA", "kid": "ed"}), m{"algorithm": "EdDSA", "key_id": "ed"}},
		"unknown_key": {
			signed(m{"alg": "EdDSA", "kid": "new\nline\x1b[31m" + long[:200]}),
			m{"key_id": "new?line?[31m" + long[:87] + "…", "issuer": harness.Issuer, "expected_issuer": harness.Issuer},
		},
		"unusable_key":  {signed(m{"alg": "EdDSA", "kid": "enc"}), m{"key_id": "enc"}},
		"bad_algorithm": {signed(m{"alg": "HS256", "kid": "ed"}), m{"algorithm": "HS256"}},
		"bad_header":    {signed(m{"alg": "EdDSA", "kid": "ed", "typ": "logout+jwt"}), m{"type": "logout+jwt"}},
		"wrong_issuer": {p.Token(t, m{"iss": harness.Issuer + "/"}), m{
			"issuer": harness.Issuer + "/", "expected_issuer": harness.Issuer,
			"hint": "AUTH_ISSUER differs from the token's issuer only in the slash at its end",
		}},
		"wrong_audience": {p.Token(t, m{"aud": []string{"https://one.example", long}}), m{
			"audience":          "https://one.example " + long[:80] + "…",
			"expected_audience": []any{harness.Audience},
		}},
		"missing_claim": {p.Token(t, m{"aud": nil, "azp": "web"}), m{
			"missing": []any{"aud"},
			"hint":    "the issuer sets no audience: AUTH_AUTHORIZED_PARTIES accepts its tokens by azp or client_id",
		}},
		"bad_claim":     {p.Token(t, m{"sub": "alice\n"}), m{"claims": []any{"sub"}}},
		"expired":       {p.Token(t, m{"exp": time.Now().Add(-time.Hour).Unix()}), m{"level": "INFO"}},
		"not_yet_valid": {p.Token(t, m{"nbf": time.Now().Add(time.Hour).Unix()}), nil},
	} {
		before := len(refusedLines(t, env))
		a := testclient.New(t, env.URL(), tc.token).Try(t, harness.ViewerIDDoc, nil)
		require.Equal(t, http.StatusUnauthorized, a.Status, reason)
		require.NotContains(t, a.Raw, "issuer", reason)
		lines := refusedLines(t, env)
		require.Len(t, lines, before+1, reason)
		line := lines[before]
		for name, value := range map[string]any{
			"reason": reason, "surface": "graphql", "transport": "http", "remote_ip": "127.0.0.1",
		} {
			require.Equal(t, value, line[name], reason)
		}
		require.NotEmpty(t, line["request_id"], reason)
		for name, value := range tc.want {
			require.Equal(t, value, line[name], reason)
		}
		require.Equal(t, "1", metricValue(t, env,
			`errand_refusals_total{reason="`+reason+`",surface="graphql",transport="http"}`), reason)
		require.NotContains(t, env.Logs.String(), tc.token[max(0, len(tc.token)-12):], "the token is not logged")
	}
}

// TestRefusal_EverySurface_LoggedAndCounted checks refused tokens, origins and hosts on all transports.
func TestRefusal_EverySurface_LoggedAndCounted(t *testing.T) {
	t.Parallel()
	p := harness.NewIdentityProvider(t)
	env := harness.Start(t, testdb.SQLiteURL(t), p.Settings())
	other := p.Token(t, map[string]any{"iss": "https://other.example"})
	with := func(name, value string) func(http.Header) { return func(h http.Header) { h.Set(name, value) } }
	send := func(method, path string, change ...func(http.Header)) int {
		r, err := http.NewRequestWithContext(
			t.Context(),
			method,
			env.URL()+path,
			strings.NewReader(`{"query":"{ viewer { id } }"}`),
		)
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		for _, f := range change {
			f(r.Header)
		}
		if host := r.Header.Get("X-Test-Host"); host != "" {
			r.Host = host
		}
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	token, evil := with("Authorization", "Bearer "+other), with("Origin", "https://evil.example")
	upgrade := func(h http.Header) {
		h.Set("Connection", "Upgrade")
		h.Set("Upgrade", "websocket")
		h.Set("Sec-WebSocket-Version", "13")
		h.Set("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
		h.Set("Sec-WebSocket-Protocol", "graphql-transport-ws")
	}
	get := "/graphql?query=" + "%7Bviewer%7Bid%7D%7D"
	n := 0
	check := func(surface, transport, reason string) {
		t.Helper()
		n++
		sample := fmt.Sprintf(`errand_refusals_total{reason=%q,surface=%q,transport=%q}`, reason, surface, transport)
		require.Eventually(t, func() bool { return metricValue(t, env, sample) != "" }, testclient.Timeout,
			harness.PollInterval, sample)
		var lines []map[string]any
		require.Eventually(t, func() bool { lines = refusedLines(t, env); return len(lines) == n }, testclient.Timeout,
			harness.PollInterval, sample)
		last := lines[n-1]
		require.Equal(t, []any{surface, transport, reason}, []any{last["surface"], last["transport"], last["reason"]})
	}

	require.Equal(t, http.StatusUnauthorized, send(http.MethodPost, "/graphql", token))
	check("graphql", "http", "wrong_issuer")
	require.Equal(t, http.StatusOK, send(http.MethodPost, "/graphql"))
	check("graphql", "http", "no_token")
	require.Equal(t, http.StatusUnauthorized, send(http.MethodGet, get, with("Authorization", "Basic eDp5")))
	check("graphql", "http", "malformed")
	require.Equal(
		t,
		http.StatusUnauthorized,
		send(http.MethodPost, "/graphql", token, with("Accept", "text/event-stream")),
	)
	check("graphql", "sse", "wrong_issuer")
	require.Equal(t, http.StatusUnauthorized, send(http.MethodPost, "/graphql", token, with("Accept", "multipart/mixed")))
	check("graphql", "multipart", "wrong_issuer")
	require.Equal(t, http.StatusUnauthorized, send(http.MethodGet, "/graphql", token, upgrade))
	check("graphql", "websocket", "wrong_issuer")
	require.Equal(t, http.StatusForbidden, send(http.MethodGet, "/graphql", evil, upgrade))
	check("graphql", "websocket", "origin")
	require.Equal(t, http.StatusForbidden, send(http.MethodGet, get, evil))
	check("graphql", "http", "origin")
	require.Equal(t, http.StatusForbidden, send(http.MethodGet, get, with("Sec-Fetch-Site", "cross-site")))
	check("graphql", "http", "forgery")
	require.Equal(t, http.StatusForbidden, send(http.MethodGet, "/livez", evil))
	check("web", "http", "origin")
	require.Equal(
		t,
		http.StatusForbidden,
		send(http.MethodOptions, "/graphql", evil, with("Access-Control-Request-Method", "POST")),
	)
	check("graphql", "preflight", "origin")
	require.Equal(t, http.StatusUnauthorized, send(http.MethodPost, "/mcp", token))
	check("mcp", "http", "wrong_issuer")
	require.Equal(t, http.StatusUnauthorized, send(http.MethodPost, "/mcp"))
	check("mcp", "http", "no_token")
	require.Equal(t, http.StatusForbidden, send(http.MethodPost, "/mcp", evil))
	check("mcp", "http", "origin")
	require.Equal(t, http.StatusForbidden, send(http.MethodPost, "/mcp", with("X-Test-Host", "evil.example")))
	check("mcp", "http", "host")

	_, _, err := socketInit(t, env, other)
	require.True(t, websocket.IsCloseError(err, 4403), "%v", err)
	check("graphql", "websocket-init", "wrong_issuer")
	_, _, err = socketInit(t, env, "")
	require.True(t, websocket.IsCloseError(err, 4401), "%v", err)
	check("graphql", "websocket-init", "no_token")
	conn, kind, err := socketInit(t, env, p.Token(t, nil))
	require.NoError(t, err)
	require.Equal(t, "connection_ack", kind)
	for _, renewal := range []struct{ token, reason string }{
		{other, "wrong_issuer"},
		{p.Token(t, map[string]any{"sub": "bob"}), "other_user"},
	} {
		require.NoError(t, conn.WriteJSON(map[string]any{"type": "ping", "payload": map[string]any{"token": renewal.token}}))
		check("graphql", "websocket-renewal", renewal.reason)
	}
	for code, want := range map[string]string{"4401": "1", "4403": "1"} {
		require.Eventually(t, func() bool {
			return metricValue(t, env, `errand_socket_closes_total{code="`+code+`"}`) == want
		}, testclient.Timeout, harness.PollInterval, "close codes of refused tokens are counted")
	}
}

// TestRefusal_Flood_LogIsBounded checks that many refused tokens cause few lines, and are all counted.
func TestRefusal_Flood_LogIsBounded(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t))
	const n = 200
	for range n {
		require.Equal(t, http.StatusUnauthorized, requestStatus(t, env, "application/json", "Bearer forged"))
	}
	require.LessOrEqual(t, len(refusedLines(t, env)), 25)
	require.Equal(t, fmt.Sprint(n), metricValue(t, env,
		`errand_refusals_total{reason="malformed",surface="graphql",transport="http"}`))
}

// TestRefusal_KeysUnreachableAtStart_Logged checks that the log says that no token can be verified, and how to find out
// more.
func TestRefusal_KeysUnreachableAtStart_Logged(t *testing.T) {
	t.Parallel()
	p := harness.NewIdentityProvider(t)
	p.Respond(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>" + harness.Secret)) })
	env := harness.Start(t, testdb.SQLiteURL(t), p.Settings())
	a := testclient.New(t, env.URL(), p.Token(t, nil)).Try(t, harness.ViewerIDDoc, nil)
	require.Equal(t, "SERVICE_UNAVAILABLE", a.ErrorCode())
	logs := env.Logs.String()
	require.Contains(t, logs, "no token can be verified until they are")
	require.Contains(t, logs, "errand doctor")
	require.NotContains(t, logs, harness.Secret)
	require.Equal(t, "1", metricValue(t, env,
		`errand_refusals_total{reason="keys_unavailable",surface="graphql",transport="http"}`))
	require.Equal(t, "keys_unavailable", refusedLines(t, env)[0]["reason"])
}
