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
	"errand/ent/messageterm"
	"errand/ent/rule"
	"errand/ent/taskterm"
	"errand/ent/toolcall"
	entuser "errand/ent/user"
	"errand/internal/ids"
	"errand/internal/page"
	"errand/internal/testclient"
	"errand/internal/viewer"
	"errand/test/harness"

	"entgo.io/ent/privacy"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
)

const (
	// secretMarker is part of every text of the victim. No attack sends it, so a response that contains it leaks data.
	secretMarker = "zx9secret"
	// guess is a word of the victim's texts that an attacker could guess; absentGuess has the same length and occurs
	// nowhere.
	guess, absentGuess = "orchid", "tulips"
	// reference is a word of the victim's titles alone: attacks create objects of the attacker with the guess.
	reference, absentReference = "magnolia", "daffodil"
)

// userFixture is a user who owns rows in every table, with all references to them.
type userFixture struct {
	*testclient.Client
	id           string
	ids          map[string][]string // IDs of all rows of the user, by ID prefix
	numbers      []int
	cursors      []string
	streamCursor string // a cursor of the conversation's message stream
	conversation string
	task         string
	scopes       viewer.Scopes // of the token of MCP sessions over stdio
	// Set by collectVictimMCPReferences.
	mcpResources map[string]bool
	listCursors  []attackValue
	mcpSessionID string
}

// createUserFixture creates a user with rows of every kind and the given number of completed tasks. text is part of
// each row, and key is a label and idempotency key that others may guess.
func createUserFixture(t testing.TB, env *harness.Env, name, text, key string, tasks int) *userFixture {
	t.Helper()
	user := &userFixture{Client: env.ClientWithTokenIssuedAt(t, name, -time.Minute)}
	user.id = harness.ViewerID(t, user.Client)
	testclient.Run[any](
		t,
		user.Client,
		`mutation ($n: String!) { updateViewer(input: {name: $n}) { viewer { id } } }`,
		testclient.Vars{"n": text},
	)
	turn := user.sendMessage(t, key, "Add a task to water the "+text)
	user.conversation = turn.Conversation.ID
	testclient.Run[any](
		t,
		user.Client,
		`mutation ($id: ID!, $t: String!) { updateConversation(input: {id: $id, title: $t}) { conversation { id } } }`,
		testclient.Vars{"id": user.conversation, "t": text},
	)
	for i := range tasks {
		task := harness.CreateTask(
			t,
			user.Client,
			testclient.Vars{
				"title":       fmt.Sprint(text, " ", i),
				"description": text,
				"labels":      []string{key, text},
				"dueOn":       "2026-12-24",
			},
		)
		user.task = task.ID
		harness.ChangeTask(t, user.Client, "completeTask", task.ID)
		user.numbers = append(user.numbers, task.Number)
	}
	harness.CreateTask(t, user.Client, testclient.Vars{
		"title": text, "labels": []string{key},
		"dueAt": "2026-12-24T10:00:00Z", "idempotencyKey": key,
	})
	deleted := harness.CreateTask(t, user.Client, testclient.Vars{"title": text, "dueAt": "2026-12-24T10:00:00Z"})
	harness.ChangeTask(t, user.Client, "deleteTask", deleted.ID)
	user.createAndDeleteConversation(t)
	archived := testclient.Run[createdConversation](t, user.Client, createConversationDoc, testclient.Vars{"t": text})
	testclient.Run[any](
		t,
		user.Client,
		`mutation ($id: ID!) { updateConversation(input: {id: $id, archived: true}) { conversation { id } } }`,
		testclient.Vars{"id": archived.CreateConversation.Conversation.ID},
	)
	proposeDeletion(t, user, text)
	storeChoice(t, env, user, text)
	failReply(t, env, user, text)
	user.createTokens(t, env, text)
	user.createSignIn(t, env, text)
	user.collectReferences(t, env)
	return user
}

const createTokenDoc = `mutation ($in: CreateApiTokenInput!) {
	createApiToken(input: $in) { secret apiToken { id expiresAt } }
}`

type createdToken struct {
	CreateAPIToken struct {
		Secret   string
		APIToken struct {
			ID        string
			ExpiresAt *time.Time
		}
	}
}

