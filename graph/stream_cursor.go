package graph

import (
	"context"

	"errand/ent"
	"errand/internal/chat"
	"errand/internal/page"
	"errand/internal/stream"
	"errand/internal/task"

	"github.com/99designs/gqlgen/graphql"
)

// listTasks returns a page of tasks, with the cursor of taskStream if it is selected. The cursor is read before the
// page: changes in between are then both in the page and in the stream, and never in neither.
func (r *queryResolver) listTasks(
	ctx context.Context, args page.Args, orderBy *task.Order, filter *task.Filter,
) (*page.Connection[*ent.Task], error) {
	cursor := ""
	if selects(ctx, "TaskConnection", "streamCursor") {
		seq, err := r.Resolver.Tasks.LastChangeSeq(ctx)
		if err != nil {
			return nil, err
		}
		cursor = stream.TaskCursor(seq)
	}
	tasks, err := r.Resolver.Tasks.ListTasks(ctx, args, orderBy, filter)
	if err != nil {
		return nil, err
	}
	tasks.StreamCursor = cursor
	return tasks, nil
}

// listConversations returns a page of conversations, with the cursor of conversationStream, as listTasks.
func (r *queryResolver) listConversations(
	ctx context.Context, args page.Args, filter *chat.ConversationFilter,
) (*page.Connection[*ent.Conversation], error) {
	cursor := ""
	if selects(ctx, "ConversationConnection", "streamCursor") {
		seq, err := r.Chat.LastConversationChange(ctx)
		if err != nil {
			return nil, err
		}
		cursor = stream.ConversationCursor(seq)
	}
	conversations, err := r.Chat.FilterConversations(ctx, args, filter)
	if err != nil {
		return nil, err
	}
	conversations.StreamCursor = cursor
	return conversations, nil
}

// selects reports whether the selection below the current field, which is of the given type, contains a field.
func selects(ctx context.Context, typeName, field string) bool {
	for _, f := range graphql.CollectFieldsCtx(ctx, []string{typeName}) {
		if f.Name == field {
			return true
		}
	}
	return false
}
