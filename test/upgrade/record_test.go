package upgrade

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/jackc/pgx/v5"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// Flags of earlier.sh. Without them, the tests that need the earlier version do nothing.
var (
	earlier  = flag.String("earlier", "", "executable of the earlier version")
	recordIt = flag.Bool("record", false, "write testdata with the earlier version")
)

// TestRecord writes testdata.
func TestRecord(t *testing.T) {
	if *earlier == "" || !*recordIt {
		return
	}
	t.Run("sqlite", func(t *testing.T) {
		url := testdb.EmptySQLiteURL(t)
		r := record(t, url, nil)
		path := strings.TrimPrefix(url, "sqlite:")
		db, err := sql.Open("sqlite", path)
		require.NoError(t, err)
		_, err = db.Exec("VACUUM INTO ?", path+".copy")
		require.NoError(t, err)
		require.NoError(t, db.Close())
		data, err := os.ReadFile(path + ".copy")
		require.NoError(t, err)
		write(t, "sqlite", "sqlite.db.gz", data, r)
	})
	t.Run("postgres", func(t *testing.T) {
		url := testdb.EmptyPostgresURL(t)
		stop := recordNotifications(t, url)
		r := record(t, url, stop)
		dump := exec.Command("pg_dump", "--no-owner", "--inserts", "--rows-per-insert=100", url)
		dump.Stderr = os.Stderr
		data, err := dump.Output()
		require.NoError(t, err)
		// psql's commands are not SQL.
		data = regexp.MustCompile(`(?m)^\\(un)?restrict .*\n`).ReplaceAll(data, nil)
		write(t, "postgres", "postgres.sql.gz", data, r)
	})
}

// write stores a database and its recording in testdata.
func write(t *testing.T, engine, name string, database []byte, r recording) {
	t.Helper()
	pack(t, name, database)
	data, err := json.Marshal(r)
	require.NoError(t, err)
	pack(t, engine+".json.gz", data)
}

func pack(t *testing.T, name string, data []byte) {
	t.Helper()
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	require.NoError(t, err)
	_, err = w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, os.WriteFile(fixture(name), packed.Bytes(), 0o600))
	t.Logf("%s: %d bytes", name, packed.Len())
}

// recordNotifications listens on the channel of the replicas. The returned function stops and returns the payloads.
func recordNotifications(t *testing.T, url string) func() []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "LISTEN errand_stream")
	require.NoError(t, err)
	var payloads []string
	var listening sync.WaitGroup
	stopped := make(chan struct{})
	listening.Go(func() {
		for {
			n, err := conn.WaitForNotification(t.Context())
			if err != nil {
				return
			}
			payloads = append(payloads, n.Payload)
			select {
			case <-stopped: // the heartbeat wakes the loop
				return
			default:
			}
		}
	})
	return func() []string {
		close(stopped)
		listening.Wait()
		require.NoError(t, conn.Close(t.Context()))
		return payloads
	}
}

// record fills a database through a server of the earlier version, kills the server and returns what it sent.
func record(t *testing.T, url string, notifications func() []string) (r recording) {
	t.Helper()
	m := startModel(t, true)
	server := harness.StartExecutable(t, *earlier, url, settings(m)...)
	alice, bob, dora := server.Client("alice"), server.Client("bob"), server.Client("dora")
	carol := testclient.New(t, server.URL, harness.TokenIssuedAt(t, "carol", -time.Minute))

	testclient.Run[any](t, alice, `mutation { updateViewer(input: {timeZone: "Asia/Tokyo", name: "Alice 🦊"})
		{ viewer { id } } }`, nil)
	recordTasks(t, alice)
	harness.CreateTask(t, bob, testclient.Vars{"title": "Bob's own"})
	harness.CreateTask(t, carol, testclient.Vars{"title": "Deleted with the account"})
	testclient.Run[any](t, carol, harness.DeleteViewerDoc, testclient.Vars{"confirm": "delete my account"})

	finished := &harness.Conversation{Client: alice}
	finished.SendAndWait(t, "Hello 👋")
	finished.SendAndWait(t, "Add two")
	finished.SendAndWait(t, "And now?")
	if notifications != nil {
		r.Notifications = notifications()
	}
	failed := &harness.Conversation{Client: alice}
	require.Equal(t, "FAILED", failed.SendAndWait(t, "Fail").Status)
	require.Equal(t, "COMPLETED", failed.SendAndWait(t, "Hello again").Status)
	cancelled := &harness.Conversation{Client: alice}
	cancelled.SendAndWait(t, "Hello")
	turn := harness.Send(t, alice, cancelled.ID, "Cancel me")
	cancelled.Stream.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return text != "" })
	require.Equal(t, "CANCELLED", harness.CancelReply(t, alice, turn.AssistantMessage.ID).Status)
	cancelled.Stream.AwaitFinished(t, turn.AssistantMessage.ID)
	summarised := &harness.Conversation{Client: bob}
	for range 8 {
		summarised.SendAndWait(t, strings.Repeat("I like long messages. ", 150))
	}
	keyed := &harness.Conversation{Client: alice}
	r.KeyedTurn = testclient.Run[struct{ SendMessage testclient.Turn }](t, alice, harness.SendDoc, testclient.Vars{
		"in": testclient.Vars{"content": keyedContent, "idempotencyKey": idempotencyKey},
	}).SendMessage
	keyed.ID = r.KeyedTurn.Conversation.ID
	keyed.Stream = alice.Dial(t).Follow(t, keyed.ID, "")
	keyed.Stream.AwaitFinished(t, r.KeyedTurn.AssistantMessage.ID)
	keyed.SendAndWait(t, "Thank you")
	testclient.Run[any](t, alice, `mutation ($id: ID!) { updateConversation(input: {id: $id, title: "Weekend"})
		{ conversation { id } } }`, testclient.Vars{"id": keyed.ID})
	deleted := &harness.Conversation{Client: bob}
	deleted.SendAndWait(t, "Forget this")
	testclient.Run[any](t, bob, `mutation ($id: ID!) { deleteConversation(id: $id) { deletedId } }`,
		testclient.Vars{"id": deleted.ID})

	for _, c := range []*harness.Conversation{finished, failed, cancelled, keyed, summarised} {
		user := "alice"
		if c == summarised {
			user = "bob"
		}
		r.Streams = append(r.Streams, recordedStream{
			User: user, ConversationID: c.ID, Replies: repliesOf(c.Stream), Events: c.Stream.Events,
		})
	}
	r.Streams = append(r.Streams, recordUnfinished(t, dora, "Stall", "Once upon 🦊 a time", "Hello after that"))
	r.Streams = append(r.Streams, recordUnfinished(t, dora, "Stall after the tool", "I will add them. \n\nIt is "))
	r.TaskEvents = recordTaskEvents(t, alice)
	r.Responses = recordResponses(t, map[string]*testclient.Client{"alice": alice, "bob": bob})
	server.Kill()
	r.RecordedAt = time.Now().UTC()
	return r
}

