package authz

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"errand/internal/mcp"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// TestRequireScopes_TokenWithout_IsRefusedEverywhere checks AUTH_REQUIRE_SCOPES on every transport.
func TestRequireScopes_TokenWithout_IsRefusedEverywhere(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t), harness.Settings{"AUTH_REQUIRE_SCOPES": "true"})
	for _, scopes := range []string{"", "openid profile tasks:admin"} {
		c := env.ClientWithScopes(t, "ann", scopes)
		a := c.Try(t, `{ __typename }`, nil)
		require.Equal(t, "FORBIDDEN", a.ErrorCode(), a.Raw)
		require.Equal(t, "tasks:read tasks:write chat account", a.Errors[0].Extensions.Scope)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, env.URL()+"/graphql",
			strings.NewReader(`{"query":"{ __typename }"}`))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+c.Token)
		r.Header.Set("Content-Type", "application/json")
		requireInsufficientScope(t, r)
		for _, accept := range []string{"text/event-stream", "multipart/mixed", "application/graphql-response+json"} {
			require.Equal(t, http.StatusForbidden, requestStatus(t, env, accept, "Bearer "+c.Token), accept)
		}
		_, err = c.TryDial(t.Context())
		var closed *websocket.CloseError
		require.ErrorAs(t, err, &closed)
		require.Equal(t, 4403, closed.Code)
		r, err = http.NewRequestWithContext(t.Context(), http.MethodPost, env.URL()+mcp.Path, http.NoBody)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+c.Token)
		requireInsufficientScope(t, r)
	}
	require.Zero(t, env.Count(t, "SELECT count(*) FROM users"), "a refused token creates no account")
	require.Empty(t, harness.AllTasks(t, env.ClientWithScopes(t, "ann", "tasks:read")))
}

// requireInsufficientScope sends a request and requires the response of RFC 6750, section 3.1.
func requireInsufficientScope(t *testing.T, r *http.Request) {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusForbidden, response.StatusCode)
	challenge := response.Header.Get("WWW-Authenticate")
	require.Contains(t, challenge, `error="insufficient_scope"`)
	require.Contains(t, challenge, `scope="tasks:read tasks:write chat account"`)
}

// TestTokenRenewal_FewerScopes_LimitsOpenSocket renews the token of a socket with subscriptions. With fewer scopes they
// end; with more, they continue.
func TestTokenRenewal_FewerScopes_LimitsOpenSocket(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t), harness.GenerousLimits)
	full := env.Client(t, "ann")
	harness.CreateTask(t, full, testclient.Vars{"title": "x"})
	scoped := func(scopes string) string { return harness.TokenWithScopes(t, "ann", scopes) }
	run := func(s *testclient.Socket) string {
		payload, err := s.Subscribe(t, `{ tasks { totalCount } }`, nil).Next(t.Context())
		require.NoError(t, err)
		return string(payload)
	}
	for _, before := range []string{"", "tasks:read account"} {
		c := env.ClientWithScopes(t, "ann", before)
		socket := c.Dial(t)
		sub := socket.Subscribe(t, harness.TaskStreamDoc, nil)
		require.Eventually(t, func() bool { return env.Hub.Subscribers() == 1 }, testclient.Timeout, harness.PollInterval)
		socket.RenewToken(t, scoped("account"))
		_, err := sub.Next(t.Context())
		var list testclient.Errors
		require.True(t, errors.As(err, &list) && !errors.Is(err, io.EOF), "%v", err)
		require.Equal(t, "FORBIDDEN", list[0].Extensions.Code)
		require.Contains(t, run(socket), "lacks the scope tasks:read")
		require.Eventually(t, func() bool { return env.Hub.Subscribers() == 0 }, testclient.Timeout, harness.PollInterval)

		socket.RenewToken(t, scoped("account tasks:read"))
		require.NotContains(t, run(socket), "errors")
		sub = socket.Subscribe(t, harness.TaskStreamDoc, nil)
		require.Eventually(t, func() bool { return env.Hub.Subscribers() == 1 }, testclient.Timeout, harness.PollInterval)
		socket.RenewToken(t, scoped("account tasks:read chat"))
		require.NotContains(t, run(socket), "errors")
		harness.CreateTask(t, full, testclient.Vars{"title": "x"})
		_, err = sub.Next(t.Context())
		require.NoError(t, err)
		socket.Close()
		require.Eventually(t, func() bool { return env.Hub.Subscribers() == 0 }, testclient.Timeout, harness.PollInterval)
	}
}

// TestScopes_EqualSubscriptions_ShareNoEvents opens equal subscriptions with tokens of different scopes. Equal events
// of one user are executed once, but not across scopes: each event holds what its own token may see.
func TestScopes_EqualSubscriptions_ShareNoEvents(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t), harness.GenerousLimits)
	full := env.Client(t, "ann")
	const doc = `subscription { taskStream { change { toolCall { name } } } }`
	const changes = 10
	subs := map[string]*testclient.Subscription{}
	for _, scopes := range []string{"", "tasks:read chat", "tasks:read"} {
		subs[scopes] = env.ClientWithScopes(t, "ann", scopes).Dial(t).Subscribe(t, doc, nil)
	}
	require.Eventually(t, func() bool { return env.Hub.Subscribers() == 3 }, testclient.Timeout, harness.PollInterval)
	for range changes {
		_, _ = replyTo(t, full, "", "Add a task to buy milk")
		for scopes, sub := range subs {
			payload, err := sub.Next(t.Context())
			require.NoError(t, err)
			require.Equal(t, scopes != "tasks:read", strings.Contains(string(payload), "add_task"), "%q: %s", scopes, payload)
		}
	}
}
