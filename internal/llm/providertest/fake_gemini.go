package providertest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// fakeGemini implements Gemini's API with the rules of Gemini 3: tool calls have no ids, the first call of a step has a
// signature, and the calls of the current turn must be sent back with their signatures. Google accepts its placeholder
// in place of any signature; this server accepts it for the calls of other models only.
type fakeGemini struct{ issued signatureSet }

type geminiContent struct {
	Role  string       `json:"role"`
	Parts []geminiPart `json:"parts"`
}

type geminiPart struct {
	Text             string `json:"text"`
	ThoughtSignature string `json:"thoughtSignature"`
	FunctionCall     *struct {
		Name string          `json:"name"`
		Args json.RawMessage `json:"args"`
	} `json:"functionCall"`
	FunctionResponse *struct {
		Name     string          `json:"name"`
		Response json.RawMessage `json:"response"`
	} `json:"functionResponse"`
}

func (g *fakeGemini) decodeRequest(
	r *http.Request,
	body []byte,
) (chat ChatRequest, encoder responseEncoder, rejection string) {
	var request struct {
		SystemInstruction geminiContent
		Contents          []geminiContent
		Tools             []struct {
			FunctionDeclarations []struct{ Name string }
		}
		ToolConfig struct {
			FunctionCallingConfig struct{ Mode string }
		}
	}
	model, streaming := strings.CutSuffix(r.PathValue("model"), ":streamGenerateContent")
	switch {
	case !streaming || r.URL.RawQuery != "alt=sse":
		return chat, nil, "only streamGenerateContent?alt=sse is supported"
	case r.Header.Get("X-Goog-Api-Key") != APIKey:
		return chat, nil, "API key not valid"
	case json.Unmarshal(body, &request) != nil:
		return chat, nil, "Invalid JSON payload received"
	}
	chat.Model = model
	for _, p := range request.SystemInstruction.Parts {
		chat.Messages = append(chat.Messages, ChatMessage{Role: "system", Content: p.Text})
	}
	for _, ts := range request.Tools {
		for _, d := range ts.FunctionDeclarations {
			if request.ToolConfig.FunctionCallingConfig.Mode != "NONE" {
				chat.Tools = append(chat.Tools, newChatTool(d.Name))
			}
		}
	}
	h := geminiHistory{contents: request.Contents, isRecorded: g.issued.contains}
	rejection = h.readContents()
	chat.Messages = append(chat.Messages, h.messages...)
	return chat, &geminiEncoder{recordSignature: g.issued.record}, rejection
}

// placeholderSignature replaces the signature of a call of another model.
const placeholderSignature = "skip_thought_signature_validator"

// geminiHistory converts the contents of a request to messages in OpenAI's format.
type geminiHistory struct {
	contents     []geminiContent
	isRecorded   func(signature string) bool
	messages     []ChatMessage
	pendingCalls []ChatCall // calls whose responses must follow
}

func (h *geminiHistory) readContents() (rejection string) {
	current := 0 // index of the content that starts the current turn
	for i, c := range h.contents {
		if c.Role == "user" && len(c.Parts) > 0 && c.Parts[0].FunctionResponse == nil {
			current = i
		}
	}
	for i, c := range h.contents {
		switch {
		case len(c.Parts) == 0:
			return "contents.parts must not be empty"
		case i > 0 && c.Role == h.contents[i-1].Role || i == 0 && c.Role != "user":
			return "Please ensure that function call turn comes immediately after a user turn or after a function response turn."
		}
		if c.Role == "model" {
			rejection = h.readModel(c, i > current)
		} else {
			rejection = h.readUser(c)
		}
		if rejection != "" {
			return rejection
		}
	}
	if len(h.pendingCalls) > 0 {
		return "a function call has no response"
	}
	return ""
}

func (h *geminiHistory) readModel(c geminiContent, current bool) (rejection string) {
	m := ChatMessage{Role: "assistant"}
	for _, p := range c.Parts {
		m.Content += p.Text
		if p.FunctionCall == nil {
			continue
		}
		args := string(p.FunctionCall.Args)
		if args == "" {
			args = "{}"
		}
		own := geminiSignature(p.FunctionCall.Name, args)
		switch signature := p.ThoughtSignature; {
		case signature != "" && signature != own && signature != placeholderSignature,
			current && signature == placeholderSignature && h.isRecorded(own):
			return "Thought signature is not valid"
		case current && len(m.ToolCalls) == 0 && signature == "":
			return "Function call is missing a thought_signature in functionCall parts."
		}
		id := fmt.Sprintf("g%d_%d", len(h.messages), len(m.ToolCalls))
		m.ToolCalls = append(
			m.ToolCalls,
			ChatCall{ID: id, Type: "function", Function: ChatFunction{p.FunctionCall.Name, args}},
		)
	}
	h.messages = append(h.messages, m)
	h.pendingCalls = m.ToolCalls
	return ""
}

