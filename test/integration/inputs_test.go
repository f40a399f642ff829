package integration

import (
	"strings"
	"testing"

	"errand/internal/testclient"

	"github.com/stretchr/testify/require"
)

// times makes a text of that many characters, each of several bytes and two UTF-16 units.
func times(n int) string { return strings.Repeat("🦊", n) }

func TestWhatATaskMayHold(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		c := b.user(t, "alice")
		labels := func(n int) (out []string) {
			for i := range n {
				out = append(out, strings.Repeat("l", i+1))
			}
			return out
		}
		for _, bad := range []struct {
			in    vars
			field string
		}{
			{vars{"title": ""}, "title"},
			{vars{"title": " \t "}, "title"},
			{vars{"title": times(201)}, "title"},
			{vars{"title": "two\nlines"}, "title"},
			{vars{"title": "a\x00b"}, "title"},
			{vars{"title": "x", "description": times(10_001)}, "description"},
			{vars{"title": "x", "description": "\x00"}, "description"},
			{vars{"title": "x", "dueOn": "2031-02-29"}, "dueOn"},
			{vars{"title": "x", "dueOn": "tomorrow"}, "dueOn"},
			{vars{"title": "x", "dueOn": "2031-1-1"}, "dueOn"},
			{vars{"title": "x", "dueOn": 5}, "dueOn"},
			{vars{"title": "x", "dueAt": "2031-01-01"}, "dueAt"},
			{vars{"title": "x", "dueAt": "2031-01-01T10:00:00"}, "dueAt"},
			{vars{"title": "x", "dueOn": "2031-01-01", "dueAt": "2031-01-01T10:00:00Z"}, "dueAt"},
			{vars{"title": "x", "labels": labels(21)}, "labels"},
			{vars{"title": "x", "labels": []string{" "}}, "labels"},
			{vars{"title": "x", "labels": []string{times(51)}}, "labels"},
		} {
			requireField(t, bad.field, c.Try(t, createTaskDoc, vars{"in": bad.in}))
		}
		require.Empty(t, allTasks(t, c))

		full := createTask(t, c, vars{
			"title": " " + times(200) + " ", "description": times(10_000), "priority": "HIGH",
			"dueAt": "2031-01-01T10:00:00.123456789+02:00", "labels": []string{" home ", "home", times(50)},
		})
		require.Equal(t, times(200), full.Title)
		require.Equal(t, times(10_000), full.Description)
		require.Equal(t, "2031-01-01T08:00:00.123456Z", *full.DueAt)
		require.Equal(t, []string{"home", times(50)}, full.Labels)
		require.Equal(t, 1, full.Number, "what was refused took no number")
		require.Equal(t, full, allTasks(t, c)[0])
		plain := createTask(t, c, vars{"title": "x"})
		require.Equal(
			t,
			[]any{"NONE", "", []string{}, false, 1},
			[]any{plain.Priority, plain.Description, plain.Labels, plain.Completed, plain.Version},
		)
	})
}

// requireField checks that one field was refused, at the top or inside a variable.
func requireField(t *testing.T, field string, a testclient.Response) {
	t.Helper()
	require.Contains(t, []string{"BAD_USER_INPUT " + field, "BAD_USER_INPUT in." + field}, a.ErrorCode(), "%s", a.Raw)
}

func TestLeftOutAndNullDiffer(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		c := b.user(t, "alice")
		made := createTask(
			t,
			c,
			vars{"title": "x", "description": "more", "priority": "HIGH", "dueOn": "2031-01-01", "labels": []string{"a"}},
		)
		id := made.ID
		same := updateTask(t, c, vars{"id": id})
		require.Equal(t, made, same, "nothing given, nothing changed, not even the version")
		require.Equal(
			t,
			made,
			updateTask(t, c, vars{"id": id, "title": "x", "priority": "HIGH"}),
			"the same values change nothing",
		)

		cleared := updateTask(t, c, vars{"id": id, "description": nil, "priority": nil, "dueOn": nil, "labels": nil})
		require.Equal(
			t,
			[]any{"", "NONE", (*string)(nil), []string{}},
			[]any{cleared.Description, cleared.Priority, cleared.DueOn, cleared.Labels},
		)
		require.Equal(t, "x", cleared.Title)
		require.Equal(t, 2, cleared.Version)

		at := updateTask(t, c, vars{"id": id, "dueAt": "2031-01-01T10:00:00Z"})
		require.Equal(t, "2031-01-01T10:00:00Z", *at.DueAt)
		on := updateTask(t, c, vars{"id": id, "dueOn": "2031-02-01"})
		require.Nil(t, on.DueAt, "a day takes the place of an instant")
		require.Nil(t, updateTask(t, c, vars{"id": id, "dueAt": nil}).DueOn, "null clears the due date, whichever it is")

		done := updateTask(t, c, vars{"id": id, "completed": true, "title": "y"})
		require.True(t, done.Completed)
		require.NotNil(t, done.CompletedAt)
		require.Nil(t, updateTask(t, c, vars{"id": id, "completed": false}).CompletedAt)

		requireField(t, "title", c.Try(t, updateTaskDoc, vars{"in": vars{"id": id, "title": nil}}))
		requireField(t, "title", c.Try(t, updateTaskDoc, vars{"in": vars{"id": id, "title": " "}}))
		requireField(t, "completed", c.Try(t, updateTaskDoc, vars{"in": vars{"id": id, "completed": nil}}))
		requireField(
			t,
			"dueAt",
			c.Try(t, updateTaskDoc, vars{"in": vars{"id": id, "dueOn": "2031-01-01", "dueAt": "2031-01-01T10:00:00Z"}}),
		)
	})
}

