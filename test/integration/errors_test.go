package integration

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"errand/internal/llm/providertest"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestRequest_Malformed_IsRejected sends bodies that are not GraphQL requests.
func TestRequest_Malformed_IsRejected(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		for body, want := range map[string]string{
			``:                                       "400 BAD_USER_INPUT",
			`{`:                                      "400 BAD_USER_INPUT",
			`{"query":`:                              "400 BAD_USER_INPUT",
			`[]`:                                     "400 BAD_USER_INPUT",
			`[{"query":"{viewer{id}}"}]`:             "400 BAD_USER_INPUT",
			`"{viewer{id}}"`:                         "400 BAD_USER_INPUT",
			`{}`:                                     "400 BAD_USER_INPUT query",
			`{"query":5}`:                            "400 BAD_USER_INPUT query",
			`{"query":"{viewer{id}}"}x`:              "400 BAD_USER_INPUT",
			"{\"query\":\"{viewer{id}}\xff\"}":       "400 BAD_USER_INPUT",
			`{"query":"{viewer{id}}","variables":5}`: "400 BAD_USER_INPUT variables",
			`{"query":"{viewer{id}}","operationName":5}`:          "400 BAD_USER_INPUT operationName",
			`{"query":"{viewer{id}}","operationName":"Other"}`:    "200 BAD_USER_INPUT operationName",
			`{"query":"query A{viewer{id}} query B{viewer{id}}"}`: "200 BAD_USER_INPUT operationName",
			`{"query":""}`:                         "400 BAD_USER_INPUT query",
			`{"query":"{"}`:                        "200 GRAPHQL_PARSE_FAILED",
			`{"query":"viewer"}`:                   "200 GRAPHQL_PARSE_FAILED",
			`{"query":"{nothing}"}`:                "200 GRAPHQL_VALIDATION_FAILED",
			`{"query":"{viewer}"}`:                 "200 GRAPHQL_VALIDATION_FAILED",
			`{"query":"{viewer{id{x}}}"}`:          "200 GRAPHQL_VALIDATION_FAILED",
			`{"query":"{task{id}}"}`:               "200 GRAPHQL_VALIDATION_FAILED",
			`{"query":"{task(number:\"1\"){id}}"}`: "200 GRAPHQL_VALIDATION_FAILED",
			`{"query":"{tasks(orderBy:{field:COLOUR}){nodes{id}}}"}`:   "200 GRAPHQL_VALIDATION_FAILED",
			`{"query":"{` + strings.Repeat("viewer{id}", 3000) + `}"}`: "200 COMPLEXITY_LIMIT_EXCEEDED",
			`{"query":"` + strings.Repeat(" ", 1<<20) + `"}`:           "413 BAD_USER_INPUT",
		} {
			a, err := c.Send(t.Context(), []byte(body))
			require.NoError(t, err)
			require.Equal(t, want, fmt.Sprint(a.Status, " ", a.ErrorCode()), "%.60s gave %.300s", body, a.Raw)
			require.NotEmpty(t, a.Errors[0].Message)
		}
	})
}

// TestRequest_InvalidVariables_NamesVariable checks that the error of each invalid variable contains its
// path.
func TestRequest_InvalidVariables_NamesVariable(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		const byNumber = `query ($n: Int!) { task(number: $n) { id } }`
		for _, one := range []struct {
			document string
			given    testclient.Vars
			want     string
		}{
			{byNumber, testclient.Vars{}, "BAD_USER_INPUT n"},
			{byNumber, testclient.Vars{"n": nil}, "BAD_USER_INPUT n"},
			{byNumber, testclient.Vars{"n": "1"}, "BAD_USER_INPUT n"},
			{byNumber, testclient.Vars{"n": 1.5}, "BAD_USER_INPUT n"},
			{byNumber, testclient.Vars{"n": 1 << 40}, "BAD_USER_INPUT n"},
			{byNumber, testclient.Vars{"n": []int{1}}, "BAD_USER_INPUT n"},
			{harness.CreateTaskDoc, testclient.Vars{"in": "x"}, "BAD_USER_INPUT in"},
			{harness.CreateTaskDoc, testclient.Vars{"in": testclient.Vars{}}, "BAD_USER_INPUT in.title"},
			{harness.CreateTaskDoc, testclient.Vars{"in": testclient.Vars{"title": 5}}, "BAD_USER_INPUT in.title"},
			{
				harness.CreateTaskDoc,
				testclient.Vars{"in": testclient.Vars{"title": "x", "colour": "red"}},
				"BAD_USER_INPUT in.colour",
			},
			{
				harness.CreateTaskDoc,
				testclient.Vars{"in": testclient.Vars{"title": "x", "userId": "user_x"}},
				"BAD_USER_INPUT in.userId",
			},
			{
				harness.CreateTaskDoc,
				testclient.Vars{"in": testclient.Vars{"title": "x", "priority": "VERY"}},
				"BAD_USER_INPUT in.priority",
			},
			{
				harness.CreateTaskDoc,
				testclient.Vars{"in": testclient.Vars{"title": "x", "labels": []any{"a", 5}}},
				"BAD_USER_INPUT in.labels.1",
			},
			{harness.TasksDoc, testclient.Vars{"first": "ten"}, "BAD_USER_INPUT first"},
			{harness.TasksDoc, testclient.Vars{"filter": testclient.Vars{"status": "DONE"}}, "BAD_USER_INPUT filter.status"},
		} {
			harness.RequireErrorCode(t, one.want, c.Try(t, one.document, one.given))
		}
		require.Empty(t, harness.AllTasks(t, c))
	})
}

