package graphqlhttp_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHTTP_BodyOverLimit_413(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.HTTP.AnonymousBodyBytes = 0 })
	for size, headers := range map[int][]string{1 << 20: alice, 16 << 10: nil} {
		a := b.query(`{ hello } #`+strings.Repeat("x", size), "", headers...)
		require.Equal(t, 413, a.status)
		require.Equal(t, "BAD_USER_INPUT", a.code())
		require.NotContains(t, a.body, "xxx")
		a = b.query(`{ hello } #`+strings.Repeat("x", size-100), "", headers...)
		require.NotEqual(t, 413, a.status, "at most %d bytes are allowed", size)
	}
}

func TestHTTP_TooManyRequestsOfUser_429(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.HTTP.RequestsPerUser = 2 })
	// Requests whose bodies do not arrive are in progress.
	for range 2 {
		conn, err := net.Dial("tcp", b.server.Listener.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
			"Authorization: Bearer alice\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n")
		require.NoError(t, err)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
		_, err = io.ReadFull(conn, make([]byte, len("HTTP/1.1 100"))) // the server reads the body
		require.NoError(t, err)
	}
	a := b.query(`{ hello }`, "", alice...)
	require.Equal(t, 429, a.status)
	require.Equal(t, "RATE_LIMITED", a.code())
	require.EqualValues(t, 1000, a.extension("retryAfterMs"))
	require.Empty(t, b.query(`{ hello }`, "").code(), "anonymous")
	require.Empty(t, b.query(`{ hello }`, "", "Authorization", "Bearer bob").code(), "another user")
}

func TestSSE_Open_IsNoRequestInProgress(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.HTTP.RequestsPerUser = 1 })
	for range 3 {
		b.openSSE(`subscription { idle }`, alice...)
	}
	require.Empty(t, b.query(`{ hello }`, "", alice...).code())
}

func TestHTTP_OperationTimeout_ResolverStops(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.OperationTimeout = 30 * time.Millisecond })
	a := b.query(`{ wait }`, "")
	require.Equal(t, "SERVICE_UNAVAILABLE", a.code(), a.body)
	receive(t, b.root.Stopped, "the resolver to stop")
}

func TestHTTP_ClientDisconnects_ResolverStops(t *testing.T) {
	b := start(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.server.URL, strings.NewReader(`{"query":"{ wait }"}`))
	require.NoError(t, err)
	r.Header.Set("Content-Type", jsonType)
	done := make(chan error, 1)
	go func() {
		response, err := b.client.Do(r)
		if err == nil {
			_ = response.Body.Close()
		}
		done <- err
	}()
	receive(t, b.root.Waiting, "the resolver to begin")
	cancel()
	receive(t, b.root.Stopped, "the resolver to stop")
	require.Error(t, receive(t, done, "the client"))
}

func TestHTTP_IntrospectionDisabled_SchemaHidden(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.Introspection = false })
	for _, document := range []string{
		`{ __schema { types { name } } }`,
		`{ ...F } fragment F on Query { __type(name: "Item") { name } }`,
	} {
		a := b.query(document, "")
		require.Equal(t, "GRAPHQL_VALIDATION_FAILED", a.code())
		require.Contains(t, a.message(), "Introspection")
	}
	require.Equal(t, "world", b.query(`{ __typename hello }`, "").json["data"].(map[string]any)["hello"])
	for _, document := range []string{
		`{ hell }`,
		`{ items { nodes } }`,
		`{ echo(txt: "a") }`,
		`{ echo(kind: REDD) }`,
		`query($a: Ech) { hello }`,
	} {
		a := b.query(document, "")
		require.Equal(t, "GRAPHQL_VALIDATION_FAILED", a.code())
		require.NotContains(t, a.body, "Did you mean", document)
	}
	b = start(t, func(o *serverOptions) { o.Suggestions = true })
	require.Contains(t, b.query(`{ hell }`, "").body, "Did you mean")
}

func TestHTTP_ManyValidationErrors_Truncated(t *testing.T) {
	b := start(t, nil)
	a := b.query(
		`{ items { `+strings.Repeat(
			"x",
			10000,
		)+times(
			200,
			func(i int) string { return " y" + strings.Repeat("z", i) },
		)+` } }`,
		"",
	)
	require.Equal(t, "GRAPHQL_VALIDATION_FAILED", a.code())
	require.Len(t, a.json["errors"], 10)
	require.Less(t, len(a.body), 10*1000)
}

// The query is that of graphql-js and GraphiQL, with all options.
func TestHTTP_StandardIntrospectionQuery_WithinLimits(t *testing.T) {
	document, err := os.ReadFile("testdata/introspection.graphql")
	require.NoError(t, err)
	a := start(t, nil).query(string(document), "")
	require.Equal(t, 200, a.status)
	require.Empty(t, a.code(), a.message())
	schema := a.json["data"].(map[string]any)["__schema"].(map[string]any)
	require.Equal(t, map[string]any{"name": "Query", "kind": "OBJECT"}, schema["queryType"])
}
