package integration

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"errand/internal/account"
	"errand/internal/llm/providertest"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// startQuotingModel starts a model whose responses contain user content everywhere, and that quotes its key
// on request.
func startQuotingModel(t *testing.T) *harness.Model {
	return harness.StartModel(t, func(a harness.ModelRequest) providertest.Step {
		switch {
		case strings.Contains(a.UserMessage, "fail"):
			return func(w http.ResponseWriter, r *http.Request) { respondQuotingKey(w, r, a.Body) }
		case strings.Contains(a.UserMessage, "stall"):
			return providertest.StreamThenHang(harness.TextFrames("I heard: " + a.UserMessage)...)
		case len(a.ToolResults) == 0:
			return harness.ToolCallResponse("Noting "+plantedWords, harness.AddTaskCall(plantedWords),
				harness.ToolCall{Name: plantedWords, Arguments: `{}`})
		default:
			return harness.TextResponse("Done, as ", plantedWords)
		}
	})
}

// TestSecrets_Traces_ContainNone triggers every kind of span with secrets in all inputs and checks the
// exported names, attributes, events, statuses, links and resources.
func TestSecrets_Traces_ContainNone(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, database string) {
		m, r := startQuotingModel(t), startTraceReceiver(t)
		database, more := plantSecrets(t, database)
		b := harness.Start(t, database, more, m.Settings(), harness.Settings{
			"OTEL_EXPORTER_OTLP_ENDPOINT": r.url, "OTEL_EXPORTER_OTLP_HEADERS": "api-key=" + plantedOther,
			"RUN_MAX_ATTEMPTS": "1",
		})
		alice := b.ClientWithTokenIssuedAt(t, "alice", -time.Minute)
		tokens := append(invalidTokens(t), alice.Token)

		conversation := &harness.Conversation{Client: alice}
		require.Equal(t, "COMPLETED", conversation.SendAndWait(t, plantedWords).Status)
		require.Equal(t, "FAILED", conversation.SendAndWait(t, plantedWords+", so fail").Status)
		sendInvalidDocuments(t, b, alice)
		for _, token := range tokens[:len(tokens)-1] {
			c := testclient.New(t, b.URL(), token)
			require.Equal(t, "UNAUTHENTICATED", c.Try(t, harness.ViewerIDDoc, testclient.Vars{"x": plantedWords}).ErrorCode())
			_, err := c.TryDial(t.Context())
			require.Error(t, err)
		}
		breakDatabase(t, b, alice)
		tasks, socket := openSSE(t, alice, harness.TaskStreamDoc, nil), alice.Dial(t)
		running := harness.Send(t, alice, "", plantedWords+", then stall")
		socket.Follow(t, running.Conversation.ID, "").
			UntilText(t, running.AssistantMessage.ID, func(text string) bool { return text != "" })
		harness.ChangeTask(t, alice, "completeTask", harness.CreateTask(t, alice, testclient.Vars{"title": plantedWords}).ID)
		require.Empty(t, alice.Try(t, harness.DeleteViewerDoc, testclient.Vars{"confirm": account.DeleteConfirmation}).Errors)
		require.Equal(t, 4403, socket.CloseCode(t))
		last, _ := tasks.drain()
		require.Equal(t, "complete", last)
		require.NoError(t, b.Stop(context.Background()), "pending spans must be exported")

		for name, found := range map[string][]span{
			"operation":        r.spansNamed("graphql mutation", "errand.transport", "http"),
			"refused input":    r.spansNamed("graphql mutation", "errand.code", "BAD_USER_INPUT"),
			"database error":   r.spansNamed("graphql mutation", "errand.code", "INTERNAL_SERVER_ERROR"),
			"on a socket":      r.spansNamed("graphql subscription", "errand.transport", "websocket"),
			"in a stream":      r.spansNamed("graphql subscription", "errand.transport", "sse"),
			"run":              r.spansNamed("run attempt", "errand.code", ""),
			"failed run":       r.spansNamed("run attempt", "errand.code", "SERVICE_UNAVAILABLE"),
			"model":            r.spansNamed("chat scripted", "errand.code", ""),
			"failing provider": r.spansNamed("chat scripted", "errand.code", "SERVICE_UNAVAILABLE"),
			"tool":             r.spansNamed("execute_tool add_task", "gen_ai.tool.name", "add_task"),
			"tool made up":     r.spansNamed("execute_tool unknown", "gen_ai.tool.name", "unknown"),
		} {
			require.NotEmpty(t, found, "no span of %s: the test would prove nothing", name)
		}
		// OTLP encodes strings verbatim, so the raw bytes contain them wherever they are.
		require.Equal(t, plantedOther, r.key)
		requireNoSecrets(t, alice.Token, string(r.raw))
		for _, token := range tokens {
			for part := range strings.SplitSeq(token, ".") {
				require.NotContains(t, string(r.raw), part, "no part of a token")
			}
		}
		require.NotContains(t, string(r.raw)+b.Logs.String(), "diary", "user content")
	})
}

