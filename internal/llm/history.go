package llm

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"

	"github.com/tmc/langchaingo/llms"
)

// UnfinishedResult stands for the result of a call that none was recorded for.
const UnfinishedResult = `{"error":{"code":"UNFINISHED","message":"This call was interrupted. Whether it took effect is unknown: look before repeating it."}}`

// History is a conversation in the form every wire can be written from.
type History struct {
	// System is the system text, "" when there is none.
	System string
	Turns  []Turn
}

// Turn is what one side said. Turns of the user hold text only.
type Turn struct {
	User bool
	// Text is never blank on a user's turn.
	Text string
	// Calls are an assistant turn's calls, each with its result.
	Calls []Call
	parts []ProviderParts
}

// Call is a tool call and its result.
type Call struct {
	ID   string
	Name string
	// Arguments is a JSON object.
	Arguments json.RawMessage
	// Result is the recorded result or [UnfinishedResult].
	Result string
	done   bool
}

// ReadHistory reads the messages for any provider. Results find their calls by
// id among those before the next AI message; calls left over are closed with
// [UnfinishedResult], results without a call and empty messages are dropped.
func (w *Wire) ReadHistory(messages []llms.MessageContent) (History, error) {
	var h History
	var system []string
	for _, m := range messages {
		turn := Turn{User: m.Role == llms.ChatMessageTypeHuman || m.Role == llms.ChatMessageTypeGeneric}
		var texts []string
		for _, part := range m.Parts {
			switch p := part.(type) {
			case llms.TextContent:
				texts = append(texts, p.Text)
			case llms.ToolCall:
				turn.Calls = append(turn.Calls, readCall(p, len(h.Turns), len(turn.Calls)))
			case llms.ToolCallResponse:
				h.result(p)
			case ProviderParts:
				turn.parts = append(turn.parts, p)
			default:
				return History{}, w.fail(KindBadRequest, "a message holds a part that is not text or a tool call")
			}
		}
		turn.Text = strings.Join(texts, "")
		switch m.Role {
		case llms.ChatMessageTypeSystem:
			system = append(system, turn.Text)
		case llms.ChatMessageTypeHuman, llms.ChatMessageTypeGeneric, llms.ChatMessageTypeAI:
			h.add(turn)
		}
	}
	if len(h.Turns) == 0 {
		return History{}, w.fail(KindBadRequest, "there is no message to answer")
	}
	h.System = strings.Join(system, "\n\n")
	return h, nil
}

// add appends a turn, merging neighbours of the user: wires want turns to
// alternate, and a cancelled reply leaves none between two questions.
func (h *History) add(t Turn) {
	blank := strings.TrimSpace(t.Text) == ""
	if t.User && blank || blank && len(t.Calls) == 0 {
		return
	}
	if last := len(h.Turns) - 1; t.User && last >= 0 && h.Turns[last].User {
		h.Turns[last].Text += "\n\n" + t.Text
		return
	}
	h.Turns = append(h.Turns, t)
}

// result records r with the newest assistant turn.
func (h *History) result(r llms.ToolCallResponse) {
	for i := len(h.Turns) - 1; i >= 0; i-- {
		if h.Turns[i].User {
			continue
		}
		for j := range h.Turns[i].Calls {
			c := &h.Turns[i].Calls[j]
			if !c.done && (c.ID == r.ToolCallID || r.ToolCallID == "" && c.Name == r.Name) {
				c.Result, c.done = r.Content, true
				return
			}
		}
		return
	}
}

func readCall(tc llms.ToolCall, turn, n int) Call {
	c := Call{ID: tc.ID, Arguments: json.RawMessage(`{}`), Result: UnfinishedResult}
	if c.ID == "" {
		c.ID = "call_" + strconv.Itoa(turn) + "_" + strconv.Itoa(n)
	}
	if tc.FunctionCall != nil {
		c.Name = tc.FunctionCall.Name
		if args, ok := object(tc.FunctionCall.Arguments); ok {
			c.Arguments = args
		}
	}
	return c
}

// Extra returns the parts that this provider and model made for the turn, nil
// when there are none.
func (t Turn) Extra(provider, model string) json.RawMessage {
	for _, p := range t.parts {
		if p.Provider == provider && p.Model == model {
			return p.Raw
		}
	}
	return nil
}

// Same reports whether the turn still has the text and the calls (by name and
// arguments, in order) that its extra was made with.
func (t Turn) Same(text string, calls []Call) bool {
	if t.Text != text || len(t.Calls) != len(calls) {
		return false
	}
	for i, c := range calls {
		var a, b any
		if json.Unmarshal(c.Arguments, &a) != nil || json.Unmarshal(t.Calls[i].Arguments, &b) != nil {
			return false
		}
		if c.Name != t.Calls[i].Name || !reflect.DeepEqual(a, b) {
			return false
		}
	}
	return true
}

// StartWithUser returns the turns with a user's turn first, as some wires
// demand: a history window may open in the middle of an exchange.
func (h History) StartWithUser() []Turn {
	if h.Turns[0].User {
		return h.Turns
	}
	return append([]Turn{{User: true, Text: "(Earlier messages are left out.)"}}, h.Turns...)
}
