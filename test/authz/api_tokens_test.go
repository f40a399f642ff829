package authz

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"errand/ent/rule"
	"errand/internal/apitoken"
	"errand/internal/ids"
	"errand/internal/page"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/internal/viewer"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// createToken creates an API token of the client's user.
func createToken(t testing.TB, c *testclient.Client, in testclient.Vars, scopes ...string) (secret, id string) {
	t.Helper()
	input := testclient.Vars{"name": "test", "scopes": scopes}
	for name, value := range in {
		input[name] = value
	}
	made := testclient.Run[createdToken](t, c, createTokenDoc, testclient.Vars{"in": input}).CreateAPIToken
	return made.Secret, made.APIToken.ID
}

// tryToken tries to create an API token.
func tryToken(t testing.TB, c *testclient.Client, in testclient.Vars) testclient.Response {
	t.Helper()
	input := testclient.Vars{"name": "test", "scopes": []string{"TASKS_READ"}}
	for name, value := range in {
		input[name] = value
	}
	return c.Try(t, createTokenDoc, testclient.Vars{"in": input})
}

// callMCP sends one MCP request with a token and returns the status and the body.
func callMCP(t testing.TB, url, token, method string, params any) (int, string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/mcp", bytes.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(text)
}

func callTool(t testing.TB, url, token, tool string) (int, string) {
	t.Helper()
	return callMCP(t, url, token, "tools/call", map[string]any{"name": tool, "arguments": map[string]any{}})
}

// openStream opens an SSE stream of the user's tasks, and returns its body after the server has begun it.
func openStream(t testing.TB, url, token string) (status int, body *bufio.Reader) {
	t.Helper()
	text, err := json.Marshal(map[string]string{"query": harness.TaskStreamDoc})
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/graphql", bytes.NewReader(text))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	return response.StatusCode, bufio.NewReader(response.Body)
}

func TestAPIToken_EverySurface_ActsAsUserWithinScopes(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, env *harness.Env) {
		alice := env.Client(t, "alice")
		secret, id := createToken(t, alice, nil, "TASKS_READ")
		token := testclient.New(t, env.URL(), secret)
		harness.CreateTask(t, alice, testclient.Vars{"title": "Water the plants"})

		require.Equal(t, []string{"Water the plants"}, harness.Titles(harness.AllTasks(t, token)))
		harness.RequireErrorCode(t, "FORBIDDEN", token.Try(t, harness.ViewerIDDoc, nil))
		harness.RequireErrorCode(t, "FORBIDDEN", tryToken(t, token, nil))
		harness.RequireErrorCode(t, "FORBIDDEN", token.Try(t, revokeTokenDoc, testclient.Vars{"id": id}))

		sub := token.Dial(t).Subscribe(t, harness.TaskStreamDoc, nil)
		status, stream := openStream(t, env.URL(), secret)
		require.Equal(t, http.StatusOK, status)
		require.Eventually(t, func() bool { return env.Hub.Subscribers() >= 2 }, testclient.Timeout, harness.PollInterval)
		harness.CreateTask(t, alice, testclient.Vars{"title": "Second"})
		payload, err := sub.Next(t.Context())
		require.NoError(t, err)
		require.Contains(t, string(payload), `"number":2`)
		for line := ""; !strings.Contains(line, `"number":2`); {
			line, err = stream.ReadString('\n')
			require.NoError(t, err)
		}

		status, answer := callTool(t, env.URL(), secret, "list_tasks")
		require.Equal(t, http.StatusOK, status, answer)
		require.Contains(t, answer, "Water the plants")
		status, answer = callTool(t, env.URL(), secret, "set_time_zone")
		require.Equal(t, http.StatusForbidden, status, answer)

		require.Contains(t, env.Logs.String(), `"token_id":"`+id+`"`)
		requireUsed(t, env, id)
		requireSecretIsNowhere(t, env, secret)
	})
}

// requireUsed waits until the last use of a token is stored, which happens in the background.
func requireUsed(t testing.TB, env *harness.Env, id string) {
	t.Helper()
	require.Eventually(t, func() bool {
		row, err := env.SystemClient(t).APIToken.Get(rule.System(context.Background()), id)
		return err == nil && row.LastUsedAt != nil
	}, testclient.Timeout, harness.PollInterval)
}

