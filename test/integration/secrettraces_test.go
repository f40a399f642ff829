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

	"github.com/stretchr/testify/require"
)

// indiscreet is a model that does what it is told with people's words in every place, and at the end
// quotes its key.
func indiscreet(t *testing.T) *model {
	return scripted(t, func(a asked) providertest.Step {
		switch {
		case strings.Contains(a.said, "fail"):
			return func(w http.ResponseWriter, r *http.Request) { quoteKey(w, r, a.body) }
		case strings.Contains(a.said, "stall"):
			return providertest.StreamThenHang(textFrames("I heard: " + a.said)...)
		case len(a.results) == 0:
			return useTools("Noting "+plantedWords, addTask(plantedWords), toolUse{plantedWords, `{}`})
		default:
			return sayText("Done, as ", plantedWords)
		}
	})
}

// TestTracesTellNoSecret lets everything that is traced happen, with secrets in all places, and looks
// through what arrives at the receiver: names, attributes, events, statuses, links and resources alike.
func TestTracesTellNoSecret(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, database string) {
		m, r := indiscreet(t), receive(t)
		database, more := planted(t, database)
		b := boot(t, database, more, m.environ(), settings{
			"OTEL_EXPORTER_OTLP_ENDPOINT": r.url, "OTEL_EXPORTER_OTLP_HEADERS": "api-key=" + plantedOther, "RUN_MAX_ATTEMPTS": "1",
		})
		alice := b.userAt(t, "alice", -time.Minute)
		tokens := append(bad(t), alice.Token)

		k := &talk{c: alice}
		require.Equal(t, "COMPLETED", k.say(t, plantedWords).Status)
		require.Equal(t, "FAILED", k.say(t, plantedWords+", so fail").Status)
		refuseDocuments(t, b, alice)
		for _, token := range tokens[:len(tokens)-1] {
			c := testclient.New(t, b.URL(), token)
			require.Equal(t, "UNAUTHENTICATED", c.Try(t, viewerID, vars{"x": plantedWords}).ErrorCode())
			_, err := c.TryDial(t.Context())
			require.Error(t, err)
		}
		breakTheDatabase(t, b, alice)
		tasks, socket := listen(t, alice, taskStream, nil), alice.Dial(t)
		running := send(t, alice, "", plantedWords+", then stall")
		socket.Follow(t, running.Conversation.ID, "").
			UntilText(t, running.AssistantMessage.ID, func(text string) bool { return text != "" })
		changeTask(t, alice, "completeTask", createTask(t, alice, vars{"title": plantedWords}).ID)
		require.Empty(t, alice.Try(t, deleteViewer, vars{"confirm": account.DeleteConfirmation}).Errors)
		require.Equal(t, 4403, socket.CloseCode(t))
		last, _ := tasks.rest()
		require.Equal(t, "complete", last)
		require.NoError(t, b.Stop(context.Background()), "what waits is exported")

		for name, found := range map[string][]span{
			"operation":        r.named("graphql mutation", "errand.transport", "http"),
			"refused input":    r.named("graphql mutation", "errand.code", "BAD_USER_INPUT"),
			"database error":   r.named("graphql mutation", "errand.code", "INTERNAL_SERVER_ERROR"),
			"on a socket":      r.named("graphql subscription", "errand.transport", "websocket"),
			"in a stream":      r.named("graphql subscription", "errand.transport", "sse"),
			"run":              r.named("run attempt", "errand.code", ""),
			"failed run":       r.named("run attempt", "errand.code", "SERVICE_UNAVAILABLE"),
			"model":            r.named("model call", "errand.code", ""),
			"failing provider": r.named("model call", "errand.code", "SERVICE_UNAVAILABLE"),
			"tool":             r.named("tool call", "gen_ai.tool.name", "add_task"),
			"tool made up":     r.named("tool call", "gen_ai.tool.name", "unknown"),
		} {
			require.NotEmpty(t, found, "no span of %s: nothing is proven of it", name)
		}
		// A receiver gets strings as they are: whatever place they are in, they stand in the bytes.
		require.Equal(t, plantedOther, r.key)
		requireNoSecrets(t, alice.Token, string(r.raw))
		for _, token := range tokens {
			for part := range strings.SplitSeq(token, ".") {
				require.NotContains(t, string(r.raw), part, "no part of a token")
			}
		}
		require.NotContains(t, string(r.raw)+b.logs.String(), "diary", "people's words")
	})
}

// refuseDocuments sends documents and input that are refused, with secrets in them.
func refuseDocuments(t *testing.T, b *bench, c *client) {
	t.Helper()
	requireFault(t, "GRAPHQL_VALIDATION_FAILED", c.Try(t, `{ task(number: "`+plantedToken+`") { id } }`, nil))
	requireFault(t, "GRAPHQL_PARSE_FAILED", c.Try(t, `{ `+plantedWords+` "`, nil))
	requireFault(
		t,
		"BAD_USER_INPUT title",
		c.Try(t, createTaskDoc, vars{"in": vars{"title": strings.Repeat(plantedWords, 100)}}),
	)
	requireFault(
		t,
		"NOT_FOUND",
		c.Try(t, sendDoc, vars{"in": vars{"content": plantedWords, "conversationId": "conv_" + plantedToken}}),
	)
	a, err := c.Send(t.Context(), []byte(`{"query":"{ viewer { id } }","operationName":"`+plantedWords+`"}`))
	require.NoError(t, err)
	require.Equal(t, "BAD_USER_INPUT operationName", a.ErrorCode())
	response, err := http.Get(b.URL() + "/graphql?query={viewer{id}}&token=" + plantedToken)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	http.DefaultClient.CloseIdleConnections()
}

// breakTheDatabase makes a change fail whose statement holds people's words.
func breakTheDatabase(t *testing.T, b *bench, c *client) {
	t.Helper()
	mend := sabotage{event: "INSERT ON tasks"}.install(t, b.Config.Database.URL.Reveal())
	defer mend()
	requireFault(t, "INTERNAL_SERVER_ERROR", c.Try(t, createTaskDoc, vars{"in": vars{"title": plantedWords}}))
}

// TestAReceiverThatQuotesOrIsAwayTellsNoSecret: what goes wrong with traces is logged without their keys.
func TestAReceiverThatQuotesOrIsAwayTellsNoSecret(t *testing.T) {
	t.Parallel()
	quoting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte("bad key " + r.Header.Get("Api-Key") + " at " + r.URL.String()))
	}))
	t.Cleanup(quoting.Close)
	for name, address := range map[string]string{"quotes": quoting.URL + "/v1/traces", "away": "http://127.0.0.1:1/v1/traces"} {
		t.Run(name, func(t *testing.T) {
			b := boot(t, testdb.SQLiteURL(t), settings{
				"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": address + "?key=" + plantedToken, "OTEL_EXPORTER_OTLP_HEADERS": "api-key=" + plantedOther,
			})
			idOf(t, b.user(t, "alice"))
			require.NoError(t, b.Stop(context.Background()))
			require.Regexp(t, "exporting traces failed|traces were not exported", b.logs.String())
			requireNoSecrets(t, "no token", b.logs.String())
		})
	}
}
