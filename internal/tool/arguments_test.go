package tool

import (
	"context"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"errand/internal/apperr"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/require"
)

// normalize returns the normalized arguments of a call, or its error.
func normalize(t *testing.T, tool, arguments string) (string, *apperr.Error) {
	t.Helper()
	found := NewRegistry().Find(tool)
	require.NotNil(t, found, tool)
	b, err := normalizeArguments(found.argsSchema, arguments)
	if err != nil {
		return "", apperr.From(err)
	}
	return string(b), nil
}

func TestNormalizeArguments_OnePossibleMeaning_IsUnderstood(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ tool, arguments, want string }{
		{"list_tasks", ``, `{}`},
		{"list_tasks", `null`, `{}`},
		{"list_tasks", `"{}"`, `{}`},
		{"list_tasks", `{"status":null,"search":"","label":null,"limit":"","due_from":"","nothing":null}`, `{}`},
		{"list_tasks", `{"limit":"null","status":"null","due_to":"null"}`, `{}`},
		{"add_task", `{"title":"null"}`, `{"title":"null"}`},
		{"add_task", `{"title":"x","description":null,"labels":[],"due_on":"","priority":""}`, `{"title":"x"}`},
		{"complete_task", `{"number":"3"}`, `{"number":3}`},
		{"complete_task", `{"number":" #3 "}`, `{"number":3}`},
		{"complete_task", `{"number":3.0}`, `{"number":3}`},
		{"complete_task", `{"number":"3.0"}`, `{"number":3}`},
		{"complete_task", `{"number":3e0}`, `{"number":3}`},
		{"complete_task", `{"number":[3]}`, `{"number":3}`},
		{"complete_task", `{"Number":3}`, `{"number":3}`},
		{"complete_task", `{"task_number":3}`, `{"number":3}`},
		{"complete_task", `"{\"number\":3}"`, `{"number":3}`},
		{"complete_task", `{"arguments":{"number":3}}`, `{"number":3}`},
		{"complete_task", `{"input":"{\"number\":\"3\"}"}`, `{"number":3}`},
		{"add_task", `{"title":7}`, `{"title":"7"}`},
		{"add_task", `{"title":["x"]}`, `{"title":"x"}`},
		{"add_task", `{"title":"x","priority":"HIGH"}`, `{"title":"x","priority":"high"}`},
		{"add_task", `{"title":"x","priority":" Urgent"}`, `{"title":"x","priority":"urgent"}`},
		{"add_task", `{"title":"x","priority":"P1"}`, `{"title":"x","priority":"urgent"}`},
		{"add_task", `{"title":"x","priority":"p4"}`, `{"title":"x","priority":"low"}`},
		{"add_task", `{"title":"x","labels":"home"}`, `{"title":"x","labels":["home"]}`},
		{"add_task", `{"title":"x","labels":"[\"home\",\"garden\"]"}`, `{"title":"x","labels":["home","garden"]}`},
		{"add_task", `{"title":"x","labels":["home",null,""]}`, `{"title":"x","labels":["home"]}`},
		{"add_task", `{"title":"x","labels":[7]}`, `{"title":"x","labels":["7"]}`},
		{"add_task", `{"title":"x","dueOn":"2031-01-01"}`, `{"title":"x","due_on":"2031-01-01"}`},
		{"add_task", `{"title":"x","due-on":"2031-01-01"}`, `{"title":"x","due_on":"2031-01-01"}`},
		{"add_task", `{"title":"x","DUE_ON":"2031-01-01T00:00:00Z"}`, `{"title":"x","due_on":"2031-01-01"}`},
		{"add_task", `{"title":"x","due_on":"2031-01-01 00:00"}`, `{"title":"x","due_on":"2031-01-01"}`},
		{"add_task", `{"title":"x","due_on":null,"dueOn":"2031-01-01"}`, `{"title":"x","due_on":"2031-01-01"}`},
		{"list_tasks", `{"status":"OPEN"}`, `{"status":"pending"}`},
		{
			"list_tasks", `{"label":"home","priority":"P1, high","overdue":"True"}`,
			`{"labels":["home"],"priority":["urgent","high"],"overdue":true}`,
		},
		{
			"add_task", `{"tasks":["x",{"title":"y","dueOn":"2031-01-01"}]}`,
			`{"tasks":[{"title":"x"},{"title":"y","due":"2031-01-01"}]}`,
		},
		{"complete_task", `{"tasks":[3,"#4","milk"]}`, `{"tasks":["3","#4","milk"]}`},
		{"complete_task", `{"tasks":"3, 4"}`, `{"tasks":["3","4"]}`},
		{"complete_task", `{"tasks":"milk, bread and eggs"}`, `{"tasks":["milk, bread and eggs"]}`},
		{"update_task", `{"number":1,"clear":"due"}`, `{"number":1,"clear":["due"]}`},
		{"update_task", `{"number":1,"clear":"Due, LABELS"}`, `{"number":1,"clear":["due","labels"]}`},
	} {
		got, err := normalize(t, c.tool, c.arguments)
		require.Nil(t, err, "%s %s", c.tool, c.arguments)
		require.JSONEq(t, c.want, got, "%s %s", c.tool, c.arguments)
	}
}

