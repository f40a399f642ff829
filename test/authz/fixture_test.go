package authz

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"errand/ent/enum"
	"errand/ent/rule"
	"errand/internal/ids"
	"errand/internal/testclient"
	"errand/test/harness"

	"entgo.io/ent/privacy"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
)

const (
	// secretWord is in everything that the victim wrote, and no attack ever sends it.
	secretWord = "zx9secret"
	// guess is what an attacker may guess of the victim's words; wrongGuess looks the same.
	guess, wrongGuess = "orchid", "tulips"
)

// userFixture is somebody with rows of every kind.
type userFixture struct {
	*testclient.Client
	id           string
	ids          map[string][]string // of everything that is this person's, by prefix
	numbers      []int
	cursors      []string
	streamCursor string // of the conversation's stream
	conversation string
	task         string
	// What spy finds out.
	resources   map[string]bool
	listCursors []attempt
	session     string
}

// createUserFixture signs in and leaves rows of every kind; words go into all of them, and the key is what others may guess.
func createUserFixture(t testing.TB, b *harness.Env, name, words, key string, tasks int) *userFixture {
	t.Helper()
	p := &userFixture{Client: b.ClientWithTokenIssuedAt(t, name, -time.Minute)}
	p.id = harness.ViewerID(t, p.Client)
	testclient.Run[any](
		t,
		p.Client,
		`mutation ($n: String!) { updateViewer(input: {name: $n}) { viewer { id } } }`,
		testclient.Vars{"n": words},
	)
	turn := p.sendMessage(t, key, "Add a task to water the "+words)
	p.conversation = turn.Conversation.ID
	testclient.Run[any](
		t,
		p.Client,
		`mutation ($id: ID!, $t: String!) { updateConversation(input: {id: $id, title: $t}) { conversation { id } } }`,
		testclient.Vars{"id": p.conversation, "t": words},
	)
	for i := range tasks {
		made := harness.CreateTask(
			t,
			p.Client,
			testclient.Vars{
				"title":       fmt.Sprint(words, " ", i),
				"description": words,
				"labels":      []string{key, words},
				"dueOn":       "2026-12-24",
			},
		)
		p.task = made.ID
		harness.ChangeTask(t, p.Client, "completeTask", made.ID)
		p.numbers = append(p.numbers, made.Number)
	}
	harness.CreateTask(t, p.Client, testclient.Vars{"title": words, "labels": []string{key}, "dueAt": "2026-12-24T10:00:00Z"})
	gone := harness.CreateTask(t, p.Client, testclient.Vars{"title": words, "dueAt": "2026-12-24T10:00:00Z"})
	harness.ChangeTask(t, p.Client, "deleteTask", gone.ID)
	failReply(t, b, p, words)
	p.collectIDs(t, b)
	return p
}

// sendMessage begins a turn, in the person's conversation if there is one, and waits until the reply has ended.
func (p *userFixture) sendMessage(t testing.TB, key, content string) testclient.Turn {
	t.Helper()
	in := testclient.Vars{"content": content}
	if key != "" {
		in["idempotencyKey"] = key
	}
	if p.conversation != "" {
		in["conversationId"] = p.conversation
	}
	turn := testclient.Run[struct{ SendMessage testclient.Turn }](t, p.Client, harness.SendDoc, testclient.Vars{"in": in}).SendMessage
	socket := p.Dial(t)
	defer socket.Close()
	sub := socket.Subscribe(t, testclient.MessageStream, testclient.Vars{"id": turn.Conversation.ID})
	for ended := false; !ended; {
		payload, err := sub.Next(t.Context())
		require.NoError(t, err)
		if p.streamCursor == "" {
			p.streamCursor = cursorIn(t, payload)
		}
		ended = strings.Contains(string(payload), `"MessageFinished"`) &&
			strings.Contains(string(payload), turn.AssistantMessage.ID)
	}
	return turn
}

