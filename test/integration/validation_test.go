package integration

import (
	"strings"
	"testing"

	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// repeatEmoji returns n characters, each of several bytes and two UTF-16 units.
func repeatEmoji(n int) string { return strings.Repeat("🦊", n) }

func TestTaskInput_InvalidValues_AreRejected(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		labels := func(n int) (out []string) {
			for i := range n {
				out = append(out, strings.Repeat("l", i+1))
			}
			return out
		}
		for _, bad := range []struct {
			in    testclient.Vars
			field string
		}{
			{testclient.Vars{"title": ""}, "title"},
			{testclient.Vars{"title": " \t "}, "title"},
			{testclient.Vars{"title": repeatEmoji(201)}, "title"},
			{testclient.Vars{"title": "two\nlines"}, "title"},
			{testclient.Vars{"title": "a\x00b"}, "title"},
			{testclient.Vars{"title": "x", "description": repeatEmoji(10_001)}, "description"},
			{testclient.Vars{"title": "x", "description": "\x00"}, "description"},
			{testclient.Vars{"title": "x", "dueOn": "2031-02-29"}, "dueOn"},
			{testclient.Vars{"title": "x", "dueOn": "tomorrow"}, "dueOn"},
			{testclient.Vars{"title": "x", "dueOn": "2031-1-1"}, "dueOn"},
			{testclient.Vars{"title": "x", "dueOn": 5}, "dueOn"},
			{testclient.Vars{"title": "x", "dueAt": "2031-01-01"}, "dueAt"},
			{testclient.Vars{"title": "x", "dueAt": "2031-01-01T10:00:00"}, "dueAt"},
			{testclient.Vars{"title": "x", "dueOn": "2031-01-01", "dueAt": "2031-01-01T10:00:00Z"}, "dueAt"},
			{testclient.Vars{"title": "x", "labels": labels(21)}, "labels"},
			{testclient.Vars{"title": "x", "labels": []string{" "}}, "labels"},
			{testclient.Vars{"title": "x", "labels": []string{repeatEmoji(51)}}, "labels"},
		} {
			requireField(t, bad.field, c.Try(t, harness.CreateTaskDoc, testclient.Vars{"in": bad.in}))
		}
		require.Empty(t, harness.AllTasks(t, c))

		full := harness.CreateTask(t, c, testclient.Vars{
			"title": " " + repeatEmoji(200) + " ", "description": repeatEmoji(10_000), "priority": "HIGH",
			"dueAt": "2031-01-01T10:00:00.123456789+02:00", "labels": []string{" home ", "home", repeatEmoji(50)},
		})
		require.Equal(t, repeatEmoji(200), full.Title)
		require.Equal(t, repeatEmoji(10_000), full.Description)
		require.Equal(t, "2031-01-01T08:00:00.123456Z", *full.DueAt)
		require.Equal(t, []string{"home", repeatEmoji(50)}, full.Labels)
		require.Equal(t, 1, full.Number, "rejected input must not take a number")
		require.Equal(t, full, harness.AllTasks(t, c)[0])
		plain := harness.CreateTask(t, c, testclient.Vars{"title": "x"})
		require.Equal(
			t,
			[]any{"NONE", "", []string{}, false, 1},
			[]any{plain.Priority, plain.Description, plain.Labels, plain.Completed, plain.Version},
		)
	})
}

// requireField checks that one field was rejected, as an argument or inside a variable.
func requireField(t *testing.T, field string, a testclient.Response) {
	t.Helper()
	require.Contains(t, []string{"BAD_USER_INPUT " + field, "BAD_USER_INPUT in." + field}, a.ErrorCode(), "%s", a.Raw)
}