func TestAStaleVersionIsAConflict(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		c := b.user(t, "alice")
		made := createTask(t, c, vars{"title": "x"})
		second := updateTask(t, c, vars{"id": made.ID, "title": "y", "expectedVersion": 1})
		require.Equal(t, 2, second.Version)
		for _, stale := range []int{1, 0, -1, 3} {
			requireFault(
				t,
				"CONFLICT",
				c.Try(t, updateTaskDoc, vars{"in": vars{"id": made.ID, "title": "z", "expectedVersion": stale}}),
			)
		}
		require.Equal(t, []testclient.Task{second}, allTasks(t, c))
		require.Equal(t, 2, historyOf(t, c, 1).Changes.TotalCount)
	})
}

func TestTheTrash(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		c := b.user(t, "alice")
		made := createTask(t, c, vars{"title": "x"})
		deleted := changeTask(t, c, "deleteTask", made.ID)
		require.NotNil(t, deleted.DeletedAt)
		require.Equal(t, deleted, changeTask(t, c, "deleteTask", made.ID), "again changes nothing")
		require.Empty(t, allTasks(t, c))
		require.Equal(t, 1, listTasks(t, c, vars{"filter": vars{"trashed": true}}).TotalCount)
		require.Empty(t, historyOf(t, c, 1).ID, "its number finds it no more")
		require.Equal(t, "x", testclient.Run[struct{ Node testclient.Task }](t, c,
			`query ($id: ID!) { node(id: $id) { ... on Task { title } } }`, vars{"id": made.ID}).Node.Title, "its id does")

		requireFault(t, "NOT_FOUND", c.Try(t, updateTaskDoc, vars{"in": vars{"id": made.ID, "title": "y"}}))
		for _, mutation := range []string{"completeTask", "reopenTask"} {
			a := c.Try(t, `mutation ($id: ID!) { `+mutation+`(id: $id) { task { id } } }`, vars{"id": made.ID})
			requireFault(t, "NOT_FOUND", a)
		}
		restored := changeTask(t, c, "restoreTask", made.ID)
		require.Nil(t, restored.DeletedAt)
		require.Equal(t, 3, restored.Version)
		require.Equal(t, restored, changeTask(t, c, "restoreTask", made.ID))
		require.Len(t, allTasks(t, c), 1)
		changeTask(t, c, "deleteTask", made.ID)
		require.Equal(t, 2, createTask(t, c, vars{"title": "y"}).Number, "numbers are not given out twice")
	})
}

func TestWhatAMessageMayHold(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		c := b.user(t, "alice")
		say := func(in vars) testclient.Response { return c.Try(t, sendDoc, vars{"in": in}) }
		for _, bad := range []string{"", " \n ", times(8001), "a\x00b"} {
			requireFault(t, "BAD_USER_INPUT content", say(vars{"content": bad}))
		}
		for _, bad := range []string{"", times(256), "\x00"} {
			requireFault(t, "BAD_USER_INPUT idempotencyKey", say(vars{"content": "x", "idempotencyKey": bad}))
		}
		for _, unknown := range []string{"", "x", "conv_01jd0000000000000000000000", createTask(t, c, vars{"title": "x"}).ID} {
			requireFault(t, "NOT_FOUND", say(vars{"content": "x", "conversationId": unknown}))
		}
		require.Empty(t, say(vars{"content": "x", "idempotencyKey": times(255)}).Errors)
		long := send(t, c, "", " "+times(8000)+" ")
		require.Equal(t, times(8000), long.UserMessage.Content)
		require.LessOrEqual(t, len([]rune(long.Conversation.Title)), 200)

		requireFault(t, "BAD_USER_INPUT messageId", c.Try(t, cancelDoc, vars{"id": long.UserMessage.ID}))
		for _, unknown := range []string{"", "x", "msg_01jd0000000000000000000000", long.Conversation.ID} {
			requireFault(t, "NOT_FOUND", c.Try(t, cancelDoc, vars{"id": unknown}))
		}
	})
}

