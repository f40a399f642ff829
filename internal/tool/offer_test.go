package tool

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOfferedSchema_LeavesOutBoundsAndAliases(t *testing.T) {
	t.Parallel()
	const schema = `{"type":"object","additionalProperties":false,"properties":{
		"title":{"type":"string","minLength":1,"description":"What.","maxLength":9},
		"description":{"type":"string","offer":"full"},
		"due_on":{"type":"string","pattern":"x","offer":"never"},
		"tasks":{"type":"array","maxItems":50,"items":{"type":"object","additionalProperties":false,"required":["title"],
			"properties":{"title":{"type":"string","minLength":1},"due_at":{"type":"string","offer":"never"}}}}}}`
	full, err := offeredSchema(json.RawMessage(schema), false)
	require.NoError(t, err)
	require.JSONEq(t, `{"type":"object","additionalProperties":false,"properties":{`+
		`"title":{"type":"string","description":"What."},"description":{"type":"string"},"tasks":{"type":"array",`+
		`"items":{"type":"object","required":["title"],"properties":{"title":{"type":"string"}}}}}}`, string(full))
	compact, err := offeredSchema(json.RawMessage(schema), true)
	require.NoError(t, err)
	require.Less(t, strings.Index(string(full), `"title"`), strings.Index(string(full), `"tasks"`), "the order stays")
	require.JSONEq(t, `{"type":"object","properties":{"title":{"type":"string"},"tasks":{"type":"array",`+
		`"items":{"type":"object","required":["title"],"properties":{"title":{"type":"string"}}}}}}`, string(compact))
	_, err = offeredSchema(json.RawMessage(`{"properties":[]`), false)
	require.Error(t, err)
}

// TestTools_OtherSpellings_AreAcceptedThoughNotOffered: due_on, due_at and task cost no tokens in requests.
func TestTools_OtherSpellings_AreAcceptedThoughNotOffered(t *testing.T) {
	t.Parallel()
	for name, arguments := range map[string]string{
		"add_task":      `{"due_at":"2031-06-01T15:00:00Z","title":"x"}`,
		"update_task":   `{"due_on":"2031-06-01","task":"milk"}`,
		"complete_task": `{"task":"milk"}`,
	} {
		normal, err := normalize(t, name, arguments)
		require.Nil(t, err)
		require.JSONEq(t, arguments, normal)
		known := NewRegistry().Find(name)
		for _, schema := range []json.RawMessage{known.Schema, known.Compact.Schema} {
			for _, absent := range []string{`"due_on"`, `"due_at"`, `"task"`, "Length", "pattern", "offer"} {
				require.NotContains(t, string(schema), absent, name)
			}
		}
	}
	_, err := normalize(t, "complete_task", `{"nonsense":1}`)
	require.NotNil(t, err)
	require.Contains(t, err.Message, "The arguments are number, tasks, such as")
}