func TestUpdateTask_OmittedAndNull_Differ(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		made := harness.CreateTask(
			t,
			c,
			testclient.Vars{
				"title": "x", "description": "more", "priority": "HIGH", "dueOn": "2031-01-01",
				"labels": []string{"a"},
			},
		)
		id := made.ID
		same := harness.UpdateTask(t, c, testclient.Vars{"id": id})
		require.Equal(t, made, same, "an empty update must change nothing")
		require.Equal(
			t,
			made,
			harness.UpdateTask(t, c, testclient.Vars{"id": id, "title": "x", "priority": "HIGH"}),
			"the same values change nothing",
		)

		cleared := harness.UpdateTask(t, c, testclient.Vars{
			"id": id, "description": nil, "priority": nil, "dueOn": nil,
			"labels": nil,
		})
		require.Equal(
			t,
			[]any{"", "NONE", (*string)(nil), []string{}},
			[]any{cleared.Description, cleared.Priority, cleared.DueOn, cleared.Labels},
		)
		require.Equal(t, "x", cleared.Title)
		require.Equal(t, 2, cleared.Version)

		at := harness.UpdateTask(t, c, testclient.Vars{"id": id, "dueAt": "2031-01-01T10:00:00Z"})
		require.Equal(t, "2031-01-01T10:00:00Z", *at.DueAt)
		on := harness.UpdateTask(t, c, testclient.Vars{"id": id, "dueOn": "2031-02-01"})
		require.Nil(t, on.DueAt, "dueOn must replace dueAt")
		require.Nil(t, harness.UpdateTask(t, c, testclient.Vars{"id": id, "dueAt": nil}).DueOn,
			"null must clear either due date")

		done := harness.UpdateTask(t, c, testclient.Vars{"id": id, "completed": true, "title": "y"})
		require.True(t, done.Completed)
		require.NotNil(t, done.CompletedAt)
		require.Nil(t, harness.UpdateTask(t, c, testclient.Vars{"id": id, "completed": false}).CompletedAt)

		requireField(t, "title", c.Try(t, harness.UpdateTaskDoc, testclient.Vars{"in": testclient.Vars{
			"id":    id,
			"title": nil,
		}}))
		requireField(t, "title", c.Try(t, harness.UpdateTaskDoc, testclient.Vars{"in": testclient.Vars{
			"id":    id,
			"title": " ",
		}}))
		requireField(t, "completed", c.Try(t, harness.UpdateTaskDoc, testclient.Vars{"in": testclient.Vars{
			"id":        id,
			"completed": nil,
		}}))
		requireField(
			t,
			"dueAt",
			c.Try(t, harness.UpdateTaskDoc, testclient.Vars{"in": testclient.Vars{
				"id": id, "dueOn": "2031-01-01",
				"dueAt": "2031-01-01T10:00:00Z",
			}}),
		)
	})
}

func TestUpdateTask_StaleVersion_IsConflict(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		made := harness.CreateTask(t, c, testclient.Vars{"title": "x"})
		second := harness.UpdateTask(t, c, testclient.Vars{"id": made.ID, "title": "y", "expectedVersion": 1})
		require.Equal(t, 2, second.Version)
		for _, stale := range []int{1, 0, -1, 3} {
			harness.RequireErrorCode(
				t,
				"CONFLICT",
				c.Try(t, harness.UpdateTaskDoc, testclient.Vars{"in": testclient.Vars{
					"id": made.ID, "title": "z",
					"expectedVersion": stale,
				}}),
			)
		}
		require.Equal(t, []testclient.Task{second}, harness.AllTasks(t, c))
		require.Equal(t, 2, harness.ListChanges(t, c, 1).Changes.TotalCount)
	})
}

func TestTrash_DeleteAndRestore_RoundTrips(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		made := harness.CreateTask(t, c, testclient.Vars{"title": "x"})
		deleted := harness.ChangeTask(t, c, "deleteTask", made.ID)
		require.NotNil(t, deleted.DeletedAt)
		require.Equal(t, deleted, harness.ChangeTask(t, c, "deleteTask", made.ID), "a second deletion must change nothing")
		require.Empty(t, harness.AllTasks(t, c))
		require.Equal(t, 1, harness.ListTasks(t, c, testclient.Vars{"filter": testclient.Vars{"trashed": true}}).TotalCount)
		require.Empty(t, harness.ListChanges(t, c, 1).ID, "a deleted task must not be found by number")
		require.Equal(t, "x", testclient.Run[struct{ Node testclient.Task }](t, c,
			`query ($id: ID!) { node(id: $id) { ... on Task { title } } }`, testclient.Vars{"id": made.ID}).Node.Title,
			"a deleted task must be found by id")

		harness.RequireErrorCode(t, "NOT_FOUND", c.Try(t, harness.UpdateTaskDoc,
			testclient.Vars{"in": testclient.Vars{"id": made.ID, "title": "y"}}))
		for _, mutation := range []string{"completeTask", "reopenTask"} {
			a := c.Try(t, `mutation ($id: ID!) { `+mutation+`(id: $id) { task { id } } }`, testclient.Vars{"id": made.ID})
			harness.RequireErrorCode(t, "NOT_FOUND", a)
		}
		restored := harness.ChangeTask(t, c, "restoreTask", made.ID)
		require.Nil(t, restored.DeletedAt)
		require.Equal(t, 3, restored.Version)
		require.Equal(t, restored, harness.ChangeTask(t, c, "restoreTask", made.ID))
		require.Len(t, harness.AllTasks(t, c), 1)
		harness.ChangeTask(t, c, "deleteTask", made.ID)
		require.Equal(t, 2, harness.CreateTask(t, c, testclient.Vars{"title": "y"}).Number, "numbers must not be reused")
	})
}

