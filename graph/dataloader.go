package graph

import (
	"context"
	"sync"

	"errand/ent"
	"errand/internal/chat"
	"errand/internal/page"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// dataloaders batches the reads of one execution. Rows that were read together are siblings; the first resolver
// that needs an edge of one of them reads it for all of them, so that the number of SQL statements does not grow
// with the number of rows.
//
// Unlike the usual dataloader it needs no timer to collect keys: the siblings are the keys, and they are complete
// before the first edge is resolved. It is safe for concurrent use.
type dataloaders struct {
	mu sync.Mutex
	// pending are groups that no edge was resolved for yet. Most selections have no edge.
	pending []func()
	// siblings are the groups, by each of their rows: not by id, because the same row may be read in two places with
	// different columns, and only its own group has the columns that its edges need.
	siblings map[any][]any
	loads    map[edgeKey]*edgeLoad
}

// edgeKey identifies an edge of a row. The edge with its arguments is identified by the address of the first
// selection below it, which all siblings share. The address of the field itself would not do: where fragments
// merge, the same field is resolved with different columns in different places. A leaf has no selection and no
// arguments: it is identified by its definition.
type edgeKey struct {
	selection *ast.Selection
	leaf      *ast.FieldDefinition
	parent    any // the row, a pointer
}

// newEdgeKey returns the key of the edge that is being resolved, without a row.
func newEdgeKey(ctx context.Context) edgeKey {
	field := graphql.GetFieldContext(ctx).Field
	if len(field.Selections) == 0 {
		return edgeKey{leaf: field.Definition}
	}
	return edgeKey{selection: &field.Selections[0]}
}

func (k edgeKey) of(parent any) edgeKey {
	k.parent = parent
	return k
}

// edgeLoad is one read of an edge for a group of siblings.
type edgeLoad struct {
	parents []any
	once    sync.Once
	values  any // map[string]V, by the parent's id
	err     error
}

// dataloadersExtension is the name of the dataloaders in gqlgen's statistics of an operation, which is the place for
// data of an execution.
const dataloadersExtension = "errand.dataloaders"

// ResetDataloaders gives an operation new dataloaders. An execution (a query, a mutation or one event of a
// subscription) must have its own: they keep what they read. It must not be called during an execution.
func ResetDataloaders(op *graphql.OperationContext) {
	op.Stats.SetExtension(dataloadersExtension, &dataloaders{
		siblings: map[any][]any{},
		loads:    map[edgeKey]*edgeLoad{},
	})
}

// dataloadersOf returns the dataloaders of the execution; false outside of one.
func dataloadersOf(ctx context.Context) (*dataloaders, bool) {
	if !graphql.HasOperationContext(ctx) {
		return nil, false
	}
	d, ok := graphql.GetOperationContext(ctx).Stats.GetExtension(dataloadersExtension).(*dataloaders)
	return d, ok
}

// registerSiblings registers rows that were read together. The function rows is called when an edge of the
// execution is first resolved.
func registerSiblings[P entityNode](ctx context.Context, rows func() []P) {
	d, ok := dataloadersOf(ctx)
	if !ok {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pending = append(d.pending, func() {
		var group []any
		for _, row := range rows() {
			group = append(group, row)
		}
		for _, row := range group {
			d.siblings[row] = group
		}
	})
}

// withSiblings registers the rows of a page that a service returned, and passes its results on.
func withSiblings[P entityNode](ctx context.Context) func(*page.Connection[P], error) (*page.Connection[P], error) {
	return func(c *page.Connection[P], err error) (*page.Connection[P], error) {
		if err == nil {
			registerSiblings(ctx, c.Nodes)
		}
		return c, err
	}
}

// withMatchSiblings registers the messages and conversations of a page of matches, and passes a service's results on.
func withMatchSiblings(
	ctx context.Context,
) func(*chat.MessageMatchConnection, error) (*chat.MessageMatchConnection, error) {
	return func(c *chat.MessageMatchConnection, err error) (*chat.MessageMatchConnection, error) {
		if err == nil {
			registerSiblings(ctx, func() (messages []*ent.Message) {
				for _, m := range c.Nodes() {
					messages = append(messages, m.Message)
				}
				return messages
			})
			registerSiblings(ctx, func() (conversations []*ent.Conversation) {
				for _, m := range c.Nodes() {
					conversations = append(conversations, m.Conversation())
				}
				return conversations
			})
		}
		return c, err
	}
}

// registerPages registers the rows of several pages as one group of siblings.
func registerPages[P entityNode](ctx context.Context, pages map[string]*page.Connection[P]) {
	registerSiblings(ctx, func() (all []P) {
		for _, c := range pages {
			all = append(all, c.Nodes()...)
		}
		return all
	})
}

// registerLists registers the rows of several lists as one group of siblings.
func registerLists[P entityNode](ctx context.Context, lists map[string][]P) {
	registerSiblings(ctx, func() (all []P) {
		for _, rows := range lists {
			all = append(all, rows...)
		}
		return all
	})
}

// loadEdge returns the value of the edge that is being resolved of parent. It calls read once for all siblings of
// parent; read returns the values by the parent's id.
func loadEdge[P entityNode, V any](
	ctx context.Context,
	parent P,
	read func(context.Context, []P) (map[string]V, error),
) (V, error) {
	load := sharedLoad(ctx, parent)
	load.once.Do(func() {
		parents := make([]P, len(load.parents))
		for i, row := range load.parents {
			parents[i] = row.(P)
		}
		load.values, load.err = read(ctx, parents)
	})
	if load.err != nil {
		var zero V
		return zero, load.err
	}
	return load.values.(map[string]V)[parent.NodeID()], nil
}

// sharedLoad returns the load of the edge that is being resolved, which parent shares with its siblings.
func sharedLoad[P entityNode](ctx context.Context, parent P) *edgeLoad {
	d, ok := dataloadersOf(ctx)
	if !ok {
		return &edgeLoad{parents: []any{parent}}
	}
	key := newEdgeKey(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	if load := d.loads[key.of(parent)]; load != nil {
		return load
	}
	for _, register := range d.pending {
		register()
	}
	d.pending = nil
	load := &edgeLoad{parents: d.siblings[parent]}
	if load.parents == nil {
		load.parents = []any{parent}
	}
	for _, sibling := range load.parents {
		d.loads[key.of(sibling)] = load
	}
	return load
}

// loadByKey follows a foreign key of siblings: it reads the rows that the keys refer to, each once, and returns
// them by the id of the sibling. The key "" refers to no row.
func loadByKey[P entityNode, V any](
	ctx context.Context,
	siblings []P,
	foreignKey func(P) string,
	read func(context.Context, []string) (map[string]V, error),
) (map[string]V, error) {
	targets, err := read(ctx, distinct(siblings, foreignKey))
	if err != nil {
		return nil, err
	}
	values := make(map[string]V, len(siblings))
	for _, row := range siblings {
		if v, ok := targets[foreignKey(row)]; ok {
			values[row.NodeID()] = v
		}
	}
	return values, nil
}

// nodeIDs returns the ids of rows, each once.
func nodeIDs[P entityNode](rows []P) []string { return distinct(rows, P.NodeID) }

// distinct returns the keys of rows, each once, without "".
func distinct[P any](rows []P, key func(P) string) []string {
	seen := map[string]bool{}
	var keys []string
	for _, row := range rows {
		if k := key(row); k != "" && !seen[k] {
			seen[k] = true
			keys = append(keys, k)
		}
	}
	return keys
}
