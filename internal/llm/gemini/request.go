package gemini

import (
	"encoding/json"
	"strings"

	"errand/internal/llm"
)

// request is the body of streamGenerateContent, as far as it is used.
type request struct {
	SystemInstruction *content          `json:"systemInstruction,omitempty"`
	Contents          []content         `json:"contents"`
	Tools             []tools           `json:"tools,omitempty"`
	ToolConfig        *toolConfig       `json:"toolConfig,omitempty"`
	GenerationConfig  *generationConfig `json:"generationConfig,omitempty"`
}

type content struct {
	Role  string `json:"role,omitempty"`
	Parts []any  `json:"parts"` // of part, or json.RawMessage for parts sent back
}

// part is a part written by us; see received for parts that came in.
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

// declaration gives the schema as JSON Schema: "parameters" would take only an
// OpenAPI subset, without additionalProperties.
type declaration struct {
	Name                 string          `json:"name"`
	Description          string          `json:"description,omitempty"`
	ParametersJSONSchema json.RawMessage `json:"parametersJsonSchema"`
}

type toolConfig struct {
	FunctionCallingConfig functionCallingConfig `json:"functionCallingConfig"`
}

type functionCallingConfig struct {
	Mode                 string   `json:"mode"`
	AllowedFunctionNames []string `json:"allowedFunctionNames,omitempty"`
}

type generationConfig struct {
	Temperature     *float64 `json:"temperature,omitempty"`
	MaxOutputTokens int      `json:"maxOutputTokens,omitempty"`
	StopSequences   []string `json:"stopSequences,omitempty"`
}

func newRequest(o llm.Options, h llm.History) request {
	var r request
	if h.System != "" {
		r.SystemInstruction = &content{Parts: []any{part{Text: h.System}}}
	}
	for _, t := range h.StartWithUser() {
		r.Contents = append(r.Contents, contents(t, o.Model)...)
	}
	if o.Temperature != nil || o.MaxTokens > 0 || len(o.Stop) > 0 {
		r.GenerationConfig = &generationConfig{o.Temperature, o.MaxTokens, o.Stop}
	}
	if len(o.Tools) == 0 {
		return r
	}
	r.Tools = []tools{{}}
	for _, t := range o.Tools {
		r.Tools[0].FunctionDeclarations = append(
			r.Tools[0].FunctionDeclarations,
			declaration{t.Name, t.Description, t.Schema},
		)
	}
	r.ToolConfig = config(o.Choice)
	return r
}

func config(c llm.Choice) *toolConfig {
	modes := map[string]string{"auto": "AUTO", "none": "NONE", "required": "ANY", "tool": "ANY"}
	if c.Mode == "" {
		return nil
	}
	t := &toolConfig{FunctionCallingConfig: functionCallingConfig{Mode: modes[c.Mode]}}
	if c.Mode == "tool" {
		t.FunctionCallingConfig.AllowedFunctionNames = []string{c.Tool}
	}
	return t
}

// contents writes a turn; the results of its calls follow it at once, as the
// wire demands.
func contents(t llm.Turn, model string) []content {
	if t.User {
		return []content{{Role: "user", Parts: []any{part{Text: t.Text}}}}
	}
	parts, ids := restore(t, model)
	if parts == nil {
		parts, ids = rebuild(t, model)
	}
	out := []content{{Role: "model", Parts: parts}}
	if len(t.Calls) == 0 {
		return out
	}
	results := content{Role: "user"}
	for i, c := range t.Calls {
		results.Parts = append(results.Parts, part{FunctionResponse: &functionResponse{ids[i], c.Name, response(c.Result)}})
	}
	return append(out, results)
}

// foreignSignature is the value Google documents for calls that another model
// made: Gemini 3 refuses a step's first call without any signature.
const foreignSignature = "skip_thought_signature_validator"

// rebuild writes a turn of another provider or model.
func rebuild(t llm.Turn, model string) (parts []any, ids []string) {
	if t.Text != "" {
		parts = append(parts, part{Text: t.Text})
	}
	for i, c := range t.Calls {
		p := part{FunctionCall: &functionCall{c.ID, c.Name, c.Arguments}}
		if i == 0 && wantsSignature(model) {
			p.ThoughtSignature = foreignSignature
		}
		parts = append(parts, p)
		ids = append(ids, c.ID)
	}
	return parts, ids
}

func wantsSignature(model string) bool {
	return !strings.HasPrefix(model, "gemini-1") && !strings.HasPrefix(model, "gemini-2")
}

// response makes the object the wire wants of any result.
func response(result string) json.RawMessage {
	trimmed := strings.TrimSpace(result)
	if strings.HasPrefix(trimmed, "{") && json.Valid([]byte(trimmed)) {
		return json.RawMessage(trimmed)
	}
	wrapped, _ := json.Marshal(map[string]string{"result": result})
	return wrapped
}
