package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/chat"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/internal/viewer"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// repeatedValues returns a list of n different short texts.
func repeatedValues(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint(i)
	}
	return out
}

// costlyInputs lists requests whose arguments and variables are large. code is the error code of the rejection with the
// field, and limit the limit that it names, "" for a rule of the field.
var costlyInputs = []struct {
	what, document string
	variables      testclient.Vars
	code, limit    string
}{
	{
		"thirty creates with one list of labels",
		`mutation ($l: [String!]) { ` + aliasedFields(
			30,
			`createTask(input: {title: "x", labels: $l}) { task { id } }`,
		) + ` }`,
		testclient.Vars{"l": repeatedValues(9_900)},
		"COMPLEXITY_LIMIT_EXCEEDED", "inputList",
	},
	{
		"thirty creates with one permitted list of labels",
		`mutation ($l: [String!]) { ` + aliasedFields(
			30,
			`createTask(input: {title: "x", labels: $l}) { task { id } }`,
		) + ` }`,
		testclient.Vars{"l": repeatedValues(1000)},
		"COMPLEXITY_LIMIT_EXCEEDED", "cost",
	},
	{
		"thirty creates with one input",
		`mutation ($in: CreateTaskInput!) { ` + aliasedFields(30, `createTask(input: $in) { task { id } }`) + ` }`,
		testclient.Vars{"in": testclient.Vars{"title": "x", "labels": repeatedValues(1000)}},
		"COMPLEXITY_LIMIT_EXCEEDED", "cost",
	},
	{
		"the longest permitted lists of labels",
		`mutation ($l: [String!]) { ` + aliasedFields(
			29,
			`createTask(input: {title: "x", labels: $l}) { task { id } }`,
		) + ` }`,
		testclient.Vars{"l": repeatedValues(1000)},
		"BAD_USER_INPUT labels", "",
	},
	{
		"a literal list",
		`mutation { createTask(input: {title: "x", labels: [` + strings.Repeat(`"x" `, 4900) + `]}) { task { id } } }`,
		nil, "COMPLEXITY_LIMIT_EXCEEDED", "inputList",
	},
	{
		"a default value",
		`mutation ($l: [String!] = [` + strings.Repeat(`"x" `, 1000) + `]) { ` +
			aliasedFields(30, `createTask(input: {title: "x", labels: $l}) { task { id } }`) + ` }`,
		nil, "COMPLEXITY_LIMIT_EXCEEDED", "cost",
	},
	{
		"lists of ids", `query ($l: [ID!]!) { ` + aliasedFields(5, `nodes(ids: $l) { id }`) + ` }`,
		testclient.Vars{"l": repeatedValues(9_900)},
		"COMPLEXITY_LIMIT_EXCEEDED", "inputList",
	},
	{
		"a permitted list of ids", `query ($l: [ID!]!) { nodes(ids: $l) { id } }`,
		testclient.Vars{"l": repeatedValues(1000)},
		"BAD_USER_INPUT ids", "",
	},
	{
		"lists of enums",
		`query ($l: [TaskPriority!]) { ` + aliasedFields(29, `tasks(filter: {priority: $l}) { totalCount }`) + ` }`,
		testclient.Vars{"l": strings.Fields(strings.Repeat("HIGH ", 1000))},
		"BAD_USER_INPUT priority", "",
	},
	{
		"one long text in many fields",
		`mutation ($t: String!) { ` + aliasedFields(30, `createTask(input: {title: $t}) { task { id } }`) + ` }`,
		testclient.Vars{"t": strings.Repeat("ü", 500_000)},
		"COMPLEXITY_LIMIT_EXCEEDED", "cost",
	},
	{
		"long titles",
		`mutation ($t: String!) { ` + aliasedFields(7, `createTask(input: {title: $t}) { task { id } }`) + ` }`,
		testclient.Vars{"t": strings.Repeat("ü", 500_000)},
		"BAD_USER_INPUT title", "",
	},
	{
		"long titles of spaces",
		`mutation ($t: String!) { ` + aliasedFields(7, `createTask(input: {title: $t}) { task { id } }`) + ` }`,
		testclient.Vars{"t": strings.Repeat("\u3000", 330_000)},
		"BAD_USER_INPUT title", "",
	},
	{
		"long descriptions",
		`mutation ($t: String!) { ` + aliasedFields(7,
			`createTask(input: {title: "x", description: $t}) { task { id } }`) + ` }`,
		testclient.Vars{"t": strings.Repeat("🦊", 250_000)},
		"BAD_USER_INPUT description", "",
	},
	{
		"long messages",
		`mutation ($t: String!) { ` + aliasedFields(7, `sendMessage(input: {content: $t}) { userMessage { id } }`) + ` }`,
		testclient.Vars{"t": strings.Repeat("a\n", 330_000)},
		"BAD_USER_INPUT content", "",
	},
	{
		"long idempotency keys",
		`mutation ($t: String!) { ` + aliasedFields(7,
			`sendMessage(input: {content: "x", idempotencyKey: $t}) { userMessage { id } }`) + ` }`,
		testclient.Vars{"t": strings.Repeat("ü", 500_000)},
		"BAD_USER_INPUT idempotencyKey", "",
	},
	{
		"long searches",
		`query ($t: String!) { a: tasks(filter: {search: $t}) { totalCount } b: tasks(filter: {search: $t}) { totalCount } }`,
		testclient.Vars{"t": strings.Repeat("a ", 500_000)},
		"BAD_USER_INPUT search", "",
	},
	{
		"long label filters",
		`query ($t: String!) { ` + aliasedFields(7, `tasks(filter: {label: $t}) { totalCount }`) + ` }`,
		testclient.Vars{"t": strings.Repeat("ü", 500_000)},
		"BAD_USER_INPUT label", "",
	},
	{
		"long ids", `query ($t: ID!) { ` + aliasedFields(7, `conversation(id: $t) { id }`) + ` }`,
		testclient.Vars{"t": strings.Repeat("ü", 500_000)},
		"", "",
	},
	{
		"long ids of changes", `mutation ($t: ID!) { ` + aliasedFields(7, `completeTask(id: $t) { task { id } }`) + ` }`,
		testclient.Vars{"t": strings.Repeat("ü", 500_000)},
		"NOT_FOUND", "",
	},
	{
		"long cursors", `query ($t: Cursor!) { ` + aliasedFields(7, `tasks(after: $t) { totalCount }`) + ` }`,
		testclient.Vars{"t": strings.Repeat("A", 1_000_000)},
		"BAD_USER_INPUT after", "",
	},
	{
		"long dates", `query ($t: Date!) { ` + aliasedFields(7, `tasks(filter: {dueFrom: $t}) { totalCount }`) + ` }`,
		testclient.Vars{"t": "2026-01-01" + strings.Repeat("1", 1_000_000)},
		"BAD_USER_INPUT dueFrom", "",
	},
	{
		"long instants",
		`mutation ($t: DateTime!) { ` + aliasedFields(7,
			`createTask(input: {title: "x", dueAt: $t}) { task { id } }`) + ` }`,
		testclient.Vars{"t": "2026-01-01T00:00:00." + strings.Repeat("0", 1_000_000) + "Z"},
		"BAD_USER_INPUT dueAt", "",
	},
	{
		"long names of time zones",
		`mutation ($t: String!) { ` + aliasedFields(7, `updateViewer(input: {timeZone: $t}) { viewer { id } }`) + ` }`,
		testclient.Vars{"t": strings.Repeat("a/", 500_000)},
		"BAD_USER_INPUT timeZone", "",
	},
	{
		"deep variables", `query ($f: TaskFilter) { tasks(filter: $f) { totalCount } }`,
		testclient.Vars{"f": nestedObject(400)},
		"COMPLEXITY_LIMIT_EXCEEDED", "inputDepth",
	},
	{
		"unknown fields in many places",
		`query ($f: TaskFilter) { ` + aliasedFields(30, `tasks(filter: $f) { totalCount }`) + ` }`,
		testclient.Vars{"f": manyFields(9_000)},
		"BAD_USER_INPUT f.x0", "",
	},
}

