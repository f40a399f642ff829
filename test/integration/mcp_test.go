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

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// bearer sends a token along.
type bearer struct {
	token string
	base  *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.base.RoundTrip(r)
}

// assistant connects an MCP client over a transport.
func assistant(t *testing.T, transport sdk.Transport, revision string) *sdk.ClientSession {
	t.Helper()
	client := sdk.NewClient(&sdk.Implementation{Name: "Desk", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), transport, &sdk.ClientSessionOptions{ProtocolVersion: revision})
	require.NoError(t, err)
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// overHTTP connects an assistant with a person's token.
func overHTTP(t *testing.T, c *client, revision string) *sdk.ClientSession {
	t.Helper()
	base := &http.Transport{}
	t.Cleanup(base.CloseIdleConnections)
	return assistant(t, &sdk.StreamableClientTransport{
		Endpoint: c.URL + "/mcp", HTTPClient: &http.Client{Transport: bearer{c.Token, base}}, MaxRetries: -1,
	}, revision)
}

// uses calls a tool that must succeed.
func uses(t *testing.T, session *sdk.ClientSession, tool string, args map[string]any) map[string]any {
	t.Helper()
	result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: tool, Arguments: args})
	require.NoError(t, err)
	require.False(t, result.IsError, "%v", result.Content)
	return result.StructuredContent.(map[string]any)
}

// TestAssistantsWorkOnTheSameTasks: what an assistant changes shows live, in the change
// log and in the metrics, and a person's changes show to the assistant.
func TestAssistantsWorkOnTheSameTasks(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		alice := b.user(t, "alice")
		createTask(t, alice, vars{"title": "By hand"})
		live := alice.Dial(t).
			Subscribe(t, `subscription ($after: Cursor) { taskStream(after: $after) { kind task { title } change { actor client } } }`,
				vars{"after": page.PositionCursor("taskStream", 1).Encode()})
		for i, revision := range []string{"2025-11-25", "2026-07-28"} {
			desk := overHTTP(t, alice, revision)
			require.EqualValues(t, i+1, uses(t, desk, "list_tasks", nil)["total"])
			uses(t, desk, "add_task", map[string]any{"title": "By " + revision})
			event, err := live.Next(t.Context())
			require.NoError(t, err)
			require.JSONEq(
				t,
				`{"data":{"taskStream":{"kind":"CREATED","task":{"title":"By `+revision+`"},"change":{"actor":"MCP","client":"Desk"}}}}`,
				string(event),
			)
		}
		bob := overHTTP(t, b.user(t, "bob"), "2026-07-28")
		require.EqualValues(t, 0, uses(t, bob, "list_tasks", nil)["total"])
		require.Contains(t, b.logs.String(), `"tool_name":"add_task","client":"Desk"`)
		metrics := figures(t, b)
		require.Regexp(
			t,
			`errand_operation_seconds_count\{code="",name="tools/call",transport="http",type="mcp"\} 5`,
			metrics,
		)
		require.Regexp(t, `errand_tool_call_seconds_count\{outcome="[a-z]+",tool="add_task"\} 2`, metrics)
		for _, words := range []string{"By 2025-11-25", alice.Token} {
			require.NotContains(t, b.logs.String()+metrics, words, "neither logs nor metrics hold contents")
		}
	}, settings{"ADMIN_ADDR": "127.0.0.1:0"})
}

// figures are the server's metrics.
func figures(t *testing.T, b *bench) string {
	t.Helper()
	address := regexp.MustCompile(`http://[^"]*/metrics`).FindString(b.logs.String())
	require.NotEmpty(t, address)
	var out bytes.Buffer
	get(t, &out, address)
	return out.String()
}

func TestAssistantsAreToldWhereTokensComeFrom(t *testing.T) {
	t.Parallel()
	b := boot(
		t,
		testdb.SQLiteURL(t),
		settings{"PUBLIC_URL": "https://errand.example.com", "AUTH_ISSUER": "https://app.example.com"},
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

// TestAnAudienceOfItsOwn: a token for one surface does not open the other.
func TestAnAudienceOfItsOwn(t *testing.T) {
	t.Parallel()
	b := boot(t, testdb.SQLiteURL(t), settings{"AUTH_MCP_AUDIENCE": "https://errand.example.com/mcp"})
	base := &http.Transport{DisableKeepAlives: true}
	response, err := (&http.Client{Transport: bearer{token(t, "alice"), base}}).Post(
		b.URL()+"/mcp",
		"application/json",
		strings.NewReader("{}"),
	)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusUnauthorized, response.StatusCode)
}

// TestTheMCPCommand runs the program as a desktop client would: beside a server, on its database.
func TestTheMCPCommand(t *testing.T) {
	t.Parallel()
	testdb.EachURL(t, func(t *testing.T, url string) {
		t.Parallel()
		server := boot(t, url, settings{"BETTER_AUTH_SECRET": ""})
		alice := testclient.New(t, server.URL(), signIn(t, server.URL(), "alice"))
		createTask(t, alice, vars{"title": "By hand"})
		for i, revision := range []string{"2025-11-25", "2026-07-28"} {
			command := errand(t, settings{"DATABASE_URL": url}, "mcp", "--user", "alice")
			var stderr bytes.Buffer
			command.Stderr = &stderr
			desk := assistant(t, &sdk.CommandTransport{Command: command}, revision)
			require.EqualValues(t, i+1, uses(t, desk, "list_tasks", nil)["total"])
			uses(t, desk, "add_task", map[string]any{"title": "Over stdio"})
			require.NoError(t, desk.Close())
			require.Equal(t, 0, command.ProcessState.ExitCode(), "%s", &stderr)
			require.Contains(t, stderr.String(), `"transport":"stdio"`, "logs go to standard error")
		}
		require.ElementsMatch(t, []string{"By hand", "Over stdio", "Over stdio"}, titles(allTasks(t, alice)))
	})
}

func TestTheMCPCommandSaysWhatItNeeds(t *testing.T) {
	t.Parallel()
	url := testdb.SQLiteURL(t)
	help := errand(t, settings{}, "mcp", "--help")
	told, err := help.CombinedOutput()
	require.NoError(t, err)
	require.Contains(t, string(told), "ERRAND_TOKEN")
	for _, c := range []struct {
		environ settings
		args    []string
		want    string
	}{
		{settings{}, nil, "a user is required"},
		{settings{"ERRAND_TOKEN": "x"}, []string{"--user", "alice"}, "not both"},
		{settings{"ERRAND_TOKEN": "nonsense"}, nil, "The token is not valid."},
		{settings{"BETTER_AUTH_SECRET": secret}, []string{"--user", "alice"}, "development sign-in is off"},
		{settings{}, []string{"--user", "a b"}, "must have 1 to 64"},
	} {
		c.environ["DATABASE_URL"] = url
		command := errand(t, c.environ, append([]string{"mcp"}, c.args...)...)
		var stdout, stderr bytes.Buffer
		command.Stdout, command.Stderr = &stdout, &stderr
		var exit *exec.ExitError
		require.ErrorAs(t, command.Run(), &exit)
		require.Contains(t, stderr.String(), c.want)
		require.Empty(t, stdout.String(), "standard output is the protocol's")
	}
}