func TestNormalizeArguments_Invalid_NamesTheArgumentAndShowsAnExample(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 201)
	for _, c := range []struct{ tool, arguments, field, message string }{
		{"add_task", `{`, "arguments", "not valid JSON"},
		{"add_task", `{} {}`, "arguments", "not valid JSON"},
		{"add_task", `[]`, "arguments", `must be a JSON object`},
		{"add_task", `7`, "arguments", `must be a JSON object`},
		{"add_task", `{"tasks":[{"due":"x"}]}`, "tasks[0].title", `send it, such as {"title": "Buy milk"}`},
		{"add_task", `{"title":"` + long + `"}`, "title", "text of 1 to 200 characters; this one has 201"},
		{"add_task", `{"title":{}}`, "title", "this is an object"},
		{"add_task", `{"title":"x","user":"bob"}`, "arguments", `no argument "user". The arguments are `},
		{"add_task", `{"title":"x","name":"y"}`, "title", `"name" and "title" mean the same`},
		{"add_task", `{"title":"x","priority":"soon"}`, "priority", `one of none, low, medium, high, urgent`},
		{"add_task", `{"title":"x","priority":1}`, "priority", `{"priority": "high"}`},
		{"add_task", `{"title":"x","due_on":"2031-01-01T10:00"}`, "due_on", `{"due_on": "2026-12-04"}`},
		{"add_task", `{"title":"x","labels":"home, garden"}`, "labels", `{"labels": ["home","garden"]}`},
		{"add_task", `{"title":"x","labels":{"a":1}}`, "labels[0]", `{"labels": ["home","garden"]}`},
		{"add_task", `{"title":"x","labels":[[["a","b"]]]}`, "labels[0]", `a list of 2`},
		{"complete_task", `{"number":"many"}`, "number", `{"number": 3}`},
		{"complete_task", `{"number":3.5}`, "number", `at least 1; this is the number 3.5`},
		{"complete_task", `{"number":true}`, "number", `{"number": 3}`},
		{"complete_task", `{"number":1e99999}`, "number", `{"number": 3}`},
		{"list_tasks", `{"limit":101}`, "limit", `from 1 to 100`},
		{"delete_task", `{"tasks":[` + strings.Repeat("1,", 50) + `1]}`, "tasks", `at most 50 items; this one has 51`},
	} {
		_, err := normalize(t, c.tool, c.arguments)
		require.NotNil(t, err, "%s %s", c.tool, c.arguments)
		require.Equal(t, apperr.BadUserInput, err.Code)
		require.Equal(t, c.field, err.Field, "%s %s: %s", c.tool, c.arguments, err.Message)
		require.Contains(t, err.Message, c.message, "%s %s", c.tool, c.arguments)
	}
}

// TestNormalizeArguments_HugeLists_AreRejectedBeforeTheirItems checks that the work for a list beyond its limit does
// not grow with its items.
func TestNormalizeArguments_HugeLists_AreRejectedBeforeTheirItems(t *testing.T) {
	schema := NewRegistry().Find("add_task").argsSchema
	labels := strings.TrimSuffix(strings.Repeat(`"x",`, 9900), ",")
	for _, arguments := range []string{
		`{"title":"x","labels":[` + labels + `]}`,
		`{"title":"x","labels":"[` + strings.ReplaceAll(labels, `"`, `\"`) + `]"}`,
		`{"title":"x","labels":` + strings.Repeat("[", 9900) + strings.Repeat("]", 9900) + `}`,
		`"` + strings.Repeat(`\"`, 1<<19) + `"`,
	} {
		work := testing.AllocsPerRun(1, func() {
			_, err := normalizeArguments(schema, arguments)
			require.Error(t, err)
		})
		require.Less(t, work, 500.0, "%.60s", arguments)
	}
}

func TestTools_EveryArgument_HasAValidExample(t *testing.T) {
	t.Parallel()
	for _, tool := range NewRegistry().Tools() {
		for name, property := range tool.argsSchema.Properties {
			var v any
			d := json.NewDecoder(strings.NewReader(exampleValues[name]))
			d.UseNumber()
			require.NoError(t, d.Decode(&v), "%s.%s", tool.Name, name)
			_, present, err := property.value(v, name)
			require.NoError(t, err)
			require.True(t, present, "%s.%s", tool.Name, name)
			if property.Items != nil {
				for member := range property.Items.Properties {
					require.NotEmpty(t, exampleValues[member], "%s.%s.%s", tool.Name, name, member)
				}
			}
		}
	}
}

