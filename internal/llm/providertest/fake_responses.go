package providertest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
)

// fakeResponses implements OpenAI's Responses API with the rules of reasoning models: reasoning that is sent back must
// be that of the server, the calls of the current turn must have theirs, and every call has its output. OpenAI accepts
// calls without reasoning, but the model then loses its thoughts.
type fakeResponses struct{ issued signatureSet }

// responsesItem is any item of the input.
type responsesItem struct {
	Type      string          `json:"type"`
	Role      string          `json:"role"`
	Content   json.RawMessage `json:"content"`
	CallID    string          `json:"call_id"`
	Name      string          `json:"name"`
	Arguments string          `json:"arguments"`
	Output    string          `json:"output"`
	Encrypted string          `json:"encrypted_content"`
}

// text returns the content of a message: a string, or a list of parts.
func (i responsesItem) text() string {
	var whole string
	if json.Unmarshal(i.Content, &whole) == nil {
		return whole
	}
	var parts []struct{ Text string }
	_ = json.Unmarshal(i.Content, &parts) // other contents have no text
	for _, p := range parts {
		whole += p.Text
	}
	return whole
}

func (f *fakeResponses) decodeRequest(r *http.Request, body []byte) (
	chat ChatRequest, encoder responseEncoder, rejection string,
) {
	var request struct {
		Model        string
		Instructions string
		Input        []responsesItem
		Tools        []struct {
			Type, Name string
			Strict     *bool
		}
		ToolChoice string `json:"tool_choice"`
		Store      *bool
		Stream     bool
	}
	switch {
	case r.Header.Get("Authorization") != "Bearer "+APIKey:
		return chat, nil, "Incorrect API key provided"
	case json.Unmarshal(body, &request) != nil || !request.Stream || request.Store == nil || *request.Store:
		return chat, nil, "only streams that are not stored are supported"
	}
	chat.Model = request.Model
	chat.Messages = append(chat.Messages, ChatMessage{Role: "system", Content: request.Instructions})
	for _, t := range request.Tools {
		if t.Type != "function" || t.Strict == nil || *t.Strict {
			return chat, nil, "the schema of a strict function must require every property"
		}
		if request.ToolChoice != "none" {
			chat.Tools = append(chat.Tools, newChatTool(t.Name))
		}
	}
	h := responsesHistory{isRecorded: f.issued.contains}
	rejection = h.readItems(request.Input)
	chat.Messages = append(chat.Messages, h.messages...)
	sum := sha256.Sum256(body)
	return chat, &responsesEncoder{encrypted: hex.EncodeToString(sum[:]), record: f.issued.record}, rejection
}

// responsesHistory converts the input to messages in OpenAI's other format.
type responsesHistory struct {
	isRecorded func(signature string) bool
	messages   []ChatMessage
	pending    map[string]bool // ids of calls whose outputs must follow
	current    bool            // the item belongs to the current turn
	step       bool            // the last message is a step that further items belong to
	thought    bool            // the step began with its reasoning
}

func (h *responsesHistory) readItems(items []responsesItem) (rejection string) {
	h.pending = map[string]bool{}
	last := 0
	for n, i := range items {
		if i.Role == "user" {
			last = n
		}
	}
	for n, i := range items {
		h.current = n > last
		if rejection = h.readItem(i); rejection != "" {
			return rejection
		}
	}
	if len(h.pending) > 0 {
		return "No tool output found for a function call"
	}
	return ""
}

