package llm

import (
	"context"
	"encoding/json"
	"math"

	"github.com/tmc/langchaingo/llms"
)

// Options are the call options every provider honours. Others are ignored.
type Options struct {
	// Model overrides the provider's configured model, "" keeps it.
	Model string
	Tools []Tool
	// Choice is the tool choice.
	Choice Choice
	// MaxTokens bounds the answer, 0 leaves it to the provider.
	MaxTokens int
	// Temperature is nil unless the caller set one: some models refuse any.
	Temperature *float64
	// Stop words end the answer.
	Stop []string
	// OnText receives the answer's text piece by piece; may be nil.
	OnText func(ctx context.Context, chunk []byte) error
}

// Tool is a function the model may call. Schema is a JSON Schema object.
type Tool struct {
	Name        string
	Description string
	Schema      json.RawMessage
}

// Choice is how freely the model may call tools.
type Choice struct {
	// Mode is "" (the provider's default), "auto", "none", "required" or "tool".
	Mode string
	// Tool is the one tool to call when Mode is "tool".
	Tool string
}

// emptySchema is what a tool without parameters declares.
var emptySchema = json.RawMessage(`{"type":"object","properties":{}}`)

// ReadOptions applies the call options. A temperature of zero is a setting, so
// it starts from a value that no caller sends. [llms.WithOptions] replaces every
// option, the temperature among them.
func (w *Wire) ReadOptions(opts []llms.CallOption) (Options, error) {
	o := llms.CallOptions{Temperature: math.NaN()}
	for _, opt := range opts {
		opt(&o)
	}
	out := Options{Model: o.Model, MaxTokens: max(o.MaxTokens, 0), Stop: o.StopWords, OnText: o.StreamingFunc}
	if !math.IsNaN(o.Temperature) {
		out.Temperature = &o.Temperature
	}
	for _, t := range o.Tools {
		tool, err := readTool(t)
		if err != nil {
			return Options{}, w.fail(KindBadRequest, "a tool declaration is not usable")
		}
		out.Tools = append(out.Tools, tool)
	}
	choice, ok := readChoice(o.ToolChoice)
	if !ok {
		return Options{}, w.fail(KindBadRequest, "the tool choice is not known")
	}
	out.Choice = choice
	return out, nil
}

func readTool(t llms.Tool) (Tool, error) {
	if t.Function == nil || t.Function.Name == "" {
		return Tool{}, errNoFunction
	}
	tool := Tool{Name: t.Function.Name, Description: t.Function.Description, Schema: emptySchema}
	if t.Function.Parameters == nil {
		return tool, nil
	}
	schema, err := json.Marshal(t.Function.Parameters)
	tool.Schema = schema
	return tool, err
}

func readChoice(v any) (Choice, bool) {
	switch c := v.(type) {
	case nil:
		return Choice{}, true
	case string:
		switch c {
		case "", "auto", "none", "required":
			return Choice{Mode: c}, true
		case "any":
			return Choice{Mode: "required"}, true
		}
	case llms.ToolChoice:
		if c.Function != nil && c.Function.Name != "" {
			return Choice{Mode: "tool", Tool: c.Function.Name}, true
		}
		return readChoice(c.Type)
	case *llms.ToolChoice:
		if c != nil {
			return readChoice(*c)
		}
	}
	return Choice{}, false
}
