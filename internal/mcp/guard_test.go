package mcp

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"errand/internal/auth/bearer"
	"errand/internal/page"
	"errand/internal/testdb"
	"errand/internal/viewer"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func withToken(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`

func TestGuard_Tokens_AreVerified(t *testing.T) {
	w := newFixture(t, testdb.SQLite(t), nil)
	none, err := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{
		"sub": "alice", "iss": testIssuer, "aud": testAudience, "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString(jwt.UnsafeAllowNoneSignatureType)
	require.NoError(t, err)
	good := token(t, "alice", nil)
	changed := func(key string, value any) func(*http.Request) {
		return withToken(token(t, "alice", func(m jwt.MapClaims) { m[key] = value }))
	}
	for name, change := range map[string]func(*http.Request){
		"none":           func(*http.Request) {},
		"in the address": func(r *http.Request) { r.URL.RawQuery = "access_token=" + good },
		"as basic":       func(r *http.Request) { r.Header.Set("Authorization", "Basic "+good) },
		"twice": func(r *http.Request) {
			r.Header["Authorization"] = []string{
				"Bearer " + good,
				"Bearer " + good,
			}
		},
		"no token":           withToken("nonsense"),
		"unsigned":           withToken(none),
		"altered":            withToken(good[:len(good)-4] + "AAAA"),
		"expired":            changed("exp", time.Now().Add(-time.Hour).Unix()),
		"of another issuer":  changed("iss", "https://evil.example"),
		"for GraphQL":        changed("aud", graphqlAudience),
		"for another server": changed("aud", "https://other.example/mcp"),
		"without subject":    changed("sub", ""),
		"too long":           withToken(strings.Repeat("a", bearer.MaxBytes+1)),
	} {
		t.Run(name, func(t *testing.T) {
			answer, body := w.post(t, ping, change)
			require.Equal(t, http.StatusUnauthorized, answer.StatusCode, body)
			challenge := answer.Header.Get("WWW-Authenticate")
			require.True(t, strings.HasPrefix(challenge, `Bearer realm="errand", resource_metadata="http://`), challenge)
			require.Contains(t, challenge, `scope="tasks:read tasks:write"`)
			require.Equal(
				t,
				name != "none" && name != "in the address",
				strings.Contains(challenge, `error="invalid_token"`),
				challenge,
			)
			require.NotContains(t, body, good[:20])
		})
	}
	answer, body := w.post(t, ping, withToken(good))
	require.Equal(t, http.StatusOK, answer.StatusCode, body)
	require.NotContains(t, w.log.String(), good[:20])
}

func TestGuard_Hosts_AreChecked(t *testing.T) {
	w := newFixture(t, testdb.SQLite(t), nil)
	good := token(t, "alice", nil)
	for host, status := range map[string]int{
		strings.TrimPrefix(w.http.URL, "http://"): 200,
		"localhost:1":            200,
		"errand.example.com":     200, // the public name
		"evil.example":           403,
		"localhost.evil.example": 403,
	} {
		answer, body := w.post(t, ping, func(r *http.Request) {
			withToken(good)(r)
			r.Host = host
		})
		require.Equal(t, status, answer.StatusCode, "%s: %s", host, body)
	}
}

func TestGuard_Bodies_AreLimited(t *testing.T) {
	w := newFixture(t, testdb.SQLite(t), nil)
	good := token(t, "alice", nil)
	large := `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"` + strings.Repeat("a", 64<<10) + `"}}`
	for name, c := range map[string]struct {
		body   string
		change func(*http.Request)
		status int
	}{
		"too large":                {large, nil, 413},
		"too large, length untold": {large, func(r *http.Request) { r.ContentLength = -1 }, 413},
		"a batch":                  {"[" + ping + "]", nil, 400},
		"a batch behind spaces":    {" \n[" + ping + "]", nil, 400},
		"a batch of the old days":  {"[" + ping + "]", func(r *http.Request) { r.Header.Del("Mcp-Protocol-Version") }, 400},
		"no JSON":                  {"{", nil, 400},
		"nothing":                  {"", nil, 400},
		"deep":                     {strings.Repeat(`{"a":`, 10_000), nil, 400},
		"no message":               {`{"jsonrpc":"2.0"}`, nil, 400},
		"not as JSON":              {ping, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 415},
		"an unknown revision":      {ping, func(r *http.Request) { r.Header.Set("Mcp-Protocol-Version", "1999-01-01") }, 400},
		"an unspoken revision":     {ping, func(r *http.Request) { r.Header.Set("Mcp-Protocol-Version", "2024-11-05") }, 400},
		"a GET":                    {"", func(r *http.Request) { r.Method = http.MethodGet }, 405},
		"a DELETE":                 {"", func(r *http.Request) { r.Method = http.MethodDelete }, 405},
	} {
		t.Run(name, func(t *testing.T) {
			answer, body := w.post(t, c.body, func(r *http.Request) {
				withToken(good)(r)
				if c.change != nil {
					c.change(r)
				}
			})
			require.Equal(t, c.status, answer.StatusCode, body)
			require.Less(t, len(body), 500)
		})
	}
	answer, body := w.post(t, ping, withToken(good))
	require.Equal(t, http.StatusOK, answer.StatusCode, body)
}

