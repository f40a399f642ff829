package tool_test

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"errand/ent/rule"
	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/task"
	"errand/internal/testdb"
	"errand/internal/tool"
	"errand/internal/viewer"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// call is a tool call and its expected result: JSON, or the code and field of its error.
type call struct{ tool, arguments, want string }

// environment is the registry with a user whose tasks the calls act on.
type environment struct {
	*tool.Registry
	// ctx has the user as its viewer.
	ctx   context.Context
	tasks *task.Service
}

// forEachEngine runs the test on SQLite and on PostgreSQL.
func forEachEngine(t *testing.T, test func(t *testing.T, e *environment)) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		u := db.Client().User.Create().SetSubject("alice").SetTimeZone("Europe/Berlin").SaveX(rule.System(t.Context()))
		test(t, &environment{
			Registry: tool.NewRegistry(),
			ctx:      viewer.NewContext(t.Context(), viewer.Viewer{UserID: u.ID}),
			tasks:    task.NewService(db.Client(), quota.Limits{}, func(string) {}),
		})
	})
}

// withoutTimes matches the members of results that depend on the time of the test.
var withoutTimes = regexp.MustCompile(`,"(created|completed)_at":"[^"]*"`)

// requireResults makes the calls in order.
func (e *environment) requireResults(t *testing.T, calls ...call) {
	t.Helper()
	for _, c := range calls {
		result, err := e.Call(e.ctx, e.tasks, c.tool, c.arguments)
		require.NoError(t, err)
		if strings.HasPrefix(c.want, "{") {
			require.JSONEq(t, c.want, withoutTimes.ReplaceAllString(result.JSON, ""), "%s %s", c.tool, c.arguments)
			require.False(t, result.Failed)
			requireMatchesSchema(t, e.Registry, c.tool, result.JSON)
			continue
		}
		var failed struct {
			Error struct{ Code, Message, Field string }
		}
		require.NoError(t, json.Unmarshal([]byte(result.JSON), &failed))
		require.True(t, result.Failed, "%s %s returned %s", c.tool, c.arguments, result.JSON)
		got := strings.TrimSpace(failed.Error.Code + " " + failed.Error.Field)
		require.Equal(t, c.want, got, "%s %s returned %s", c.tool, c.arguments, result.JSON)
		require.NotEmpty(t, failed.Error.Message)
	}
}

// requireMatchesSchema checks a result against the tool's output schema.
func requireMatchesSchema(t *testing.T, r *tool.Registry, name, result string) {
	t.Helper()
	for _, tool := range r.Tools() {
		if tool.Name != name {
			continue
		}
		var schema jsonschema.Schema
		require.NoError(t, json.Unmarshal(tool.OutputSchema, &schema))
		resolved, err := schema.Resolve(nil)
		require.NoError(t, err)
		var value any
		require.NoError(t, json.Unmarshal([]byte(result), &value))
		require.NoError(t, resolved.Validate(value), "%s returned %s", name, result)
	}
}

