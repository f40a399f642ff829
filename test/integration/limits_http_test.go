package integration

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"errand/internal/config"
	"errand/internal/server"
	"errand/internal/telemetry"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestQueryLimits_Configured_AreEnforced checks that the error names the configured limit that the document
// exceeds.
func TestQueryLimits_Configured_AreEnforced(t *testing.T) {
	t.Parallel()
	b := harness.Start(t, testdb.SQLiteURL(t), harness.Settings{
		"QUERY_MAX_TOKENS": "150", "QUERY_MAX_DEPTH": "5", "QUERY_MAX_FIELDS": "30", "QUERY_MAX_ROOT_FIELDS": "11",
		"QUERY_MAX_ALIASES": "12", "QUERY_MAX_DIRECTIVES": "13", "QUERY_MAX_FRAGMENTS": "10", "QUERY_MAX_COMPLEXITY": "100",
	})
	c := b.Client(t, "alice")
	var fragments strings.Builder
	for i := range 11 {
		fmt.Fprintf(&fragments, " ...F%d", i)
	}
	spread := fragments.String()
	for i := range 11 {
		fmt.Fprintf(&fragments, " fragment F%d on Query { __typename }", i)
	}
	defined := strings.TrimPrefix(fragments.String(), spread)
	for limit, tc := range map[string]struct {
		document string
		value    int
	}{
		"tokens":     {`{ viewer {` + strings.Repeat(" id", 200) + ` } }`, 150},
		"depth":      {`{ tasks { nodes { changes { nodes { task { id } } } } } }`, 5},
		"fields":     {`{ viewer { ` + strings.Repeat(" id", 30) + ` } }`, 30},
		"rootFields": {`{ ` + strings.Repeat(" __typename", 12) + ` }`, 11},
		"aliases":    {`{ viewer { ` + aliasedFields(13, "id") + ` } }`, 12},
		"directives": {`{ viewer { id ` + strings.Repeat(" @skip(if: false)", 14) + ` } }`, 13},
		"fragments":  {`{ ` + spread + ` } ` + defined, 10},
		"cost":       {`{ tasks(first: 100) { nodes { id } } }`, 100},
	} {
		a := c.Try(t, tc.document, nil)
		require.Equal(t, "COMPLEXITY_LIMIT_EXCEEDED", a.ErrorCode(), "%s: %s", limit, a.Raw)
		require.Contains(t, a.Raw, fmt.Sprintf(`"limit":"%s","max":%d`, limit, tc.value))
	}
}

// TestSubscriptionLimit_Configured_IsEnforced opens subscriptions on several sockets, and checks that the one above the
// limit is refused on its socket, which stays open, and on a stream.
func TestSubscriptionLimit_Configured_IsEnforced(t *testing.T) {
	t.Parallel()
	b := harness.Start(t, testdb.SQLiteURL(t), harness.Settings{"MAX_SUBSCRIPTIONS_PER_USER": "2"})
	c := b.Client(t, "alice")
	conversation := harness.Send(t, c, "", "hello").Conversation.ID
	first, second := c.Dial(t), c.Dial(t)
	stream := first.Follow(t, conversation, "")
	stream.NextEvent(t)
	second.Follow(t, conversation, "").NextEvent(t)
	require.Equal(t, "RATE_LIMITED", subscriptionError(t, second, taskStreamDoc, nil))

	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.URL()+"/graphql",
		strings.NewReader(`{"query":"subscription { taskStream { cursor } }"}`))
	require.NoError(t, err)
	r.Header = http.Header{
		"Content-Type": {"application/json"}, "Accept": {"text/event-stream"}, "Authorization": {"Bearer " + c.Token},
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusTooManyRequests, response.StatusCode)
	require.Contains(t, string(body), `"limit":"subscriptionsPerUser","max":2`)

	other := b.Client(t, "bob")
	other.Dial(t).Follow(t, harness.Send(t, other, "", "hello").Conversation.ID, "").NextEvent(t)
	sent := harness.Send(t, c, conversation, "hello again")
	stream.AwaitFinished(t, sent.AssistantMessage.ID)
}

