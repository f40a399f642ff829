package authz

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// httpStreams are the values of Accept for the streams over HTTP.
var httpStreams = map[string]string{
	"SSE":       "text/event-stream",
	"multipart": "multipart/mixed;subscriptionSpec=1.0, application/json",
	"deferred":  "multipart/mixed;deferSpec=20220824, application/json",
}

// TestScopes_StreamsOverHTTP_LimitTokens runs queries, mutations and subscriptions over the streams of HTTP with tokens
// that have a scope and tokens that lack it.
func TestScopes_StreamsOverHTTP_LimitTokens(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t), harness.GenerousLimits)
	full := env.Client(t, "ann")
	const marker = "buy milk"
	tasks := func() int { return env.Count(t, "SELECT count(*) FROM tasks") }
	cursor := cursorOfChange(t, env, full)
	harness.CreateTask(t, full, testclient.Vars{"title": marker})
	for what, tc := range map[string]struct{ scope, others, document string }{
		"query": {"tasks:read", "tasks:write chat account", `{ tasks { nodes { title } } }`},
		"mutation": {
			"tasks:write", "tasks:read chat account",
			`mutation { createTask(input: {title: "` + marker + `"}) { task { title } } }`,
		},
		"subscription": {
			"tasks:read", "tasks:write chat account",
			`subscription { taskStream(after: "` + cursor + `") { task { title } } }`,
		},
		"deferred": {"tasks:read", "tasks:write chat account", `{ viewer { id } ... @defer { tasks { nodes { title } } } }`},
	} {
		for name, accept := range httpStreams {
			if what == "subscription" && name == "deferred" {
				continue // it is not a format of subscriptions
			}
			t.Run(what+" over "+name, func(t *testing.T) {
				before := tasks()
				lacking := openHTTPStream(t, env.ClientWithScopes(t, "ann", tc.others), accept, tc.document)
				text := lacking.readUntil("FORBIDDEN")
				require.Contains(t, text, `"scope":"`+tc.scope+`"`)
				require.NotContains(t, text, marker)
				require.Equal(t, before, tasks())

				having := openHTTPStream(t, env.ClientWithScopes(t, "ann", tc.scope+" account"), accept, tc.document)
				require.NotContains(t, having.readUntil(marker), "FORBIDDEN")
			})
		}
	}
}

// cursorOfChange returns the cursor of a change.
func cursorOfChange(t *testing.T, env *harness.Env, c *testclient.Client) string {
	t.Helper()
	socket := c.Dial(t)
	defer socket.Close()
	sub := socket.Subscribe(t, `subscription { taskStream { cursor } }`, nil)
	require.Eventually(t, func() bool { return env.Hub.Subscribers() == 1 }, testclient.Timeout, harness.PollInterval)
	harness.CreateTask(t, c, testclient.Vars{"title": "a task"})
	payload, err := sub.Next(t.Context())
	require.NoError(t, err)
	var event struct {
		Data struct{ TaskStream struct{ Cursor string } }
	}
	require.NoError(t, json.Unmarshal(payload, &event))
	return event.Data.TaskStream.Cursor
}

// httpStream is the body of a response that may stay open.
type httpStream struct {
	t     *testing.T
	lines *bufio.Scanner
}

// openHTTPStream sends an operation. The stream ends with the test.
func openHTTPStream(t *testing.T, c *testclient.Client, accept, document string) *httpStream {
	t.Helper()
	body, err := json.Marshal(testclient.Vars{"query": document})
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(
		t.Context(),
		http.MethodPost,
		c.URL+"/graphql",
		strings.NewReader(string(body)),
	)
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", accept)
	request.Header.Set("Authorization", "Bearer "+c.Token)
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	return &httpStream{t: t, lines: bufio.NewScanner(response.Body)}
}

// readUntil reads up to a line that contains the text, and returns what it has read. It fails at the end of the body.
func (s *httpStream) readUntil(text string) string {
	s.t.Helper()
	var read strings.Builder
	for s.lines.Scan() {
		read.WriteString(s.lines.Text() + "\n")
		if strings.Contains(s.lines.Text(), text) {
			return read.String()
		}
	}
	require.FailNow(s.t, "the text is missing", "%q in %s", text, read.String())
	return ""
}