func TestClientName_Handshake_IsCarriedInSessionID(t *testing.T) {
	w := newFixture(t, testdb.SQLite(t), nil)
	good := withToken(token(t, "alice", nil))
	const hello = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",` +
		`"capabilities":{},` +
		`"clientInfo":{"name":"Désk\u0000top 🖥","version":"1"}}}`
	answer, body := w.post(t, hello, good)
	require.Equal(t, http.StatusOK, answer.StatusCode, body)
	session := answer.Header.Get(sessionHeader)
	for _, r := range session {
		require.True(t, r > ' ' && r <= '~', "a session id is visible ASCII")
	}
	as := func(userAgent, session string) string {
		_, body := w.post(t, ping, func(r *http.Request) {
			good(r)
			r.Header.Set("User-Agent", userAgent)
			r.Header.Set(sessionHeader, session)
		})
		require.Contains(t, body, `"result"`)
		return w.lastReport("ping").Client
	}
	require.Equal(t, "Désktop 🖥", as("node", session))
	require.Equal(t, "claude-code", as("claude-code/2.1 (linux)", ""))
	require.Equal(t, "node", as("node", "ABC.!!!"))
	require.Equal(t, "node", as("node", "ABC."+strings.Repeat("QQ", 200)))
	require.Len(t, as(strings.Repeat("é", 200), ""), maxClient)
	require.Empty(t, as("", ""))
}

// TestErrors_Internal_AreRedacted removes tables to cause internal errors.
func TestErrors_Internal_AreRedacted(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *fixture) {
		good := withToken(token(t, "alice", nil))
		w.createTask("alice", "a task")
		w.dropTables(t, "task_changes", "tasks")
		for _, body := range []string{
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_tasks"}}`,
			`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"errand://tasks/1"}}`,
			`{"jsonrpc":"2.0","id":1,"method":"resources/list"}`,
		} {
			_, answer := w.post(t, body, good)
			require.Contains(t, answer, `"message":"Something went wrong on our side."`)
			require.Contains(t, answer, `"requestId"`)
			require.NotContains(t, strings.ToLower(answer), "table")
		}
		require.Contains(t, w.log.String(), "mcp request failed")
	})
}

// dropTables drops tables.
func (w *fixture) dropTables(t *testing.T, tables ...string) {
	t.Helper()
	tx, err := w.db.Client().Tx(t.Context())
	require.NoError(t, err)
	for _, table := range tables {
		_, err := tx.ExecContext(t.Context(), "DROP TABLE "+table)
		require.NoError(t, err)
	}
	require.NoError(t, tx.Commit())
}

// TestHandler_Panic_ReturnsError covers panics on the goroutines of the SDK, which no caller recovers.
func TestHandler_Panic_ReturnsError(t *testing.T) {
	w := newFixture(t, testdb.SQLite(t), func(o *Options) { o.Conversations = panicking{o.Conversations} })
	_, body := w.post(t, `{"jsonrpc":"2.0","id":1,"method":"resources/list"}`, withToken(token(t, "alice", nil)))
	require.Contains(t, body, "Something went wrong on our side.")
	require.Contains(t, w.log.String(), `"msg":"panic"`)
}

type panicking struct{ Conversations }

func (panicking) ListConversations(context.Context, page.Args) (*page.ConversationConnection, error) {
	panic("a bug")
}

// TestGuard_Token_IsRemovedFromRequest checks that handlers behind the guard see the caller, not the token.
func TestGuard_Token_IsRemovedFromRequest(t *testing.T) {
	w := newFixture(t, testdb.SQLite(t), nil)
	good := token(t, "alice", func(m jwt.MapClaims) { m["scope"] = "tasks:read" })
	reached := false
	behind := w.guard.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		reached = true
		v, ok := viewer.FromContext(r.Context())
		assert.True(t, ok)
		assert.Equal(t, w.userID("alice"), v.UserID)
		assert.Equal(t, viewer.Scopes("tasks:read"), v.Scopes)
		assert.NotContains(t, fmt.Sprint(r.Header), good)
	}))
	r := httptest.NewRequest(http.MethodPost, Path, strings.NewReader(ping))
	withToken(good)(r)
	behind.ServeHTTP(httptest.NewRecorder(), r)
	require.True(t, reached)
}