// sendInvalidDocuments sends rejected documents and input that contain secrets.
func sendInvalidDocuments(t *testing.T, b *harness.Env, c *testclient.Client) {
	t.Helper()
	harness.RequireErrorCode(t, "GRAPHQL_VALIDATION_FAILED", c.Try(t, `{ task(number: "`+plantedToken+`") { id } }`, nil))
	harness.RequireErrorCode(t, "GRAPHQL_PARSE_FAILED", c.Try(t, `{ `+plantedWords+` "`, nil))
	harness.RequireErrorCode(
		t,
		"BAD_USER_INPUT title",
		c.Try(t, harness.CreateTaskDoc, testclient.Vars{"in": testclient.Vars{"title": strings.Repeat(plantedWords, 100)}}),
	)
	harness.RequireErrorCode(
		t,
		"NOT_FOUND",
		c.Try(t, harness.SendDoc, testclient.Vars{"in": testclient.Vars{
			"content":        plantedWords,
			"conversationId": "conv_" + plantedToken,
		}}),
	)
	a, err := c.Send(t.Context(), []byte(`{"query":"{ viewer { id } }","operationName":"`+plantedWords+`"}`))
	require.NoError(t, err)
	require.Equal(t, "BAD_USER_INPUT operationName", a.ErrorCode())
	response, err := http.Get(b.URL() + "/graphql?query={viewer{id}}&token=" + plantedToken)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	http.DefaultClient.CloseIdleConnections()
}

// breakDatabase makes a statement fail that contains user content.
func breakDatabase(t *testing.T, b *harness.Env, c *testclient.Client) {
	t.Helper()
	repair := statementFault{event: "INSERT ON tasks"}.install(t, b.Config.Database.URL.Reveal())
	defer repair()
	harness.RequireErrorCode(t, "INTERNAL_SERVER_ERROR", c.Try(t, harness.CreateTaskDoc,
		testclient.Vars{"in": testclient.Vars{"title": plantedWords}}))
}

// TestSecrets_TraceReceiverFails_LogsNone checks that failed trace exports are logged without keys.
func TestSecrets_TraceReceiverFails_LogsNone(t *testing.T) {
	t.Parallel()
	quoting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte("bad key " + r.Header.Get("Api-Key") + " at " + r.URL.String()))
	}))
	t.Cleanup(quoting.Close)
	for name, address := range map[string]string{
		"quotes": quoting.URL + "/v1/traces",
		"away":   "http://127.0.0.1:1/v1/traces",
	} {
		t.Run(name, func(t *testing.T) {
			b := harness.Start(t, testdb.SQLiteURL(t), harness.Settings{
				"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": address + "?key=" + plantedToken,
				"OTEL_EXPORTER_OTLP_HEADERS":         "api-key=" + plantedOther,
			})
			harness.ViewerID(t, b.Client(t, "alice"))
			require.NoError(t, b.Stop(context.Background()))
			require.Regexp(t, "exporting traces failed|traces were not exported", b.Logs.String())
			requireNoSecrets(t, "no token", b.Logs.String())
		})
	}
}