// createTokens creates an API token that was used, and one that is revoked.
func (user *userFixture) createTokens(t testing.TB, env *harness.Env, text string) {
	t.Helper()
	for _, revoke := range []bool{false, true} {
		in := testclient.Vars{"name": text, "scopes": []string{"TASKS_READ"}}
		made := testclient.Run[createdToken](t, user.Client, createTokenDoc, testclient.Vars{"in": in}).CreateAPIToken
		if revoke {
			testclient.Run[any](t, user.Client, revokeTokenDoc, testclient.Vars{"id": made.APIToken.ID})
		}
		err := env.SystemClient(t).APIToken.UpdateOneID(made.APIToken.ID).SetLastUsedAt(ids.Now()).
			Exec(rule.System(context.Background()))
		require.NoError(t, err)
	}
}

// createSignIn stores a built-in account with a passkey, a session and a link that sets its password. The user signs in
// otherwise: what matters is that no attack reads or changes the rows.
func (user *userFixture) createSignIn(t testing.TB, env *harness.Env, text string) {
	t.Helper()
	ctx := viewer.NewContext(context.Background(), viewer.Viewer{UserID: user.id})
	client, expires := env.SystemClient(t), ids.Now().Add(time.Hour)
	login, err := client.Login.Create().SetLogin(text + user.id).SetName(text).SetRole(enum.RoleOwner).
		SetPasswordHash(text).Save(ctx)
	require.NoError(t, err)
	err = client.Passkey.Create().SetLoginID(login.ID).SetName(text).SetCredentialID(user.id).SetCredential(text).
		Exec(ctx)
	require.NoError(t, err)
	err = client.SignInSession.Create().SetLoginID(login.ID).SetRefreshHash(text).SetUserAgent(text).
		SetExpiresAt(expires).Exec(ctx)
	require.NoError(t, err)
	err = client.SignInLink.Create().SetLoginID(login.ID).SetKind(enum.LinkReset).SetRole(enum.RoleOwner).
		SetSecretHash(user.id).SetExpiresAt(expires).Exec(rule.System(context.Background()))
	require.NoError(t, err)
}

const revokeTokenDoc = `mutation ($id: ID!) { revokeApiToken(id: $id) { apiToken { status revokedAt } } }`

// sendMessage sends a message, in the user's conversation if there is one, and waits until the reply has finished.
func (user *userFixture) sendMessage(t testing.TB, key, content string) testclient.Turn {
	t.Helper()
	in := testclient.Vars{"content": content}
	if key != "" {
		in["idempotencyKey"] = key
	}
	if user.conversation != "" {
		in["conversationId"] = user.conversation
	}
	turn := testclient.Run[struct{ SendMessage testclient.Turn }](t, user.Client, harness.SendDoc,
		testclient.Vars{"in": in}).SendMessage
	socket := user.Dial(t)
	defer socket.Close()
	sub := socket.Subscribe(t, testclient.MessageStream, testclient.Vars{"id": turn.Conversation.ID})
	for ended := false; !ended; {
		payload, err := sub.Next(t.Context())
		require.NoError(t, err)
		if user.streamCursor == "" {
			user.streamCursor = cursorIn(t, payload)
		}
		ended = strings.Contains(string(payload), `"MessageFinished"`) &&
			strings.Contains(string(payload), turn.AssistantMessage.ID)
	}
	return turn
}

const createConversationDoc = `mutation ($t: String) { createConversation(input: {title: $t}) { conversation { id } } }`

type createdConversation struct {
	CreateConversation struct{ Conversation struct{ ID string } }
}

