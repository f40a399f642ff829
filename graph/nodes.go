package graph

import (
	"context"
	"maps"
	"slices"

	"errand/ent"
	"errand/graph/model"
	"errand/internal/ids"
)

// nodes finds several things, one statement a type, in the order asked for.
func (r *Resolver) nodes(ctx context.Context, wanted []string) ([]model.Node, error) {
	if _, err := r.Accounts.CurrentUser(ctx); err != nil {
		return nil, err
	}
	byType := map[string][]string{}
	for _, id := range wanted {
		prefix := ids.Prefix(id)
		byType[prefix] = append(byType[prefix], id)
	}
	all := map[string]model.Node{}
	for prefix, group := range byType {
		if err := r.collect(ctx, prefix, group, all); err != nil {
			return nil, err
		}
	}
	out := make([]model.Node, len(wanted))
	for i, id := range wanted {
		out[i] = all[id]
	}
	return out, nil
}

func (r *Resolver) collect(ctx context.Context, prefix string, group []string, into map[string]model.Node) error {
	switch prefix {
	case ids.User:
		for _, id := range group {
			n, err := found(r.Accounts.FindUser(ctx, id))
			if err != nil {
				return err
			}
			if n != nil {
				into[id] = n
			}
		}
		return nil
	case ids.Task:
		return gather(ctx, group, into, r.Tasks.TasksByID, taskID)
	case ids.Change:
		return gather(ctx, group, into, r.Tasks.ChangesByID, changeID)
	case ids.Conversation:
		return gather(ctx, group, into, r.Chat.ConversationsByID, conversationID)
	case ids.Message:
		return gather(ctx, group, into, r.Chat.MessagesByID, messageID)
	case ids.ToolCall:
		return gather(ctx, group, into, r.Chat.ToolCallsByID, func(c *ent.ToolCall) string { return c.ID })
	default:
		return nil
	}
}

func gather[P model.Node](ctx context.Context, group []string, into map[string]model.Node,
	read func(context.Context, []string) (map[string]P, error), id func(P) string,
) error {
	rows, err := read(ctx, group)
	if err != nil {
		return err
	}
	for key, row := range rows {
		into[key] = row
	}
	registerSiblings(ctx, id, func() []P { return slices.Collect(maps.Values(rows)) })
	return nil
}
