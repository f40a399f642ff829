package graph

import (
	"context"
	"maps"
	"slices"

	"errand/ent"
	"errand/graph/model"
	"errand/internal/ids"
)

// maxNodes is the largest number of ids that nodes(ids:) accepts.
const maxNodes = 100

// entityNode is an entity that implements the GraphQL interface Node.
type entityNode interface {
	model.Node
	NodeID() string
}

// nodeLoader loads those of the viewer's nodes of one type that exist, by id.
type nodeLoader func(ctx context.Context, ids []string) (map[string]model.Node, error)

// nodeLoader is the registry of types that node and nodes can load: it returns the loader of the type with the
// given id prefix, or nil when the prefix does not belong to an implementation of Node.
func (r *Resolver) nodeLoader(prefix string) nodeLoader {
	switch prefix {
	case ids.User:
		return loadNodes(r.usersByID)
	case ids.APIToken:
		return loadNodes(r.Tokens.TokensByID)
	case ids.Task:
		return loadNodes(r.Tasks.TasksByID)
	case ids.Change:
		return loadNodes(r.Tasks.ChangesByID)
	case ids.Conversation:
		return loadNodes(r.Chat.ConversationsByID)
	case ids.Message:
		return loadNodes(r.Chat.MessagesByID)
	case ids.ToolCall:
		return loadNodes(r.Chat.ToolCallsByID)
	default:
		return nil
	}
}

// node loads the node with the given id. It is nil when the id is malformed, does not exist or belongs to another user.
func (r *Resolver) node(ctx context.Context, id string) (model.Node, error) {
	nodes, err := r.nodes(ctx, []string{id})
	if err != nil {
		return nil, err
	}
	return nodes[0], nil
}

// nodes loads nodes with one query per type and returns them in the order of wanted, nil for those that node
// would return nil for.
func (r *Resolver) nodes(ctx context.Context, wanted []string) ([]model.Node, error) {
	if _, err := r.Accounts.CurrentUserID(ctx); err != nil {
		return nil, err
	}
	byType := map[string][]string{}
	for _, id := range wanted {
		prefix := ids.Prefix(id)
		byType[prefix] = append(byType[prefix], id)
	}
	byID := make(map[string]model.Node, len(wanted))
	for prefix, group := range byType {
		load := r.nodeLoader(prefix)
		if load == nil {
			continue
		}
		nodes, err := load(ctx, group)
		if err != nil {
			return nil, err
		}
		maps.Copy(byID, nodes)
	}
	ordered := make([]model.Node, len(wanted))
	for i, id := range wanted {
		ordered[i] = byID[id]
	}
	return ordered, nil
}

// loadNodes makes a nodeLoader of a service's method. The nodes become siblings for the dataloaders.
func loadNodes[T entityNode](read func(context.Context, []string) (map[string]T, error)) nodeLoader {
	return func(ctx context.Context, ids []string) (map[string]model.Node, error) {
		rows, err := read(ctx, ids)
		if err != nil {
			return nil, err
		}
		nodes := make(map[string]model.Node, len(rows))
		for id, row := range rows {
			nodes[id] = row
		}
		registerSiblings(ctx, func() []T { return slices.Collect(maps.Values(rows)) })
		return nodes, nil
	}
}

// usersByID loads users one by one: every id but the viewer's own is absent from the result.
func (r *Resolver) usersByID(ctx context.Context, ids []string) (map[string]*ent.User, error) {
	users := map[string]*ent.User{}
	for _, id := range ids {
		u, err := r.Accounts.FindUser(ctx, id)
		if err != nil {
			return nil, err
		}
		if u != nil {
			users[id] = u
		}
	}
	return users, nil
}
