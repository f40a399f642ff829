package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"errand/ent"
	"errand/ent/migrate"
	"errand/ent/rule"
	"errand/internal/account"
	"errand/internal/testclient"
	"errand/internal/testdb"

	"entgo.io/ent/dialect/sql/schema"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

const (
	deleteViewer = `mutation ($confirm: String!) { deleteViewer(confirm: $confirm) { deletedId } }`
	exportViewer = `{ exportViewer }`
	viewerID     = `{ viewer { id } }`
	taskStream   = `subscription { taskStream { task { number } } }`
)

// tokenAt is a token that was issued some time from now; before now when negative.
func tokenAt(t testing.TB, subject string, from time.Duration) string {
	t.Helper()
	issued := time.Now().Add(from)
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": subject, "name": subject, "iat": issued.Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString([]byte(secret))
	require.NoError(t, err)
	return signed
}

// userAt signs a person in with a token issued some time from now.
func (b *bench) userAt(t testing.TB, name string, from time.Duration) *testclient.Client {
	t.Helper()
	return testclient.New(t, b.URL(), tokenAt(t, name, from))
}

func idOf(t testing.TB, c *testclient.Client) string {
	t.Helper()
	return testclient.Run[struct{ Viewer struct{ ID string } }](t, c, viewerID, nil).Viewer.ID
}

// ownedTables are the tables whose rows belong to a person.
func ownedTables() (owned []*schema.Table) {
	for _, table := range migrate.Tables {
		if _, ok := table.Column("user_id"); ok {
			owned = append(owned, table)
		}
	}
	return owned
}

// root is the database without row security, on a connection of its own.
func (b *bench) root(t testing.TB) *ent.Client {
	t.Helper()
	b.opened.Do(func() { b.direct = testdb.Open(t, b.Config.Database.URL.Reveal()).Client() })
	return b.direct
}

// rowsOf counts what the database holds of a person, past all policies.
func (b *bench) rowsOf(t testing.TB, userID string) map[string]int {
	t.Helper()
	counts := map[string]int{"users": b.count(t, "SELECT count(*) FROM users WHERE id = $1", userID)}
	for _, table := range ownedTables() {
		counts[table.Name] = b.count(t, "SELECT count(*) FROM "+table.Name+" WHERE user_id = $1", userID)
	}
	return counts
}

func (b *bench) count(t testing.TB, query string, args ...any) (n int) {
	t.Helper()
	rows, err := b.root(t).QueryContext(rule.System(context.Background()), query, args...)
	require.NoError(t, err)
	defer rows.Close()
	require.True(t, rows.Next())
	require.NoError(t, rows.Scan(&n))
	return n
}

func TestADeletedAccountLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		alice, bob := b.userAt(t, "alice", -time.Minute), b.user(t, "bob")
		aliceID, bobID := idOf(t, alice), idOf(t, bob)
		for _, c := range []*testclient.Client{alice, bob} {
			k := &talk{c: c}
			k.say(t, "Add a task to buy groceries")
		}
		before := b.rowsOf(t, bobID)
		for table, n := range b.rowsOf(t, aliceID) {
			require.Positive(t, n, table)
		}
		a := alice.Try(t, deleteViewer, testclient.Vars{"confirm": "yes"})
		require.Equal(t, "BAD_USER_INPUT confirm", a.ErrorCode())
		require.Equal(t, aliceID, idOf(t, alice))

		a = alice.Try(t, deleteViewer, testclient.Vars{"confirm": account.DeleteConfirmation})
		require.JSONEq(t, `{"deleteViewer":{"deletedId":"`+aliceID+`"}}`, string(a.Data))
		for table, n := range b.rowsOf(t, aliceID) {
			require.Zero(t, n, table)
		}
		require.Equal(t, before, b.rowsOf(t, bobID))

		a = alice.Try(t, viewerID, nil)
		require.Equal(t, "UNAUTHENTICATED", a.ErrorCode())
		require.Contains(t, a.Raw, "deleted")
		require.Zero(t, b.count(t, "SELECT count(*) FROM users WHERE subject = 'alice'"))
		again := b.userAt(t, "alice", 2*time.Second)
		require.NotEqual(t, aliceID, idOf(t, again))
		require.Empty(t, allTasks(t, again))
	})
}

