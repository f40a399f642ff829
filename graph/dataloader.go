package graph

import (
	"context"
	"sync"

	"errand/ent"
	"errand/internal/page"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// dataloaders remembers, for one execution, which rows were read together. An edge asked
// of one of them is read for all of them at once, so the number of statements does
// not grow with the rows.
type dataloaders struct {
	mu sync.Mutex
	// pending are groups that nobody has asked for; most selections have no edge to ask.
	pending  []func()
	siblings map[string][]any
	loads    map[edgeKey]*edgeLoad
}

// edgeKey is an edge asked of a row. What is selected below it, by the place in memory of its
// first selection, stands for the edge with its arguments: both are equal for all rows that are
// asked together. The field in the document would not do: where fragments merge, it is asked for
// other columns in one place than in another.
type edgeKey struct {
	selection *ast.Selection
	parentID  string
}

// edgeLoad is an edge of a whole group, read once.
type edgeLoad struct {
	parents []any
	once    sync.Once
	values  any // map[string]V
	err     error
}

type dataloadersKey struct{}

// WithDataloaders prepares a context for one execution: a query, a mutation, or one event of a subscription.
func WithDataloaders(ctx context.Context) context.Context {
	return context.WithValue(ctx, dataloadersKey{}, &dataloaders{siblings: map[string][]any{}, loads: map[edgeKey]*edgeLoad{}})
}

// registerSiblings says that rows were read together.
func registerSiblings[P any](ctx context.Context, id func(P) string, rows func() []P) {
	b, ok := ctx.Value(dataloadersKey{}).(*dataloaders)
	if !ok {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pending = append(b.pending, func() {
		group := []any{}
		for _, row := range rows() {
			group = append(group, row)
		}
		for _, row := range group {
			b.siblings[id(row.(P))] = group
		}
	})
}

// withSiblings remembers a page's rows on its way out.
func withSiblings[P any](
	ctx context.Context,
	id func(P) string,
) func(*page.Connection[P], error) (*page.Connection[P], error) {
	return func(c *page.Connection[P], err error) (*page.Connection[P], error) {
		if err == nil {
			registerSiblings(ctx, id, c.Nodes)
		}
		return c, err
	}
}

// registerPages remembers the rows of several pages as one group.
func registerPages[P any](ctx context.Context, id func(P) string, pages map[string]*page.Connection[P]) {
	registerSiblings(ctx, id, func() (all []P) {
		for _, c := range pages {
			all = append(all, c.Nodes()...)
		}
		return all
	})
}

// loadEdge reads the edge that is being resolved of parent, together with the same edge of its siblings.
func loadEdge[P, V any](
	ctx context.Context,
	parent P,
	id func(P) string,
	read func(context.Context, []P) (map[string]V, error),
) (V, error) {
	a := sharedLoad(ctx, parent, id(parent), func(row any) string { return id(row.(P)) })
	a.once.Do(func() {
		rows := make([]P, len(a.parents))
		for i, row := range a.parents {
			rows[i] = row.(P)
		}
		a.values, a.err = read(ctx, rows)
	})
	if a.err != nil {
		var none V
		return none, a.err
	}
	return a.values.(map[string]V)[id(parent)], nil
}

// sharedLoad finds the answer that row's group shares.
func sharedLoad(ctx context.Context, row any, id string, idOf func(any) string) *edgeLoad {
	b, ok := ctx.Value(dataloadersKey{}).(*dataloaders)
	if !ok {
		return &edgeLoad{parents: []any{row}}
	}
	below := &graphql.GetFieldContext(ctx).Field.Selections[0]
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.loads[edgeKey{below, id}]; a != nil {
		return a
	}
	for _, sort := range b.pending {
		sort()
	}
	b.pending = nil
	a := &edgeLoad{parents: b.siblings[id]}
	if a.parents == nil {
		a.parents = []any{row}
	}
	for _, sibling := range a.parents {
		b.loads[edgeKey{below, idOf(sibling)}] = a
	}
	return a
}

// loadByKey follows a foreign key of rows that were read together: one read of all targets.
func loadByKey[P, V any](
	ctx context.Context,
	rows []P,
	id, target func(P) string,
	read func(context.Context, []string) (map[string]V, error),
) (map[string]V, error) {
	found, err := read(ctx, distinct(rows, target))
	if err != nil {
		return nil, err
	}
	out := make(map[string]V, len(rows))
	for _, row := range rows {
		if v, ok := found[target(row)]; ok {
			out[id(row)] = v
		}
	}
	return out, nil
}

func distinct[P any](rows []P, of func(P) string) []string {
	seen := map[string]bool{}
	var out []string
	for _, row := range rows {
		if v := of(row); v != "" && !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}

func idsOf[P any](rows []P, id func(P) string) []string { return distinct(rows, id) }

func taskID(t *ent.Task) string                 { return t.ID }
func changeID(c *ent.TaskChange) string         { return c.ID }
func conversationID(c *ent.Conversation) string { return c.ID }
func messageID(m *ent.Message) string           { return m.ID }

func toolCallOf(c *ent.TaskChange) string {
	if c.ToolCallID == nil {
		return ""
	}
	return *c.ToolCallID
}
