package agent_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"errand/ent/enum"
	"errand/internal/agent"
	"errand/internal/store"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// TestHandle_TurnsThatListTasks_CostLittle: ten turns that list 50 tasks, by the agent's estimate. The messages cost
// 169,300 tokens when finished turns were repeated whole.
func TestHandle_TurnsThatListTasks_CostLittle(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		m := &scripted{script: func(a request) *llms.ContentChoice {
			if len(a.results) == 0 {
				return callTools("", toolUse{"list_tasks", "{}"})
			}
			return answerText("You have 50 open tasks.")
		}}
		w := newFixture(t, db, m, settings{})
		for i := range 50 {
			w.createTasks(fmt.Sprintf("Water the plants in room %d", i+1))
		}
		for range 10 {
			require.Equal(t, enum.MessageCompleted, w.send("What is open?").Status)
		}
		tokens := 0
		for _, q := range m.requests() {
			tokens += agent.Estimate(q.messages)
		}
		require.Len(t, m.requests(), 20)
		require.Less(t, tokens, 40_000)
		last := m.requests()[19]
		require.Contains(t, last.results[0], `"number":50,"title":"Water the plants in room 50"`, "the present list is whole")
		earlier := last.messages[3].Parts[0].(llms.ToolCallResponse).Content
		require.Contains(t, earlier, `"total":50,"tasks":[{"number":1,"title":"Water the plants in room 1"},{"number":2,`)
		require.Contains(t, earlier, `"omitted":`)
	})
}

// TestHandle_OfflineModel_KnowsEarlierLists: the built-in model computes with the results of finished turns.
func TestHandle_OfflineModel_KnowsEarlierLists(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		w := newOfflineFixture(t, db)
		for i := range 40 {
			w.createTasks(fmt.Sprintf("Water the plants in room %d", i+1))
		}
		w.send("show my tasks")
		w.send("thanks")
		require.Contains(t, w.send("complete the second one").Content, "task 2")
		require.Contains(t, w.send("complete the last one").Content, "task 40")
		require.Contains(t, w.titles(), "✓Water the plants in room 2")
		require.Contains(t, w.titles(), "✓Water the plants in room 40")
	})
}

// TestHandle_SmallWindow_IsNeverExceeded: no request, with the room for its answer, has more tokens than the window of
// Ollama's default, whatever the user sends and the tools return.
func TestHandle_SmallWindow_IsNeverExceeded(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		const window, answer = 4000, 800
		m := &measured{}
		m.script = func(a request) *llms.ContentChoice {
			switch {
			case strings.HasPrefix(a.system, "You keep the memory"):
				return answerText(strings.Repeat("The user plants trees. ", 500))
			case len(a.results) < 4:
				return callTools("", toolUse{"list_tasks", "{}"}, toolUse{"list_tasks", `{"status":"all","limit":100}`},
					toolUse{"update_task", `{"number":1,"append_description":"` + strings.Repeat("More. ", 100) + `"}`})
			default:
				return answerText(strings.Repeat("Noted. ", 100))
			}
		}
		w := newFixture(t, db, m, settings{limits: agent.Limits{Context: window, ToolCalls: 50, Changes: 100}})
		for i := range 60 {
			w.createTasks(fmt.Sprintf("%d %s", i, strings.Repeat("水やり", 20)))
		}
		for _, words := range []string{"What is open?", strings.Repeat("植物に水をやる。", 990), strings.Repeat("words ", 1300)} {
			for range 4 {
				reply := w.send(words)
				require.Equal(t, enum.MessageCompleted, reply.Status)
			}
		}
		require.Greater(t, len(m.sizes), 30)
		for i, size := range m.sizes {
			require.LessOrEqual(t, size+answer, window, "request %d", i)
		}
	})
}

// measured records the estimated tokens of each request, tools included.
type measured struct {
	scripted
	mu    sync.Mutex
	sizes []int
}

func (m *measured) GenerateContent(ctx context.Context, messages []llms.MessageContent, o ...llms.CallOption) (
	*llms.ContentResponse, error,
) {
	var options llms.CallOptions
	for _, option := range o {
		option(&options)
	}
	m.mu.Lock()
	m.sizes = append(m.sizes, agent.Estimate(messages)+agent.EstimateTools(options.Tools))
	m.mu.Unlock()
	return m.scripted.GenerateContent(ctx, messages, o...)
}