// TestTools_EverySchema_HasNoUnions checks what clients of the Model Context Protocol are known to refuse.
func TestTools_EverySchema_HasNoUnions(t *testing.T) {
	t.Parallel()
	for _, tool := range NewRegistry().Tools() {
		for _, schema := range []json.RawMessage{tool.Schema, tool.OutputSchema} {
			for _, word := range []string{`"anyOf"`, `"oneOf"`, `"allOf"`, `"$ref"`, `"null"`, `"type":[`, `"const"`} {
				require.NotContains(t, string(schema), word, tool.Name)
			}
		}
	}
}

// librarySchemas has the schemas of the tools as the library resolves them, by name.
func librarySchemas(tb testing.TB) map[string]*jsonschema.Resolved {
	tb.Helper()
	schemas := map[string]*jsonschema.Resolved{}
	for _, tool := range NewRegistry().Tools() {
		var schema jsonschema.Schema
		require.NoError(tb, json.Unmarshal(tool.accepted, &schema))
		resolved, err := schema.Resolve(nil)
		require.NoError(tb, err)
		schemas[tool.Name] = resolved
	}
	return schemas
}

// FuzzNormalizeArguments checks against an independent implementation of JSON Schema: what the schema accepts keeps its
// meaning, and what is returned matches the schema.
func FuzzNormalizeArguments(f *testing.F) {
	registry := NewRegistry()
	schemas := librarySchemas(f)
	for i := range registry.Tools() {
		for _, seed := range []string{
			`{"number":3,"title":"Buy milk","labels":["a","b"],"due_on":"2031-01-01","clear":["due"]}`,
			`{"title":"x","priority":"HIGH","dueOn":"2031-01-01 00:00","labels":"[\"a\"]"}`,
			`"{\"number\":\"3.0\"}"`, `{"arguments":{"number":3e0}}`, `{"limit":50,"after":-0,"status":"all"}`,
			`{"tasks":["3","buy milk"],"task":"milk"}`, `{"tasks":[{"title":"x"},"y",null]}`, `null`, `[]`,
		} {
			f.Add(byte(i), seed)
		}
	}
	f.Fuzz(func(t *testing.T, at byte, arguments string) {
		tool := registry.Tools()[int(at)%len(registry.Tools())]
		schema := schemas[tool.Name]
		normal, err := normalizeArguments(tool.argsSchema, arguments)
		var before, after any
		valid := json.Unmarshal([]byte(arguments), &before) == nil && schema.Validate(before) == nil
		if err != nil {
			require.Equal(t, apperr.BadUserInput, apperr.CodeOf(err))
			require.NotEmpty(t, apperr.From(err).Field)
			require.True(t, !valid || hasLargeNumber(before), "%s refused %s: %v", tool.Name, arguments, err)
			return
		}
		require.NoError(t, json.Unmarshal(normal, &after))
		require.NoError(t, schema.Validate(after), "%s made %s of %s", tool.Name, normal, arguments)
		if valid {
			require.Equal(t, before, after, "%s made %s of %s", tool.Name, normal, arguments)
		}
		again, err := normalizeArguments(tool.argsSchema, string(normal))
		require.NoError(t, err)
		require.JSONEq(t, string(normal), string(again))
	})
}

// hasLargeNumber reports whether an argument is a number that Go's int or the database cannot hold.
func hasLargeNumber(v any) bool {
	members, _ := v.(map[string]any)
	for m := range maps.Values(members) {
		if n, ok := m.(float64); ok && (n > maxNumber || n < -maxNumber) {
			return true
		}
	}
	return false
}

func TestParseInstant_Spellings_AreUnderstood(t *testing.T) {
	t.Parallel()
	want := time.Date(2031, 6, 1, 15, 0, 0, 0, time.UTC)
	for _, text := range []string{
		"2031-06-01T17:00:00+02:00", "2031-06-01 17:00:00+02:00", "2031-06-01 17:00:00 +02:00", "2031-06-01t17:00+02:00",
		"2031-06-01T15:00:00Z", "2031-06-01 15:00z", "2031-06-01 17:00", "2031-06-01T17:00:00", " 2031-06-01 17:00:00 ",
	} {
		got, err := parseInstant(t.Context(), berlin{}, text)
		require.NoError(t, err, text)
		require.Equal(t, want, got.UTC(), text)
	}
}

// berlin is a user's tasks in that time zone.
type berlin struct{ Tasks }

func (berlin) TimeZone(context.Context) (*time.Location, error) {
	return time.LoadLocation("Europe/Berlin")
}