func TestCall_ValidArguments_ReturnsTheTaskAndItsChange(t *testing.T) {
	forEachEngine(t, func(t *testing.T, e *environment) {
		full := `{"number":2,"title":"Full","description":"more","completed":false,"priority":"urgent",
			"due_at":"2031-06-01T17:00:00+02:00","labels":["home"]}`
		e.requireResults(
			t,
			call{"add_task", `{"title":"Plain"}`, `{"task":{"number":1,"title":"Plain","completed":false,"priority":"none"}}`},
			call{
				"add_task",
				`{"title":"Full","description":"more","priority":"urgent","due_at":"2031-06-01T17:00","labels":["home"]}`,
				`{"task":` + full + `}`,
			},
			call{
				"list_tasks",
				``,
				`{"tasks":[` + full + `,{"number":1,"title":"Plain","completed":false,"priority":"none"}],"total":2}`,
			},
			call{
				"list_tasks",
				`{"limit":1,"after":2}`,
				`{"tasks":[{"number":1,"title":"Plain","completed":false,"priority":"none"}],"total":2}`,
			},
			call{
				"list_tasks",
				`{"search":"full","label":"home","priority":"urgent",
					"due_from":"2031-06-01","due_to":"2031-06-01","status":"pending"}`,
				`{"tasks":[` + full + `],"total":1}`,
			},
			call{"list_tasks", `{"status":"completed"}`, `{"tasks":[],"total":0}`},
			call{
				"complete_task",
				`{"number":1}`,
				`{"task":{"number":1,"title":"Plain","completed":true,"priority":"none"},"changed":true}`,
			},
			call{
				"complete_task",
				`{"number":1}`,
				`{"task":{"number":1,"title":"Plain","completed":true,"priority":"none"},"changed":false}`,
			},
			call{
				"reopen_task",
				`{"number":1}`,
				`{"task":{"number":1,"title":"Plain","completed":false,"priority":"none"},"changed":true}`,
			},
			call{
				"update_task", `{"number":2,"title":"Less","clear":["description","due","labels"],"priority":"low"}`,
				`{"task":{"number":2,"title":"Less","completed":false,"priority":"low"},"changed":true}`,
			},
			call{
				"update_task",
				`{"number":2,"due_on":"2031-01-02"}`,
				`{"task":{"number":2,"title":"Less","completed":false,"priority":"low","due_on":"2031-01-02"},"changed":true}`,
			},
			call{
				"update_task",
				`{"number":2}`,
				`{"task":{"number":2,"title":"Less","completed":false,"priority":"low","due_on":"2031-01-02"},"changed":false}`,
			},
			call{
				"delete_task",
				`{"number":2}`,
				`{"task":{"number":2,"title":"Less","completed":false,"priority":"low","due_on":"2031-01-02"}}`,
			},
			call{"delete_task", `{"number":2}`, `NOT_FOUND number`},
			call{"add_task", `{"title":"Third"}`, `{"task":{"number":3,"title":"Third","completed":false,"priority":"none"}}`},
		)
	})
}

func TestCall_InvalidArguments_ReturnsCodeAndField(t *testing.T) {
	forEachEngine(t, func(t *testing.T, e *environment) {
		e.requireResults(t,
			call{"drop_tables", `{}`, "NOT_FOUND"},
			call{"add_task", `{`, "BAD_USER_INPUT arguments"},
			call{"add_task", `[]`, "BAD_USER_INPUT arguments"},
			call{"add_task", `{}`, "BAD_USER_INPUT title"},
			call{"add_task", `{"title":"x","user":"bob"}`, "BAD_USER_INPUT arguments"},
			call{"add_task", `{"title":"   "}`, "BAD_USER_INPUT title"},
			call{"add_task", `{"title":"a\u0000b"}`, "BAD_USER_INPUT title"},
			call{"add_task", `{"title":"x","due_on":"2031-02-30"}`, "BAD_USER_INPUT due_on"},
			call{"add_task", `{"title":"x","due_at":"soon"}`, "BAD_USER_INPUT due_at"},
			call{"add_task", `{"title":"x","due_on":"2031-01-01","due_at":"2031-01-01T10:00:00Z"}`, "BAD_USER_INPUT due_at"},
			call{"add_task", `{"title":"x","priority":"higher"}`, "BAD_USER_INPUT priority"},
			call{"list_tasks", `{"limit":0}`, "BAD_USER_INPUT limit"},
			call{"list_tasks", `{"due_from":"2031-02-30"}`, "BAD_USER_INPUT due_from"},
			call{"list_tasks", `{"search":"a\u0000b"}`, "BAD_USER_INPUT search"},
			call{"list_tasks", `{"label":"a\u0000b"}`, "BAD_USER_INPUT labels"},
			call{"complete_task", `{"number":0}`, "BAD_USER_INPUT number"},
			call{"complete_task", `{"number":5}`, "NOT_FOUND number"},
			call{"complete_task", `{"number":99999999999999999999}`, "BAD_USER_INPUT number"},
			call{"complete_task", `{"number":1e30}`, "BAD_USER_INPUT number"},
			call{"update_task", `{"number":5,"title":"x"}`, "NOT_FOUND number"},
			call{"update_task", `{"number":5,"due_on":"2031-01-01","clear":["due"]}`, "BAD_USER_INPUT clear"},
			call{"update_task", `{"number":5,"clear":["due","everything"]}`, "BAD_USER_INPUT clear[1]"},
			call{"list_tasks", `{}`, `{"tasks":[],"total":0}`},
		)
	})
}

// Errors of the server end the attempt instead of being reported to the model.
func TestCall_ServerError_ReturnsAnErrorAndNoResult(t *testing.T) {
	forEachEngine(t, func(t *testing.T, e *environment) {
		_, err := e.Call(context.Background(), e.tasks, "list_tasks", "{}")
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err))
		cancelled, cancel := context.WithCancel(e.ctx)
		cancel()
		_, err = e.Call(cancelled, e.tasks, "add_task", `{"title":"x"}`)
		require.Error(t, err)
	})
}

