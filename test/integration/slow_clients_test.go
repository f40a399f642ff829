package integration

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// shortTimeouts end slow connections soon.
var shortTimeouts = harness.Settings{
	"HEADER_TIMEOUT": "300ms", "BODY_TIMEOUT": "300ms", "WRITE_TIMEOUT": "300ms", "IDLE_TIMEOUT": "300ms",
}

// rawConn is a connection of a client that need not obey HTTP.
type rawConn struct {
	t    *testing.T
	conn *net.TCPConn
	r    *bufio.Reader
}

// dialRaw connects to the server at a base URL. Everything on the connection must end within [testclient.Timeout].
func dialRaw(t *testing.T, base string) *rawConn {
	t.Helper()
	u, err := url.Parse(base)
	require.NoError(t, err)
	address, err := net.ResolveTCPAddr("tcp", u.Host)
	require.NoError(t, err)
	conn, err := net.DialTCP("tcp", nil, address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(testclient.Timeout)))
	return &rawConn{t, conn, bufio.NewReader(conn)}
}

func (c *rawConn) send(text string) *rawConn {
	c.t.Helper()
	_, err := io.WriteString(c.conn, text)
	require.NoError(c.t, err)
	return c
}

// drip sends a byte every 50 ms until the server closes the connection.
func (c *rawConn) drip() *rawConn {
	go func() {
		for {
			if _, err := c.conn.Write([]byte("x")); err != nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	return c
}

// requireClosed reads until the server closes the connection.
func (c *rawConn) requireClosed(name string) {
	c.t.Helper()
	_, err := io.Copy(io.Discard, c.r)
	var network net.Error
	if errors.As(err, &network) {
		require.False(c.t, network.Timeout(), "%s: the connection is still open", name)
	}
}

// response reads a response and its body.
func (c *rawConn) response() (int, string) {
	c.t.Helper()
	response, err := http.ReadResponse(c.r, nil)
	require.NoError(c.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(c.t, err)
	return response.StatusCode, string(body)
}

// postHeader returns the header of a POST whose body has a megabyte.
func postHeader(path string, headers ...string) string {
	return "POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" +
		"Content-Length: 1000000\r\nAccept: application/json, text/event-stream\r\n" + strings.Join(
		headers,
		"",
	) + "\r\n"
}

// TestSlowClient_EveryPath_IsDisconnected checks that a client that sends a byte now and then cannot keep a connection
// open, wherever it stops.
func TestSlowClient_EveryPath_IsDisconnected(t *testing.T) {
	t.Parallel()
	p := harness.StartProcess(t, testdb.SQLiteURL(t), shortTimeouts,
		harness.Settings{"BETTER_AUTH_SECRET": "", "ADMIN_ADDR": "127.0.0.1:0"})
	admin, _, _ := strings.Cut(p.Metrics(), "/metrics")
	paths := map[string]string{
		"admin":  admin + "/metrics",
		"pprof":  admin + "/debug/pprof/",
		"symbol": admin + "/debug/pprof/symbol",
	}
	for _, path := range []string{
		"/graphql", "/mcp", "/dev/sign-in", "/livez", "/health", "/playground", "/playground/", "/", "/missing",
		"/.well-known/oauth-protected-resource",
	} {
		paths[path] = p.URL + path
	}
	for name, address := range paths {
		u, err := url.Parse(address)
		require.NoError(t, err)
		base, path := "http://"+u.Host, u.Path
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conns := map[string]*rawConn{
				"no byte":             dialRaw(t, base),
				"request line":        dialRaw(t, base).send("GET " + path).drip(),
				"header":              dialRaw(t, base).send("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ").drip(),
				"body":                dialRaw(t, base).send(postHeader(path)).drip(),
				"body without a byte": dialRaw(t, base).send(postHeader(path)),
				"body of a GET":       dialRaw(t, base).send(strings.Replace(postHeader(path), "POST", "GET", 1)).drip(),
				"chunked body": dialRaw(t, base).send(strings.Replace(postHeader(path),
					"Content-Length: 1000000", "Transfer-Encoding: chunked", 1) + "F4240\r\n").drip(),
				"idle":            dialRaw(t, base).send("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
				"body of OPTIONS": dialRaw(t, base).send(strings.Replace(postHeader("*"), "POST", "OPTIONS", 1)).drip(),
			}
			for name, c := range conns {
				c.requireClosed(name)
			}
		})
	}
}

// TestSlowClient_GraphQLBody_408ThenClosed checks that the connection is not kept open by a body that continues after
// the response.
func TestSlowClient_GraphQLBody_408ThenClosed(t *testing.T) {
	t.Parallel()
	p := harness.StartProcess(t, testdb.SQLiteURL(t), shortTimeouts)
	for _, token := range []string{"", "Authorization: Bearer " + harness.Token(t, "alice") + "\r\n"} {
		c := dialRaw(t, p.URL).send(postHeader("/graphql", token)).drip()
		status, body := c.response()
		require.Equal(t, http.StatusRequestTimeout, status)
		require.Contains(t, body, "did not arrive in time")
		c.requireClosed("after 408")
	}
}

// TestSlowClient_ResponseNotRead_IsDisconnected checks that a client must read the responses to its requests.
func TestSlowClient_ResponseNotRead_IsDisconnected(t *testing.T) {
	t.Parallel()
	p := harness.StartProcess(t, testdb.SQLiteURL(t), shortTimeouts,
		harness.Settings{"ADMIN_ADDR": "127.0.0.1:0", "IDLE_TIMEOUT": "5m"})
	alice := p.Client("alice")
	for range 5 {
		alice.Try(t, harness.CreateTaskDoc,
			testclient.Vars{"in": testclient.Vars{"title": "long", "description": strings.Repeat("x", 9000)}})
	}
	c := dialRaw(t, p.URL)
	require.NoError(t, c.conn.SetReadBuffer(4096))
	query := `{"query":"{ tasks(first: 5) { nodes { ` + aliasedFields(20, "description") + ` } } }"}`
	request := fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"+
		"Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", harness.Token(t, "alice"), len(query), query)
	// Each response has 900 KB. Without a limit, the server would answer all requests once they are read.
	const requests = 30
	go func() { _, _ = io.WriteString(c.conn, strings.Repeat(request, requests)) }()
	status, err := c.r.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, status, "200 OK", "the server has accepted the connection and answers")
	require.Eventually(t, func() bool { return strings.Contains(p.ReadMetrics(), "\nerrand_connections 1\n") },
		testclient.Timeout, 20*time.Millisecond, "the slow connection is closed; the client of the test has one")
	received, _ := io.Copy(io.Discard, c.r)
	require.Less(t, received, int64(requests*900_000))
	require.Equal(t, "alice", viewerName(t, alice))
}