// recordTasks gives a user tasks in every state, with changes by the user and by an MCP client.
func recordTasks(t *testing.T, c *testclient.Client) {
	t.Helper()
	for _, in := range []testclient.Vars{
		{"title": "Buy groceries", "labels": []string{"home", "food"}, "priority": "HIGH", "dueOn": "2026-12-24"},
		{
			"title": "Überweisung für Jürgen", "description": strings.Repeat("🦊 résumé ", 20),
			"dueAt": "2026-11-30T23:30:00Z", "priority": "URGENT",
		},
		{"title": "明天开会", "labels": []string{"仕事"}},
		{"title": "Buy groceries", "priority": "LOW"},
		{"title": "Completed and reopened"},
		{"title": "Completed", "labels": []string{"done"}},
		{"title": "In the trash", "dueOn": "2026-01-01"},
		{"title": "Restored"},
		{"title": "Completed in the trash"},
	} {
		harness.CreateTask(t, c, in)
	}
	ids := map[int]string{}
	for _, task := range harness.AllTasks(t, c) {
		ids[task.Number] = task.ID
	}
	for _, change := range []struct {
		mutation string
		number   int
	}{
		{"completeTask", 5},
		{"reopenTask", 5},
		{"completeTask", 6},
		{"deleteTask", 7},
		{"deleteTask", 8},
		{"restoreTask", 8},
		{"completeTask", 9},
		{"deleteTask", 9},
	} {
		harness.ChangeTask(t, c, change.mutation, ids[change.number])
	}
	harness.UpdateTask(t, c, testclient.Vars{
		"id": ids[4], "title": "Buy more groceries", "labels": []string{"home"}, "dueOn": "2026-12-25", "description": "Milk",
	})
	harness.UpdateTask(t, c, testclient.Vars{"id": ids[1], "dueOn": nil, "priority": "NONE"})

	base := &http.Transport{}
	defer base.CloseIdleConnections()
	session, err := sdk.NewClient(&sdk.Implementation{Name: "Desk", Version: "1"}, nil).Connect(t.Context(),
		&sdk.StreamableClientTransport{
			Endpoint:   c.URL + "/mcp",
			HTTPClient: &http.Client{Transport: harness.BearerTransport{Token: c.Token, Base: base}}, MaxRetries: -1,
		}, nil)
	require.NoError(t, err)
	defer func() { _ = session.Close() }()
	result, err := session.CallTool(t.Context(), &sdk.CallToolParams{
		Name: "add_task", Arguments: map[string]any{"title": "From an assistant", "due_on": "2027-01-31"},
	})
	require.NoError(t, err)
	require.False(t, result.IsError)
}