func TestAnonymous_QueriesAndMutations_AreUnauthenticated(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		anonymous := testclient.New(t, b.URL(), "")
		for _, document := range []string{
			`{ viewer { id } }`, `{ node(id: "task_01jd0000000000000000000000") { id } }`, `{ nodes(ids: ["x"]) { id } }`,
			`{ tasks { nodes { id } } }`, `{ tasks { totalCount } }`,
			`{ tasks(filter: {dueFrom: "2030-01-01"}) { nodes { id } } }`,
			`{ task(number: 1) { id } }`, `{ conversations { nodes { id } } }`, `{ conversation(id: "x") { id } }`,
			`mutation { createTask(input: {title: "x"}) { task { id } } }`, `mutation { deleteTask(id: "x") { task { id } } }`,
			`mutation { createConversation { conversation { id } } }`, `mutation { deleteConversation(id: "x") { deletedId } }`,
			`mutation { updateConversation(input: {id: "x", title: "y"}) { conversation { id } } }`,
			`mutation { sendMessage(input: {content: "x"}) { conversation { id } } }`,
			`mutation { cancelReply(messageId: "x") { message { id } } }`,
			`mutation { updateViewer(input: {name: "x"}) { viewer { id } } }`,
		} {
			a := anonymous.Try(t, document, nil)
			require.Equal(t, "UNAUTHENTICATED", a.ErrorCode(), "%s gave %s", document, a.Raw)
		}
		_, err := anonymous.TryDial(t.Context())
		require.ErrorContains(t, err, "4401")
	})
}

func TestRequest_InvalidToken_IsUnauthorized(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		for _, bad := range []string{"x", "a.b.c", harness.Token(t, "alice") + "x", strings.Repeat("x", 3000)} {
			c := testclient.New(t, b.URL(), bad)
			a := c.Try(t, `{ __typename }`, nil)
			require.Equal(t, http.StatusUnauthorized, a.Status)
			harness.RequireErrorCode(t, "UNAUTHENTICATED", a)
			_, err := c.TryDial(t.Context())
			require.ErrorContains(t, err, "4403")
		}
	})
}

// TestRequest_ForeignOrigin_IsForbidden checks requests that need no preflight, and sockets.
func TestRequest_ForeignOrigin_IsForbidden(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		for _, header := range []http.Header{
			{"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}},
			{
				"Origin": {"https://evil.example"}, "Connection": {"Upgrade"}, "Upgrade": {"websocket"},
				"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="},
				"Sec-Websocket-Protocol": {"graphql-transport-ws"},
			},
		} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.URL()+"/graphql?query=%7Bviewer%7Bid%7D%7D", nil)
			require.NoError(t, err)
			r.Header = header
			response, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			body, err := io.ReadAll(response.Body)
			require.NoError(t, errors.Join(err, response.Body.Close()))
			require.Equal(t, http.StatusForbidden, response.StatusCode)
			require.Contains(t, string(body), `"FORBIDDEN"`)
		}
		http.DefaultClient.CloseIdleConnections()
	})
}