func viewerName(t *testing.T, c *testclient.Client) string {
	t.Helper()
	return testclient.Run[struct{ Viewer struct{ Name string } }](t, c, `{ viewer { name } }`, nil).Viewer.Name
}

// TestConnections_MoreThanDescriptors_UsersAreServed checks that slow connections in a number above the limit of file
// descriptors do not stop the service.
func TestConnections_MoreThanDescriptors_UsersAreServed(t *testing.T) {
	t.Parallel()
	p := harness.StartProcessWithDescriptors(t, 300, testdb.SQLiteURL(t))
	alice := p.Client("alice")
	conversation := harness.Send(t, alice, "", "hello").Conversation.ID
	socket := alice.Dial(t)
	follower := socket.Follow(t, conversation, "")
	kinds := []string{
		"",
		"GET /livez HT",
		postHeader("/graphql"),
		postHeader("/livez"),
		postHeader("/mcp", "Authorization: Bearer "+harness.Token(t, "mallory")+"\r\n"),
		"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
		"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" +
			"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n",
	}
	for i := range 640 {
		dialRaw(t, p.URL).send(kinds[i%len(kinds)])
		if i%20 != 0 {
			continue
		}
		transport := &http.Transport{}
		response, err := (&http.Client{Transport: transport, Timeout: testclient.Timeout}).Get(p.URL + "/health")
		require.NoError(t, err, "after %d slow connections", i)
		require.NoError(t, response.Body.Close())
		transport.CloseIdleConnections()
		require.Equal(t, 200, response.StatusCode)
		require.Equal(t, "alice", viewerName(t, p.Client("alice")))
	}
	turn := harness.Send(t, alice, conversation, "are you there?")
	require.Equal(t, "COMPLETED", follower.AwaitFinished(t, turn.AssistantMessage.ID).Status, "on the same socket")
}

