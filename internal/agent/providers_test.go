package agent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"errand/ent/enum"
	"errand/internal/llm"
	"errand/internal/llm/anthropic"
	"errand/internal/llm/gemini"
	"errand/internal/llm/openai"
	"errand/internal/llm/providertest"
	"errand/internal/secret"
	"errand/internal/store"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// switchingModel passes each turn to the provider that the test selects.
type switchingModel struct{ llms.Model }

func (r *switchingModel) Call(ctx context.Context, prompt string, o ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, r.Model, prompt, o...)
}

// providerModel is a provider on its own wire: a fake that adds a task, says so and leaves a mark
// that only it may see again.
type providerModel struct {
	name, mark string
	server     *providertest.Server
	model      llms.Model
}

func providerModels(t *testing.T) []*providerModel {
	t.Helper()
	key := secret.New(providertest.APIKey)
	o := &providerModel{name: "openai", mark: "mark-of-openai", server: alternate(t, openaiAdds, openaiSays)}
	a := &providerModel{name: "anthropic", mark: "mark-of-anthropic", server: alternate(t, anthropicAdds, anthropicSays)}
	g := &providerModel{name: "gemini", mark: "mark-of-gemini", server: alternate(t, geminiAdds, geminiSays)}
	var err error
	o.model, err = openai.New(
		llm.Config{BaseURL: o.server.URL + "/v1", Key: key, Model: "one", HTTP: llm.HTTPOptions{Client: o.server.Client}},
	)
	require.NoError(t, err)
	a.model, err = anthropic.New(
		llm.Config{BaseURL: a.server.URL, Key: key, Model: "two", HTTP: llm.HTTPOptions{Client: a.server.Client}},
	)
	require.NoError(t, err)
	g.model, err = gemini.New(
		llm.Config{BaseURL: g.server.URL, Key: key, Model: "gemini-3-three", HTTP: llm.HTTPOptions{Client: g.server.Client}},
	)
	require.NoError(t, err)
	return []*providerModel{o, a, g}
}

func TestHandle_ProviderSwitch_ConversationContinues(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		current := &switchingModel{}
		w := newFixture(t, db, current, settings{})
		all := providerModels(t)
		for round := 1; round <= 2; round++ {
			for i, m := range all {
				current.Model = m.model
				reply := w.send(fmt.Sprintf("Add one for %s, round %d", m.name, round))
				require.Equal(t, enum.MessageCompleted, reply.Status, m.name)
				require.Equal(t, "On it.\n\nIt is there.", reply.Content)
				require.True(t, strings.HasPrefix(reply.Model, m.name+"/"), reply.Model)
				require.Contains(t, reply.Edges.ToolCalls[0].ProviderExtra, m.mark)
				m.requireHistory(t, all, w, 3*(round-1)+i+1)
				w.leaveUnfinished(reply.ID)
			}
		}
	})
}

// requireHistory checks the turn's two requests: they contain the results of all earlier calls, the second contains
// the provider's own mark, and neither contains another provider's mark.
func (m *providerModel) requireHistory(t *testing.T, all []*providerModel, w *fixture, turn int) {
	t.Helper()
	requests := m.server.Requests()
	for step, r := range requests[len(requests)-2:] {
		body := strings.ReplaceAll(string(r.Body), `\`, "") // results may be quoted once more
		for n := 1; n < turn+step; n++ {
			require.Contains(t, body, fmt.Sprintf(`"number":%d,`, n), "result %d for %s", n, m.name)
		}
		require.Equal(t, turn-1, strings.Count(body, "was not carried out"), "unfinished calls are closed for %s", m.name)
		if step == 1 {
			require.Contains(t, body, m.mark, "a provider must receive its own mark again within the turn")
		}
		for _, other := range all {
			if other != m {
				require.NotContains(t, body, other.mark)
			}
		}
	}
}

// leaveUnfinished adds a call without a result to a finished reply.
func (w *fixture) leaveUnfinished(messageID string) {
	w.t.Helper()
	require.NoError(
		w.t,
		w.db.Client().ToolCall.Create().SetMessageID(messageID).SetSeq(9).SetStep(0).SetProviderID("lost").
			SetTextOffset(6).SetName("list_tasks").SetArguments("{}").Exec(w.ctx),
	)
}

// alternate returns a server that sends a tool call and a text, twice.
func alternate(t *testing.T, toolCall, text []string) *providertest.Server {
	return providertest.NewServer(
		t,
		providertest.Stream(toolCall...),
		providertest.Stream(text...),
		providertest.Stream(toolCall...),
		providertest.Stream(text...),
	)
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

const addArguments = `{"title":"One more"}`

var (
	openaiAdds = []string{
		`data: {"choices":[{"index":0,"delta":{"content":"On it.","tool_calls":[{"index":0,"id":"c1","type":"function",` +
			`"function":{"name":"add_task",` +
			`"arguments":` + quoted(addArguments) + `},"extra_content":{"google":{"thought_signature":"mark-of-openai"}}}` +
			`]},"finish_reason":null}]}` + "\n\n",
		`data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}` + "\n\n", "data: [DONE]\n\n",
	}
	openaiSays = []string{
		`data: {"choices":[{"index":0,"delta":{"content":"It is there."},"finish_reason":"stop"}]}` + "\n\n",
		"data: [DONE]\n\n",
	}
	anthropicAdds = anthropicEvents(
		"tool_use",
		`{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"mark-of-anthropic"}}`,
		`{"type":"content_block_stop","index":0}`,
		`{"type":"content_block_start","index":1,"content_block":{"type":"text","text":"On it."}}`,
		`{"type":"content_block_stop","index":1}`,
		`{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"add_task",`+
			`"input":{}}}`,
		`{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":`+quoted(
			addArguments,
		)+`}}`,
		`{"type":"content_block_stop","index":2}`,
	)
	anthropicSays = anthropicEvents(
		"end_turn",
		`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"It is there."}}`,
		`{"type":"content_block_stop","index":0}`,
	)
	geminiAdds = []string{`data: {"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"On it."},` +
		`{"functionCall":{"name":"add_task","args":` + addArguments + `},"thoughtSignature":"mark-of-gemini"}]},` +
		`"finishReason":"STOP"}]}` + "\n\n"}
	geminiSays = []string{
		`data: {"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"It is ` +
			`there."}]},"finishReason":"STOP"}]}` + "\n\n",
	}
)

func anthropicEvents(reason string, blocks ...string) []string {
	all := append(
		[]string{`{"type":"message_start","message":{"id":"m","usage":{"input_tokens":6,"output_tokens":1}}}`},
		blocks...)
	all = append(
		all,
		`{"type":"message_delta","delta":{"stop_reason":"`+reason+`"},"usage":{"output_tokens":7}}`,
		`{"type":"message_stop"}`,
	)
	for i, data := range all {
		var typed struct{ Type string }
		_ = json.Unmarshal([]byte(data), &typed) // literals above
		all[i] = "event: " + typed.Type + "\ndata: " + data + "\n\n"
	}
	return all
}
