package integration

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"errand/internal/page"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// connectAssistant connects an MCP client over a transport.
func connectAssistant(t *testing.T, transport sdk.Transport, revision string) *sdk.ClientSession {
	t.Helper()
	client := sdk.NewClient(&sdk.Implementation{Name: "Desk", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), transport, &sdk.ClientSessionOptions{ProtocolVersion: revision})
	require.NoError(t, err)
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// connectOverHTTP connects an MCP client with a user's token.
func connectOverHTTP(t *testing.T, c *testclient.Client, revision string) *sdk.ClientSession {
	t.Helper()
	base := &http.Transport{}
	t.Cleanup(base.CloseIdleConnections)
	return connectAssistant(t, &sdk.StreamableClientTransport{
		Endpoint: c.URL + "/mcp", HTTPClient: &http.Client{Transport: harness.BearerTransport{Token: c.Token, Base: base}},
		MaxRetries: -1,
	}, revision)
}

// callTool calls a tool that must succeed.
func callTool(t *testing.T, session *sdk.ClientSession, tool string, args map[string]any) map[string]any {
	t.Helper()
	result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: tool, Arguments: args})
	require.NoError(t, err)
	require.False(t, result.IsError, "%v", result.Content)
	return result.StructuredContent.(map[string]any)
}

// TestMCP_TwoSurfaces_ShareTasks checks that changes over MCP appear in the live stream, the change log and
// the metrics, and that changes over GraphQL appear over MCP.
func TestMCP_TwoSurfaces_ShareTasks(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		alice := b.Client(t, "alice")
		harness.CreateTask(t, alice, testclient.Vars{"title": "By hand"})
		live := alice.Dial(t).
			Subscribe(t, `subscription ($after: Cursor) { taskStream(after: $after) { kind task { title } change { actor `+
				`client } } }`,
				testclient.Vars{"after": page.PositionCursor("taskStream", 1).Encode()})
		for i, revision := range []string{"2025-11-25", "2026-07-28"} {
			desk := connectOverHTTP(t, alice, revision)
			require.EqualValues(t, i+1, callTool(t, desk, "list_tasks", nil)["total"])
			callTool(t, desk, "add_task", map[string]any{"title": "By " + revision})
			event, err := live.Next(t.Context())
			require.NoError(t, err)
			require.JSONEq(
				t,
				`{"data":{"taskStream":{"kind":"CREATED","task":{"title":"By `+
					``+revision+`"},"change":{"actor":"MCP","client":"Desk"}}}}`,
				string(event),
			)
		}
		bob := connectOverHTTP(t, b.Client(t, "bob"), "2026-07-28")
		require.EqualValues(t, 0, callTool(t, bob, "list_tasks", nil)["total"])
		require.Contains(t, b.Logs.String(), `"tool_name":"add_task","client":"Desk"`)
		metrics := metricsOf(t, b)
		require.Regexp(
			t,
			`errand_operation_seconds_count\{code="",name="tools/call",transport="http",type="mcp"\} 5`,
			metrics,
		)
		require.Regexp(t, `errand_tool_call_seconds_count\{outcome="[a-z]+",tool="add_task"\} 2`, metrics)
		for _, words := range []string{"By 2025-11-25", alice.Token} {
			require.NotContains(t, b.Logs.String()+metrics, words, "logs and metrics must not contain content")
		}
	}, harness.Settings{"ADMIN_ADDR": "127.0.0.1:0"})
}

// metricsOf returns the server's metrics.
func metricsOf(t *testing.T, b *harness.Env) string {
	t.Helper()
	address := regexp.MustCompile(`http://[^"]*/metrics`).FindString(b.Logs.String())
	require.NotEmpty(t, address)
	var out bytes.Buffer
	appendResponse(t, &out, address)
	return out.String()
}