func (h *responsesHistory) readItem(i responsesItem) (rejection string) {
	switch {
	case i.Type == "reasoning":
		if !h.isRecorded(i.Encrypted) {
			return "The encrypted content could not be verified"
		}
		h.beginStep()
		h.thought = true
	case i.Type == "function_call":
		if !h.step {
			h.beginStep()
		}
		if h.current && !h.thought && h.isRecorded(i.CallID) {
			return "a function_call was provided without its required reasoning item"
		}
		last := &h.messages[len(h.messages)-1]
		last.ToolCalls = append(last.ToolCalls,
			ChatCall{ID: i.CallID, Type: "function", Function: ChatFunction{i.Name, i.Arguments}})
		h.pending[i.CallID] = true
	case i.Type == "function_call_output":
		if !h.pending[i.CallID] {
			return "No tool call found for function call output " + i.CallID
		}
		delete(h.pending, i.CallID)
		h.step = false
		h.messages = append(h.messages, ChatMessage{Role: "tool", ToolCallID: i.CallID, Content: i.Output})
	case i.Role == "user":
		h.step = false
		h.messages = append(h.messages, ChatMessage{Role: "user", Content: i.text()})
	case i.Role == "assistant":
		if !h.step {
			h.beginStep()
		}
		h.messages[len(h.messages)-1].Content += i.text()
	default:
		return "invalid item " + i.Type
	}
	return ""
}

func (h *responsesHistory) beginStep() {
	h.step, h.thought = true, false
	h.messages = append(h.messages, ChatMessage{Role: "assistant"})
}

// responsesEncoder encodes responses: a reasoning item, a message and the calls. It counts as reasoning that must be
// sent back only if calls follow.
type responsesEncoder struct {
	encrypted string
	record    func(signature string)
	text      string
	calls     []ChatCall
}

func responsesEvent(kind string, fields jsonObject) string {
	fields["type"] = kind
	return "event: " + kind + "\ndata: " + toJSON(fields) + "\n\n"
}

func (e *responsesEncoder) encodeText(piece string) string {
	events := ""
	if e.text == "" {
		events = responsesEvent("response.output_item.added", jsonObject{
			"output_index": 1, "item": jsonObject{"type": "message", "role": "assistant", "content": []jsonObject{}},
		})
	}
	e.text += piece
	return events + responsesEvent("response.output_text.delta", jsonObject{"output_index": 1, "delta": piece})
}

func (e *responsesEncoder) encodeToolCall(index int, c ChatCall) string {
	for len(e.calls) <= index {
		e.calls = append(e.calls, ChatCall{})
	}
	call := &e.calls[index]
	call.ID += c.ID
	call.Function.Name += c.Function.Name
	call.Function.Arguments += c.Function.Arguments
	return responsesEvent("response.function_call_arguments.delta", jsonObject{
		"output_index": index + 2, "delta": c.Function.Arguments,
	})
}

func (e *responsesEncoder) encodeEnd(reason string, u tokenUsage) string {
	done := func(index int, item jsonObject) string {
		return responsesEvent("response.output_item.done", jsonObject{"output_index": index, "item": item})
	}
	events := ""
	if len(e.calls) > 0 {
		e.record(e.encrypted)
		events += done(0, jsonObject{
			"type": "reasoning", "id": "rs_1", "summary": []string{}, "encrypted_content": e.encrypted,
		})
	}
	if e.text != "" {
		events += done(1, jsonObject{
			"type": "message", "role": "assistant", "content": []jsonObject{{"type": "output_text", "text": e.text}},
		})
	}
	for i, c := range e.calls {
		e.record(c.ID)
		events += done(i+2, jsonObject{
			"type": "function_call", "id": fmt.Sprintf("fc_%d", i), "call_id": c.ID, "name": c.Function.Name,
			"arguments": c.Function.Arguments,
		})
	}
	status, details := "completed", jsonObject{}
	switch reason {
	case "content_filter":
		status, details["reason"] = "incomplete", reason
	case "length":
		status, details["reason"] = "incomplete", "max_output_tokens"
	}
	return events + responsesEvent("response."+status, jsonObject{"response": jsonObject{
		"object": "response", "status": status, "incomplete_details": details, "usage": jsonObject{
			"input_tokens": u.input, "output_tokens": u.output,
			"input_tokens_details": jsonObject{"cached_tokens": u.cached},
		},
	}})
}
