package upgrade

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// eachEarlierDatabase runs a subtest on a copy of the earlier version's database for each engine.
func eachEarlierDatabase(t *testing.T, test func(t *testing.T, url string, r recording)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		url := testdb.EmptySQLiteURL(t)
		require.NoError(t, os.WriteFile(strings.TrimPrefix(url, "sqlite:"), unpack(t, "sqlite.db.gz"), 0o600))
		test(t, url, readRecording(t, "sqlite"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		url := testdb.EmptyPostgresURL(t)
		conn, err := pgx.Connect(t.Context(), url)
		require.NoError(t, err)
		const role = `DO $$ BEGIN CREATE ROLE errand_app; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$;`
		_, err = conn.PgConn().Exec(t.Context(), role+string(unpack(t, "postgres.sql.gz"))).ReadAll()
		require.NoError(t, err)
		require.NoError(t, conn.Close(t.Context()))
		test(t, url, readRecording(t, "postgres"))
	})
}

func TestUpgrade_Data_IsUnchanged(t *testing.T) {
	eachEarlierDatabase(t, func(t *testing.T, url string, r recording) {
		server := harness.Start(t, url, settings(startModel(t, false))...)
		for _, want := range r.Responses {
			response := server.Client(t, want.User).Try(t, want.Document, want.Vars)
			require.Empty(t, response.Errors)
			requireContains(t, decode(t, want.Data), decode(t, response.Data), want.User)
		}
	})
}

// requireContains requires that got equals want, except for additional fields of objects, the time of an export and the
// message of an error, which is not stored.
func requireContains(t *testing.T, want, got any, path string) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		require.IsType(t, want, got, path)
		for name, value := range want {
			if name != "exportedAt" && !strings.HasSuffix(path+"."+name, ".error.message") {
				require.Contains(t, got, name, path)
				requireContains(t, value, got.(map[string]any)[name], path+"."+name)
			}
		}
	case []any:
		require.IsType(t, want, got, path)
		require.Len(t, got, len(want), path)
		for i, value := range want {
			requireContains(t, value, got.([]any)[i], fmt.Sprintf("%s[%d]", path, i))
		}
	default:
		require.Equal(t, want, got, path)
	}
}

func decode(t *testing.T, data []byte) (value any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&value))
	return value
}

// TestUpgrade_MessageStreamCursors_Resume resumes each recorded stream after each of its events. The replies that the
// earlier version left unfinished are finished by the present one.
func TestUpgrade_MessageStreamCursors_Resume(t *testing.T) {
	eachEarlierDatabase(t, func(t *testing.T, url string, r recording) {
		server := harness.Start(t, url, settings(startModel(t, false))...)
		for _, recorded := range r.Streams {
			c := server.Client(t, recorded.User)
			socket := c.Dial(t)
			before := &testclient.Stream{Events: recorded.Events}
			for at := 1; at <= len(recorded.Events); at++ {
				stream := socket.ResumeAt(t, recorded.ConversationID, before, at)
				for _, id := range recorded.Replies {
					reply, stored := stream.AwaitFinished(t, id), harness.StoredMessage(t, c, id)
					if reply.Error != nil {
						reply.Error.Message = stored.Error.Message // it is not stored
					}
					require.Equal(t, stored, reply, "after event %d", at)
					if recorded.Unfinished {
						require.Equal(t, "COMPLETED", reply.Status)
					}
				}
				stream.Stop()
			}
		}
		require.Equal(t, []string{"Räume 🧹 auf"}, harness.Titles(harness.AllTasks(t, server.Client(t, "dora"))),
			"a recorded tool call must not be repeated")
	})
}

func TestUpgrade_TaskStreamCursors_Resume(t *testing.T) {
	eachEarlierDatabase(t, func(t *testing.T, url string, r recording) {
		socket := harness.Start(t, url, settings(startModel(t, false))...).Client(t, "alice").Dial(t)
		for i, event := range r.TaskEvents {
			stream := socket.Subscribe(t, taskStreamDoc, testclient.Vars{"after": event.Cursor})
			for _, want := range r.TaskEvents[i+1:] {
				require.Equal(t, want, nextTaskEvent(t, stream))
			}
			stream.Stop()
		}
	})
}

func TestUpgrade_IdempotencyKeys_AreKept(t *testing.T) {
	eachEarlierDatabase(t, func(t *testing.T, url string, r recording) {
		alice := harness.Start(t, url, settings(startModel(t, false))...).Client(t, "alice")
		send := func(content string) testclient.Response {
			return alice.Try(t, harness.SendDoc, testclient.Vars{
				"in": testclient.Vars{"content": content, "idempotencyKey": idempotencyKey},
			})
		}
		var repeated struct{ SendMessage testclient.Turn }
		require.NoError(t, json.Unmarshal(send(keyedContent).Data, &repeated))
		require.Equal(t, r.KeyedTurn.UserMessage, repeated.SendMessage.UserMessage)
		require.Equal(t, r.KeyedTurn.AssistantMessage.ID, repeated.SendMessage.AssistantMessage.ID)
		harness.RequireErrorCode(t, "CONFLICT", send("Other content"))
	})
}