func TestMCP_Unauthenticated_NamesAuthorizationServer(t *testing.T) {
	t.Parallel()
	b := harness.Start(
		t,
		testdb.SQLiteURL(t),
		harness.Settings{"PUBLIC_URL": "https://errand.example.com", "AUTH_ISSUER": "https://app.example.com"},
	)
	defer http.DefaultClient.CloseIdleConnections()
	for _, path := range []string{"/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"} {
		response, err := http.Get(b.URL() + path)
		require.NoError(t, err)
		var metadata struct {
			Resource string
			Servers  []string `json:"authorization_servers"`
			Scopes   []string `json:"scopes_supported"`
		}
		require.NoError(t, json.NewDecoder(response.Body).Decode(&metadata))
		require.NoError(t, response.Body.Close())
		require.Equal(t, "https://errand.example.com/mcp", metadata.Resource)
		require.Equal(t, []string{"https://app.example.com"}, metadata.Servers)
		require.Equal(t, []string{"tasks:read", "tasks:write"}, metadata.Scopes)
	}
	response, err := http.Post(b.URL()+"/mcp", "application/json", strings.NewReader("{}"))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusUnauthorized, response.StatusCode)
	require.Contains(t, response.Header.Get("WWW-Authenticate"),
		`resource_metadata="https://errand.example.com/.well-known/oauth-protected-resource/mcp"`)
}

// TestMCP_OwnAudience_IsRequired checks that a token for one endpoint is rejected by the other.
func TestMCP_OwnAudience_IsRequired(t *testing.T) {
	t.Parallel()
	b := harness.Start(t, testdb.SQLiteURL(t), harness.Settings{"AUTH_MCP_AUDIENCE": "https://errand.example.com/mcp"})
	base := &http.Transport{DisableKeepAlives: true}
	response, err := (&http.Client{Transport: harness.BearerTransport{Token: harness.Token(t, "alice"), Base: base}}).Post(
		b.URL()+"/mcp",
		"application/json",
		strings.NewReader("{}"),
	)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusUnauthorized, response.StatusCode)
}

// TestMCPCommand_Stdio_ServesTools runs the mcp command as a desktop client does, beside a server on the same
// database.
func TestMCPCommand_Stdio_ServesTools(t *testing.T) {
	t.Parallel()
	testdb.EachURL(t, func(t *testing.T, url string) {
		t.Parallel()
		server := harness.Start(t, url, harness.Settings{"BETTER_AUTH_SECRET": ""})
		alice := testclient.New(t, server.URL(), signInWithCommand(t, server.URL(), "alice"))
		harness.CreateTask(t, alice, testclient.Vars{"title": "By hand"})
		for i, revision := range []string{"2025-11-25", "2026-07-28"} {
			command := harness.Command(t, harness.Settings{"DATABASE_URL": url}, "mcp", "--user", "alice")
			var stderr bytes.Buffer
			command.Stderr = &stderr
			desk := connectAssistant(t, &sdk.CommandTransport{Command: command}, revision)
			require.EqualValues(t, i+1, callTool(t, desk, "list_tasks", nil)["total"])
			callTool(t, desk, "add_task", map[string]any{"title": "Over stdio"})
			require.NoError(t, desk.Close())
			require.Equal(t, 0, command.ProcessState.ExitCode(), "%s", &stderr)
			require.Contains(t, stderr.String(), `"transport":"stdio"`, "logs go to standard error")
		}
		require.ElementsMatch(t, []string{"By hand", "Over stdio", "Over stdio"}, harness.Titles(harness.AllTasks(t, alice)))
	})
}

func TestMCPCommand_MissingSettings_NamesThem(t *testing.T) {
	t.Parallel()
	url := testdb.SQLiteURL(t)
	help := harness.Command(t, harness.Settings{}, "mcp", "--help")
	output, err := help.CombinedOutput()
	require.NoError(t, err)
	require.Contains(t, string(output), "ERRAND_TOKEN")
	for _, c := range []struct {
		environ harness.Settings
		args    []string
		want    string
	}{
		{harness.Settings{}, nil, "a user is required"},
		{harness.Settings{"ERRAND_TOKEN": "x"}, []string{"--user", "alice"}, "not both"},
		{harness.Settings{"ERRAND_TOKEN": "nonsense"}, nil, "The token is not valid."},
		{harness.Settings{"BETTER_AUTH_SECRET": harness.Secret}, []string{"--user", "alice"}, "development sign-in is off"},
		{harness.Settings{}, []string{"--user", "a b"}, "must have 1 to 64"},
	} {
		c.environ["DATABASE_URL"] = url
		command := harness.Command(t, c.environ, append([]string{"mcp"}, c.args...)...)
		var stdout, stderr bytes.Buffer
		command.Stdout, command.Stderr = &stdout, &stderr
		var exit *exec.ExitError
		require.ErrorAs(t, command.Run(), &exit)
		require.Contains(t, stderr.String(), c.want)
		require.Empty(t, stdout.String(), "standard output is the protocol's")
	}
}
