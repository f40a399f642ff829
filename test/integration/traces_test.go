package integration

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"errand/internal/llm/providertest"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// traceReceiver is an OTLP trace collector.
type traceReceiver struct {
	url string

	mu    sync.Mutex
	raw   []byte // all received bodies
	key   string // the api-key header
	spans []span
}

// span is the part of a span that tests check.
type span struct {
	name, service, instance string
	id, trace, parent       string
	failed                  bool
	attributes              map[string]string
	links                   []string // the traces
}

func startTraceReceiver(t *testing.T) *traceReceiver {
	t.Helper()
	r := &traceReceiver{}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// ServeHTTP implements http.Handler.
func (r *traceReceiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	var export collector.ExportTraceServiceRequest
	if err != nil || request.URL.Path != "/v1/traces" || proto.Unmarshal(body, &export) != nil {
		http.Error(w, "not an export of traces", http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.raw = append(r.raw, body...)
	r.key = request.Header.Get("Api-Key")
	for _, resource := range export.ResourceSpans {
		self := map[string]string{}
		for _, a := range resource.Resource.Attributes {
			self[a.Key] = a.Value.GetStringValue()
		}
		for _, in := range resource.ScopeSpans {
			for _, s := range in.Spans {
				r.spans = append(r.spans, spanOf(s, self))
			}
		}
	}
}

func spanOf(s *tracepb.Span, resource map[string]string) span {
	out := span{
		name: s.Name, service: resource["service.name"], instance: resource["service.instance.id"],
		id: hex.EncodeToString(s.SpanId), trace: hex.EncodeToString(s.TraceId), parent: hex.EncodeToString(s.ParentSpanId),
		failed: s.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR, attributes: map[string]string{},
	}
	for _, a := range s.Attributes {
		out.attributes[a.Key] = a.Value.GetStringValue()
	}
	for _, l := range s.Links {
		out.links = append(out.links, hex.EncodeToString(l.TraceId))
	}
	return out
}

// spansNamed returns the spans of a name with the attribute value, ordered by end time.
func (r *traceReceiver) spansNamed(name, attribute, value string) []span {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []span
	for _, s := range r.spans {
		if s.name == name && s.attributes[attribute] == value {
			found = append(found, s)
		}
	}
	return found
}

const parentTrace = "4bf92f3577b34da6a3ce929d0e0e4736"

// TestTrace_ReplyAcrossReplicas_IsOneTrace follows a reply from its mutation through two servers to its model
// and tool calls.
func TestTrace_ReplyAcrossReplicas_IsOneTrace(t *testing.T) {
	t.Parallel()
	var stalled atomic.Bool
	m := harness.StartModel(t, func(a harness.ModelRequest) providertest.Step {
		switch {
		case !stalled.Swap(true):
			return providertest.StreamThenHang(harness.TextFrames("Thinking of the platypus")...)
		case len(a.ToolResults) == 0:
			return harness.ToolCallResponse("", harness.AddTaskCall("Feed the platypus"))
		default:
			return harness.TextResponse("The platypus is on the list.")
		}
	})
	r := startTraceReceiver(t)
	url := testdb.PostgresURL(t)
	environ := func(name string) []harness.Settings {
		return []harness.Settings{m.Settings(), {
			"OTEL_EXPORTER_OTLP_ENDPOINT": r.url, "OTEL_EXPORTER_OTLP_HEADERS": "api-key=platypus%20key", "REPLICA_NAME": name,
		}}
	}
	first := harness.StartProcess(t, url, environ("first")...)
	c := first.Client("alice")
	turn := harness.Send(t, c, "", "Feed the platypus")
	stream := c.Dial(t).Follow(t, turn.Conversation.ID, "")
	stream.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return text != "" })
	harness.RequireErrorCode(t, "BAD_USER_INPUT content", c.Try(t, harness.SendDoc,
		testclient.Vars{"in": testclient.Vars{"content": ""}}))
	continueTrace(t, c)
	first.Terminate()
	require.Zero(t, first.Wait(), "a stopping server must export its pending spans")

	second := harness.StartProcess(t, url, environ("second")...)
	c = second.Client("alice")
	c.Dial(t).Follow(t, turn.Conversation.ID, "").AwaitFinished(t, turn.AssistantMessage.ID)
	second.Terminate()
	require.Zero(t, second.Wait())

	attempts := r.spansNamed("run attempt", "errand.message_id", turn.AssistantMessage.ID)
	require.Len(t, attempts, 2)
	require.Equal(t, []string{"first", "second"}, []string{attempts[0].instance, attempts[1].instance})
	require.Equal(t, attempts[0].trace, attempts[1].trace)
	require.NotEqual(t, attempts[0].id, attempts[1].id)
	require.Equal(t, []bool{true, false}, []bool{attempts[0].failed, attempts[1].failed})
	require.Equal(t, "errand", attempts[0].service)

	calls := r.spansNamed("chat scripted", "gen_ai.request.model", "scripted")
	require.Len(t, calls, 3)
	require.Equal(t, attempts[0].id, calls[0].parent)
	require.Equal(t, attempts[1].id, calls[2].parent)
	require.Equal(t, "openai", calls[2].attributes["gen_ai.provider.name"])
	require.Equal(t, "chat", calls[2].attributes["gen_ai.operation.name"])
	require.Equal(t, "scripted", calls[2].attributes["gen_ai.response.model"])
	require.Equal(t, "cancelled", calls[0].attributes["error.type"])
	require.Equal(t, turn.Conversation.ID, attempts[0].attributes["gen_ai.conversation.id"])
	uses := r.spansNamed("execute_tool add_task", "gen_ai.operation.name", "execute_tool")
	require.Len(t, uses, 1)
	require.Equal(t, attempts[1].id, uses[0].parent)

	sent := r.spansNamed("graphql mutation", "errand.message_id", turn.AssistantMessage.ID)
	require.Len(t, sent, 1)
	require.Equal(t, []string{attempts[0].trace}, sent[0].links)
	require.Equal(t, "http", sent[0].attributes["errand.transport"])
	require.Len(t, r.spansNamed("graphql mutation", "errand.code", "BAD_USER_INPUT"), 1)
	require.NotEmpty(t, r.spansNamed("graphql subscription", "errand.transport", "websocket"))
	require.Equal(t, parentTrace, r.spansNamed("graphql query", "graphql.operation.name", "Joined")[0].trace)

	require.Equal(t, "platypus key", r.key)
	require.NotContains(t, string(r.raw), "latypus", "traces must not contain message text")
	require.NotContains(t, string(r.raw), c.Token)
}

// continueTrace sends a query with the traceparent header of a client's trace.
func continueTrace(t *testing.T, c *testclient.Client) {
	t.Helper()
	request, err := http.NewRequestWithContext(
		t.Context(),
		http.MethodGet,
		c.URL+"/graphql?query=query+Joined+%7B__typename%7D",
		nil,
	)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+c.Token)
	request.Header.Set("Apollo-Require-Preflight", "true")
	request.Header.Set("Traceparent", "00-"+parentTrace+"-00f067aa0ba902b7-01")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer http.DefaultClient.CloseIdleConnections()
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
}