// requireSecretIsNowhere checks that neither the log nor the user's export contains a secret or its hash.
func requireSecretIsNowhere(t testing.TB, env *harness.Env, secret string) {
	t.Helper()
	row, err := env.SystemClient(t).APIToken.Query().First(rule.System(context.Background()))
	require.NoError(t, err)
	require.NotContains(t, row.String(), row.TokenHash)
	export := env.Client(t, "alice").Try(t, harness.ExportViewerDoc, nil)
	require.Empty(t, export.Errors)
	require.Contains(t, export.Raw, row.ID)
	for _, text := range []string{env.Logs.String(), export.Raw} {
		require.NotContains(t, text, secret[11:])
		require.NotContains(t, text, row.TokenHash)
		require.NotContains(t, text, "tokenHash")
	}
}

// requireRefused checks that a token is refused on every surface.
func requireRefused(t testing.TB, env *harness.Env, token, what string) {
	t.Helper()
	c := testclient.New(t, env.URL(), token)
	require.Equal(t, "UNAUTHENTICATED", c.Try(t, `{ taskCounts { pending } }`, nil).ErrorCode(), what)
	status, _ := callTool(t, env.URL(), token, "list_tasks")
	require.Equal(t, http.StatusUnauthorized, status, what)
	status, _ = openStream(t, env.URL(), token)
	require.Equal(t, http.StatusUnauthorized, status, what)
	_, err := c.TryDial(t.Context())
	require.ErrorContains(t, err, "4403", what)
}

func TestAPIToken_WrongSecret_IsRefusedEverywhere(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, env *harness.Env) {
		alice := env.Client(t, "alice")
		secret, _ := createToken(t, alice, nil, "TASKS_READ", "TASKS_WRITE", "CHAT", "ACCOUNT")
		other, otherID := createToken(t, env.Client(t, "bob"), nil, "TASKS_READ")
		gone := other[:len(other)-1]
		require.NoError(t, env.SystemClient(t).APIToken.DeleteOneID(otherID).Exec(rule.System(context.Background())))
		for what, token := range map[string]string{
			"truncated":     secret[:len(secret)-1],
			"truncated too": gone,
			"wrong case":    "errand_" + strings.ToUpper(secret[7:]),
			"other prefix":  "ERRAND_" + secret[7:],
			"no prefix":     secret[7:],
			"deleted":       other,
			"id":            otherID,
		} {
			requireRefused(t, env, token, what)
		}
		require.NotContains(t, env.Logs.String(), other[11:])
	})
}

// TestAPIToken_Revoked_EndsConnections revokes a token over its own socket, while a socket, a stream and a subscription
// of MCP are open, and by another process.
func TestAPIToken_Revoked_EndsConnections(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, env *harness.Env) {
		alice := env.Client(t, "alice")
		for name, revoke := range map[string]func(secret, id string){
			"by GraphQL": func(_, id string) {
				testclient.Run[any](t, alice, revokeTokenDoc, testclient.Vars{"id": id})
			},
			"by itself over a socket": func(secret, id string) {
				socket := testclient.New(t, env.URL(), secret).Dial(t)
				sub := socket.Subscribe(t, revokeTokenDoc, testclient.Vars{"id": id})
				payload, err := sub.Next(t.Context())
				require.NoError(t, err)
				require.Contains(t, string(payload), `"status":"REVOKED"`)
				require.Equal(t, 4403, socket.CloseCode(t))
			},
			"by another process": func(_, id string) {
				require.NoError(t, env.SystemClient(t).APIToken.UpdateOneID(id).SetRevokedAt(ids.Now()).
					Exec(rule.System(context.Background())))
			},
		} {
			secret, id := createToken(t, alice, nil, "TASKS_READ", "ACCOUNT")
			c := testclient.New(t, env.URL(), secret)
			socket := c.Dial(t)
			socket.Subscribe(t, harness.TaskStreamDoc, nil)
			status, stream := openStream(t, env.URL(), secret)
			require.Equal(t, http.StatusOK, status)
			require.Eventually(t, func() bool { return env.Hub.Subscribers() >= 2 }, testclient.Timeout, harness.PollInterval)

			revoke(secret, id)
			require.Equal(t, 4403, socket.CloseCode(t), name)
			rest, err := io.ReadAll(stream)
			require.NoError(t, err)
			require.Contains(t, string(rest), "UNAUTHENTICATED", name)
			require.Contains(t, string(rest), "event: complete", name)
			requireRefused(t, env, secret, name)
			require.Eventually(t, func() bool { return env.Hub.Subscribers() == 0 }, testclient.Timeout, harness.PollInterval)
		}
	})
}

