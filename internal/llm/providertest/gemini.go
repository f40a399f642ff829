package providertest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// gemini is Google's native wire, with Gemini 3's rules: calls carry no ids, a step's first
// call carries a signature, and the calls of the turn under way must come back with theirs. Google
// takes its placeholder for any signature; here it stands for the calls of other models alone.
type gemini struct{ issued register }

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

func (g *gemini) read(r *http.Request, body []byte) (chat ChatRequest, t tongue, fault string) {
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
		return chat, nil, "only streamGenerateContent?alt=sse is played"
	case r.Header.Get("X-Goog-Api-Key") != Key:
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
				chat.Tools = append(chat.Tools, offer(d.Name))
			}
		}
	}
	h := geminiHistory{contents: request.Contents, known: g.issued.has}
	fault = h.read()
	chat.Messages = append(chat.Messages, h.messages...)
	return chat, &geminiTongue{issue: g.issued.add}, fault
}

// placeholder stands for the signature of a call that another model made.
const placeholder = "skip_thought_signature_validator"

// geminiHistory turns contents into messages.
type geminiHistory struct {
	contents []geminiContent
	known    func(signature string) bool
	messages []ChatMessage
	open     []ChatCall // calls that want their responses next
}

func (h *geminiHistory) read() (fault string) {
	current := 0 // where the turn under way begins
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
			fault = h.model(c, i > current)
		} else {
			fault = h.user(c)
		}
		if fault != "" {
			return fault
		}
	}
	if len(h.open) > 0 {
		return "a function call has no response"
	}
	return ""
}

func (h *geminiHistory) model(c geminiContent, current bool) (fault string) {
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
		case signature != "" && signature != own && signature != placeholder,
			current && signature == placeholder && h.known(own):
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
	h.open = m.ToolCalls
	return ""
}

func (h *geminiHistory) user(c geminiContent) (fault string) {
	open := h.open
	h.open = nil
	text := ""
	for _, p := range c.Parts {
		r := p.FunctionResponse
		if r == nil {
			text += p.Text
			continue
		}
		if len(open) == 0 || open[0].Function.Name != r.Name {
			return "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn."
		}
		h.messages = append(h.messages, ChatMessage{Role: "tool", ToolCallID: open[0].ID, Content: string(r.Response)})
		open = open[1:]
	}
	if len(open) > 0 {
		return "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn."
	}
	if text != "" {
		h.messages = append(h.messages, ChatMessage{Role: "user", Content: text})
	}
	return ""
}

// geminiSignature belongs to one call: it is wrong beside any other.
func geminiSignature(name, args string) string {
	var plain any
	_ = json.Unmarshal([]byte(args), &plain) // what is no JSON has the signature of null
	sum := sha256.Sum256([]byte(name + compact(plain)))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// geminiTongue says a call whole, and all of them with the end: that is all the wire can.
type geminiTongue struct {
	issue   func(signature string)
	calls   []ChatCall
	thought bool
}

type object = map[string]any

func (*geminiTongue) event(parts []object, rest object) string {
	chunk := object{"candidates": []object{{"index": 0, "content": object{"role": "model", "parts": parts}}}}
	for k, v := range rest {
		if k == "finishReason" {
			chunk["candidates"].([]object)[0][k] = v
			continue
		}
		chunk[k] = v
	}
	return "data: " + compact(chunk) + "\r\n\r\n"
}

func (t *geminiTongue) text(piece string) string {
	parts := []object{{"text": piece}}
	if !t.thought {
		t.thought = true
		parts = append([]object{{"text": "**Thinking** of it.", "thought": true}}, parts...)
	}
	return t.event(parts, nil)
}

func (t *geminiTongue) call(index int, c ChatCall) string {
	for len(t.calls) <= index {
		t.calls = append(t.calls, ChatCall{})
	}
	t.calls[index].Function.Name += c.Function.Name
	t.calls[index].Function.Arguments += c.Function.Arguments
	return ""
}

func (t *geminiTongue) last(_ string, u counts) string {
	parts := []object{}
	for i, c := range t.calls {
		part := object{"functionCall": object{"name": c.Function.Name, "args": json.RawMessage(c.Function.Arguments)}}
		if i == 0 {
			signature := geminiSignature(c.Function.Name, c.Function.Arguments)
			part["thoughtSignature"] = signature
			t.issue(signature)
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		parts = append(parts, object{"text": "", "thoughtSignature": geminiSignature("", "")})
	}
	return t.event(parts, object{"finishReason": "STOP", "usageMetadata": object{
		"promptTokenCount": u.input, "candidatesTokenCount": u.output - 2, "thoughtsTokenCount": 2, "cachedContentTokenCount": u.cached,
	}})
}
