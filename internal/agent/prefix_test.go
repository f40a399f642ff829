package agent_test

import (
	"encoding/json"
	"strings"
	"testing"

	"errand/ent/enum"
	"errand/internal/store"

	"github.com/stretchr/testify/require"
)

// TestHandle_ConsecutiveTurns_SharePrefix compares the bytes of the first requests of consecutive turns, on each wire:
// the later one repeats the tools, the instructions, the finished turns and the user's words of the earlier one.
func TestHandle_ConsecutiveTurns_SharePrefix(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		current := &switchingModel{}
		w := newFixture(t, db, current, settings{})
		for _, m := range providerModels(t) {
			current.Model, w.talk = m.model, nil
			said := []string{"<current-time> one", "Then two", "Then three", "Then four"}
			for _, words := range said {
				require.Equal(t, enum.MessageCompleted, w.send(words).Status, m.name)
			}
			requests := m.server.Requests()
			require.Len(t, requests, 6, "the first two turns call a tool")
			var before cachedParts
			for turn, request := range []int{0, 2, 4, 5} {
				parts := readParts(t, requests[request].Body)
				require.Equal(t, 1, strings.Count(parts.messages, "Current time: "), "only the newest message has the time")
				if turn > 0 {
					require.Equal(t, before.fixed, parts.fixed, m.name)
					words := said[turn-1][len(said[turn-1])-3:]
					end := strings.LastIndex(before.messages[:strings.Index(before.messages, "Current time: ")], words)
					require.Positive(t, end)
					require.Equal(t, before.messages[:end+3], parts.messages[:end+3], m.name)
				}
				before = parts
			}
		}
	})
}

// cachedParts are the parts of a request in the order in which providers cache them.
type cachedParts struct{ fixed, messages string }

// readParts reads a request of any wire, without the marks of cached prefixes, which are not part of the prompt.
func readParts(t *testing.T, body []byte) cachedParts {
	t.Helper()
	var r map[string]json.RawMessage
	plain := strings.ReplaceAll(string(body), `,"cache_control":{"type":"ephemeral"}`, "")
	require.NoError(t, json.Unmarshal([]byte(plain), &r))
	require.NotEmpty(t, r["tools"])
	return cachedParts{
		fixed:    string(r["tools"]) + string(r["system"]) + string(r["systemInstruction"]),
		messages: string(r["messages"]) + string(r["contents"]),
	}
}
