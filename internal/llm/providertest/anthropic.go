package providertest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"regexp"
)

// anthropic is Anthropic's native wire, with the rules of the models that think by
// themselves: roles alternate, each call has its result at the head of the next message, and a thinking
// block comes back where it was, behind an unchanged past, or not at all behind a changed one.
type anthropic struct{ issued register }

type anthropicMessage struct {
	Role    string           `json:"role"`
	Content []anthropicBlock `json:"content"`
}

type anthropicBlock struct {
	Type      string          `json:"type"`
	Text      string          `json:"text,omitempty"`
	Signature string          `json:"signature,omitempty"`
	ID        string          `json:"id,omitempty"`
	Name      string          `json:"name,omitempty"`
	Input     json.RawMessage `json:"input,omitempty"`
	ToolUseID string          `json:"tool_use_id,omitempty"`
	Content   string          `json:"content,omitempty"`
}

func (a *anthropic) read(r *http.Request, body []byte) (chat ChatRequest, t tongue, fault string) {
	var request struct {
		Model      string
		MaxTokens  int `json:"max_tokens"`
		System     string
		Messages   []anthropicMessage
		Tools      []struct{ Name string }
		ToolChoice struct{ Type string } `json:"tool_choice"`
		Stream     bool
	}
	switch {
	case r.Header.Get("X-Api-Key") != Key || r.Header.Get("Anthropic-Version") == "":
		return chat, nil, "invalid x-api-key"
	case json.Unmarshal(body, &request) != nil || !request.Stream:
		return chat, nil, "only streams are played"
	case request.MaxTokens < 1:
		return chat, nil, "max_tokens: Field required"
	}
	chat.Model = request.Model
	chat.Messages = append(chat.Messages, ChatMessage{Role: "system", Content: request.System})
	for _, tool := range request.Tools {
		if request.ToolChoice.Type != "none" {
			chat.Tools = append(chat.Tools, offer(tool.Name))
		}
	}
	h := anthropicHistory{past: request.System + compact(request.Tools), known: a.issued.has}
	fault = h.read(request.Messages)
	if fault == "" && h.used && len(request.Tools) == 0 {
		fault = "Requests which have `tool_use` or `tool_result` blocks in messages must define tools"
	}
	chat.Messages = append(chat.Messages, h.messages...)
	return chat, &anthropicTongue{signature: h.signature(), issue: a.issued.add}, fault
}

// anthropicHistory turns messages into those of the other wire.
type anthropicHistory struct {
	past     string // everything so far
	known    func(signature string) bool
	messages []ChatMessage
	open     []string // ids that want their results next
	used     bool     // a tool was
}

// signature binds a thinking block to all that stands before it.
func (h *anthropicHistory) signature() string {
	sum := sha256.Sum256([]byte(h.past))
	return hex.EncodeToString(sum[:])
}

func (h *anthropicHistory) read(messages []anthropicMessage) (fault string) {
	for i, m := range messages {
		want := []string{"user", "assistant"}[i%2]
		switch {
		case m.Role != want:
			return "messages: roles must alternate, and the first must be user"
		case len(m.Content) == 0:
			return "messages: content must not be empty"
		case m.Role == "user":
			fault = h.user(m)
		default:
			fault = h.assistant(m)
		}
		if fault != "" {
			return fault
		}
		h.past += compact(m)
	}
	if len(h.open) > 0 {
		return "`tool_use` ids were found without `tool_result` blocks immediately after"
	}
	return ""
}

func (h *anthropicHistory) user(m anthropicMessage) (fault string) {
	open, text := h.open, ""
	h.open = nil
	for _, b := range m.Content {
		switch {
		case b.Type == "text" && len(open) == 0 && b.Text != "":
			text += b.Text
		case b.Type == "tool_result" && len(open) > 0 && open[0] == b.ToolUseID && text == "":
			h.messages = append(h.messages, ChatMessage{Role: "tool", ToolCallID: b.ToolUseID, Content: b.Content})
			open = open[1:]
		default:
			return "unexpected block " + b.Type + " in a message of the user's"
		}
	}
	if len(open) > 0 {
		return "`tool_use` ids were found without `tool_result` blocks immediately after"
	}
	if text != "" {
		h.messages = append(h.messages, ChatMessage{Role: "user", Content: text})
	}
	return ""
}