// TestRequest_DatabaseError_IsHidden checks that an internal error is redacted, and logged with the request
// id.
func TestRequest_DatabaseError_IsHidden(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		harness.CreateTask(t, c, testclient.Vars{"title": "x"})
		owner := testdb.Open(t, b.Config.Database.URL.Reveal())
		execStatement(t, owner, "ALTER TABLE tasks RENAME TO elsewhere")
		a := c.Try(t, `{ tasks { nodes { id } } }`, nil)
		harness.RequireErrorCode(t, "INTERNAL_SERVER_ERROR", a)
		require.Equal(t, "Something went wrong on our side.", a.Errors[0].Message)
		id := a.Errors[0].Extensions.RequestID
		require.NotEmpty(t, id)
		require.Contains(t, b.Logs.String(), id)
		execStatement(t, owner, "ALTER TABLE elsewhere RENAME TO tasks")
		require.Len(t, harness.AllTasks(t, c), 1)
	})
}

// TestRequest_DatabaseUnreachable_IsUnavailable checks that the server recovers without a restart when the
// database is back.
func TestRequest_DatabaseUnreachable_IsUnavailable(t *testing.T) {
	t.Parallel()
	cluster := testdb.NewCluster(t)
	b := harness.Start(t, testdb.ClusterURL(t, cluster))
	conversation := &harness.Conversation{Client: b.Client(t, "alice")}
	conversation.SendAndWait(t, "Add a task to buy groceries")
	require.NoError(t, cluster.Stop(t.Context(), true))
	harness.RequireErrorCode(t, "SERVICE_UNAVAILABLE", conversation.Client.Try(t, `{ tasks { nodes { id } } }`, nil))
	harness.RequireErrorCode(t, "SERVICE_UNAVAILABLE", conversation.Client.Try(t, harness.CreateTaskDoc,
		testclient.Vars{"in": testclient.Vars{"title": "x"}}))
	awaitHealth(t, b.URL(), "the database does not respond")
	require.NoError(t, cluster.Start(t.Context()))
	awaitHealth(t, b.URL(), "")
	require.Contains(t, conversation.SendAndWait(t, "Show me all my tasks").Content, "Buy groceries")
}

// TestReply_ProviderError_FailsWithCode checks that a provider's error determines the reply's error code and
// that its text is not exposed.
func TestReply_ProviderError_FailsWithCode(t *testing.T) {
	for name, one := range map[string]struct {
		step providertest.Step
		want string
	}{
		"rejected":     {providertest.JSON(400, `{"error":{"message":"planted"}}`), "INTERNAL_SERVER_ERROR"},
		"no model":     {providertest.JSON(404, `{"error":{"message":"planted"}}`), "INTERNAL_SERVER_ERROR"},
		"wrong key":    {providertest.JSON(401, `{"error":{"message":"planted"}}`), "SERVICE_UNAVAILABLE"},
		"rate limited": {providertest.JSON(429, `{"error":{"message":"planted"}}`, "Retry-After", "1"), "RATE_LIMITED"},
		"cut off":      {providertest.Stream(harness.TextFrames("planted")...), "SERVICE_UNAVAILABLE"},
		"endless": {
			harness.ToolCallResponse("", harness.ToolCall{Name: "list_tasks", Arguments: "{}"}),
			"COMPLEXITY_LIMIT_EXCEEDED",
		},
	} {
		t.Run(name, func(t *testing.T) {
			always := func(t *testing.T) *harness.Model {
				return harness.StartModel(t, func(harness.ModelRequest) providertest.Step { return one.step })
			}
			eachScriptedModel(t, always, func(t *testing.T, b *harness.Env, _ *harness.Model) {
				conversation := &harness.Conversation{Client: b.Client(t, "alice")}
				reply := conversation.SendAndWait(t, "Hello")
				require.Equal(t, "FAILED", reply.Status)
				require.Equal(t, one.want, reply.Error.Code)
				require.NotContains(t, reply.Error.Message, "planted")
				require.NotContains(t, b.Logs.String(), "planted")
				require.Equal(
					t,
					name == "no model",
					strings.Contains(b.Logs.String(), "there is no such model"),
					"the log must report an unknown model",
				)
				for _, call := range reply.ToolCalls {
					require.NotEqual(t, "STARTED", call.Status)
				}
				require.Equal(t, "FAILED", conversation.SendAndWait(t, "Again").Status,
					"the conversation must accept further messages")
			}, harness.Settings{"RUN_MAX_ATTEMPTS": "1", "TURN_MAX_STEPS": "3"})
		})
	}
}
