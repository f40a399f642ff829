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
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// receiver is a collector of traces.
type receiver struct {
	url string

	mu    sync.Mutex
	raw   []byte // everything that came
	key   string // the api-key header
	spans []span
}

// span is what tests look at.
type span struct {
	name, service, instance string
	id, trace, parent       string
	failed                  bool
	attributes              map[string]string
	links                   []string // the traces
}

func receive(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// ServeHTTP implements http.Handler.
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
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

// named are the spans of a name whose attribute has the value, in the order of their ends.
func (r *receiver) named(name, attribute, value string) []span {
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

// TestAReplyIsOneTraceAcrossServers follows a reply from the operation that asks for it
// through two servers to the calls of model and tools.
func TestAReplyIsOneTraceAcrossServers(t *testing.T) {
	t.Parallel()
	var stalled atomic.Bool
	m := scripted(t, func(a asked) providertest.Step {
		switch {
		case !stalled.Swap(true):
			return providertest.StreamThenHang(textFrames("Thinking of the platypus")...)
		case len(a.results) == 0:
			return useTools("", addTask("Feed the platypus"))
		default:
			return sayText("The platypus is on the list.")
		}
	})
	r := receive(t)
	url := testdb.PostgresURL(t)
	environ := func(name string) []settings {
		return []settings{m.environ(), {
			"OTEL_EXPORTER_OTLP_ENDPOINT": r.url, "OTEL_EXPORTER_OTLP_HEADERS": "api-key=platypus%20key", "REPLICA_NAME": name,
		}}
	}
	first := launch(t, url, environ("first")...)
	c := first.user("alice")
	turn := send(t, c, "", "Feed the platypus")
	stream := c.Dial(t).Follow(t, turn.Conversation.ID, "")
	stream.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return text != "" })
	requireFault(t, "BAD_USER_INPUT content", c.Try(t, sendDoc, vars{"in": vars{"content": ""}}))
	continueTrace(t, c)
	first.terminate()
	require.Zero(t, first.ended(), "a server that stops exports what it has")

	second := launch(t, url, environ("second")...)
	c = second.user("alice")
	c.Dial(t).Follow(t, turn.Conversation.ID, "").AwaitFinished(t, turn.AssistantMessage.ID)
	second.terminate()
	require.Zero(t, second.ended())

	attempts := r.named("run attempt", "errand.message_id", turn.AssistantMessage.ID)
	require.Len(t, attempts, 2)
	require.Equal(t, []string{"first", "second"}, []string{attempts[0].instance, attempts[1].instance})
	require.Equal(t, attempts[0].trace, attempts[1].trace)
	require.NotEqual(t, attempts[0].id, attempts[1].id)
	require.Equal(t, []bool{true, false}, []bool{attempts[0].failed, attempts[1].failed})
	require.Equal(t, "errand", attempts[0].service)

	calls := r.named("model call", "gen_ai.request.model", "openai/scripted")
	require.Len(t, calls, 3)
	require.Equal(t, attempts[0].id, calls[0].parent)
	require.Equal(t, attempts[1].id, calls[2].parent)
	uses := r.named("tool call", "gen_ai.tool.name", "add_task")
	require.Len(t, uses, 1)
	require.Equal(t, attempts[1].id, uses[0].parent)

	sent := r.named("graphql mutation", "errand.message_id", turn.AssistantMessage.ID)
	require.Len(t, sent, 1)
	require.Equal(t, []string{attempts[0].trace}, sent[0].links)
	require.Equal(t, "http", sent[0].attributes["errand.transport"])
	require.Len(t, r.named("graphql mutation", "errand.code", "BAD_USER_INPUT"), 1)
	require.NotEmpty(t, r.named("graphql subscription", "errand.transport", "websocket"))
	require.Equal(t, parentTrace, r.named("graphql query", "graphql.operation.name", "Joined")[0].trace)

	require.Equal(t, "platypus key", r.key)
	require.NotContains(t, string(r.raw), "latypus", "what was said stays out of traces")
	require.NotContains(t, string(r.raw), c.Token)
}

// continueTrace sends a query that belongs to a trace of its client's.
func continueTrace(t *testing.T, c *client) {
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
