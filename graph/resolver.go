// Package graph is the GraphQL shape of Errand: the SDL, thin resolvers over the
// domain, and the one error mapper.
package graph

import (
	"context"
	"log/slog"

	"errand/graph/model"
	"errand/internal/account"
	"errand/internal/chat"
	"errand/internal/ids"
	"errand/internal/stream"
	"errand/internal/task"
	"errand/internal/usage"
)

// Resolver answers every field that is not a plain value of an entity.
type Resolver struct {
	Accounts *account.Service
	Tasks    *task.Service
	Chat     *chat.Service
	Usage    *usage.Book
	Hub      *stream.Hub
	Logger   *slog.Logger
}

// maxNodes bounds nodes(ids:).
const maxNodes = 100

// node finds anything by its id: the prefix says which table holds it. What does not
// exist, belongs to somebody else, or is no id at all is nil.
func (r *Resolver) node(ctx context.Context, id string) (model.Node, error) {
	if _, err := r.Accounts.CurrentUser(ctx); err != nil {
		return nil, err
	}
	switch ids.Prefix(id) {
	case ids.User:
		return found(r.Accounts.FindUser(ctx, id))
	case ids.Task:
		return found(r.Tasks.FindTask(ctx, id))
	case ids.Change:
		return found(r.Tasks.FindChange(ctx, id))
	case ids.Conversation:
		return found(r.Chat.FindConversation(ctx, id))
	case ids.Message:
		return found(r.Chat.FindMessage(ctx, id))
	case ids.ToolCall:
		return found(r.Chat.FindToolCall(ctx, id))
	default:
		return nil, nil
	}
}

// found keeps a nil pointer from becoming a Node that is not nil.
func found[P interface {
	comparable
	model.Node
}](p P, err error) (model.Node, error) {
	var none P
	if err != nil || p == none {
		return nil, err
	}
	return p, nil
}