func TestTools_EverySchema_IsClosedAndNamesNoUser(t *testing.T) {
	t.Parallel()
	for _, tool := range tool.NewRegistry().Tools() {
		var schema struct {
			AdditionalProperties *bool
			Properties           map[string]any
		}
		require.NoError(t, json.Unmarshal(tool.Schema, &schema))
		require.NotNil(t, schema.AdditionalProperties, tool.Name)
		require.False(t, *schema.AdditionalProperties, tool.Name)
		for name := range schema.Properties {
			for _, word := range []string{"user", "owner", "person", "id", "account"} {
				require.NotContains(t, strings.Split(name, "_"), word, "%s.%s", tool.Name, name)
			}
		}
		require.NotEmpty(t, tool.Description)
	}
}

func TestCall_SeveralTasks_SucceedOrFailOneByOne(t *testing.T) {
	forEachEngine(t, func(t *testing.T, e *environment) {
		e.requireResults(t, call{
			"add_task", `{"tasks":["Buy milk","Buy bread",` +
				`{"title":"Pay rent","labels":["Home"],"due":"2031-01-01"}],"priority":"P2"}`,
			`{"results":[
				{"reference":"Buy milk","changed":true,
					"task":{"number":1,"title":"Buy milk","completed":false,"priority":"high"}},
				{"reference":"Buy bread","changed":true,
					"task":{"number":2,"title":"Buy bread","completed":false,"priority":"high"}},
				{"reference":"Pay rent","changed":true,
					"task":{"number":3,"title":"Pay rent","completed":false,"priority":"high",
						"due_on":"2031-01-01","labels":["Home"]}}]}`,
		})
		result, err := e.Call(e.ctx, e.tasks, "complete_task", `{"tasks":["rent",9,"buy","the milk one"]}`)
		require.NoError(t, err)
		require.False(t, result.Failed)
		requireMatchesSchema(t, e.Registry, "complete_task", result.JSON)
		require.Contains(t, result.Text, "2 of 4 succeeded.")
		var got struct {
			Results []struct {
				Reference string
				Changed   bool
				Error     struct{ Code string }
				Choices   []struct{ Number int }
			}
		}
		require.NoError(t, json.Unmarshal([]byte(result.JSON), &got))
		require.Len(t, got.Results, 4)
		require.True(t, got.Results[0].Changed)
		require.Equal(t, "NOT_FOUND", got.Results[1].Error.Code)
		require.Len(t, got.Results[2].Choices, 2)
		require.False(t, got.Results[2].Changed)
		require.True(t, got.Results[3].Changed)
		require.Len(t, result.Choices, 1)
		require.Equal(t, "buy", result.Choices[0].Reference)
	})
}

func TestCall_UncertainWords_ChangeNothingAndReturnChoices(t *testing.T) {
	forEachEngine(t, func(t *testing.T, e *environment) {
		e.requireResults(
			t,
			call{
				"add_task",
				`{"title":"Chapter 7"}`,
				`{"task":{"number":1,"title":"Chapter 7","completed":false,"priority":"none"}}`,
			},
			call{
				"add_task", `{"title":"Catering order"}`,
				`{"task":{"number":2,"title":"Catering order","completed":false,"priority":"none"}}`,
			},
		)
		for _, tool := range []string{"delete_task", "complete_task", "update_task"} {
			for _, words := range []string{"chapter 8", "the cat task", "7 chapters 8"} {
				result, err := e.Call(e.ctx, e.tasks, tool, `{"task":"`+words+`"}`)
				require.NoError(t, err)
				require.True(t, result.Failed, "%s %s", tool, words)
			}
		}
		result, err := e.Call(e.ctx, e.tasks, "delete_task", `{"task":"chapter 8"}`)
		require.NoError(t, err)
		require.Len(t, result.Choices, 1)
		require.Equal(t, 1, result.Choices[0].Candidates[0].Number)
		require.Contains(t, result.JSON, `"choices":[{"number":1,"title":"Chapter 7"}]`)
		e.requireResults(t, call{"list_tasks", `{"sort":"number"}`, `{"tasks":[
			{"number":1,"title":"Chapter 7","completed":false,"priority":"none"},
			{"number":2,"title":"Catering order","completed":false,"priority":"none"}],"total":2}`})
	})
}