func TestMessageInput_InvalidContent_IsRejected(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		say := func(in testclient.Vars) testclient.Response {
			return c.Try(t, harness.SendDoc, testclient.Vars{"in": in})
		}
		for _, bad := range []string{"", " \n ", repeatEmoji(8001), "a\x00b"} {
			harness.RequireErrorCode(t, "BAD_USER_INPUT content", say(testclient.Vars{"content": bad}))
		}
		for _, bad := range []string{"", repeatEmoji(256), "\x00"} {
			harness.RequireErrorCode(t, "BAD_USER_INPUT idempotencyKey", say(testclient.Vars{
				"content":        "x",
				"idempotencyKey": bad,
			}))
		}
		for _, unknown := range []string{"", "x", "conv_01jd0000000000000000000000", harness.CreateTask(t, c,
			testclient.Vars{"title": "x"}).ID} {
			harness.RequireErrorCode(t, "NOT_FOUND", say(testclient.Vars{"content": "x", "conversationId": unknown}))
		}
		require.Empty(t, say(testclient.Vars{"content": "x", "idempotencyKey": repeatEmoji(255)}).Errors)
		long := harness.Send(t, c, "", " "+repeatEmoji(8000)+" ")
		require.Equal(t, repeatEmoji(8000), long.UserMessage.Content)
		require.LessOrEqual(t, len([]rune(long.Conversation.Title)), 200)

		harness.RequireErrorCode(t, "BAD_USER_INPUT messageId", c.Try(t, harness.CancelDoc,
			testclient.Vars{"id": long.UserMessage.ID}))
		for _, unknown := range []string{"", "x", "msg_01jd0000000000000000000000", long.Conversation.ID} {
			harness.RequireErrorCode(t, "NOT_FOUND", c.Try(t, harness.CancelDoc, testclient.Vars{"id": unknown}))
		}
	})
}

func TestID_Unknown_IsNotFound(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		turn := harness.Send(t, c, "", "Hello")
		for _, mutation := range []string{"completeTask", "reopenTask", "deleteTask", "restoreTask"} {
			for _, id := range []string{
				"", "x", "task_01jd0000000000000000000000", turn.Conversation.ID, repeatEmoji(500),
				"'; DROP TABLE tasks; --",
			} {
				a := c.Try(t, `mutation ($id: ID!) { `+mutation+`(id: $id) { task { id } } }`, testclient.Vars{"id": id})
				require.Equal(t, "NOT_FOUND", a.ErrorCode(), "%s(%.20q) gave %s", mutation, id, a.Raw)
			}
		}
		for _, id := range []string{"", "x", "conv_01jd0000000000000000000000", turn.UserMessage.ID} {
			for _, document := range []string{
				`mutation ($id: ID!) { deleteConversation(id: $id) { deletedId } }`,
				`mutation ($id: ID!) { updateConversation(input: {id: $id, title: "x"}) { conversation { id } } }`,
			} {
				require.Equal(t, "NOT_FOUND", c.Try(t, document, testclient.Vars{"id": id}).ErrorCode(), "%q", id)
			}
			found := testclient.Run[struct{ Conversation *struct{ ID string } }](t, c,
				`query ($id: ID!) { conversation(id: $id) { id } }`, testclient.Vars{"id": id})
			require.Nil(t, found.Conversation, "%q", id)
			require.Equal(t, "NOT_FOUND", subscriptionError(t, c.Dial(t), testclient.MessageStream, testclient.Vars{"id": id}),
				"%q", id)
		}
	})
}

