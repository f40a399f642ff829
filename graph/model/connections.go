// Package model holds the GraphQL types that are not entities.
package model

import (
	"context"

	"errand/ent"
)

// Connection is a page of a list, in the form of the Relay specification.
type Connection[T any] struct {
	// Edges are the page's items with their cursors.
	Edges []*Edge[T]
	// PageInfo says where the page lies.
	PageInfo *PageInfo
	// Count counts the whole list; called only when totalCount is asked for.
	Count func(ctx context.Context) (int, error)
}

// Edge is an item in a page.
type Edge[T any] struct {
	// Cursor is the item's place.
	Cursor string
	// Node is the item.
	Node T
}

// Nodes are the items alone.
func (c *Connection[T]) Nodes() []T {
	nodes := make([]T, len(c.Edges))
	for i, e := range c.Edges {
		nodes[i] = e.Node
	}
	return nodes
}

// TotalCount counts the whole list.
func (c *Connection[T]) TotalCount(ctx context.Context) (int, error) { return c.Count(ctx) }

// The connections of the schema.
type (
	TaskConnection         = Connection[*ent.Task]
	TaskEdge               = Edge[*ent.Task]
	TaskChangeConnection   = Connection[*ent.TaskChange]
	TaskChangeEdge         = Edge[*ent.TaskChange]
	ConversationConnection = Connection[*ent.Conversation]
	ConversationEdge       = Edge[*ent.Conversation]
	MessageConnection      = Connection[*ent.Message]
	MessageEdge            = Edge[*ent.Message]
)
