package gemini

import (
	"encoding/json"
	"strings"

	"errand/internal/llm"
)

// request is the body of streamGenerateContent; unused fields are left out.
type request struct {
	SystemInstruction *content    `json:"systemInstruction,omitempty"`
	Contents          []content   `json:"contents"`
	Tools             []tools     `json:"tools,omitempty"`
	ToolConfig        *toolConfig `json:"toolConfig,omitempty"`

	GenerationConfig *generationConfig `json:"generationConfig,omitempty"`
}

type content struct {
	Role  string `json:"role,omitempty"`
	Parts []any  `json:"parts"` // part, or json.RawMessage for saved parts
}

// part is a part of a request; see receivedPart for responses.
type part struct {
	Text             string            `json:"text,omitempty"`
	FunctionCall     *functionCall     `json:"functionCall,omitempty"`
	FunctionResponse *functionResponse `json:"functionResponse,omitempty"`
	ThoughtSignature string            `json:"thoughtSignature,omitempty"`
}

type functionCall struct {
	ID   string          `json:"id,omitempty"`
	Name string          `json:"name"`
	Args json.RawMessage `json:"args,omitempty"`
}

type functionResponse struct {
	ID       string          `json:"id,omitempty"`
	Name     string          `json:"name"`
	Response json.RawMessage `json:"response"`
}

type tools struct {
	FunctionDeclarations []declaration `json:"functionDeclarations"`
}

// declaration contains the schema as JSON Schema. The field "parameters" accepts only a subset of OpenAPI, without
// additionalProperties.
type declaration struct {
	Name                 string          `json:"name"`
	Description          string          `json:"description,omitempty"`
	ParametersJSONSchema json.RawMessage `json:"parametersJsonSchema"`
}

type toolConfig struct {
	FunctionCallingConfig functionCallingConfig `json:"functionCallingConfig"`
}

type functionCallingConfig struct {
	Mode string `json:"mode"`
}

func newRequest(c llm.Config, o llm.Options, h llm.History) request {
	r := request{GenerationConfig: newGenerationConfig(c.Model, c.Generation)}
	if h.System != "" {
		r.SystemInstruction = &content{Parts: []any{part{Text: h.System}}}
	}
	for _, t := range h.StartWithUser() {
		added := newContents(t, c.Model)
		if last := len(r.Contents) - 1; last >= 0 && t.User && r.Contents[last].Role == added[0].Role {
			// Text after results of calls: roles must alternate.
			r.Contents[last].Parts = append(r.Contents[last].Parts, added[0].Parts...)
			added = added[1:]
		}
		r.Contents = append(r.Contents, added...)
	}
	if len(o.Tools) == 0 {
		return r
	}
	declarations := make([]declaration, len(o.Tools))
	for i, t := range o.Tools {
		declarations[i] = declaration{t.Name, t.Description, t.Schema}
	}
	r.Tools = []tools{{declarations}}
	if o.NoToolCalls {
		r.ToolConfig = &toolConfig{functionCallingConfig{Mode: "NONE"}}
	}
	return r
}

// newContents converts a turn. The results of its calls follow it directly, as the API requires.
func newContents(t llm.Turn, model string) []content {
	if t.User {
		said := content{Role: "user"}
		for _, text := range t.Texts() {
			said.Parts = append(said.Parts, part{Text: text})
		}
		return []content{said}
	}
	parts, ids := parseSavedParts(t, model)
	if parts == nil {
		parts, ids = newParts(t, model)
	}
	out := []content{{Role: "model", Parts: parts}}
	if len(t.Calls) == 0 {
		return out
	}
	results := content{Role: "user"}
	for i, c := range t.Calls {
		response := &functionResponse{ids[i], c.Name, resultObject(c.Result)}
		results.Parts = append(results.Parts, part{FunctionResponse: response})
	}
	return append(out, results)
}

// placeholderSignature is the documented signature for calls that another model made. Gemini 3 rejects a step whose
// first call has no signature.
const placeholderSignature = "skip_thought_signature_validator"

// newParts converts a turn without saved parts, such as one of another provider or model. ids are the call ids.
func newParts(t llm.Turn, model string) (parts []any, ids []string) {
	if t.Text != "" {
		parts = append(parts, part{Text: t.Text})
	}
	for i, c := range t.Calls {
		p := part{FunctionCall: &functionCall{c.ID, c.Name, c.Arguments}}
		if i == 0 && requiresSignature(model) {
			p.ThoughtSignature = placeholderSignature
		}
		parts = append(parts, p)
		ids = append(ids, c.ID)
	}
	return parts, ids
}

func requiresSignature(model string) bool {
	return !strings.HasPrefix(model, "gemini-1") && !strings.HasPrefix(model, "gemini-2")
}

// resultObject returns a result as a JSON object, which the API requires.
func resultObject(result string) json.RawMessage {
	trimmed := strings.TrimSpace(result)
	if strings.HasPrefix(trimmed, "{") && json.Valid([]byte(trimmed)) {
		return json.RawMessage(trimmed)
	}
	wrapped, _ := json.Marshal(map[string]string{"result": result})
	return wrapped
}