func (h *geminiHistory) readUser(c geminiContent) (rejection string) {
	open := h.pendingCalls
	h.pendingCalls = nil
	text := ""
	for _, p := range c.Parts {
		r := p.FunctionResponse
		if r == nil {
			text += p.Text
			continue
		}
		if len(open) == 0 || open[0].Function.Name != r.Name {
			return "Please ensure that the number of function response parts is equal to the number of function call " +
				"parts of the function call turn."
		}
		h.messages = append(h.messages, ChatMessage{Role: "tool", ToolCallID: open[0].ID, Content: string(r.Response)})
		open = open[1:]
	}
	if len(open) > 0 {
		return "Please ensure that the number of function response parts is equal to the number of function call " +
			"parts of the function call turn."
	}
	if text != "" {
		h.messages = append(h.messages, ChatMessage{Role: "user", Content: text})
	}
	return ""
}

// geminiSignature returns the signature of a call, which is valid for this call only.
func geminiSignature(name, args string) string {
	var arguments any
	_ = json.Unmarshal([]byte(args), &arguments) // invalid JSON has the signature of null
	sum := sha256.Sum256([]byte(name + toJSON(arguments)))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// geminiEncoder encodes responses in Gemini's format, which has no parts of calls: all calls are sent whole, in the
// last event.
type geminiEncoder struct {
	recordSignature func(signature string)
	calls           []ChatCall
	thoughtSent     bool
}

type jsonObject = map[string]any

func (*geminiEncoder) event(parts []jsonObject, rest jsonObject) string {
	chunk := jsonObject{"candidates": []jsonObject{{"index": 0, "content": jsonObject{"role": "model", "parts": parts}}}}
	for k, v := range rest {
		if k == "finishReason" {
			chunk["candidates"].([]jsonObject)[0][k] = v
			continue
		}
		chunk[k] = v
	}
	return "data: " + toJSON(chunk) + "\r\n\r\n"
}

func (e *geminiEncoder) encodeText(piece string) string {
	parts := []jsonObject{{"text": piece}}
	if !e.thoughtSent {
		e.thoughtSent = true
		parts = append([]jsonObject{{"text": "**Considering** the request.", "thought": true}}, parts...)
	}
	return e.event(parts, nil)
}

func (e *geminiEncoder) encodeToolCall(index int, c ChatCall) string {
	for len(e.calls) <= index {
		e.calls = append(e.calls, ChatCall{})
	}
	e.calls[index].Function.Name += c.Function.Name
	e.calls[index].Function.Arguments += c.Function.Arguments
	return ""
}

func (e *geminiEncoder) encodeEnd(reason string, u tokenUsage) string {
	parts := []jsonObject{}
	for i, c := range e.calls {
		if reason == "length" && !json.Valid([]byte(c.Function.Arguments)) { // cut by the token limit: the API leaves it out
			continue
		}
		args := json.RawMessage(c.Function.Arguments)
		if !json.Valid(args) {
			args = json.RawMessage(toJSON(c.Function.Arguments))
		}
		part := jsonObject{"functionCall": jsonObject{"name": c.Function.Name, "args": args}}
		if i == 0 {
			signature := geminiSignature(c.Function.Name, c.Function.Arguments)
			part["thoughtSignature"] = signature
			e.recordSignature(signature)
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		parts = append(parts, jsonObject{"text": "", "thoughtSignature": geminiSignature("", "")})
	}
	finish, known := map[string]string{"length": "MAX_TOKENS", "content_filter": "SAFETY"}[reason]
	if !known {
		finish = "STOP"
	}
	return e.event(parts, jsonObject{"finishReason": finish, "usageMetadata": jsonObject{
		"promptTokenCount": u.input, "candidatesTokenCount": u.output - 2, "thoughtsTokenCount": 2,
		"cachedContentTokenCount": u.cached,
	}})
}
