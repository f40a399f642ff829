package mcp

import (
	"context"
	"encoding/json"

	"errand/internal/ids"
	"errand/internal/tool"
	"errand/internal/viewer"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// Keys in _meta of a failed result: its error code and, when a retry may succeed, the delay in milliseconds.
const (
	metaCode       = "errand/code"
	metaRetryAfter = "errand/retryAfterMs"
)

// newBatchID returns the id of the batch of one call's changes.
var newBatchID = ids.New(ids.Batch)

// sdkTool converts a tool of the registry.
func sdkTool(t *tool.Tool) *sdk.Tool {
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

// callTool calls a tool as the viewer. A failed call is a result with the reason, so that the model can correct
// its arguments.
func (s *Server) callTool(ctx context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
	if known := s.o.Tools.Find(req.Params.Name); known != nil {
		if _, err := viewer.Require(ctx, known.Scope()); err != nil {
			return nil, err // not a result: the client needs another token, not other arguments
		}
	}
	v, err := viewer.Require(ctx)
	if err != nil {
		return nil, err
	}
	v.BatchID = newBatchID()
	result, question, err := s.callApproved(viewer.NewContext(ctx, v), req)
	if err != nil || question != nil {
		return question, err
	}
	answer := &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: result.Text}}, IsError: result.Failed}
	if result.Failed {
		// Structured content would have to match the output schema.
		answer.Meta = sdk.Meta{metaCode: result.Code}
		return answer, nil
	}
	answer.StructuredContent = json.RawMessage(result.JSON)
	return answer, nil
}