// TestAPIToken_RevokedOnOtherReplica_EndsConnections revokes a token on one replica while it is used on the other.
func TestAPIToken_RevokedOnOtherReplica_EndsConnections(t *testing.T) {
	t.Parallel()
	url := testdb.PostgresURL(t)
	a := harness.Start(t, url, harness.Settings{"REPLICA_NAME": "a"})
	b := harness.Start(t, url, harness.Settings{"REPLICA_NAME": "b"})
	secret, id := createToken(t, a.Client(t, "alice"), nil, "TASKS_READ")
	socket := testclient.New(t, b.URL(), secret).Dial(t)
	testclient.Run[any](t, a.Client(t, "alice"), revokeTokenDoc, testclient.Vars{"id": id})
	require.Equal(t, 4403, socket.CloseCode(t))
	requireRefused(t, a, secret, "here")
	requireRefused(t, b, secret, "there")
}

func TestAPIToken_Expired_EndsConnections(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, env *harness.Env) {
		alice := env.Client(t, "alice")
		var secret, id string
		var socket *testclient.Socket
		for lifetime := 2 * time.Second; socket == nil; lifetime *= 3 { // longer on a busy machine
			secret, id = createToken(t, alice, testclient.Vars{"expiresAt": time.Now().Add(lifetime)}, "TASKS_READ")
			socket, _ = testclient.New(t, env.URL(), secret).TryDial(t.Context())
		}
		defer socket.Close()
		require.Equal(t, 4403, socket.CloseCode(t))
		requireRefused(t, env, secret, "expired")
		response := alice.Try(t, `query ($id: ID!) { node(id: $id) { ... on ApiToken { status } } }`,
			testclient.Vars{"id": id})
		require.Contains(t, response.Raw, `"EXPIRED"`)
	})
}

func TestAPIToken_Input_IsValidated(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, env *harness.Env) {
		alice := env.Client(t, "alice")
		for name, c := range map[string]struct {
			in    testclient.Vars
			field string
		}{
			"no name":          {testclient.Vars{"name": "  "}, "name"},
			"long name":        {testclient.Vars{"name": strings.Repeat("ä", apitoken.MaxName+1)}, "name"},
			"lines":            {testclient.Vars{"name": "a\nb"}, "name"},
			"no scope":         {testclient.Vars{"scopes": []string{}}, "scopes"},
			"past expiry":      {testclient.Vars{"expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"},
			"expiry and never": {testclient.Vars{"expiresAt": time.Now().Add(time.Hour), "neverExpires": true}, "neverExpires"},
		} {
			require.Equal(t, "BAD_USER_INPUT "+c.field, tryToken(t, alice, c.in).ErrorCode(), name)
		}
		made := testclient.Run[createdToken](t, alice, createTokenDoc, testclient.Vars{"in": testclient.Vars{
			"name": "default", "scopes": []string{"CHAT"},
		}}).CreateAPIToken
		require.WithinDuration(t, time.Now().Add(apitoken.DefaultLifetime), *made.APIToken.ExpiresAt, time.Minute)
		never := testclient.Run[createdToken](t, alice, createTokenDoc, testclient.Vars{"in": testclient.Vars{
			"name": "never", "scopes": []string{"CHAT"}, "neverExpires": true,
		}}).CreateAPIToken
		require.Nil(t, never.APIToken.ExpiresAt)
		requireUnlimitedSocket(t, env, never.Secret)
	})
}

