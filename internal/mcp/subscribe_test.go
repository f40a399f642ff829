package mcp

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"errand/internal/chat"
	"errand/internal/stream"
	"errand/internal/testdb"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",` +
	`"io.modelcontextprotocol/clientCapabilities":{},` +
	`"io.modelcontextprotocol/clientInfo":{"name":"listener","version":"1"}}`

// listenClient is a subscription on the raw HTTP stream.
type listenClient struct {
	t      *testing.T
	answer *http.Response
	lines  *bufio.Scanner
}

// message is a message of a subscription.
type message struct {
	Method string          `json:"method"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
	Params struct {
		URI           string `json:"uri"`
		Notifications struct {
			ToolsListChanged      bool     `json:"toolsListChanged"`
			ResourcesListChanged  bool     `json:"resourcesListChanged"`
			ResourceSubscriptions []string `json:"resourceSubscriptions"`
		} `json:"notifications"`
	} `json:"params"`
}

// listen subscribes to list changes and to the given resources.
func (w *fixture) listen(t *testing.T, token string, uris ...string) *listenClient {
	t.Helper()
	wanted, err := json.Marshal(uris)
	require.NoError(t, err)
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{%s,"notifications":`+
		`{"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true,"resourceSubscriptions":%s}}}`,
		meta, wanted)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.http.URL+Path, strings.NewReader(body))
	require.NoError(t, err)
	withToken(token)(r)
	for name, value := range map[string]string{
		"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"Mcp-Protocol-Version": revision2026, "Mcp-Method": MethodListen,
	} {
		r.Header.Set(name, value)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := (&http.Client{Transport: transport, Timeout: patience}).Do(r)
	require.NoError(t, err)
	e := &listenClient{t: t, answer: answer, lines: bufio.NewScanner(answer.Body)}
	t.Cleanup(e.close)
	return e
}

func (e *listenClient) close() { _ = e.answer.Body.Close() }

// next returns the next message; ok is false at the end.
func (e *listenClient) next() (m message, ok bool) {
	e.t.Helper()
	for e.lines.Scan() {
		// Protocol errors are plain JSON.
		if data, found := strings.CutPrefix(e.lines.Text(), "data: "); found || strings.HasPrefix(data, "{") {
			require.NoError(e.t, json.Unmarshal([]byte(data), &m))
			return m, true
		}
	}
	return m, false
}

// acknowledged reads the acknowledgement and returns its resources.
func (e *listenClient) acknowledged() []string {
	e.t.Helper()
	m, ok := e.next()
	require.True(e.t, ok)
	require.Equal(e.t, "notifications/subscriptions/acknowledged", m.Method, m.Error)
	require.True(e.t, m.Params.Notifications.ResourcesListChanged)
	require.False(e.t, m.Params.Notifications.ToolsListChanged, "tools never change")
	return m.Params.Notifications.ResourceSubscriptions
}

// updated reads messages up to the next resource update and returns its URI.
func (e *listenClient) updated() string {
	e.t.Helper()
	for {
		m, ok := e.next()
		require.True(e.t, ok, "the subscription has ended")
		if m.Method == "notifications/resources/updated" {
			return m.Params.URI
		}
	}
}

// requireEnd reads messages up to the result that ends the subscription.
func (e *listenClient) requireEnd() {
	e.t.Helper()
	for {
		m, ok := e.next()
		require.True(e.t, ok, "the subscription ended without a result")
		if m.Result != nil {
			return
		}
	}
}

