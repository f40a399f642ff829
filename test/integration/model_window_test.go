package integration

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"errand/internal/llm/providertest"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestTurn_Ollama_StaysWithinWindowOfServer counts what a fake Ollama receives, in fours of characters: never more than
// the window that it tells, and by default never more than the 4,000 tokens at which Ollama begins to cut prompts.
func TestTurn_Ollama_StaysWithinWindowOfServer(t *testing.T) {
	for name, c := range map[string]struct {
		loaded string
		window int
		full   bool // the tools are those of large windows
	}{
		"default": {`{"models":[]}`, 4000, false},
		"loaded":  {`{"models":[{"name":"scripted","context_length":12000}]}`, 12_000, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := harness.StartModel(t, func(a harness.ModelRequest) providertest.Step {
				if strings.HasPrefix(a.UserMessage, "Add") && len(a.ToolResults) == 0 {
					var titles []string
					for i := range 50 {
						titles = append(titles, fmt.Sprintf(`"Water the plants in room %d before the guests arrive"`, i))
					}
					return harness.ToolCallResponse("", harness.ToolCall{
						Name: "add_task", Arguments: `{"tasks":[` + strings.Join(titles, ",") + `]}`,
					})
				}
				if a.ToolsOffered && len(a.ToolResults) < 4 {
					return harness.ToolCallResponse("", harness.ToolCall{Name: "list_tasks", Arguments: `{"limit":100}`})
				}
				return harness.TextResponse(strings.Repeat("Here they are. ", 40))
			})
			m.Provider = "ollama"
			mux := http.NewServeMux()
			mux.Handle("POST /v1/chat/completions", m)
			mux.HandleFunc("GET /api/ps", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, c.loaded) })
			front := httptest.NewServer(mux)
			t.Cleanup(front.Close)
			settings := m.Settings()
			settings["OLLAMA_BASE_URL"] = front.URL
			b := harness.Start(t, testdb.SQLiteURL(t), settings)
			conversation := &harness.Conversation{Client: b.Client(t, "alice")}
			for _, words := range []string{"Add them", "What is open?", strings.Repeat("Please tell me. ", 480), "And now?"} {
				for range 2 {
					require.Equal(t, "COMPLETED", conversation.SendAndWait(t, words).Status)
				}
			}
			require.Greater(t, len(m.Requests()), 30)
			largest := 0
			for _, r := range m.Requests() {
				largest = max(largest, len(r.Body)/4)
				if len(r.Request.Tools) > 0 { // not a request for a summary
					require.Equal(t, c.full, strings.Contains(r.Body, "completed_to"))
				}
			}
			t.Logf("%d requests, the largest has %d tokens", len(m.Requests()), largest)
			require.LessOrEqual(t, largest, c.window)
		})
	}
}