func TestIdsThatNameNothing(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		c := b.user(t, "alice")
		turn := send(t, c, "", "Hello")
		for _, mutation := range []string{"completeTask", "reopenTask", "deleteTask", "restoreTask"} {
			for _, id := range []string{"", "x", "task_01jd0000000000000000000000", turn.Conversation.ID, times(500), "'; DROP TABLE tasks; --"} {
				a := c.Try(t, `mutation ($id: ID!) { `+mutation+`(id: $id) { task { id } } }`, vars{"id": id})
				require.Equal(t, "NOT_FOUND", a.ErrorCode(), "%s(%.20q) gave %s", mutation, id, a.Raw)
			}
		}
		for _, id := range []string{"", "x", "conv_01jd0000000000000000000000", turn.UserMessage.ID} {
			for _, document := range []string{
				`mutation ($id: ID!) { deleteConversation(id: $id) { deletedId } }`,
				`mutation ($id: ID!) { updateConversation(input: {id: $id, title: "x"}) { conversation { id } } }`,
			} {
				require.Equal(t, "NOT_FOUND", c.Try(t, document, vars{"id": id}).ErrorCode(), "%q", id)
			}
			found := testclient.Run[struct{ Conversation *struct{ ID string } }](t, c,
				`query ($id: ID!) { conversation(id: $id) { id } }`, vars{"id": id})
			require.Nil(t, found.Conversation, "%q", id)
			require.Equal(t, "NOT_FOUND", refusal(t, c.Dial(t), testclient.MessageStream, vars{"id": id}), "%q", id)
		}
	})
}

// TestNoTextHoldsNUL: PostgreSQL cannot keep it, SQLite can; neither answers with an error of its own.
func TestNoTextHoldsNUL(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		c := b.user(t, "alice")
		for document, given := range map[string]vars{
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

func TestWhatAPersonMayBeCalled(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		c := b.user(t, "alice")
		const document = `mutation ($in: UpdateViewerInput!) { updateViewer(input: $in) { viewer { name timeZone } } }`
		requireFault(t, "BAD_USER_INPUT name", c.Try(t, document, vars{"in": vars{"name": times(201)}}))
		requireFault(t, "BAD_USER_INPUT timeZone", c.Try(t, document, vars{"in": vars{"timeZone": "Mars/Olympus"}}))
		a := c.Try(t, document, vars{"in": vars{"name": times(200), "timeZone": "Asia/Tokyo"}})
		require.JSONEq(t, `{"updateViewer":{"viewer":{"name":"`+times(200)+`","timeZone":"Asia/Tokyo"}}}`, string(a.Data))
		a = c.Try(t, document, vars{"in": vars{}})
		require.JSONEq(
			t,
			`{"updateViewer":{"viewer":{"name":"`+times(200)+`","timeZone":"Asia/Tokyo"}}}`,
			string(a.Data),
			"left out, they stay",
		)
	})
}

func TestConversationTitles(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		c := b.user(t, "alice")
		const create = `mutation ($in: CreateConversationInput) { r: createConversation(input: $in) { conversation { id title } } }`
		const rename = `mutation ($in: UpdateConversationInput!) { r: updateConversation(input: $in) { conversation { id title } } }`
		type payload struct {
			R struct{ Conversation struct{ ID, Title string } }
		}
		for _, bad := range []string{"", " ", times(201), "two\nlines"} {
			requireFault(t, "BAD_USER_INPUT title", c.Try(t, create, vars{"in": vars{"title": bad}}))
		}
		bare := testclient.Run[payload](t, c, create, nil).R.Conversation
		require.Empty(t, bare.Title)
		require.Equal(t, "Hello there", send(t, c, bare.ID, "Hello there\nand more").Conversation.Title)
		named := testclient.Run[payload](
			t,
			c,
			rename,
			vars{"in": vars{"id": bare.ID, "title": " " + times(200)}},
		).R.Conversation
		require.Equal(t, times(200), named.Title)
		require.Equal(
			t,
			named,
			testclient.Run[payload](t, c, rename, vars{"in": vars{"id": bare.ID}}).R.Conversation,
			"left out, it stays",
		)
		require.Equal(t, times(200), send(t, c, bare.ID, "Once more").Conversation.Title)
		require.Empty(
			t,
			testclient.Run[payload](t, c, rename, vars{"in": vars{"id": bare.ID, "title": nil}}).R.Conversation.Title,
		)
		require.Equal(t, "Named anew", send(t, c, bare.ID, "Named anew").Conversation.Title)
		requireFault(t, "BAD_USER_INPUT title", c.Try(t, rename, vars{"in": vars{"id": bare.ID, "title": ""}}))
	})
}