// TestUpgrade_NewWork_ContinuesOldData changes data of the earlier version, and checks that numbers, counts and the
// search cover both old and new rows.
func TestUpgrade_NewWork_ContinuesOldData(t *testing.T) {
	eachEarlierDatabase(t, func(t *testing.T, url string, r recording) {
		server := harness.Start(t, url, settings(startModel(t, false))...)
		alice := server.Client(t, "alice")
		count := func(filter testclient.Vars) int {
			return harness.ListTasks(t, alice, testclient.Vars{"filter": filter}).TotalCount
		}
		total, completed, trashed := count(nil), count(testclient.Vars{"status": "COMPLETED"}),
			count(testclient.Vars{"trashed": true})
		groceries := count(testclient.Vars{"search": "groceries"})
		trash := harness.ListTasks(t, alice, testclient.Vars{"filter": testclient.Vars{"trashed": true}}).Tasks()

		last := r.TaskEvents[len(r.TaskEvents)-1].Task.Number
		created := harness.CreateTask(t, alice, testclient.Vars{"title": "Old and new groceries"})
		require.Equal(t, last+1, created.Number)
		harness.ChangeTask(t, alice, "completeTask", created.ID)
		harness.ChangeTask(t, alice, "restoreTask", trash[0].ID)
		old := harness.AllTasks(t, alice)[0]
		require.Equal(t, "Buy groceries", old.Title)
		harness.UpdateTask(t, alice, testclient.Vars{"id": old.ID, "title": "Buy bread", "expectedVersion": old.Version})

		require.Equal(t, total+2, count(nil))
		require.Equal(t, trashed-1, count(testclient.Vars{"trashed": true}))
		require.Equal(t, groceries, count(testclient.Vars{"search": "groceries"}), "one more and one less")
		require.Equal(t, 1, count(testclient.Vars{"search": "bread"}))
		wantCompleted := completed + 1
		if trash[0].Completed {
			wantCompleted++
		}
		require.Equal(t, wantCompleted, count(testclient.Vars{"status": "COMPLETED"}))

		conversation := &harness.Conversation{Client: alice, ID: r.Streams[0].ConversationID}
		conversation.Stream = alice.Dial(t).Follow(t, conversation.ID, "")
		require.Equal(t, "You said: Still there?", conversation.SendAndWait(t, "Still there?").Content)

		carol := testclient.New(t, server.URL(), harness.TokenIssuedAt(t, "carol", time.Until(r.RecordedAt)-time.Minute))
		require.Equal(t, "UNAUTHENTICATED", carol.Try(t, harness.ViewerIDDoc, nil).ErrorCode(),
			"a deleted account must stay deleted")
	})
}

// TestCursors_NewerVersion_AreRejected sends cursors of a version that does not exist yet, which clients have after a
// downgrade. A misread cursor would lose events or rows.
func TestCursors_NewerVersion_AreRejected(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, server *harness.Env) {
		alice := server.Client(t, "alice")
		conversation := &harness.Conversation{Client: alice}
		conversation.SendAndWait(t, "Hello")
		message, err := base64.RawURLEncoding.DecodeString(conversation.Stream.Events[0].Cursor)
		require.NoError(t, err)
		message[0]++
		newer := func(list string) string {
			return base64.RawURLEncoding.EncodeToString([]byte(`{"v":2,"l":"` + list + `","k":[1]}`))
		}
		socket := alice.Dial(t)
		for document, vars := range map[string]testclient.Vars{
			testclient.MessageStream: {"id": conversation.ID, "after": base64.RawURLEncoding.EncodeToString(message)},
			taskStreamDoc:            {"after": newer("taskStream")},
		} {
			_, err := socket.Subscribe(t, document, vars).Next(t.Context())
			var errs testclient.Errors
			require.ErrorAs(t, err, &errs)
			require.Equal(t, "BAD_USER_INPUT after", testclient.Response{Errors: errs}.ErrorCode())
		}
		harness.CreateTask(t, alice, testclient.Vars{"title": "A"})
		cursor, err := base64.RawURLEncoding.DecodeString(harness.ListTasks(t, alice, nil).Edges[0].Cursor)
		require.NoError(t, err)
		cursor = append([]byte(`{"v":2,`), cursor[1:]...)
		harness.RequireErrorCode(t, "BAD_USER_INPUT after", alice.Try(t, harness.TasksDoc,
			testclient.Vars{"after": base64.RawURLEncoding.EncodeToString(cursor)}))
	})
}

// column is a column of a table.
type column struct{ table, name string }

// TestUpgrade_Schema_ServesEarlierVersion checks what replicas of the earlier version need while they still run on the
// upgraded database: every column that they know, and a default for those that they do not write.
func TestUpgrade_Schema_ServesEarlierVersion(t *testing.T) {
	eachEarlierDatabase(t, func(t *testing.T, url string, _ recording) {
		before := columns(t, url)
		harness.Start(t, url, settings(startModel(t, false))...)
		after := columns(t, url)
		var tables []string
		for c := range before {
			require.Contains(t, after, c)
			tables = append(tables, c.table)
		}
		for c, required := range after {
			if _, known := before[c]; !known && slices.Contains(tables, c.table) {
				require.False(t, required, "%v needs a default", c)
			}
		}
	})
}

// columns returns the columns of a database, and whether an INSERT must set them.
func columns(t *testing.T, url string) map[column]bool {
	t.Helper()
	query := `SELECT m.name, c.name, c."notnull" = 1 AND c.dflt_value IS NULL
		FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'`
	if strings.HasPrefix(url, "postgres:") {
		query = `SELECT table_name, column_name, is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'
			FROM information_schema.columns WHERE table_schema = 'public'`
	}
	rows, err := testdb.Open(t, url).Client().QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer rows.Close()
	all := map[column]bool{}
	for rows.Next() {
		var c column
		var required bool
		require.NoError(t, rows.Scan(&c.table, &c.name, &required))
		all[c] = required
	}
	require.NoError(t, rows.Err())
	require.NotEmpty(t, all)
	return all
}
