package tool_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"errand/ent/rule"
	"errand/internal/apperr"
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

// requireResults makes the calls in order.
func (e *environment) requireResults(t *testing.T, calls ...call) {
	t.Helper()
	for _, c := range calls {
		result, err := e.Call(e.ctx, e.tasks, c.tool, c.arguments)
		require.NoError(t, err)
		if strings.HasPrefix(c.want, "{") {
			require.JSONEq(t, c.want, result.JSON, "%s %s", c.tool, c.arguments)
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
				`{"tasks":[{"number":1,"title":"Plain","completed":false,"priority":"none"},` + full + `],"total":2}`,
			},
			call{
				"list_tasks",
				`{"limit":1}`,
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
			call{"list_tasks", `{"label":"a\u0000b"}`, "BAD_USER_INPUT label"},
			call{"complete_task", `{"number":0}`, "BAD_USER_INPUT number"},
			call{"complete_task", `{"number":5}`, "NOT_FOUND number"},
			call{"complete_task", `{"number":99999999999999999999}`, "BAD_USER_INPUT number"},
			call{"complete_task", `{"number":1e30}`, "BAD_USER_INPUT number"},
			call{"update_task", `{"number":5,"title":"x"}`, "NOT_FOUND number"},
			call{"update_task", `{"number":5,"due_on":"2031-01-01","clear":["due"]}`, "NOT_FOUND number"},
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
