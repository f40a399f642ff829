package graphqlhttp_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"errand/internal/graphqlhttp/internal/fixture"

	"github.com/stretchr/testify/require"
)

const apolloSubscription = `multipart/mixed;boundary="graphql";subscriptionSpec=1.0,application/json`

// openMultipart opens a multipart stream and checks its header.
func (b *environment) openMultipart(document, accept string, headers ...string) *eventStream {
	b.t.Helper()
	s := b.open("POST", "/", `{"query":`+quote(document)+`}`, append(headers, "Accept", accept)...)
	require.Equal(b.t, 200, s.response.StatusCode)
	require.Contains(b.t, s.response.Header.Get("Content-Type"), `multipart/mixed; boundary="graphql"`)
	s.requireUnchangedByProxies() // also for @defer
	require.Equal(b.t, "\r\n--graphql", s.take(len("\r\n--graphql")))
	return s
}

// take reads exactly n bytes.
func (s *eventStream) take(n int) string {
	s.b.t.Helper()
	stop := time.AfterFunc(patience, s.cancel)
	defer stop.Stop()
	var b strings.Builder
	for range n {
		c, err := s.lines.ReadByte()
		require.NoError(s.b.t, err, "after %q", b.String())
		b.WriteByte(c)
	}
	return b.String()
}

// part reads the body of the next part with the delimiter that ends it: clients process a part when they receive the
// delimiter.
func (s *eventStream) part() string {
	s.b.t.Helper()
	const head = "\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"
	require.Equal(s.b.t, head, s.take(len(head)))
	body := strings.TrimSuffix(s.line(), "\r")
	require.Equal(s.b.t, "--graphql", s.take(len("--graphql")))
	return body
}

// data returns the next part that is not a heartbeat.
func (s *eventStream) data() string {
	s.b.t.Helper()
	for {
		if body := s.part(); body != "{}" {
			return body
		}
	}
}

func TestMultipart_Subscription_PartForEachEvent(t *testing.T) {
	b := start(t, nil)
	s := b.openMultipart(`subscription { count(to: 2) }`, apolloSubscription)
	require.JSONEq(t, `{"payload":{"data":{"count":1}}}`, s.part())
	require.JSONEq(t, `{"payload":{"data":{"count":2}}}`, s.part())
	require.Equal(t, "--\r\n", s.rest())
}

func TestMultipart_Idle_SendsHeartbeats(t *testing.T) {
	b := start(t, func(o *serverOptions) {
		o.HTTP.KeepAlive, o.HTTP.Socket.KeepAlive = 10*time.Millisecond, 10*time.Millisecond
	})
	s := b.openMultipart(`subscription { topic(name: "a") { n } }`, apolloSubscription)
	require.Equal(t, `{}`, s.part())
	require.Equal(t, `{}`, s.part())
	b.root.Topic("a") <- &fixture.Event{N: 1}
	require.JSONEq(t, `{"payload":{"data":{"topic":{"n":1}}}}`, s.data())
}

func TestMultipart_RequestError_InPayload(t *testing.T) {
	b := start(t, nil)
	s := b.openMultipart(`subscription { refused }`, apolloSubscription)
	require.Contains(t, s.part(), `{"payload":{"errors":[{"message":"No such conversation."`)
	require.Equal(t, "--\r\n", s.rest())

	a := b.query(`subscription { x }`, "", "Accept", apolloSubscription)
	require.Equal(t, "GRAPHQL_VALIDATION_FAILED", a.code(), "Apollo Client expects JSON")
}

func TestMultipart_EarlyEnd_ReportsTransportError(t *testing.T) {
	b := start(t, nil)
	s := b.openMultipart(`subscription { idle }`, apolloSubscription, "Authorization", "Bearer alice+50ms")
	require.Contains(t, s.data(), `{"payload":null,"errors":[{"message":"The token has expired."`)
	require.Equal(t, "--\r\n", s.rest())

	s = b.openMultipart(`subscription { idle }`, apolloSubscription)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, b.handler.Shutdown(ctx))
	require.Contains(t, s.data(), `"code":"SERVICE_UNAVAILABLE"`)
	require.Equal(t, "--\r\n", s.rest())
}
