package tool_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"errand/ent/rule"
	"errand/internal/apperr"
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

// use is a call and what must come of it, as JSON, or the code and field of its failure.
type use struct{ tool, arguments, want string }

func each(t *testing.T, test func(t *testing.T, ctx context.Context, r *tool.Registry)) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		u := db.Client().User.Create().SetSubject("alice").SetTimeZone("Europe/Berlin").SaveX(rule.System(t.Context()))
		test(t, viewer.NewContext(t.Context(), viewer.Viewer{UserID: u.ID}), tool.NewRegistry(task.NewService(db.Client(), func(string) {})))
	})
}

func run(t *testing.T, ctx context.Context, r *tool.Registry, uses ...use) {
	t.Helper()
	for _, u := range uses {
		result, err := r.Call(ctx, u.tool, u.arguments)
		require.NoError(t, err)
		if strings.HasPrefix(u.want, "{") {
			require.JSONEq(t, u.want, result.JSON, "%s %s", u.tool, u.arguments)
			require.False(t, result.Failed)
			requireDeclared(t, r, u.tool, result.JSON)
			continue
		}
		var failed struct {
			Error struct{ Code, Message, Field string }
		}
		require.NoError(t, json.Unmarshal([]byte(result.JSON), &failed))
		require.True(t, result.Failed, "%s %s gave %s", u.tool, u.arguments, result.JSON)
		require.Equal(
			t,
			u.want,
			strings.TrimSpace(failed.Error.Code+" "+failed.Error.Field),
			"%s %s gave %s",
			u.tool,
			u.arguments,
			result.JSON,
		)
		require.NotEmpty(t, failed.Error.Message)
	}
}

// requireDeclared checks a result against the schema that its tool declares.
func requireDeclared(t *testing.T, r *tool.Registry, name, result string) {
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
		require.NoError(t, resolved.Validate(value), "%s gave %s", name, result)
	}
}

func TestWhatToolsDo(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, r *tool.Registry) {
		full := `{"number":2,"title":"Full","description":"more","completed":false,"priority":"urgent","due_at":"2031-06-01T17:00:00+02:00","labels":["home"]}`
		run(
			t,
			ctx,
			r,
			use{"add_task", `{"title":"Plain"}`, `{"task":{"number":1,"title":"Plain","completed":false,"priority":"none"}}`},
			use{
				"add_task",
				`{"title":"Full","description":"more","priority":"urgent","due_at":"2031-06-01T17:00","labels":["home"]}`,
				`{"task":` + full + `}`,
			},
			use{
				"list_tasks",
				``,
				`{"tasks":[{"number":1,"title":"Plain","completed":false,"priority":"none"},` + full + `],"total":2}`,
			},
			use{
				"list_tasks",
				`{"limit":1}`,
				`{"tasks":[{"number":1,"title":"Plain","completed":false,"priority":"none"}],"total":2}`,
			},
			use{
				"list_tasks",
				`{"search":"full","label":"home","priority":"urgent","due_from":"2031-06-01","due_to":"2031-06-01","status":"pending"}`,
				`{"tasks":[` + full + `],"total":1}`,
			},
			use{"list_tasks", `{"status":"completed"}`, `{"tasks":[],"total":0}`},
			use{
				"complete_task",
				`{"number":1}`,
				`{"task":{"number":1,"title":"Plain","completed":true,"priority":"none"},"changed":true}`,
			},
			use{
				"complete_task",
				`{"number":1}`,
				`{"task":{"number":1,"title":"Plain","completed":true,"priority":"none"},"changed":false}`,
			},
			use{
				"reopen_task",
				`{"number":1}`,
				`{"task":{"number":1,"title":"Plain","completed":false,"priority":"none"},"changed":true}`,
			},
			use{
				"update_task", `{"number":2,"title":"Less","description":null,"due_at":null,"labels":null,"priority":"low"}`,
				`{"task":{"number":2,"title":"Less","completed":false,"priority":"low"},"changed":true}`,
			},
			use{
				"update_task",
				`{"number":2,"due_on":"2031-01-02"}`,
				`{"task":{"number":2,"title":"Less","completed":false,"priority":"low","due_on":"2031-01-02"},"changed":true}`,
			},
			use{
				"update_task",
				`{"number":2}`,
				`{"task":{"number":2,"title":"Less","completed":false,"priority":"low","due_on":"2031-01-02"},"changed":false}`,
			},
			use{
				"delete_task",
				`{"number":2}`,
				`{"task":{"number":2,"title":"Less","completed":false,"priority":"low","due_on":"2031-01-02"}}`,
			},
			use{"delete_task", `{"number":2}`, `NOT_FOUND number`},
			use{"add_task", `{"title":"Third"}`, `{"task":{"number":3,"title":"Third","completed":false,"priority":"none"}}`},
		)
	})
}

func TestWhatToolsRefuse(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, r *tool.Registry) {
		run(t, ctx, r,
			use{"drop_tables", `{}`, "NOT_FOUND"},
			use{"add_task", `{`, "BAD_USER_INPUT arguments"},
			use{"add_task", `[]`, "BAD_USER_INPUT arguments"},
			use{"add_task", `{}`, "BAD_USER_INPUT arguments"},
			use{"add_task", `{"title":"x","user":"bob"}`, "BAD_USER_INPUT arguments"},
			use{"add_task", `{"title":"   "}`, "BAD_USER_INPUT title"},
			use{"add_task", `{"title":"a\u0000b"}`, "BAD_USER_INPUT title"},
			use{"add_task", `{"title":"x","due_on":"2031-02-30"}`, "BAD_USER_INPUT due_on"},
			use{"add_task", `{"title":"x","due_at":"soon"}`, "BAD_USER_INPUT due_at"},
			use{"add_task", `{"title":"x","due_on":"2031-01-01","due_at":"2031-01-01T10:00:00Z"}`, "BAD_USER_INPUT due_at"},
			use{"add_task", `{"title":"x","priority":"highest"}`, "BAD_USER_INPUT arguments"},
			use{"list_tasks", `{"limit":0}`, "BAD_USER_INPUT arguments"},
			use{"list_tasks", `{"due_from":"2031-02-30"}`, "BAD_USER_INPUT due_from"},
			use{"list_tasks", `{"search":"a\u0000b"}`, "BAD_USER_INPUT search"},
			use{"list_tasks", `{"label":"a\u0000b"}`, "BAD_USER_INPUT label"},
			use{"complete_task", `{"number":0}`, "BAD_USER_INPUT arguments"},
			use{"complete_task", `{"number":5}`, "NOT_FOUND number"},
			use{"complete_task", `{"number":99999999999999999999}`, "BAD_USER_INPUT arguments"},
			use{"complete_task", `{"number":1e30}`, "BAD_USER_INPUT arguments"},
			use{"update_task", `{"number":5,"title":"x"}`, "NOT_FOUND number"},
			use{"list_tasks", `{}`, `{"tasks":[],"total":0}`},
		)
	})
}

// TestAServerThatCannotIsNotTheModelsFault: such an error ends the attempt, and is not told to the model.
func TestAServerThatCannotIsNotTheModelsFault(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, r *tool.Registry) {
		_, err := r.Call(context.Background(), "list_tasks", "{}")
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err))
		ended, cancel := context.WithCancel(ctx)
		cancel()
		_, err = r.Call(ended, "add_task", `{"title":"x"}`)
		require.Error(t, err)
	})
}

// TestNoToolNamesAPerson, and every schema is closed and described.
func TestNoToolNamesAPerson(t *testing.T) {
	t.Parallel()
	for _, tool := range tool.NewRegistry(nil).Tools() {
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
