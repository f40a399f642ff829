package mcp

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/stream"

	"github.com/google/jsonschema-go/jsonschema"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

var bothRevisions = []string{"2025-11-25", "2026-07-28"}

// TestTools_AllOperations_ChangeTasks runs every operation on a task and checks each result against its output
// schema, the change log and the task stream.
func TestTools_AllOperations_ChangeTasks(t *testing.T) {
	for _, revision := range bothRevisions {
		t.Run(revision, func(t *testing.T) {
			eachEngine(t, func(t *testing.T, w *fixture) {
				events := w.follow(t, "alice")
				c := w.connect(t, token(t, "alice", nil), revision)
				require.Equal(t, revision, c.InitializeResult().ProtocolVersion)
				schemas := outputSchemas(t, c)

				steps := []struct {
					tool, text, kind string
					args             map[string]any
				}{
					{
						"add_task", `Added task 1: "Buy milk" (high priority; due Tue 1 Dec 2026; label "home").`, "CREATED",
						map[string]any{"title": "Buy milk", "priority": "high", "due_on": "2026-12-01", "labels": []string{"home"}},
					},
					{
						"update_task", `Changed task 1: "Buy milk" (high priority; label "home").` + "\n   Two bottles.", "UPDATED",
						map[string]any{"number": 1, "clear": []string{"due"}, "description": "Two bottles."},
					},
					{
						"update_task", `Unchanged: task 1: "Buy milk" (high priority; label "home").` + "\n   Two bottles.", "",
						map[string]any{"number": 1, "priority": "high"},
					},
					{
						"complete_task", `Completed task 1: "Buy milk" (completed; high priority; label "home").` + "\n   Two bottles.",
						"COMPLETED",
						map[string]any{"number": 1},
					},
					{
						"complete_task",
						`Already completed: task 1: "Buy milk" (completed; high priority; label "home").` + "\n   Two bottles.", "",
						map[string]any{"number": 1},
					},
					{
						"reopen_task", `Reopened task 1: "Buy milk" (high priority; label "home").` + "\n   Two bottles.", "REOPENED",
						map[string]any{"number": 1},
					},
					{
						"list_tasks", "1 of 1 tasks:\n1. \"Buy milk\" (high priority; label \"home\")\n   Two bottles.", "",
						map[string]any{"status": "pending"},
					},
					{
						"delete_task", `Deleted task 1: "Buy milk" (high priority; label "home").` + "\n   Two bottles.", "DELETED",
						map[string]any{"number": 1},
					},
					{"list_tasks", "No tasks.", "", nil},
				}
				for _, step := range steps {
					result := c.callTool(step.tool, step.args)
					require.False(t, result.IsError, textOf(result))
					require.Equal(t, step.text, textOf(result))
					require.NoError(t, schemas[step.tool].Validate(result.StructuredContent), step.tool)
					if step.kind != "" {
						e := <-events
						require.Equal(t, enum.ChangeKind(step.kind), e.Kind)
						require.Equal(t, enum.ActorKind("MCP"), e.Change.Actor)
						require.Equal(t, "Test Desk", e.Change.Client)
					}
				}
				require.Equal(
					t,
					Report{
						Method:    methodCall,
						Tool:      "list_tasks",
						Transport: "http",
						Client:    "Test Desk",
						Latency:   w.lastReport(methodCall).Latency,
					},
					w.lastReport(methodCall),
				)
			})
		})
	}
}

// follow returns the task stream of a user.
func (w *fixture) follow(t *testing.T, subject string) <-chan *stream.TaskEvent {
	t.Helper()
	events := make(chan *stream.TaskEvent, 100)
	ctx, leave := context.WithCancel(w.context(subject))
	follower, err := stream.OpenTaskStream(ctx, w.hub, w.userID(subject), nil, w.tasks)
	require.NoError(t, err)
	left := make(chan struct{})
	go func() {
		defer close(left)
		_ = stream.Run(ctx, follower, func(e *stream.TaskEvent) bool { events <- e; return true })
	}()
	// The stream must end before the database closes, or it would retry its reads.
	t.Cleanup(func() { leave(); <-left })
	return events
}

func outputSchemas(t *testing.T, c *client) map[string]*jsonschema.Resolved {
	t.Helper()
	list, err := c.ListTools(t.Context(), nil)
	require.NoError(t, err)
	schemas := map[string]*jsonschema.Resolved{}
	for _, tool := range list.Tools {
		raw, err := json.Marshal(tool.OutputSchema)
		require.NoError(t, err)
		var schema jsonschema.Schema
		require.NoError(t, json.Unmarshal(raw, &schema))
		schemas[tool.Name], err = schema.Resolve(nil)
		require.NoError(t, err)
	}
	return schemas
}

