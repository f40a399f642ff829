package providertest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"regexp"
)

// fakeAnthropic implements Anthropic's API with the rules of models with extended thinking: roles alternate, the
// results of calls are the first blocks of the next message, and a thinking block must be sent back in its place when
// the messages before it are unchanged, and be omitted when they are not.
type fakeAnthropic struct{ issued signatureSet }

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

func (a *fakeAnthropic) decodeRequest(r *http.Request, body []byte) (
	chat ChatRequest, encoder responseEncoder, rejection string,
) {
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
	case r.Header.Get("X-Api-Key") != APIKey || r.Header.Get("Anthropic-Version") == "":
		return chat, nil, "invalid x-api-key"
	case json.Unmarshal(body, &request) != nil || !request.Stream:
		return chat, nil, "only streams are supported"
	case request.MaxTokens < 1:
		return chat, nil, "max_tokens: Field required"
	}
	chat.Model = request.Model
	chat.Messages = append(chat.Messages, ChatMessage{Role: "system", Content: request.System})
	for _, tool := range request.Tools {
		if request.ToolChoice.Type != "none" {
			chat.Tools = append(chat.Tools, newChatTool(tool.Name))
		}
	}
	h := anthropicHistory{preceding: request.System + toJSON(request.Tools), isRecorded: a.issued.contains}
	rejection = h.readMessages(request.Messages)
	if rejection == "" && h.usedTool && len(request.Tools) == 0 {
		rejection = "Requests which have `tool_use` or `tool_result` blocks in messages must define tools"
	}
	chat.Messages = append(chat.Messages, h.messages...)
	return chat, &anthropicEncoder{signature: h.signature(), recordSignature: a.issued.record}, rejection
}

// anthropicHistory converts messages to OpenAI's format.
type anthropicHistory struct {
	preceding    string // system prompt, tools and messages so far
	isRecorded   func(signature string) bool
	messages     []ChatMessage
	pendingCalls []string // ids of calls whose results must follow
	usedTool     bool
}

// signature returns the signature of a thinking block, which depends on everything before it.
func (h *anthropicHistory) signature() string {
	sum := sha256.Sum256([]byte(h.preceding))
	return hex.EncodeToString(sum[:])
}

func (h *anthropicHistory) readMessages(messages []anthropicMessage) (rejection string) {
	for i, m := range messages {
		want := []string{"user", "assistant"}[i%2]
		switch {
		case m.Role != want:
			return "messages: roles must alternate, and the first must be user"
		case len(m.Content) == 0:
			return "messages: content must not be empty"
		case m.Role == "user":
			rejection = h.readUser(m)
		default:
			rejection = h.readAssistant(m)
		}
		if rejection != "" {
			return rejection
		}
		h.preceding += toJSON(m)
	}
	if len(h.pendingCalls) > 0 {
		return "`tool_use` ids were found without `tool_result` blocks immediately after"
	}
	return ""
}