// TestShutdown_SlowClients_ExitsWithZero checks that clients that keep requests, streams and sockets open cannot delay
// a graceful shutdown beyond its bound, nor make it fail.
func TestShutdown_SlowClients_ExitsWithZero(t *testing.T) {
	t.Parallel()
	token := "Authorization: Bearer " + harness.Token(t, "alice") + "\r\n"
	const subscription = `{"query":"subscription { taskStream { task { number } } }"}`
	for name, request := range map[string]string{
		"no byte":              "",
		"header":               "GET /livez HT",
		"body":                 postHeader("/graphql", token) + "{",
		"body without a token": postHeader("/livez") + "{",
		"body of MCP":          postHeader("/mcp", token) + "{",
		"stream": fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n%s"+
			"Accept: text/event-stream\r\nContent-Length: %d\r\n\r\n%s", token, len(subscription), subscription),
		"WebSocket": "GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + token +
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" +
			"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const bound = 3 * time.Second
			p := harness.StartProcess(t, testdb.SQLiteURL(t),
				harness.Settings{"SHUTDOWN_TIMEOUT": bound.String(), "BODY_TIMEOUT": "5m", "HEADER_TIMEOUT": "5m"})
			dialRaw(t, p.URL).send(request)
			require.Equal(t, "alice", viewerName(t, p.Client("alice")), "the connection before was accepted")
			began := time.Now()
			p.Terminate()
			require.Zero(t, p.Wait())
			require.Less(t, time.Since(began), bound+2*time.Second, "with allowance for a busy machine")
		})
	}
}

// TestHTTP_PipelinedRequests_AnsweredInOrder checks a client that sends requests before it has read responses.
func TestHTTP_PipelinedRequests_AnsweredInOrder(t *testing.T) {
	t.Parallel()
	b := harness.Start(t, testdb.SQLiteURL(t))
	c := dialRaw(t, b.URL())
	const query = `{"query":"{ __typename }"}`
	c.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" +
		fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			len(query), query) +
		"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}" +
		"GET /missing HTTP/1.1\r\nHost: x\r\n\r\n")
	for i, want := range []struct {
		status int
		body   string
	}{{200, `"ok"`}, {200, `"Query"`}, {405, ""}, {404, ""}} {
		status, body := c.response()
		require.Equal(t, want.status, status, "request %d", i)
		require.Contains(t, body, want.body)
	}
}