// requireUnlimitedSocket checks that a token without expiry can subscribe.
func requireUnlimitedSocket(t testing.TB, env *harness.Env, secret string) {
	t.Helper()
	c := testclient.New(t, env.URL(), secret)
	testclient.Run[any](t, c, createConversationDoc, testclient.Vars{"t": "x"})
	const streamDoc = `subscription ($after: Cursor) { conversationStream(after: $after) { __typename } }`
	start := page.PositionCursor("conversationStream", 0).Encode()
	sub := c.Dial(t).Subscribe(t, streamDoc, testclient.Vars{"after": start})
	_, err := sub.Next(t.Context())
	require.NoError(t, err)
}

// TestAPIToken_CreatedWithToken_HasNoMoreRights escalates from an API token with the scope account.
func TestAPIToken_CreatedWithToken_HasNoMoreRights(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, env *harness.Env) {
		expires := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
		secret, _ := createToken(t, env.Client(t, "alice"), testclient.Vars{"expiresAt": expires}, "ACCOUNT", "TASKS_READ")
		token := testclient.New(t, env.URL(), secret)
		for _, scopes := range [][]string{{"CHAT"}, {"TASKS_READ", "TASKS_WRITE"}} {
			response := tryToken(t, token, testclient.Vars{"scopes": scopes})
			harness.RequireErrorCode(t, "FORBIDDEN", response)
			require.Contains(t, response.Raw, `"scope":"`)
		}
		for field, value := range map[string]any{"neverExpires": true, "expiresAt": expires.Add(time.Second)} {
			harness.RequireErrorCode(t, "BAD_USER_INPUT "+field, tryToken(t, token, testclient.Vars{field: value}))
		}
		made := testclient.Run[createdToken](t, token, createTokenDoc, testclient.Vars{"in": testclient.Vars{
			"name": "child", "scopes": []string{"TASKS_READ"},
		}}).CreateAPIToken
		require.True(t, expires.Equal(*made.APIToken.ExpiresAt), "the default ends with the token")

		limited := env.ClientWithScopes(t, "alice", "account chat")
		harness.RequireErrorCode(t, "FORBIDDEN", tryToken(t, limited, nil))
		for _, actor := range []viewer.ActorKind{viewer.ActorAgent, viewer.ActorMCP} {
			ctx := viewer.NewContext(t.Context(), viewer.Viewer{UserID: harness.ViewerID(t, limited), Actor: actor})
			_, err := env.Services.Tokens.CreateToken(ctx, apitoken.Input{Name: "x"})
			require.ErrorContains(t, err, "Assistants")
		}
	})
}

func TestAPIToken_MoreThanLimit_IsForbidden(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, env *harness.Env) {
		alice := env.Client(t, "alice")
		harness.ViewerID(t, alice)
		created := harness.Concurrently(apitoken.MaxLive+5, func(i int) testclient.Response {
			return tryToken(t, alice, testclient.Vars{"name": fmt.Sprint(i)})
		})
		refused := 0
		for _, response := range created {
			if len(response.Errors) > 0 {
				harness.RequireErrorCode(t, "FORBIDDEN", response)
				require.Contains(t, response.Raw, `"limit":"apiTokens"`)
				require.Contains(t, response.Raw, `"max":50`)
				refused++
			}
		}
		require.Equal(t, 5, refused)
		first := testclient.Run[struct {
			APITokens struct{ Nodes []struct{ ID string } }
		}](t, alice, `{ apiTokens(first: 1) { nodes { id } } }`, nil)
		testclient.Run[any](t, alice, revokeTokenDoc, testclient.Vars{"id": first.APITokens.Nodes[0].ID})
		createToken(t, alice, nil, "CHAT")
	})
}

func TestAPIToken_AccountDeleted_IsRefused(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, env *harness.Env) {
		alice := env.ClientWithTokenIssuedAt(t, "alice", -time.Minute)
		secret, _ := createToken(t, alice, nil, "TASKS_READ", "ACCOUNT")
		token := testclient.New(t, env.URL(), secret)
		require.Empty(t, harness.AllTasks(t, token))
		socket := token.Dial(t)
		response := token.Try(t, harness.DeleteViewerDoc, testclient.Vars{"confirm": "delete my account"})
		require.Empty(t, response.Errors)
		require.Equal(t, 4403, socket.CloseCode(t))
		requireRefused(t, env, secret, "deleted account")
		require.Zero(t, env.Count(t, "SELECT count(*) FROM api_tokens"))
	})
}