func TestDeletingAnAccountEndsWhatIsOpen(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		alice := b.userAt(t, "alice", -time.Minute)
		turn := testclient.Run[struct{ SendMessage testclient.Turn }](
			t,
			alice,
			`mutation { sendMessage(input: { content: "Tell me everything that you can do for me" }) { conversation { id } assistantMessage { id } } }`,
			nil,
		).SendMessage
		other, own := alice.Dial(t), alice.Dial(t)
		stream := other.Follow(t, turn.Conversation.ID, "")
		stream.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return text != "" })
		tasks := other.Subscribe(t, taskStream, nil)
		require.Eventually(t, func() bool { return b.Hub.Subscribers() == 2 }, testclient.Timeout, 5*time.Millisecond)

		answer := own.Subscribe(t, deleteViewer, testclient.Vars{"confirm": account.DeleteConfirmation})
		payload, err := answer.Next(t.Context())
		require.NoError(t, err, "the answer comes before the connection closes")
		require.Contains(t, string(payload), "deletedId")
		for err == nil {
			_, err = stream.TryNextEvent(t.Context())
		}
		require.ErrorIs(t, err, io.EOF, "the stream ends, and without an error")
		_, err = tasks.Next(t.Context())
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, 4403, own.CloseCode(t))
		require.Equal(t, 4403, other.CloseCode(t))
	}, settings{"RULES_PACE": "200ms"})
}

func TestAnExportHoldsEverythingOfOnePerson(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		alice, bob := b.user(t, "alice"), b.user(t, "bob")
		(&talk{c: alice}).say(t, "Add a task to buy groceries")
		(&talk{c: bob}).say(t, "Add a task to feed the zebra")
		const more = 1100 // several chunks
		b.addTasks(t, idOf(t, alice), more)

		data := testclient.Run[struct{ ExportViewer map[string]json.RawMessage }](t, alice, exportViewer, nil).ExportViewer
		counts := b.rowsOf(t, idOf(t, alice))
		require.Equal(t, more+1, counts["tasks"])
		for _, table := range ownedTables() {
			var rows []map[string]json.RawMessage
			require.NoError(t, json.Unmarshal(data[camelCase(table.Name)], &rows), table.Name)
			require.Len(t, rows, counts[table.Name], table.Name)
			for _, column := range table.Columns {
				if column.Name != "user_id" {
					require.Contains(t, rows[0], camelCase(column.Name), table.Name)
				}
			}
		}
		whole := fmt.Sprintf("%s", data)
		require.Contains(t, whole, idOf(t, alice))
		require.NotContains(t, whole, idOf(t, bob))
		require.NotContains(t, whole, "zebra")

		a := alice.Try(t, exportViewer, nil)
		require.Equal(t, "RATE_LIMITED", a.ErrorCode())
		require.Positive(t, a.Errors[0].Extensions.RetryAfterMs)
		require.Empty(t, bob.Try(t, exportViewer, nil).Errors)
	})
}

// addTasks stores tasks without going through the API.
func (b *bench) addTasks(t testing.TB, userID string, n int) {
	t.Helper()
	ctx, root := rule.System(context.Background()), b.root(t)
	for from := 0; from < n; from += 100 {
		batch := make([]*ent.TaskCreate, 100)
		for i := range batch {
			batch[i] = root.Task.Create().SetUserID(userID).SetNumber(1000 + from + i).SetTitle("one of many")
		}
		require.NoError(t, root.Task.CreateBulk(batch...).Exec(ctx))
	}
}

func camelCase(name string) string {
	words := strings.Split(name, "_")
	for i := range words[1:] {
		words[i+1] = strings.ToUpper(words[i+1][:1]) + words[i+1][1:]
	}
	return strings.Join(words, "")
}
