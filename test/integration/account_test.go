package integration

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"errand/ent/apitoken"
	"errand/ent/enum"
	"errand/ent/login"
	"errand/ent/messageterm"
	"errand/ent/passkey"
	"errand/ent/signinsession"
	"errand/ent/task"
	"errand/ent/taskterm"
	"errand/internal/account"
	"errand/internal/testclient"
	"errand/internal/viewer"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

const createTokenDoc = `mutation { createApiToken(input: {name: "Script", scopes: [TASKS_READ]}) { secret } }`

func TestDeleteViewer_AllDataKinds_NoRowRemains(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		alice, bob := b.ClientWithTokenIssuedAt(t, "alice", -time.Minute), b.Client(t, "bob")
		aliceID, bobID := harness.ViewerID(t, alice), harness.ViewerID(t, bob)
		for _, c := range []*testclient.Client{alice, bob} {
			conversation := &harness.Conversation{Client: c}
			conversation.SendAndWait(t, "Add a task to buy groceries")
			harness.CreateTask(t, c, testclient.Vars{"title": "With a key", "idempotencyKey": "k"})
			deleteConversation(t, c, createConversation(t, c, "Deleted"))
			testclient.Run[any](t, c, createTokenDoc, nil)
			addSignIn(t, b, harness.ViewerID(t, c))
		}
		sessionID := b.DB.Client().SignInSession.Query().
			OnlyIDX(viewer.NewContext(t.Context(), viewer.Viewer{UserID: aliceID}))
		before := b.CountUserRows(t, bobID)
		for table, n := range b.CountUserRows(t, aliceID) {
			require.Positive(t, n, table)
		}
		a := alice.Try(t, harness.DeleteViewerDoc, testclient.Vars{"confirm": "yes"})
		require.Equal(t, "BAD_USER_INPUT confirm", a.ErrorCode())
		require.Equal(t, aliceID, harness.ViewerID(t, alice))

		a = alice.Try(t, harness.DeleteViewerDoc, testclient.Vars{"confirm": account.DeleteConfirmation})
		require.JSONEq(t, `{"deleteViewer":{"deletedId":"`+aliceID+`"}}`, string(a.Data))
		for table, n := range b.CountUserRows(t, aliceID) {
			require.Zero(t, n, table)
		}
		require.Equal(t, before, b.CountUserRows(t, bobID))
		require.True(t, b.Revoked.Contains(sessionID))

		a = alice.Try(t, harness.ViewerIDDoc, nil)
		require.Equal(t, "UNAUTHENTICATED", a.ErrorCode())
		require.Contains(t, a.Raw, "deleted")
		require.Zero(t, b.Count(t, "SELECT count(*) FROM users WHERE subject = 'alice'"))
		recreated := b.ClientWithTokenIssuedAt(t, "alice", 2*time.Second)
		require.NotEqual(t, aliceID, harness.ViewerID(t, recreated))
		require.Empty(t, harness.AllTasks(t, recreated))
	})
}

func TestDeleteViewer_OpenSubscriptions_AreClosed(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		alice := b.ClientWithTokenIssuedAt(t, "alice", -time.Minute)
		turn := testclient.Run[struct{ SendMessage testclient.Turn }](
			t,
			alice,
			`mutation { sendMessage(input: { content: "Tell me everything that you can do for me" }) { conversation { id } `+
				`assistantMessage { id } } }`,
			nil,
		).SendMessage
		other, own := alice.Dial(t), alice.Dial(t)
		stream := other.Follow(t, turn.Conversation.ID, "")
		stream.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return text != "" })
		tasks := other.Subscribe(t, harness.TaskStreamDoc, nil)
		require.Eventually(t, func() bool { return b.Hub.Subscribers() == 2 }, testclient.Timeout, 5*time.Millisecond)

		answer := own.Subscribe(t, harness.DeleteViewerDoc, testclient.Vars{"confirm": account.DeleteConfirmation})
		payload, err := answer.Next(t.Context())
		require.NoError(t, err, "the response must precede the close")
		require.Contains(t, string(payload), "deletedId")
		for err == nil {
			_, err = stream.TryNextEvent(t.Context())
		}
		require.ErrorIs(t, err, io.EOF, "the stream must complete without an error")
		_, err = tasks.Next(t.Context())
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, 4403, own.CloseCode(t))
		require.Equal(t, 4403, other.CloseCode(t))
	}, harness.Settings{"RULES_PACE": "200ms"})
}