func nestedObject(depth int) any {
	var v any = "x"
	for range depth {
		v = map[string]any{"and": v}
	}
	return v
}

func manyFields(n int) map[string]int {
	fields := map[string]int{}
	for i := range n {
		fields[fmt.Sprint("x", i)] = i
	}
	return fields
}

// TestRequest_LargeInputs_AreCheap sends large lists and texts to every kind of argument. It does not run in parallel,
// because it measures the process.
func TestRequest_LargeInputs_AreCheap(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		b := harness.Start(t, url, harness.Settings{"LOG_LEVEL": "warn"})
		c := b.Client(t, "alice")
		for _, worst := range costlyInputs {
			t.Run(worst.what, func(t *testing.T) {
				ask := func() testclient.Response { return c.Try(t, worst.document, worst.variables) }
				a := ask()
				require.Equal(t, worst.code, a.ErrorCode(), "%.300s", a.Raw)
				if worst.limit != "" {
					require.Contains(t, a.Raw, `"limit":"`+worst.limit+`"`)
				}
				requireCheap(t, ask)
			})
		}
		require.Empty(t, harness.AllTasks(t, c))
	})
}

// rpcMessage returns a JSON-RPC request.
func rpcMessage(method, params string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"` + method + `","params":` + params + `}`
}

// costlyMessages returns MCP messages of at most 1 MiB with large and deep JSON.
func costlyMessages() map[string]string {
	call := func(arguments string) string {
		return rpcMessage("tools/call", `{"name":"add_task","arguments":`+arguments+`}`)
	}
	labels := func(n int) string { return `{"title":"x","labels":["a"` + strings.Repeat(`,"a"`, n-1) + `]}` }
	nested := strings.Repeat("[", 400_000) + strings.Repeat("]", 400_000)
	batch := `[` + call(`{}`) + strings.Repeat(`,`+call(`{}`), 5_000) + `]`
	return map[string]string{
		"200,000 labels":        call(labels(200_000)),
		"9,900 labels":          call(labels(9_900)),
		"2,000 labels":          call(labels(1_990)),
		"lists in lists":        call(`{"title":"x","labels":` + nested + `}`),
		"unknown members":       call(`{"title":"x"` + times(9_000, `,"a%d":1`) + `}`),
		"many unknown members":  call(`{"title":"x"` + times(60_000, `,"a%d":1`) + `}`),
		"a long title":          call(`{"title":"` + strings.Repeat("ü", 450_000) + `"}`),
		"a long title, escaped": call(`{"title":"` + strings.Repeat(`\u00fc`, 160_000) + `"}`),
		"a large _meta":         rpcMessage("ping", `{"_meta":{"a":[1`+strings.Repeat(",1", 450_000)+`]}}`),
		"a permitted _meta":     rpcMessage("ping", `{"_meta":{"a":[1`+strings.Repeat(",1", 9_900)+`]}}`),
		"a batch":               batch,
		"a batch after space":   strings.Repeat(" ", 1000) + batch,
		"a long cursor":         rpcMessage("resources/list", `{"cursor":"t`+strings.Repeat("A", 900_000)+`"}`),
		"a long URI":            rpcMessage("resources/read", `{"uri":"errand://tasks/`+strings.Repeat("%41", 300_000)+`"}`),
		"a URI with many values": rpcMessage("resources/read",
			`{"uri":"errand://tasks/open?label=`+strings.Repeat("a&label=", 100_000)+`"}`),
		"a long label": rpcMessage("prompts/get",
			`{"name":"daily_review","arguments":{"label":"`+strings.Repeat("ü", 450_000)+`"}}`),
		"a long tool name": rpcMessage("tools/call", `{"name":"`+strings.Repeat("a", 900_000)+`"}`),
		"a long method":    rpcMessage(strings.Repeat("a", 900_000), "{}"),
		"a long client name": rpcMessage("initialize", `{"protocolVersion":"2025-11-25","capabilities":{},`+
			`"clientInfo":{"name":"`+strings.Repeat("ü", 400_000)+`","version":"1"}}`),
	}
}

// TestMCP_LargeArguments_AreCheap sends large and deep JSON in every place of a message. It does not run in parallel,
// because it measures the process.
func TestMCP_LargeArguments_AreCheap(t *testing.T) {
	b := harness.Start(t, testdb.SQLiteURL(t), harness.Settings{"LOG_LEVEL": "warn", "MCP_CALLS_PER_MINUTE": "100000"})
	c := b.Client(t, "alice")
	for what, message := range costlyMessages() {
		t.Run(what, func(t *testing.T) {
			require.Less(t, len(message), 1<<20)
			requireCheap(t, func() int { return postMCP(t, c, message) })
		})
	}
	require.Empty(t, harness.AllTasks(t, c))
}

// times concatenates the formats of 0 to n-1.
func times(n int, format string) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, format, i)
	}
	return out.String()
}

// postMCP sends a message of revision 2025-11-25 and returns the status of the response.
func postMCP(t *testing.T, c *testclient.Client, message string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.URL+"/mcp", strings.NewReader(message))
	require.NoError(t, err)
	r.Header = http.Header{
		"Content-Type":         {"application/json"},
		"Authorization":        {"Bearer " + c.Token},
		"Accept":               {"application/json, text/event-stream"},
		"Mcp-Protocol-Version": {"2025-11-25"},
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(r)
	require.NoError(t, err)
	defer response.Body.Close()
	return response.StatusCode
}

// TestMessageStream_OldCursor_ReadInParts resumes a stream from the start of a conversation of long messages. The
// client receives all of them, and the server reads each once and a part of them at a time.
func TestMessageStream_OldCursor_ReadInParts(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		const n = 1500
		b := harness.Start(t, url, harness.Settings{"LOG_LEVEL": "warn"})
		c := b.Client(t, "alice")
		talk := harness.Send(t, c, "", "hello").Conversation.ID
		socket := c.Dial(t)
		first := socket.Follow(t, talk, "")
		cursor := first.NextEvent(t).Cursor // after the first message
		ctx, root := viewer.NewContext(t.Context(), viewer.Viewer{UserID: harness.ViewerID(t, c)}), b.SystemClient(t)
		for from := 3; from <= n; from += 100 {
			var messages []*ent.MessageCreate
			for position := from; position < from+100 && position <= n; position++ {
				messages = append(messages, root.Message.Create().SetConversationID(talk).SetPosition(position).
					SetRole(enum.RoleUser).SetContent(repeatEmoji(chat.MaxContent)))
			}
			root.Message.CreateBulk(messages...).ExecX(ctx)
		}
		root.Conversation.UpdateOneID(talk).SetMessageCount(n).ExecX(ctx)

		var largest, total atomic.Int64
		b.DB.Client().Message.Intercept(ent.InterceptFunc(func(next ent.Querier) ent.Querier {
			return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
				v, err := next.Query(ctx, q)
				if rows, ok := v.([]*ent.Message); ok {
					total.Add(int64(len(rows)))
					largest.Store(max(largest.Load(), int64(len(rows))))
				}
				return v, err
			})
		}))
		resumed := socket.Subscribe(t, `subscription ($id: ID!, $after: Cursor) {
			messageStream(conversationId: $id, after: $after) { ... on MessageAdded { message { position } } } }`,
			testclient.Vars{"id": talk, "after": cursor})
		for last := 0; last < n; {
			payload, err := resumed.Next(t.Context())
			require.NoError(t, err)
			var event struct {
				Data struct {
					MessageStream struct{ Message struct{ Position int } }
				}
			}
			require.NoError(t, json.Unmarshal(payload, &event))
			if position := event.Data.MessageStream.Message.Position; position > 0 {
				require.Equal(t, max(last+1, 2), position)
				last = position
			}
		}
		require.Less(t, largest.Load(), int64(n/5))
		require.GreaterOrEqual(t, total.Load(), int64(n-1))
		require.Less(t, total.Load(), int64(2*n), "messages are read at most twice")
	})
}