// recordUnfinished sends a message whose reply stalls after text, and further messages, which wait for it.
func recordUnfinished(t *testing.T, c *testclient.Client, content, text string, queued ...string) recordedStream {
	t.Helper()
	turn := harness.Send(t, c, "", content)
	r := recordedStream{
		User: "dora", ConversationID: turn.Conversation.ID, Replies: []string{turn.AssistantMessage.ID}, Unfinished: true,
	}
	stream := c.Dial(t).Follow(t, r.ConversationID, "")
	stream.UntilText(t, turn.AssistantMessage.ID, func(have string) bool { return have == text })
	for _, content := range queued {
		next := harness.Send(t, c, r.ConversationID, content).AssistantMessage.ID
		stream.Until(t, func(e testclient.Event) bool { return e.Message.ID == next })
		r.Replies = append(r.Replies, next)
	}
	r.Events = stream.Events
	return r
}

// repliesOf returns the IDs of the finished replies of a stream.
func repliesOf(s *testclient.Stream) (ids []string) {
	for _, e := range s.Events {
		if e.Kind == "MessageFinished" {
			ids = append(ids, e.Message.ID)
		}
	}
	return ids
}

// recordTaskEvents returns all task events of a user.
func recordTaskEvents(t *testing.T, c *testclient.Client) []taskEvent {
	t.Helper()
	const last = "The last task"
	// The cursor of change 0 is the one before the first: {"l":"taskStream","k":[0]}.
	stream := c.Dial(t).Subscribe(t, taskStreamDoc, testclient.Vars{"after": "eyJsIjoidGFza1N0cmVhbSIsImsiOlswXX0"})
	number := harness.CreateTask(t, c, testclient.Vars{"title": last}).Number
	var events []taskEvent
	for len(events) == 0 || events[len(events)-1].Task.Number != number {
		events = append(events, nextTaskEvent(t, stream))
	}
	return events
}

func nextTaskEvent(t *testing.T, s *testclient.Subscription) taskEvent {
	t.Helper()
	payload, err := s.Next(t.Context())
	require.NoError(t, err)
	var response struct {
		Data   struct{ TaskStream taskEvent }
		Errors testclient.Errors
	}
	require.NoError(t, json.Unmarshal(payload, &response))
	require.Empty(t, response.Errors)
	return response.Data.TaskStream
}

const (
	allTasksDoc = `query ($first: Int, $after: Cursor, $by: TaskOrder, $filter: TaskFilter) {
		tasks(first: $first, after: $after, orderBy: $by, filter: $filter) { totalCount
			pageInfo { hasNextPage endCursor }
			edges { cursor node { ` + testclient.TaskFields + ` changes(first: 20) { totalCount nodes {
				id kind actor client taskVersion createdAt toolCall { id name } fields { name from to } } } } } } }`
	conversationsDoc = `query ($first: Int, $after: Cursor) { conversations(first: $first, after: $after) { totalCount
		pageInfo { hasNextPage endCursor } edges { cursor node { id title createdAt updatedAt messages(first: 20) {
			totalCount edges { cursor node { ` + testclient.MessageFields + ` createdAt error { retryAt }
				usage { cost } } } } } } } }`
	viewerDoc = `{ viewer { id name email timeZone createdAt } }`
)

// recordResponses asks for everything that alice and bob have, and for a page after each cursor of the lists.
func recordResponses(t *testing.T, clients map[string]*testclient.Client) (all []recordedResponse) {
	t.Helper()
	ask := func(user, document string, vars testclient.Vars) json.RawMessage {
		response := clients[user].Try(t, document, vars)
		require.Empty(t, response.Errors)
		all = append(all, recordedResponse{User: user, Document: document, Vars: vars, Data: response.Data})
		return response.Data
	}
	walk := func(user, document string, vars testclient.Vars) {
		vars["first"] = 2
		for more := true; more; {
			var data map[string]struct {
				PageInfo struct {
					HasNextPage bool
					EndCursor   string
				}
			}
			require.NoError(t, json.Unmarshal(ask(user, document, vars), &data))
			for _, list := range data {
				more = list.PageInfo.HasNextPage
				next := testclient.Vars{}
				for name, value := range vars {
					next[name] = value
				}
				next["after"] = list.PageInfo.EndCursor
				vars = next
			}
		}
	}
	for _, field := range []string{"NUMBER", "DUE", "PRIORITY", "UPDATED_AT", "TITLE"} {
		for _, direction := range []string{"ASC", "DESC"} {
			walk("alice", allTasksDoc, testclient.Vars{"by": testclient.Vars{"field": field, "direction": direction}})
		}
	}
	for _, filter := range []testclient.Vars{
		{"trashed": true},
		{"status": "COMPLETED"},
		{"status": "PENDING"},
		{"label": "home"},
		{"search": "groceries"},
		{"search": "jürgen"},
		{"search": "明天"},
	} {
		ask("alice", allTasksDoc, testclient.Vars{"first": 50, "filter": filter})
	}
	for _, user := range []string{"alice", "bob"} {
		walk(user, conversationsDoc, testclient.Vars{})
		ask(user, conversationsDoc, testclient.Vars{"first": 20})
		ask(user, allTasksDoc, testclient.Vars{"first": 50})
		ask(user, viewerDoc, nil)
		ask(user, harness.ExportViewerDoc, nil)
	}
	return all
}