// TestHTTP_Version2WithPriorKnowledge_IsRejected checks that HTTP/2 without TLS, whose streams would not be counted, is
// not served.
func TestHTTP_Version2WithPriorKnowledge_IsRejected(t *testing.T) {
	t.Parallel()
	b := harness.Start(t, testdb.SQLiteURL(t))
	c := dialRaw(t, b.URL()).send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	line, err := c.r.ReadString('\n')
	require.NoError(t, err)
	require.Regexp(t, `^HTTP/1\.1 [45]\d\d`, line)
	c.requireClosed("HTTP/2")
	c = dialRaw(t, b.URL()).send("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n" +
		"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
	status, _ := c.response()
	require.Equal(t, 200, status, "the upgrade is ignored")
}

// TestSlowClient_RequestsInProgress_AreLimitedByUser checks that a user cannot make the server hold any number of
// bodies.
func TestSlowClient_RequestsInProgress_AreLimitedByUser(t *testing.T) {
	t.Parallel()
	b := harness.Start(t, testdb.SQLiteURL(t), harness.Settings{"MAX_REQUESTS_PER_USER": "2", "BODY_TIMEOUT": "1m"})
	header := func(path, user string) string {
		return postHeader(path, "Expect: 100-continue\r\nAuthorization: Bearer "+harness.Token(t, user)+"\r\n")
	}
	for _, path := range []string{"/graphql", "/mcp"} {
		for range 2 {
			line, err := dialRaw(t, b.URL()).send(header(path, "mallory")).r.ReadString('\n')
			require.NoError(t, err)
			require.Contains(t, line, " 100 ", "the server reads the body")
		}
		status, body := dialRaw(t, b.URL()).send(header(path, "mallory")).response()
		require.Equal(t, http.StatusTooManyRequests, status)
		require.Contains(t, body, "in progress")
		line, err := dialRaw(t, b.URL()).send(header(path, "alice")).r.ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, line, " 100 ", "another user")
	}
}

// TestStreams_SilentBeyondTimeouts_StayOpen checks that the deadlines of requests do not end streams.
func TestStreams_SilentBeyondTimeouts_StayOpen(t *testing.T) {
	t.Parallel()
	b := harness.Start(t, testdb.SQLiteURL(t), shortTimeouts, harness.Settings{"REQUEST_TIMEOUT": "1s"})
	alice := b.Client(t, "alice")
	token := "Authorization: Bearer " + harness.Token(t, "alice") + "\r\n"
	const subscription = `{"query":"subscription { taskStream { task { title } } }"}`
	const listen = `{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":` +
		`{"resourceSubscriptions":["errand://tasks/open"]},"_meta":{` +
		`"io.modelcontextprotocol/protocolVersion":"2026-07-28",` +
		`"io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},` +
		`"io.modelcontextprotocol/clientCapabilities":{}}}}`
	post := func(path, accept, headers, body string) *rawConn {
		return dialRaw(t, b.URL()).send(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s%s"+
			"Content-Type: application/json\r\nAccept: %s\r\nContent-Length: %d\r\n\r\n%s",
			path, token, headers, accept, len(body), body))
	}
	streams := map[string]*rawConn{
		"SSE":       post("/graphql", "text/event-stream", "", subscription),
		"multipart": post("/graphql", "multipart/mixed;subscriptionSpec=1.0", "", subscription),
		"MCP": post("/mcp", "application/json, text/event-stream",
			"Mcp-Protocol-Version: 2026-07-28\r\nMcp-Method: subscriptions/listen\r\n", listen),
	}
	for name, c := range streams {
		response, err := http.ReadResponse(c.r, nil)
		require.NoError(t, err)
		defer response.Body.Close()
		defer c.conn.Close() // before the body, which would read the rest of the stream
		require.Equal(t, 200, response.StatusCode, name)
		c.r = bufio.NewReader(response.Body)
	}
	socket := alice.Dial(t)
	conversation := harness.Send(t, alice, "", "hello").Conversation.ID
	follower := socket.Follow(t, conversation, "")

	time.Sleep(3 * time.Second) // longer than all timeouts of a request together
	alice.Try(t, harness.CreateTaskDoc, testclient.Vars{"in": testclient.Vars{"title": "after the silence"}})
	for name, c := range streams {
		want := "after the silence"
		if name == "MCP" {
			want = "notifications/resources/updated"
		}
		for found := false; !found; {
			line, err := c.r.ReadString('\n')
			require.NoError(t, err, name)
			found = strings.Contains(line, want)
		}
	}
	turn := harness.Send(t, alice, conversation, "are you there?")
	require.Equal(t, "COMPLETED", follower.AwaitFinished(t, turn.AssistantMessage.ID).Status)
}