func TestResponseLimit_Configured_IsEnforced(t *testing.T) {
	t.Parallel()
	b := harness.Start(t, testdb.SQLiteURL(t), harness.Settings{"MAX_RESPONSE_BYTES": "65536"})
	c := b.Client(t, "alice")
	a := c.Try(t, `mutation ($in: CreateTaskInput!) { createTask(input: $in) { task { `+aliasedFields(7,
		"description")+` } } }`,
		testclient.Vars{"in": testclient.Vars{"title": "x", "description": strings.Repeat("x", 10_000)}})
	harness.RequireErrorCode(t, "COMPLEXITY_LIMIT_EXCEEDED", a)
	require.Contains(t, a.Raw, `"limit":"responseBytes","max":65536`)
	require.Len(t, harness.AllTasks(t, c), 1, "the mutation must be applied")
}

// TestPersistedOnly_OtherDocument_IsRejected checks that only the documents of the manifest are accepted.
func TestPersistedOnly_OtherDocument_IsRejected(t *testing.T) {
	t.Parallel()
	const allowed = `query Me { viewer { name } }`
	sum := sha256.Sum256([]byte(allowed))
	text, err := json.Marshal(map[string]string{hex.EncodeToString(sum[:]): allowed})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "operations.json")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	b := harness.Start(t, testdb.SQLiteURL(t), harness.Settings{"PERSISTED_QUERIES_FILE": file})
	c := b.Client(t, "alice")
	require.JSONEq(t, `{"viewer":{"name":"alice"}}`, string(c.Try(t, allowed, nil).Data))
	harness.RequireErrorCode(t, "FORBIDDEN", c.Try(t, `{ viewer { id } }`, nil))
	harness.RequireErrorCode(t, "FORBIDDEN", c.Try(t, harness.CreateTaskDoc,
		testclient.Vars{"in": testclient.Vars{"title": "x"}}))
}

func TestPersistedManifest_Invalid_FailsAtStart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "operations.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"00":"{ viewer { id } }"}`), 0o600))
	environ := harness.TestSettings(testdb.SQLiteURL(t))
	environ["PERSISTED_QUERIES_FILE"] = file
	cfg, err := config.Load(environ, "")
	require.NoError(t, err)
	_, err = server.Start(context.Background(), cfg, telemetry.NewLogger(io.Discard, cfg.Server.LogLevel))
	require.ErrorContains(t, err, "PERSISTED_QUERIES_FILE")
}

// TestRequest_LongURLOrHeader_IsRejected checks the limits that net/http enforces before any handler runs.
func TestRequest_LongURLOrHeader_IsRejected(t *testing.T) {
	t.Parallel()
	b := harness.Start(t, testdb.SQLiteURL(t))
	get := func(address, header string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.URL()+address, nil)
		require.NoError(t, err)
		r.Header.Set("X-Long", header)
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		response, err := transport.RoundTrip(r)
		require.NoError(t, err)
		defer response.Body.Close()
		return response.StatusCode
	}
	require.Equal(t, 200, get("/graphql?query=%7B__typename%7D", ""))
	require.Equal(t, 431, get("/graphql?query=%7B__typename%7D%23"+strings.Repeat("x", 100<<10), ""))
	require.Equal(t, 431, get("/graphql?query=%7B__typename%7D", strings.Repeat("x", 100<<10)))
}

// TestSchemaQueries_IntrospectionDisabled_RevealNothing checks that neither introspection nor error suggestions expose
// the schema in production, and where INTROSPECTION is off.
func TestSchemaQueries_IntrospectionDisabled_RevealNothing(t *testing.T) {
	t.Parallel()
	for _, settings := range []harness.Settings{{"ENVIRONMENT": "production"}, {"INTROSPECTION": "off"}} {
		requireSchemaHidden(t, harness.Start(t, testdb.SQLiteURL(t), settings).Client(t, "alice"))
	}
}

func requireSchemaHidden(t *testing.T, c *testclient.Client) {
	for _, document := range []string{
		`{ __schema { types { name } } }`, `{ __type(name: "Task") { name } }`,
		`{ taskz { nodes { id } } }`, `{ tasks(frist: 1) { nodes { id } } }`,
		`{ tasks(filter: {statuz: ALL}) { nodes { id } } }`, `{ tasks(filter: {status: AL}) { nodes { id } } }`,
	} {
		a := c.Try(t, document, nil)
		harness.RequireErrorCode(t, "GRAPHQL_VALIDATION_FAILED", a)
		require.NotContains(t, a.Raw, "Did you mean")
		require.NotContains(t, a.Raw, "conversations")
	}
}
