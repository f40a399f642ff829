package graph

import (
	"context"
	"slices"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
)

// messageChanges returns the changes of each message, keyed by message ID. Like the results of tool calls they are left
// out, without an error, if the token may not read tasks.
func (r *Resolver) messageChanges(ctx context.Context, messageIDs []string) (map[string][]*ent.TaskChange, error) {
	found, err := r.Tasks.ChangesByBatch(ctx, messageIDs, fieldColumnsBelow(ctx, "TaskChange"))
	if apperr.CodeOf(err) == apperr.Forbidden {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	registerLists(ctx, found)
	return found, nil
}

// toolCallChanges returns the changes of each call, keyed by ID. A call that is STARTED has none: the event that
// announces a start must not show what the call has done since.
func (r *Resolver) toolCallChanges(ctx context.Context, calls []*ent.ToolCall) (map[string][]*ent.TaskChange, error) {
	ended := slices.DeleteFunc(slices.Clone(calls), func(c *ent.ToolCall) bool { return c.Status == enum.ToolCallStarted })
	if len(ended) == 0 {
		return nil, nil
	}
	found, err := r.messageChanges(ctx, distinct(ended, receiptOf))
	if err != nil {
		return nil, err
	}
	byCall := map[string][]*ent.TaskChange{}
	for _, changes := range found {
		for _, c := range changes {
			byCall[toolCallID(c)] = append(byCall[toolCallID(c)], c)
		}
	}
	out := make(map[string][]*ent.TaskChange, len(ended))
	for _, c := range ended {
		out[c.ID] = byCall[c.ID]
	}
	return out, nil
}

// receiptOf returns the ID of the message whose receipt has the changes of a call: the reply that made the call, or the
// one that followed the approval.
func receiptOf(c *ent.ToolCall) string {
	if c.DecisionMessageID != nil {
		return *c.DecisionMessageID
	}
	return c.MessageID
}
