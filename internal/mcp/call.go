package mcp

import (
	"context"
	"encoding/json"

	"errand/internal/tool"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// The keys under which a failed call's result has its error code and, when the same call
// may succeed later, the wait in milliseconds.
const (
	metaCode       = "errand/code"
	metaRetryAfter = "errand/retryAfterMs"
)

// describe shows a tool of the registry.
func describe(t *tool.Tool) *sdk.Tool {
	closedWorld := false
	return &sdk.Tool{
		Name: t.Name, Title: t.Title, Description: t.Description,
		InputSchema: t.Schema, OutputSchema: t.OutputSchema,
		Annotations: &sdk.ToolAnnotations{
			Title: t.Title, ReadOnlyHint: t.ReadOnly, DestructiveHint: &t.Destructive,
			IdempotentHint: t.Idempotent, OpenWorldHint: &closedWorld,
		},
	}
}

// call uses a tool as the viewer. A call that could not be carried out is a result that
// says why, so that the model can mend it.
func (s *Server) call(ctx context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
	result, err := s.o.Tools.Call(ctx, s.o.Tasks, req.Params.Name, string(req.Params.Arguments))
	if err != nil {
		return nil, err
	}
	answer := &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: result.Text}}, IsError: result.Failed}
	if result.Failed {
		// No structured content: it would have to fit the output schema.
		answer.Meta = sdk.Meta{metaCode: result.Code}
		return answer, nil
	}
	answer.StructuredContent = json.RawMessage(result.JSON)
	return answer, nil
}