func TestCall_RelativeFields_KeepWhatIsThere(t *testing.T) {
	forEachEngine(t, func(t *testing.T, e *environment) {
		view := func(more string) string {
			return `{"task":{"number":1,"title":"x","completed":false,"priority":"none"` + more + `},"changed":true}`
		}
		e.requireResults(
			t,
			call{
				"add_task", `{"title":"x","labels":["Home"],"description":"a","due_at":"2031-03-29 09:00"}`,
				`{"task":{"number":1,"title":"x","completed":false,"priority":"none","description":"a","labels":["Home"],` +
					`"due_at":"2031-03-29T09:00:00+01:00"}}`,
			},
			call{
				"update_task", `{"number":1,"add_labels":["home","work"],"append_description":"b","shift_due":"by 1 day"}`,
				view(`,"description":"a\nb","labels":["Home","work"],"due_at":"2031-03-30T09:00:00+02:00"`),
			},
			call{
				"update_task",
				`{"number":1,"remove_labels":["HOME"],"clear":["description","due"]}`,
				view(`,"labels":["work"]`),
			},
			call{"update_task", `{"number":1,"labels":["a"],"add_labels":["b"]}`, "BAD_USER_INPUT arguments"},
			call{"update_task", `{"number":1,"shift_due":"2 days"}`, "BAD_USER_INPUT shift_due"},
			call{"update_task", `{"number":1,"due":"sometime"}`, "BAD_USER_INPUT due"},
			call{
				"list_tasks", `{"label":"WORK"}`,
				`{"tasks":[{"number":1,"title":"x","completed":false,"priority":"none","labels":["work"]}],"total":1}`,
			},
			call{
				"delete_task",
				`{"task":"x"}`,
				`{"task":{"number":1,"title":"x","completed":false,"priority":"none","labels":["work"]}}`,
			},
			call{
				"list_tasks", `{"trashed":true}`,
				`{"tasks":[{"number":1,"title":"x","completed":false,"priority":"none","labels":["work"]}],"total":1}`,
			},
			call{"restore_task", `{"task":"x"}`, view(`,"labels":["work"]`)},
			call{"restore_task", `{"number":1}`, strings.Replace(view(`,"labels":["work"]`), "true}", "false}", 1)},
			call{
				"get_task",
				`{"number":1}`,
				`{"task":{"number":1,"title":"x","completed":false,"priority":"none","labels":["work"]}}`,
			},
		)
		result, err := e.Call(e.ctx, e.tasks, "recent_changes", `{}`)
		require.NoError(t, err)
		require.False(t, result.Failed)
		requireMatchesSchema(t, e.Registry, "recent_changes", result.JSON)
		require.Contains(t, result.JSON, `"kind":"restored"`)
	})
}

func TestCall_UndoAndTimeZone_ResultsMatchSchemas(t *testing.T) {
	forEachEngine(t, func(t *testing.T, e *environment) {
		v, _ := viewer.FromContext(e.ctx)
		v.Actor, v.Client = viewer.ActorMCP, "Desk"
		use := func(name, arguments string) tool.Result {
			v.BatchID = ids.New(ids.Batch)()
			result, err := e.Call(viewer.NewContext(e.ctx, v), e.tasks, name, arguments)
			require.NoError(t, err)
			require.False(t, result.Failed, result.JSON)
			requireMatchesSchema(t, e.Registry, name, result.JSON)
			return result
		}
		use("add_task", `{"title":"Milk"}`)
		use("update_task", `{"number":1,"title":"Bread","priority":"high"}`)
		_, err := e.Call(e.ctx, e.tasks, "update_task", `{"number":1,"title":"Rolls"}`)
		require.NoError(t, err)
		undone := use("undo", `{"change":null}`)
		require.Contains(t, undone.JSON, `"reason":"Changed since: title."`)
		require.Equal(t, "1 change undone:\nupdated task 1, \"Rolls\".\nNot undone:\n"+
			"updated task 1, \"Rolls\". Changed since: title.", undone.Text)
		require.Contains(t, use("set_time_zone", `{"time_zone":"new york"}`).Text, "America/New_York now")
		e.requireResults(t,
			call{"set_time_zone", `{}`, "BAD_USER_INPUT time_zone"},
			call{"set_time_zone", `{"time_zone":"CEST"}`, "BAD_USER_INPUT time_zone"},
			call{"undo", `{"change":"nothing"}`, "NOT_FOUND change"},
		)
	})
}