func TestExport_AllDataKinds_ContainsOnlyOwnRows(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		alice, bob := b.Client(t, "alice"), b.Client(t, "bob")
		(&harness.Conversation{Client: alice}).SendAndWait(t, "Add a task to buy groceries")
		(&harness.Conversation{Client: bob}).SendAndWait(t, "Add a task to feed the zebra")
		for _, c := range []*testclient.Client{alice, bob} {
			harness.CreateTask(t, c, testclient.Vars{"title": "With a key", "idempotencyKey": "k"})
			deleteConversation(t, c, createConversation(t, c, "Deleted"))
			testclient.Run[any](t, c, createTokenDoc, nil)
			addSignIn(t, b, harness.ViewerID(t, c))
		}
		const more = 1100 // several chunks
		b.AddTasks(t, harness.ViewerID(t, alice), more)

		data := testclient.Run[struct{ ExportViewer map[string]json.RawMessage }](t, alice, harness.ExportViewerDoc,
			nil).ExportViewer
		counts := b.CountUserRows(t, harness.ViewerID(t, alice))
		require.Equal(t, more+2, counts["tasks"])
		for _, table := range harness.OwnedTables() {
			if table.Name == taskterm.Table {
				require.NotContains(t, data, "taskTerms", "the search index follows from the tasks")
				continue
			}
			if table.Name == messageterm.Table {
				require.NotContains(t, data, "messageTerms", "the search index follows from the messages")
				continue
			}
			var rows []map[string]json.RawMessage
			require.NoError(t, json.Unmarshal(data[camelCase(table.Name)], &rows), table.Name)
			require.Len(t, rows, counts[table.Name], table.Name)
			for _, column := range table.Columns {
				unseen := []string{
					"user_id", task.FieldIndexedVersion, task.FieldTermCount, apitoken.FieldTokenHash,
					login.FieldPasswordHash, passkey.FieldCredentialID, passkey.FieldCredential,
					signinsession.FieldRefreshHash, signinsession.FieldPreviousHash, signinsession.FieldSealedSecret,
				}
				if !slices.Contains(unseen, column.Name) {
					require.Contains(t, rows[0], camelCase(column.Name), table.Name)
				}
			}
		}
		export := fmt.Sprintf("%s", data)
		require.Contains(t, export, harness.ViewerID(t, alice))
		require.NotContains(t, export, harness.ViewerID(t, bob))
		require.NotContains(t, export, "feed the zebra")
		require.NotRegexp(t, `okenHash|asswordHash|secret-`, export)

		a := alice.Try(t, harness.ExportViewerDoc, nil)
		require.Equal(t, "RATE_LIMITED", a.ErrorCode())
		require.Positive(t, a.Errors[0].Extensions.RetryAfterMs)
		require.Empty(t, bob.Try(t, harness.ExportViewerDoc, nil).Errors)
	})
}

// addSignIn adds a login to a user, with a passkey and a session.
func addSignIn(t *testing.T, b *harness.Env, userID string) {
	t.Helper()
	ctx := viewer.NewContext(t.Context(), viewer.Viewer{UserID: userID})
	client := b.DB.Client()
	row := client.Login.Create().SetLogin(userID).SetPasswordHash("secret-a").SetRole(enum.RoleMember).SaveX(ctx)
	client.Passkey.Create().
		SetLoginID(row.ID).
		SetName("Phone").
		SetCredentialID("secret-b" + userID).
		SetCredential("secret-c").
		ExecX(ctx)
	client.SignInSession.Create().
		SetLoginID(row.ID).
		SetRefreshHash("secret-d").
		SetExpiresAt(time.Now()).
		SetUserAgent("Browser of " + userID).
		ExecX(ctx)
}

func camelCase(name string) string {
	words := strings.Split(name, "_")
	for i := range words[1:] {
		words[i+1] = strings.ToUpper(words[i+1][:1]) + words[i+1][1:]
	}
	return strings.Join(words, "")
}