var anthropicID = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

func (h *anthropicHistory) assistant(m anthropicMessage) (fault string) {
	said := ChatMessage{Role: "assistant"}
	thought := false
	for i, b := range m.Content {
		switch {
		case b.Type == "thinking" && i == 0 && b.Signature == h.signature():
			thought = true
		case b.Type == "text" && b.Text != "":
			said.Content += b.Text
		case b.Type == "tool_use" && anthropicID.MatchString(b.ID) && len(b.Input) > 0 && b.Input[0] == '{':
			said.ToolCalls = append(
				said.ToolCalls,
				ChatCall{ID: b.ID, Type: "function", Function: ChatFunction{b.Name, string(b.Input)}},
			)
			h.open, h.used = append(h.open, b.ID), true
		default:
			return "invalid block " + b.Type + " in an assistant message"
		}
	}
	if len(said.ToolCalls) > 0 && !thought && h.known(h.signature()) {
		return "Expected `thinking` or `redacted_thinking`, but found `tool_use`"
	}
	h.messages = append(h.messages, said)
	return ""
}

// anthropicTongue thinks first, then opens a block for each text and call.
type anthropicTongue struct {
	signature string
	issue     func(signature string)
	blocks    int
	open      string      // the type of the last block, "" while there is none
	calls     map[int]int // call → block
}

func (*anthropicTongue) event(name string, fields object) string {
	fields["type"] = name
	return "event: " + name + "\ndata: " + compact(fields) + "\n\n"
}

func (t *anthropicTongue) delta(block int, delta object) string {
	return t.event("content_block_delta", object{"index": block, "delta": delta})
}

// begin opens a block after closing the one before it.
func (t *anthropicTongue) begin(block object) string {
	said := t.end()
	if t.blocks == 0 {
		said = t.event("message_start", object{"message": object{
			"id": "msg", "role": "assistant", "content": []any{},
			"usage": object{"input_tokens": 1, "output_tokens": 1},
		}}) + t.event("ping", object{})
		t.blocks = 1
		said += t.event(
			"content_block_start",
			object{"index": 0, "content_block": object{"type": "thinking", "thinking": "", "signature": ""}},
		) +
			t.delta(
				0,
				object{"type": "thinking_delta", "thinking": "Let me think."},
			) +
			t.delta(
				0,
				object{"type": "signature_delta", "signature": t.signature},
			) + t.event(
			"content_block_stop",
			object{"index": 0},
		)
	}
	t.open, _ = block["type"].(string)
	said += t.event("content_block_start", object{"index": t.blocks, "content_block": block})
	t.blocks++
	return said
}

func (t *anthropicTongue) end() string {
	if t.open == "" {
		return ""
	}
	t.open = ""
	return t.event("content_block_stop", object{"index": t.blocks - 1})
}

func (t *anthropicTongue) text(piece string) string {
	said := ""
	if t.open != "text" {
		said = t.begin(object{"type": "text", "text": ""})
	}
	return said + t.delta(t.blocks-1, object{"type": "text_delta", "text": piece})
}

func (t *anthropicTongue) call(index int, c ChatCall) string {
	said := ""
	block, started := t.calls[index]
	if !started {
		if t.calls == nil {
			t.calls = map[int]int{}
		}
		said = t.begin(object{"type": "tool_use", "id": "toolu_" + c.ID, "name": c.Function.Name, "input": object{}})
		block = t.blocks - 1
		t.calls[index] = block
	}
	for _, piece := range halves(c.Function.Arguments) {
		said += t.delta(block, object{"type": "input_json_delta", "partial_json": piece})
	}
	return said
}

// halves cuts a text where no character is hurt.
func halves(s string) []string {
	all := []rune(s)
	return []string{string(all[:len(all)/2]), string(all[len(all)/2:])}
}

func (t *anthropicTongue) last(reason string, u counts) string {
	stop := "end_turn"
	if reason == "tool_calls" {
		stop = "tool_use"
		t.issue(t.signature)
	}
	return t.end() + t.event("message_delta", object{"delta": object{"stop_reason": stop}, "usage": object{
		"input_tokens": u.input - u.cached, "cache_read_input_tokens": u.cached, "output_tokens": u.output,
	}}) + t.event("message_stop", object{})
}