func TestListen_TaskChanges_NotifyOwnerOnly(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *fixture) {
		w.createTask("alice", "one")
		w.createTask("alice", "two")
		w.createTask("bob", "his")
		talk := w.addConversation("alice", 2)
		good := token(t, "alice", nil)
		e := w.listen(t, good, taskURIOf("1"), taskURIOf("2"), taskURIOf("99"), conversationURIOf(talk.ID),
			"errand://nothing/x")
		require.Equal(t, []string{taskURIOf("1"), taskURIOf("2"), conversationURIOf(talk.ID)}, e.acknowledged())

		bob := w.connect(t, token(t, "bob", nil), revision2026)
		bob.mustCall("complete_task", map[string]any{"number": 1})
		alice := w.connect(t, good, revision2026)
		alice.mustCall("complete_task", map[string]any{"number": 2})
		require.Equal(t, taskURIOf("2"), e.updated(), "Bob's change of his task 1 must not come before it")

		// Each delta is an event, but only the end of a reply is an update.
		w.hub.Publish(stream.Event{Kind: stream.TextAppended, Topic: talk.ID, ID: "msg_x", Text: "a"})
		alice.mustCall("update_task", map[string]any{"number": 1, "title": "uno"})
		require.Equal(t, taskURIOf("1"), e.updated())
		w.hub.Publish(stream.Event{Kind: stream.RowsChanged, Topic: talk.ID})
		require.Equal(t, conversationURIOf(talk.ID), e.updated())

		alice.mustCall("add_task", map[string]any{"title": "three"})
		for m, ok := e.next(); m.Method != "notifications/resources/list_changed"; m, ok = e.next() {
			require.True(t, ok)
		}
	})
}

// TestListen_ConversationChanges_Notify covers new, renamed and deleted conversations; those of other users do not
// notify.
func TestListen_Stream_IsNotChangedByProxies(t *testing.T) {
	w := newFixture(t, testdb.SQLite(t), nil)
	e := w.listen(t, token(t, "alice", nil))
	e.acknowledged()
	require.Equal(t, "no-cache, no-transform", e.answer.Header.Get("Cache-Control"))
	require.Equal(t, "no", e.answer.Header.Get("X-Accel-Buffering"))
}

func TestListen_ConversationChanges_Notify(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *fixture) {
		talks := w.server.o.Conversations.(*chat.Service)
		made, err := talks.CreateConversation(w.context("alice"), nil, nil)
		require.NoError(t, err)
		e := w.listen(t, token(t, "alice", nil), conversationURIOf(made.ID), taskURIOf("1"))
		e.acknowledged()
		_, err = talks.CreateConversation(w.context("bob"), nil, nil)
		require.NoError(t, err)
		title := "Plans"
		_, err = talks.UpdateConversation(w.context("alice"), made.ID, chat.ConversationPatch{TitleSet: true, Title: &title})
		require.NoError(t, err)
		e.requireUpdates("notifications/resources/list_changed", conversationURIOf(made.ID))
		_, err = talks.CreateConversation(w.context("alice"), nil, nil)
		require.NoError(t, err)
		e.requireUpdates("notifications/resources/list_changed")
		require.NoError(t, talks.DeleteConversation(w.context("alice"), made.ID))
		e.requireUpdates("notifications/resources/list_changed", conversationURIOf(made.ID))
	})
}

// requireUpdates requires exactly the given notifications, in any order.
func (e *listenClient) requireUpdates(all ...string) {
	e.t.Helper()
	for len(all) > 0 {
		m, ok := e.next()
		require.True(e.t, ok, "the subscription has ended")
		what := m.Method
		if m.Params.URI != "" {
			what = m.Params.URI
		}
		at := slices.Index(all, what)
		require.GreaterOrEqual(e.t, at, 0, "heard %s, waiting for %s", what, all)
		all = slices.Delete(all, at, at+1)
	}
}

// TestListen_OpenListParts_Notify checks that parts of the open list notify like the list itself.
func TestListen_OpenListParts_Notify(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *fixture) {
		parts := []string{openTasksURIOf(3, ""), openTasksURIOf(0, "at home")}
		e := w.listen(t, token(t, "alice", nil), parts...)
		require.Equal(t, parts, e.acknowledged())
		w.createTask("alice", "one")
		require.ElementsMatch(t, parts, []string{e.updated(), e.updated()})
	})
}