// TestMetrics_ModelCalls_FollowConventions checks the metrics of OpenTelemetry's conventions for generative AI.
func TestMetrics_ModelCalls_FollowConventions(t *testing.T) {
	t.Parallel()
	var failing atomic.Bool
	m := harness.StartModel(t, func(a harness.ModelRequest) providertest.Step {
		if failing.Load() {
			return providertest.JSON(http.StatusUnauthorized, `{"error":{"code":"invalid_api_key"}}`)
		}
		return harness.TextResponse("Hello.")
	})
	m.Provider = "gemini"
	b := harness.Start(t, testdb.SQLiteURL(t), m.Settings(), harness.Settings{"ADMIN_ADDR": "127.0.0.1:0"})
	conversation := &harness.Conversation{Client: b.Client(t, "alice")}
	require.Equal(t, "COMPLETED", conversation.SendAndWait(t, "Hello?").Status)
	failing.Store(true)
	require.Equal(t, "FAILED", conversation.SendAndWait(t, "Hello again?").Status)

	const request = `gen_ai_operation_name="chat",gen_ai_provider_name="gcp.gemini",gen_ai_request_model="scripted"`
	metrics := metricsOf(t, b)
	for _, line := range []string{
		`gen_ai_client_operation_duration_seconds_count{error_type="",` + request + `,gen_ai_response_model="scripted"} 1`,
		`gen_ai_client_operation_duration_seconds_count{error_type="auth",` + request + `,gen_ai_response_model=""} 1`,
		`gen_ai_client_token_usage_count{` + request + `,gen_ai_response_model="scripted",gen_ai_token_type="input"} 1`,
		`gen_ai_client_token_usage_count{` + request + `,gen_ai_response_model="scripted",gen_ai_token_type="output"} 1`,
		`gen_ai_client_operation_time_to_first_chunk_seconds_count{` + request + `} 1`,
	} {
		require.Contains(t, metrics, line)
	}
}
