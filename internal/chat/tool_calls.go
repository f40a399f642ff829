package chat

import (
	"context"
	"fmt"

	"errand/ent"
	"errand/ent/toolcall"
	"errand/internal/store"
	"errand/internal/tool"
	"errand/internal/viewer"
)

// ToolCallsByID returns the viewer's tool calls with the given IDs, keyed by ID. Unknown IDs are left out. Without the
// scope tasks:read, calls are redacted.
func (s *Service) ToolCallsByID(ctx context.Context, ids []string) (map[string]*ent.ToolCall, error) {
	v, err := viewer.Require(ctx, viewer.Chat)
	if err != nil {
		return nil, err
	}
	found, err := s.client.ToolCall.Query().Where(toolcall.IDIn(ids...)).All(ctx)
	s.expireSeen(ctx, found)
	tool.RedactCalls(v.Scopes, found)
	return store.ByID(found, err)
}

// ToolCallsByMessage returns the tool calls of each message in order, keyed by message ID, with one query. Without the
// scope tasks:read, calls are redacted.
func (s *Service) ToolCallsByMessage(ctx context.Context, messageIDs []string) (map[string][]*ent.ToolCall, error) {
	v, err := viewer.Require(ctx, viewer.Chat)
	if err != nil {
		return nil, err
	}
	found, err := s.client.ToolCall.Query().Where(toolcall.MessageIDIn(messageIDs...)).Order(toolcall.BySeq()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading tool calls: %w", err)
	}
	s.expireSeen(ctx, found)
	tool.RedactCalls(v.Scopes, found)
	out := make(map[string][]*ent.ToolCall, len(messageIDs))
	for _, c := range found {
		out[c.MessageID] = append(out[c.MessageID], c)
	}
	return out, nil
}