// TestTextInput_NULByte_IsRejected checks that NUL never causes an internal error, although PostgreSQL cannot
// store it and SQLite can.
func TestTextInput_NULByte_IsRejected(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		for document, given := range map[string]testclient.Vars{
			`mutation ($x: ID!) { deleteTask(id: $x) { task { id } } }`:                   {"x": "a\x00b"},
			`query ($x: ID!) { task(number: 1) { id } node(id: $x) { id } }`:              {"x": "a\x00b"},
			`query ($x: ID!) { conversation(id: $x) { id } }`:                             {"x": "a\x00b"},
			`query ($x: String) { tasks(filter: {search: $x}) { nodes { id } } }`:         {"x": "a\x00b"},
			`query ($x: String) { tasks(filter: {label: $x}) { nodes { id } } }`:          {"x": "a\x00b"},
			`mutation ($x: String) { updateViewer(input: {name: $x}) { viewer { id } } }`: {"x": "a\x00b"},
		} {
			a := c.Try(t, document, given)
			require.NotContains(
				t,
				[]string{"INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE"},
				a.ErrorCode(),
				"%s gave %s",
				document,
				a.Raw,
			)
		}
	})
}

func TestProfileName_InvalidValues_AreRejected(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		const document = `mutation ($in: UpdateViewerInput!) {
			updateViewer(input: $in) { viewer { name timeZone weekStart } } }`
		harness.RequireErrorCode(t, "BAD_USER_INPUT name", c.Try(t, document,
			testclient.Vars{"in": testclient.Vars{"name": repeatEmoji(201)}}))
		harness.RequireErrorCode(t, "BAD_USER_INPUT timeZone", c.Try(t, document,
			testclient.Vars{"in": testclient.Vars{"timeZone": "Mars/Olympus"}}))
		harness.RequireErrorCode(t, "BAD_USER_INPUT in.weekStart", c.Try(t, document,
			testclient.Vars{"in": testclient.Vars{"weekStart": "Sunday"}}))
		want := `{"updateViewer":{"viewer":{"name":"` + repeatEmoji(200) + `","timeZone":"Asia/Tokyo","weekStart":"MONDAY"}}}`
		a := c.Try(t, document, testclient.Vars{"in": testclient.Vars{"name": repeatEmoji(200), "timeZone": "Asia/Tokyo"}})
		require.JSONEq(t, want, string(a.Data))
		for _, unchanged := range []testclient.Vars{{}, {"weekStart": nil}} {
			a = c.Try(t, document, testclient.Vars{"in": unchanged})
			require.JSONEq(t, want, string(a.Data), "omitted fields must be unchanged")
		}
	})
}

func TestConversationTitle_InvalidValues_AreRejected(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		const create = `mutation ($in: CreateConversationInput) { r: createConversation(input: $in) { conversation { id ` +
			`title } } }`
		const rename = `mutation ($in: UpdateConversationInput!) { r: updateConversation(input: $in) { conversation { ` +
			`id title } } }`
		type payload struct {
			R struct{ Conversation struct{ ID, Title string } }
		}
		for _, bad := range []string{"", " ", repeatEmoji(201), "two\nlines"} {
			harness.RequireErrorCode(t, "BAD_USER_INPUT title", c.Try(t, create,
				testclient.Vars{"in": testclient.Vars{"title": bad}}))
		}
		bare := testclient.Run[payload](t, c, create, nil).R.Conversation
		require.Empty(t, bare.Title)
		require.Equal(t, "Hello there", harness.Send(t, c, bare.ID, "Hello there\nand more").Conversation.Title)
		named := testclient.Run[payload](
			t,
			c,
			rename,
			testclient.Vars{"in": testclient.Vars{"id": bare.ID, "title": " " + repeatEmoji(200)}},
		).R.Conversation
		require.Equal(t, repeatEmoji(200), named.Title)
		require.Equal(
			t,
			named,
			testclient.Run[payload](t, c, rename, testclient.Vars{"in": testclient.Vars{"id": bare.ID}}).R.Conversation,
			"an omitted field must be unchanged",
		)
		require.Equal(t, repeatEmoji(200), harness.Send(t, c, bare.ID, "Once more").Conversation.Title)
		require.Empty(
			t,
			testclient.Run[payload](t, c, rename, testclient.Vars{"in": testclient.Vars{
				"id":    bare.ID,
				"title": nil,
			}}).R.Conversation.Title,
		)
		require.Equal(t, "Second title", harness.Send(t, c, bare.ID, "Second title").Conversation.Title)
		harness.RequireErrorCode(t, "BAD_USER_INPUT title", c.Try(t, rename,
			testclient.Vars{"in": testclient.Vars{"id": bare.ID, "title": ""}}))
	})
}