// createAndDeleteConversation creates a conversation and deletes it.
func (user *userFixture) createAndDeleteConversation(t testing.TB) {
	t.Helper()
	made := testclient.Run[createdConversation](t, user.Client, createConversationDoc, testclient.Vars{"t": nil})
	response := user.Try(t, `mutation ($id: ID!) { deleteConversation(id: $id) { deletedId } }`,
		testclient.Vars{"id": made.CreateConversation.Conversation.ID})
	require.Empty(t, response.Errors)
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

// proposeDeletion leaves two tool calls that await approval, in a conversation of their own.
func proposeDeletion(t testing.TB, user *userFixture, text string) {
	t.Helper()
	before := user.conversation
	defer func() { user.conversation = before }()
	user.conversation = ""
	one := harness.CreateTask(t, user.Client, testclient.Vars{"title": text})
	two := harness.CreateTask(t, user.Client, testclient.Vars{"title": text})
	user.sendMessage(t, "", fmt.Sprintf("delete tasks %d and %d", one.Number, two.Number))
}

// storeChoice stores an uncertain reference with the user's tool calls, which the offline model may not produce.
func storeChoice(t testing.TB, env *harness.Env, user *userFixture, text string) {
	t.Helper()
	candidate := enum.TaskChoiceCandidate{
		TaskID: user.task,
		Number: user.numbers[0],
		Title:  text,
		Reason: enum.MatchAllWords,
	}
	err := env.SystemClient(t).ToolCall.Update().
		Where(toolcall.HasUserWith(entuser.ID(user.id))).
		SetChoices([]enum.TaskChoice{{Reference: text, Candidates: []enum.TaskChoiceCandidate{candidate}}}).
		Exec(rule.System(context.Background()))
	require.NoError(t, err)
}

// failReply stores a failed reply, which the offline model cannot produce.
func failReply(t testing.TB, env *harness.Env, user *userFixture, words string) {
	t.Helper()
	turn := user.sendMessage(t, "", words)
	err := env.SystemClient(t).Message.UpdateOneID(turn.AssistantMessage.ID).SetStatus(enum.MessageFailed).
		SetErrorCode("SERVICE_UNAVAILABLE").Exec(rule.System(context.Background()))
	require.NoError(t, err)
}

// collectReferences notes every ID and cursor that an attacker could have obtained.
func (user *userFixture) collectReferences(t testing.TB, env *harness.Env) {
	t.Helper()
	user.ids, user.cursors = map[string][]string{ids.User: {user.id}}, nil
	for _, table := range harness.OwnedTables() {
		rows, err := env.SystemClient(t).
			QueryContext(rule.System(context.Background()), "SELECT id FROM "+table.Name+" WHERE user_id = $1", user.id)
		require.NoError(t, err)
		for rows.Next() {
			var id string
			require.NoError(t, rows.Scan(&id))
			if table.Name == taskterm.Table || table.Name == messageterm.Table {
				continue // the API has no ids of the search index
			}
			user.ids[ids.Prefix(id)] = append(user.ids[ids.Prefix(id)], id)
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
	for _, list := range []string{"tasks", "conversations", "apiTokens"} {
		page := user.Try(t, `{ r: `+list+` { pageInfo { endCursor } } }`, nil)
		var data struct {
			R struct{ PageInfo struct{ EndCursor string } }
		}
		require.NoError(t, json.Unmarshal(page.Data, &data))
		user.cursors = append(user.cursors, data.R.PageInfo.EndCursor)
	}
	user.cursors = append(user.cursors, user.streamCursor, page.PositionCursor("conversationStream", 1).Encode())
}

// allIDs returns the IDs of all prefixes.
func (user *userFixture) allIDs() (out []string) {
	for _, group := range user.ids {
		out = append(out, group...)
	}
	return out
}

// dumpRows returns all rows of the user as text, for comparisons before and after an attack.
func (user *userFixture) dumpRows(t testing.TB, env *harness.Env) string {
	t.Helper()
	var out strings.Builder
	dump := func(query string) {
		rows, err := env.SystemClient(t).QueryContext(rule.System(context.Background()), query, user.id)
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

// argumentFiller returns a function that supplies the required arguments that are not attacked, with the user's own
// values.
func (user *userFixture) argumentFiller(t testing.TB) func(r rootField, name string, typ *ast.Type) any {
	return func(r rootField, name string, typ *ast.Type) any {
		field := strings.ToLower(r.field.Name + " " + name)
		switch {
		case typ.Name() == "ID" && strings.HasPrefix(field, "undochange"):
			return user.ids[ids.Change][0]
		case typ.Name() == "ID" && strings.HasPrefix(field, "revokeapitoken"):
			return user.ids[ids.APIToken][0]
		case typ.Name() == "TokenScope":
			return "ACCOUNT"
		case typ.Name() == "ID" && strings.Contains(field, "task"):
			return user.task
		case typ.Name() == "ID" && (strings.Contains(field, "conversation") || strings.Contains(field, "message")):
			return user.conversation
		case typ.Name() == "ID" && strings.Contains(field, "toolcalls"):
			return user.ids[ids.ToolCall][0]
		case typ.Name() == "String":
			return "Hello"
		case typ.Name() == "TaskOrderField":
			return "NUMBER"
		case typ.Name() == "ApprovalMode":
			return "ASK"
		}
		require.Failf(t, "unknown argument", "argumentFiller has no value for %s of %s", name, r)
		return nil
	}
}

// serveWithoutPolicies serves the same handler with the entity policies disabled, which only tests do, and returns
// its URL.
func serveWithoutPolicies(t testing.TB, env *harness.Env) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		env.Handler().ServeHTTP(w, r.WithContext(privacy.DecisionContext(r.Context(), privacy.Allow)))
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}