func TestListen_TokenOrClientEnds_SubscriptionEnds(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *fixture) {
		good := token(t, "alice", nil)
		gone := w.listen(t, good)
		gone.acknowledged()
		w.server.Disconnect(w.userID("alice"))
		gone.requireEnd()

		short := w.listen(t, token(t, "alice", func(m jwt.MapClaims) { m["exp"] = time.Now().Add(2 * time.Second).Unix() }))
		short.acknowledged()
		short.requireEnd()

		stays := w.listen(t, good)
		stays.acknowledged()
		w.hub.Close() // this replica goes away
		stays.requireEnd()
		require.Zero(t, w.hub.Subscribers())
	})
}

// TestListen_HalfSent_BuildsNothing sends parts of requests, which must not be counted or built.
func TestListen_HalfSent_BuildsNothing(t *testing.T) {
	const n = 20
	w := newFixture(t, testdb.SQLite(t), nil)
	alice := token(t, "alice", nil)
	w.createTask("alice", "one") // the account exists
	before := runtime.NumGoroutine()
	for range n {
		conn, err := net.Dial("tcp", strings.TrimPrefix(w.http.URL, "http://"))
		require.NoError(t, err)
		defer conn.Close()
		_, err = fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"+
			"Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"+
			"Mcp-Protocol-Version: %s\r\nMcp-Method: %s\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n",
			alice, revision2026, MethodListen)
		require.NoError(t, err)
		// The server sends this when it begins to read the body.
		line, err := bufio.NewReader(conn).ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, line, "100 Continue")
		_, err = conn.Write([]byte(`{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen",`))
		require.NoError(t, err)
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before+2*n, "a connection and the reader of its body")
	require.Zero(t, w.hub.Subscribers())
}

func TestListen_TooManySubscriptions_RateLimited(t *testing.T) {
	w := newFixture(t, testdb.SQLite(t), nil)
	good := token(t, "alice", nil)
	open := make([]*listenClient, 4)
	for i := range open {
		open[i] = w.listen(t, good)
		open[i].acknowledged()
	}
	m, _ := w.listen(t, good).next()
	require.NotNil(t, m.Error)
	require.Equal(t, codeRateLimited, m.Error.Code)
	require.Equal(t, 2*4, w.hub.Subscribers(), "nothing is built for it")
	w.listen(t, token(t, "bob", nil)).acknowledged() // others have their own
	open[0].close()
	require.Eventually(t, func() bool { return w.hub.Subscribers() == 2*4 }, patience, 10*time.Millisecond)
	w.listen(t, good).acknowledged()

	many := make([]string, maxSubscribedResources+1)
	m, _ = w.listen(t, token(t, "carol", nil), many...).next()
	require.NotNil(t, m.Error)
	require.Contains(t, m.Error.Message, "at most 100")
	m, _ = w.listen(t, token(t, "carol", func(m jwt.MapClaims) { m["scope"] = "tasks:write" })).next()
	require.NotNil(t, m.Error)
	require.Equal(t, codeForbidden, m.Error.Code)
	expired := w.listen(t, token(t, "carol", func(m jwt.MapClaims) { m["exp"] = time.Now().Add(-5 * time.Second).Unix() }))
	require.Equal(t, http.StatusUnauthorized, expired.answer.StatusCode)
}

// TestInitialize_OlderRevision_OffersNoNotifications: without a session they cannot be delivered.
func TestInitialize_OlderRevision_OffersNoNotifications(t *testing.T) {
	w := newFixture(t, testdb.SQLite(t), nil)
	good := withToken(token(t, "alice", nil))
	_, body := w.post(
		t,
		`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},`+
			`"clientInfo":{"name":"old","version":"1"}}}`,
		good,
	)
	require.Contains(t, body, `"capabilities":{"prompts":{},"resources":{},"tools":{}}`)
	for _, method := range []string{"resources/subscribe", "resources/unsubscribe"} {
		_, body = w.post(t, `{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":{"uri":"errand://tasks/open"}}`, good)
		require.Contains(t, body, `"code":-32601`)
	}
	_, body = w.post(
		t,
		`{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{"resourcesListChanged":true}}}`,
		good,
	)
	require.Contains(t, body, `"error"`)
	require.Zero(t, w.hub.Subscribers())
}