func cursorIn(t testing.TB, payload json.RawMessage) string {
	t.Helper()
	var response struct {
		Data struct{ MessageStream testclient.Event }
	}
	require.NoError(t, json.Unmarshal(payload, &response))
	require.NotEmpty(t, response.Data.MessageStream.Cursor)
	return response.Data.MessageStream.Cursor
}

// failReply stores a reply that failed, which no offline model brings about.
func failReply(t testing.TB, b *harness.Env, p *userFixture, words string) {
	t.Helper()
	turn := p.sendMessage(t, "", words)
	err := b.SystemClient(t).Message.UpdateOneID(turn.AssistantMessage.ID).SetStatus(enum.MessageFailed).
		SetErrorCode("SERVICE_UNAVAILABLE").Exec(rule.System(context.Background()))
	require.NoError(t, err)
}

// collectIDs notes every id and cursor that an attacker might have come by.
func (p *userFixture) collectIDs(t testing.TB, b *harness.Env) {
	t.Helper()
	p.ids, p.cursors = map[string][]string{ids.User: {p.id}}, nil
	for _, table := range harness.OwnedTables() {
		rows, err := b.SystemClient(t).
			QueryContext(rule.System(context.Background()), "SELECT id FROM "+table.Name+" WHERE user_id = $1", p.id)
		require.NoError(t, err)
		for rows.Next() {
			var id string
			require.NoError(t, rows.Scan(&id))
			p.ids[ids.Prefix(id)] = append(p.ids[ids.Prefix(id)], id)
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
	for _, list := range []string{"tasks", "conversations"} {
		page := p.Try(t, `{ r: `+list+` { pageInfo { endCursor } } }`, nil)
		var data struct {
			R struct{ PageInfo struct{ EndCursor string } }
		}
		require.NoError(t, json.Unmarshal(page.Data, &data))
		p.cursors = append(p.cursors, data.R.PageInfo.EndCursor)
	}
	p.cursors = append(p.cursors, p.streamCursor)
}

// allIDs are the ids in one list.
func (p *userFixture) allIDs() (out []string) {
	for _, group := range p.ids {
		out = append(out, group...)
	}
	return out
}

// dumpRows are all rows of the person, as text, to see whether anything changed.
func (p *userFixture) dumpRows(t testing.TB, b *harness.Env) string {
	t.Helper()
	var out strings.Builder
	dump := func(query string) {
		rows, err := b.SystemClient(t).QueryContext(rule.System(context.Background()), query, p.id)
		require.NoError(t, err)
		defer rows.Close()
		columns, err := rows.Columns()
		require.NoError(t, err)
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			require.NoError(t, rows.Scan(values...))
			for _, v := range values {
				fmt.Fprintf(&out, "%v|", *v.(*any))
			}
			out.WriteByte('\n')
		}
		require.NoError(t, rows.Err())
	}
	dump("SELECT * FROM users WHERE id = $1")
	for _, table := range harness.OwnedTables() {
		dump("SELECT * FROM " + table.Name + " WHERE user_id = $1 ORDER BY id")
	}
	return out.String()
}

// argumentFiller gives required arguments that are not under attack: the person's own.
func (p *userFixture) argumentFiller(t testing.TB) func(r rootField, name string, typ *ast.Type) any {
	return func(r rootField, name string, typ *ast.Type) any {
		field := strings.ToLower(r.field.Name + " " + name)
		switch {
		case typ.Name() == "ID" && strings.Contains(field, "task"):
			return p.task
		case typ.Name() == "ID" && (strings.Contains(field, "conversation") || strings.Contains(field, "message")):
			return p.conversation
		case typ.Name() == "String":
			return "Hello"
		case typ.Name() == "TaskOrderField":
			return "NUMBER"
		}
		require.Failf(t, "unknown argument", "teach the matrix what a person's own %s of %s is", name, r)
		return nil
	}
}

// disableRLS serves the same domain with the entities' policies switched off, which
// nothing but a test can do.
func disableRLS(t testing.TB, b *harness.Env) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.Handler().ServeHTTP(w, r.WithContext(privacy.DecisionContext(r.Context(), privacy.Allow)))
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}
