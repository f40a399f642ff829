package llm

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/tmc/langchaingo/llms"
)

// Options are the call options that every provider supports. Other options are ignored.
type Options struct {
	// Tools are the functions the model may call.
	Tools []Tool
	// NoToolCalls forbids tool calls; the tools stay declared for the calls in the history.
	NoToolCalls bool
	// AlphanumericIDs means that the server accepts only call ids as of [AlphanumericCallID].
	AlphanumericIDs bool
	// OnText receives the text of the response as it arrives; may be nil. An error cancels the call.
	OnText func(ctx context.Context, chunk []byte) error
}

// Tool is a function the model may call. Schema is the JSON Schema of its arguments.
type Tool struct {
	Name        string
	Description string
	Schema      json.RawMessage
}

// emptySchema is the schema of a tool without parameters.
var emptySchema = json.RawMessage(`{"type":"object","properties":{}}`)

// newOptions applies the call options. Of the tool choices only "auto", the default, and "none" are supported.
func newOptions(opts []llms.CallOption) (Options, error) {
	var o llms.CallOptions
	for _, opt := range opts {
		opt(&o)
	}
	out := Options{OnText: o.StreamingFunc}
	switch o.ToolChoice {
	case nil, "", "auto":
	case "none":
		out.NoToolCalls = true
	default:
		return Options{}, errors.New("the tool choice must be auto or none")
	}
	for _, t := range o.Tools {
		tool, err := newTool(t)
		if err != nil {
			return Options{}, err
		}
		out.Tools = append(out.Tools, tool)
	}
	return out, nil
}

func newTool(t llms.Tool) (Tool, error) {
	if t.Function == nil || t.Function.Name == "" {
		return Tool{}, errors.New("a tool declaration has no function name")
	}
	tool := Tool{Name: t.Function.Name, Description: t.Function.Description, Schema: emptySchema}
	if t.Function.Parameters == nil {
		return tool, nil
	}
	schema, err := json.Marshal(t.Function.Parameters)
	if err != nil {
		return Tool{}, errors.New("the parameters of a tool cannot be encoded as JSON")
	}
	tool.Schema = schema
	return tool, nil
}
