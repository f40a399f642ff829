package llm

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/tmc/langchaingo/llms"
)

// UnfinishedResult is sent to the model as the result of a tool call without a recorded result.
const UnfinishedResult = `{"error":{"code":"UNFINISHED","message":` +
	`"This call was interrupted. Whether it took effect is unknown: look before repeating it."}}`

// History is a conversation in a form that every provider's request can be encoded from.
type History struct {
	// System is the system prompt, "" if there is none.
	System string
	// Turns is never empty. There are no two consecutive turns of the user.
	Turns []Turn
}

// Turn is one message of the user or of the model. The user's turns contain text only.
type Turn struct {
	User bool
	// Text is never blank in a user's turn.
	Text string
	// Note is what the server adds to the user's newest message: the parts after the first, such as the time. It is not
	// part of the turn when that is sent again.
	Note string
	// Calls are the tool calls of a model's turn, each with its result.
	Calls []Call
	parts []ProviderParts
}

// stepSeparator separates the texts of two calls for one step.
const stepSeparator = "\n\n"

// Call is a tool call and its result.
type Call struct {
	ID   string
	Name string
	// Arguments is a JSON object.
	Arguments json.RawMessage
	// Result is the recorded result or [UnfinishedResult].
	Result    string
	hasResult bool
}

// newHistory converts messages. A result is matched by id with the calls of the preceding AI message. Calls without a
// result get [UnfinishedResult]; results without a call and empty messages are dropped.
func newHistory(messages []llms.MessageContent) (History, error) {
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
				turn.Calls = append(turn.Calls, newCall(p, len(h.Turns), len(turn.Calls)))
			case llms.ToolCallResponse:
				h.addResult(p)
			case ProviderParts:
				turn.parts = append(turn.parts, p)
			default:
				return History{}, errors.New("a message contains a part that is neither text nor a tool call")
			}
		}
		if turn.User && len(texts) > 1 {
			turn.Note, texts = strings.Join(texts[1:], ""), texts[:1]
		}
		turn.Text = strings.Join(texts, "")
		switch m.Role {
		case llms.ChatMessageTypeSystem:
			system = append(system, turn.Text)
		case llms.ChatMessageTypeHuman, llms.ChatMessageTypeGeneric, llms.ChatMessageTypeAI:
			h.addTurn(turn)
		}
	}
	if len(h.Turns) == 0 {
		return History{}, errors.New("the conversation has no message")
	}
	h.System = strings.Join(system, "\n\n")
	h.makeIDsUnique()
	return h, nil
}

// makeIDsUnique replaces repeated call ids: some servers number the calls of each response from the start. The new ids
// depend on the calls before them only, so that they stay the same as the conversation grows.
func (h *History) makeIDsUnique() {
	uses := map[string]int{}
	for i := range h.Turns {
		for j := range h.Turns[i].Calls {
			c := &h.Turns[i].Calls[j]
			n := uses[c.ID]
			uses[c.ID]++
			if n > 0 {
				c.ID = ShortCallID(c.ID + "#" + strconv.Itoa(n))
			}
		}
	}
}

// addTurn appends a turn. Consecutive turns of the user are merged: the APIs require alternating turns, and a cancelled
// reply leaves no turn between two messages.
func (h *History) addTurn(t Turn) {
	blank := strings.TrimSpace(t.Text) == ""
	if t.User && blank || blank && len(t.Calls) == 0 {
		return
	}
	if last := len(h.Turns) - 1; t.User && last >= 0 && h.Turns[last].User {
		merged := &h.Turns[last]
		merged.Text, merged.Note = merged.JoinedText()+"\n\n"+t.Text, t.Note
		return
	}
	h.Turns = append(h.Turns, t)
}

// withCorrection returns the history with a reply whose tool call was text, and what the model should do instead.
func (h History) withCorrection(reply string, noToolCalls bool) History {
	correction := "Your last message contains a tool call as text, which was not executed. Call the tool through the " +
		"interface for tools, or answer in plain words."
	if noToolCalls {
		correction = "Your last message contains a tool call, which was not executed. Answer in plain words."
	}
	h.Turns = append(slices.Clone(h.Turns), Turn{Text: reply}, Turn{User: true, Text: correction})
	return h
}

// addResult records r in the latest model turn.
func (h *History) addResult(r llms.ToolCallResponse) {
	for i := len(h.Turns) - 1; i >= 0; i-- {
		if h.Turns[i].User {
			continue
		}
		for j := range h.Turns[i].Calls {
			c := &h.Turns[i].Calls[j]
			if !c.hasResult && (c.ID == r.ToolCallID || r.ToolCallID == "" && c.Name == replayableName(r.Name)) {
				c.Result, c.hasResult = r.Content, true
				return
			}
		}
		return
	}
}

func newCall(tc llms.ToolCall, turn, n int) Call {
	c := Call{ID: tc.ID, Arguments: json.RawMessage(`{}`), Result: UnfinishedResult}
	if c.ID == "" {
		c.ID = "call_" + strconv.Itoa(turn) + "_" + strconv.Itoa(n)
	}
	if tc.FunctionCall != nil {
		c.Name = replayableName(tc.FunctionCall.Name)
		if args, ok := parseArguments(tc.FunctionCall.Arguments); ok {
			c.Arguments = args
		}
	}
	return c
}

// ProviderParts returns the raw [ProviderParts] that this provider and model made for the turn, nil if there are none.
func (t Turn) ProviderParts(provider, model string) json.RawMessage {
	for _, p := range t.parts {
		if p.Provider == provider && p.Model == model {
			return p.Raw
		}
	}
	return nil
}

// Matches reports whether the turn still has the text and the calls (compared by name and arguments, in order) that its
// provider parts were made with. Text of earlier calls for the same step may precede the text: that of an answer which
// this one continues or repeats.
func (t Turn) Matches(text string, calls []Call) bool {
	if !strings.HasSuffix(t.Text, text) || len(t.Calls) != len(calls) {
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

// Texts returns the parts of a user's turn that are not empty.
func (t Turn) Texts() []string {
	if t.Note == "" {
		return []string{t.Text}
	}
	return []string{t.Text, t.Note}
}

// JoinedText returns the parts of a user's turn as one text, for APIs whose messages have one.
func (t Turn) JoinedText() string { return strings.Join(t.Texts(), "\n\n") }

// StartWithUser returns the turns, beginning with a user's turn as some APIs require: the context window may begin in
// the middle of an exchange.
func (h History) StartWithUser() []Turn {
	if h.Turns[0].User {
		return h.Turns
	}
	return append([]Turn{{User: true, Text: "(Earlier messages are left out.)"}}, h.Turns...)
}

// AlphanumericCallID returns an id of 9 letters and digits, the only form that Mistral's servers accept. It is derived
// from id unless id has this form.
func AlphanumericCallID(id string) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	if len(id) == alphanumericLength && strings.Trim(id, alphabet) == "" {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	out := make([]byte, alphanumericLength)
	for i := range out {
		out[i] = alphabet[int(sum[i])%len(alphabet)]
	}
	return string(out)
}

const alphanumericLength = 9

// ShortCallID returns an id that every provider accepts, derived from the id that another provider gave to a call.
func ShortCallID(id string) string {
	sum := sha256.Sum256([]byte(id))
	return "call_" + hex.EncodeToString(sum[:12])
}