func (h *anthropicHistory) readUser(m anthropicMessage) (rejection string) {
	open, text := h.pendingCalls, ""
	h.pendingCalls = nil
	for _, b := range m.Content {
		switch {
		case b.Type == "text" && len(open) == 0 && b.Text != "":
			text += b.Text
		case b.Type == "tool_result" && len(open) > 0 && open[0] == b.ToolUseID && text == "":
			h.messages = append(h.messages, ChatMessage{Role: "tool", ToolCallID: b.ToolUseID, Content: b.Content})
			open = open[1:]
		default:
			return "unexpected block " + b.Type + " in a user message"
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

func (h *anthropicHistory) readAssistant(m anthropicMessage) (rejection string) {
	converted := ChatMessage{Role: "assistant"}
	thought := false
	for i, b := range m.Content {
		switch {
		case b.Type == "thinking" && i == 0 && b.Signature == h.signature():
			thought = true
		case b.Type == "text" && b.Text != "":
			converted.Content += b.Text
		case b.Type == "tool_use" && anthropicID.MatchString(b.ID) && len(b.Input) > 0 && b.Input[0] == '{':
			converted.ToolCalls = append(
				converted.ToolCalls,
				ChatCall{ID: b.ID, Type: "function", Function: ChatFunction{b.Name, string(b.Input)}},
			)
			h.pendingCalls, h.usedTool = append(h.pendingCalls, b.ID), true
		default:
			return "invalid block " + b.Type + " in an assistant message"
		}
	}
	if len(converted.ToolCalls) > 0 && !thought && h.isRecorded(h.signature()) {
		return "Expected `thinking` or `redacted_thinking`, but found `tool_use`"
	}
	h.messages = append(h.messages, converted)
	return ""
}

// anthropicEncoder encodes responses in Anthropic's format: a thinking block first, then a block for each text and
// each call.
type anthropicEncoder struct {
	signature       string
	recordSignature func(signature string)
	blocks          int
	openBlock       string      // type of the block that is not yet stopped, "" for none
	calls           map[int]int // block of each call, by their indexes
}

func (*anthropicEncoder) event(name string, fields jsonObject) string {
	fields["type"] = name
	return "event: " + name + "\ndata: " + toJSON(fields) + "\n\n"
}

func (e *anthropicEncoder) delta(block int, delta jsonObject) string {
	return e.event("content_block_delta", jsonObject{"index": block, "delta": delta})
}

// startBlock stops the last block and starts another.
func (e *anthropicEncoder) startBlock(block jsonObject) string {
	events := e.stopBlock()
	if e.blocks == 0 {
		events = e.event("message_start", jsonObject{"message": jsonObject{
			"id": "msg", "role": "assistant", "content": []any{},
			"usage": jsonObject{"input_tokens": 1, "output_tokens": 1},
		}}) + e.event("ping", jsonObject{})
		e.blocks = 1
		events += e.event(
			"content_block_start",
			jsonObject{"index": 0, "content_block": jsonObject{"type": "thinking", "thinking": "", "signature": ""}},
		) +
			e.delta(
				0,
				jsonObject{"type": "thinking_delta", "thinking": "Considering the request."},
			) +
			e.delta(
				0,
				jsonObject{"type": "signature_delta", "signature": e.signature},
			) + e.event(
			"content_block_stop",
			jsonObject{"index": 0},
		)
	}
	e.openBlock, _ = block["type"].(string)
	events += e.event("content_block_start", jsonObject{"index": e.blocks, "content_block": block})
	e.blocks++
	return events
}

func (e *anthropicEncoder) stopBlock() string {
	if e.openBlock == "" {
		return ""
	}
	e.openBlock = ""
	return e.event("content_block_stop", jsonObject{"index": e.blocks - 1})
}

func (e *anthropicEncoder) encodeText(piece string) string {
	events := ""
	if e.openBlock != "text" {
		events = e.startBlock(jsonObject{"type": "text", "text": ""})
	}
	return events + e.delta(e.blocks-1, jsonObject{"type": "text_delta", "text": piece})
}

func (e *anthropicEncoder) encodeToolCall(index int, c ChatCall) string {
	events := ""
	block, started := e.calls[index]
	if !started {
		if e.calls == nil {
			e.calls = map[int]int{}
		}
		events = e.startBlock(jsonObject{
			"type": "tool_use", "id": "toolu_" + c.ID, "name": c.Function.Name,
			"input": jsonObject{},
		})
		block = e.blocks - 1
		e.calls[index] = block
	}
	for _, piece := range halves(c.Function.Arguments) {
		events += e.delta(block, jsonObject{"type": "input_json_delta", "partial_json": piece})
	}
	return events
}

// halves splits a text between two characters.
func halves(s string) []string {
	all := []rune(s)
	return []string{string(all[:len(all)/2]), string(all[len(all)/2:])}
}

func (e *anthropicEncoder) encodeEnd(reason string, u tokenUsage) string {
	stop, known := map[string]string{
		"tool_calls": "tool_use", "length": "max_tokens", "content_filter": "refusal", "pause": "pause_turn",
	}[reason]
	if !known {
		stop = "end_turn"
	}
	if reason == "tool_calls" {
		e.recordSignature(e.signature)
	}
	return e.stopBlock() + e.event("message_delta", jsonObject{
		"delta": jsonObject{"stop_reason": stop},
		"usage": jsonObject{
			"input_tokens": u.input - u.cached, "cache_read_input_tokens": u.cached, "output_tokens": u.output,
		},
	}) + e.event("message_stop", jsonObject{})
}