// TestListTools_Annotations_MatchRegistry checks the rules that apply to all tools.
func TestListTools_Annotations_MatchRegistry(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *fixture) {
		list, err := w.connect(t, token(t, "alice", nil), revision2026).ListTools(t.Context(), nil)
		require.NoError(t, err)
		hints := map[string][3]bool{}
		for _, tool := range list.Tools {
			require.NotEmpty(t, tool.Title)
			require.NotEmpty(t, tool.Description)
			for _, schema := range []any{tool.InputSchema, tool.OutputSchema} {
				object := schema.(map[string]any)
				require.Equal(t, "object", object["type"], tool.Name)
				require.Equal(t, false, object["additionalProperties"], tool.Name)
				for name := range object["properties"].(map[string]any) {
					require.NotContains(t, strings.ToLower(name), "user", "%s has a parameter that names a user", tool.Name)
					require.NotContains(t, strings.ToLower(name), "owner", "%s has a parameter that names a user", tool.Name)
				}
			}
			require.False(t, *tool.Annotations.OpenWorldHint)
			hints[tool.Name] = [3]bool{
				tool.Annotations.ReadOnlyHint,
				*tool.Annotations.DestructiveHint,
				tool.Annotations.IdempotentHint,
			}
		}
		require.Equal(t, map[string][3]bool{ // read-only, destructive, idempotent
			"add_task": {false, false, false}, "list_tasks": {true, false, true}, "complete_task": {false, false, true},
			"reopen_task": {false, false, true}, "update_task": {false, true, false}, "delete_task": {false, true, false},
			"get_task": {true, false, true}, "restore_task": {false, false, true}, "recent_changes": {true, false, true},
			"undo": {false, true, false}, "set_time_zone": {false, false, true},
		}, hints)
	})
}

func TestCallTool_Failure_IsErrorResult(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *fixture) {
		c := w.connect(t, token(t, "alice", nil), revision2026)
		for _, fault := range []struct {
			tool, text, code string
			args             map[string]any
		}{
			{"complete_task", "There is no task 9.", "NOT_FOUND", map[string]any{"number": 9}},
			{
				"add_task", "A title must have 1 to 200 characters; this one has 0.", "BAD_USER_INPUT",
				map[string]any{"title": " "},
			},
			{"add_task", "", "BAD_USER_INPUT", map[string]any{"title": "x", "userId": "user_somebody"}},
			{"add_task", "", "BAD_USER_INPUT", nil},
			{"list_tasks", "", "BAD_USER_INPUT", map[string]any{"limit": 101}},
		} {
			result := c.callTool(fault.tool, fault.args)
			require.True(t, result.IsError)
			require.Nil(t, result.StructuredContent)
			require.Equal(t, fault.code, result.Meta["errand/code"])
			require.NotEmpty(t, textOf(result))
			if fault.text != "" {
				require.Equal(t, fault.text, textOf(result))
			}
			require.Equal(t, fault.code, string(w.lastReport(methodCall).Code))
		}
		_, err := c.CallTool(t.Context(), &sdk.CallToolParams{Name: "drop_tables"})
		require.ErrorContains(t, err, "unknown tool")
		require.Empty(t, w.lastReport(methodCall).Tool, "unknown tool names are not logged")
	})
}

// TestResources_LongLists_ArePaged reads every long list to its end.
func TestResources_LongLists_ArePaged(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *fixture) {
		for range 120 {
			w.createTask("alice", "a task")
		}
		talk := w.addConversation("alice", 120)
		c := w.connect(t, token(t, "alice", nil), revision2026)

		var numbers []float64
		for after := 0.0; ; after = numbers[len(numbers)-1] {
			result := c.mustCall("list_tasks", map[string]any{"limit": 50, "after": after})
			require.EqualValues(t, 120, result["total"])
			found := result["tasks"].([]any)
			if len(found) == 0 {
				break
			}
			for _, one := range found {
				numbers = append(numbers, one.(map[string]any)["number"].(float64))
			}
		}
		require.Len(t, numbers, 120)
		require.IsIncreasing(t, numbers)

		first := c.read(openTasksURI)
		require.Len(t, first["tasks"], 100)
		rest := c.read(first["more"].(string))
		require.Len(t, rest["tasks"], 20)
		require.NotContains(t, rest, "more")

		long := strings.Repeat("long ", 1000)
		for range 20 {
			c.mustCall("add_task", map[string]any{"title": "a long one", "description": long, "labels": []string{"at home"}})
		}
		long20 := 0
		for page := c.read(openTasksURIOf(0, "at home")); ; page = c.read(page["more"].(string)) {
			long20 += len(page["tasks"].([]any))
			require.EqualValues(t, 20, page["total"])
			if page["more"] == nil {
				break
			}
			require.Less(t, long20, 20, "long descriptions shorten a page")
		}
		require.Equal(t, 20, long20)

		newest := c.read(conversationURIOf(talk.ID))
		messages := len(newest["messages"].([]any))
		for page := newest; page["earlier"] != nil; {
			page = c.read(page["earlier"].(string))
			messages += len(page["messages"].([]any))
		}
		require.Equal(t, 120, messages)

		var uris []string
		for r, err := range c.Resources(t.Context(), nil) {
			require.NoError(t, err)
			uris = append(uris, r.URI)
		}
		require.Len(t, uris, 142)
		require.Equal(t, []string{openTasksURI, "errand://tasks/1", "errand://tasks/2"}, uris[:3])
		require.Equal(t, conversationURIOf(talk.ID), uris[141])
		for _, cursor := range []string{"x", "tno", "cno", "t" + strings.Repeat("A", 500)} {
			_, err := c.ListResources(t.Context(), &sdk.ListResourcesParams{Cursor: cursor})
			require.ErrorContains(t, err, "cursor")
		}
	})
}

// addConversation stores a conversation with the given number of messages.
func (w *fixture) addConversation(subject string, messages int) *ent.Conversation {
	ctx, db := w.context(subject), w.db.Client()
	talk, err := db.Conversation.Create().SetTitle("A talk").SetMessageCount(messages).Save(ctx)
	require.NoError(w.t, err)
	for i := range messages {
		role := enum.RoleUser
		if i%2 == 1 {
			role = enum.RoleAssistant
		}
		require.NoError(
			w.t,
			db.Message.Create().SetConversationID(talk.ID).SetPosition(i+1).SetRole(role).SetContent("said").Exec(ctx),
		)
	}
	return talk
}

// TestConversation_LongMessages_ReadInParts reads a conversation of the longest messages in several parts, each of a
// limited size, which add up to the whole.
func TestConversation_LongMessages_ReadInParts(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *fixture) {
		const n, size = 20, 30_000
		talk := w.addConversation("alice", n)
		w.db.Client().Message.Update().SetContent(strings.Repeat("x", size)).ExecX(w.context("alice"))
		c := w.connect(t, token(t, "alice", nil), revision2026)
		count, parts := 0, 0
		for uri := conversationURIOf(talk.ID); uri != ""; parts++ {
			part := c.read(uri)
			messages := part["messages"].([]any)
			require.NotEmpty(t, messages)
			require.LessOrEqual(t, len(messages)*size, maxConversationBytes)
			count += len(messages)
			uri, _ = part["earlier"].(string)
		}
		require.Equal(t, n, count)
		require.Equal(t, 5, parts)
	})
}

func TestDailyReview_Prompt_HoldsOpenTasks(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *fixture) {
		w.createTask("alice", "Write to Bob")
		c := w.connect(t, token(t, "alice", nil), revision2026)
		prompts, err := c.ListPrompts(t.Context(), nil)
		require.NoError(t, err)
		require.Len(t, prompts.Prompts, 1)
		got, err := c.GetPrompt(t.Context(), &sdk.GetPromptParams{Name: prompts.Prompts[0].Name})
		require.NoError(t, err)
		require.Len(t, got.Messages, 2)
		attached := got.Messages[1].Content.(*sdk.EmbeddedResource).Resource
		require.JSONEq(
			t,
			`{"tasks":[{"number":1,"title":"Write to Bob","completed":false,"priority":"none"}],"total":1}`,
			regexp.MustCompile(`,"created_at":"[^"]*"`).ReplaceAllString(attached.Text, ""),
		)
		labelled, err := c.GetPrompt(
			t.Context(),
			&sdk.GetPromptParams{Name: "daily_review", Arguments: map[string]string{"label": "work"}},
		)
		require.NoError(t, err)
		require.JSONEq(t, `{"tasks":[],"total":0}`, labelled.Messages[1].Content.(*sdk.EmbeddedResource).Resource.Text)
	})
}

// TestReadResource_NumberOrID_ReturnsTask covers both URIs of a task, until it is in the trash.
func TestReadResource_NumberOrID_ReturnsTask(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *fixture) {
		task, err := w.tasks.FindTaskByNumber(w.context("alice"), w.createTask("alice", "one"))
		require.NoError(t, err)
		c := w.connect(t, token(t, "alice", nil), revision2026)
		require.Equal(t, c.read(taskURIOf("1")), c.read(taskURIOf(task.ID)))
		for _, other := range []string{
			"errand://tasks/01", "errand://tasks/%31", "errand://tasks/1?after=0",
			"ERRAND://tasks/1", "errand://tasks/1#x", "errand://tasks/1/",
		} {
			_, err := c.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: other})
			require.ErrorContains(t, err, "Resource not found", other)
		}
		c.mustCall("delete_task", map[string]any{"number": 1})
		for _, name := range []string{"1", task.ID} {
			_, err := c.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: taskURIOf(name)})
			require.ErrorContains(t, err, "Resource not found")
		}
	})
}
