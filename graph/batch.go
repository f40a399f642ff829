package graph

import (
	"context"
	"encoding/json"
	"sync"

	"errand/ent"
	"errand/internal/page"
)

// batch remembers, for one execution, which rows were read together. An edge asked
// of one of them is read for all of them at once, so the number of statements does
// not grow with the rows.
type batch struct {
	mu      sync.Mutex
	groups  map[string][]any
	answers map[string]*answer
}

// answer is an edge of a whole group, read once.
type answer struct {
	once   sync.Once
	values any // map[string]V
	err    error
}

type batchKey struct{}

// WithBatch prepares a context for one execution: a query, a mutation, or one event of a subscription.
func WithBatch(ctx context.Context) context.Context {
	return context.WithValue(ctx, batchKey{}, &batch{groups: map[string][]any{}, answers: map[string]*answer{}})
}

// remember says that rows were read together.
func remember[P any](ctx context.Context, rows []P, id func(P) string) {
	b, ok := ctx.Value(batchKey{}).(*batch)
	if !ok || len(rows) < 2 {
		return
	}
	group := make([]any, len(rows))
	for i, row := range rows {
		group[i] = row
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, row := range rows {
		b.groups[id(row)] = group
	}
}

// together remembers a page's rows on its way out.
func together[P any](ctx context.Context, id func(P) string) func(*page.Connection[P], error) (*page.Connection[P], error) {
	return func(c *page.Connection[P], err error) (*page.Connection[P], error) {
		if err == nil {
			remember(ctx, c.Nodes(), id)
		}
		return c, err
	}
}

// togetherAcross remembers the rows of several pages as one group.
func togetherAcross[P any](ctx context.Context, id func(P) string, pages map[string]*page.Connection[P]) {
	var all []P
	for _, c := range pages {
		all = append(all, c.Nodes()...)
	}
	remember(ctx, all, id)
}

// load reads an edge of parent, together with the same edge of its siblings.
func load[P, V any](ctx context.Context, edge string, parent P, id func(P) string, read func(context.Context, []P) (map[string]V, error)) (V, error) {
	a, siblings := join(ctx, edge, parent, id)
	a.once.Do(func() { a.values, a.err = read(ctx, siblings) })
	if a.err != nil {
		var none V
		return none, a.err
	}
	return a.values.(map[string]V)[id(parent)], nil
}

// join finds the answer that parent's group shares, and the group.
func join[P any](ctx context.Context, edge string, parent P, id func(P) string) (*answer, []P) {
	b, ok := ctx.Value(batchKey{}).(*batch)
	if !ok {
		return &answer{}, []P{parent}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	siblings := []P{parent}
	if group := b.groups[id(parent)]; group != nil {
		siblings = make([]P, len(group))
		for i, row := range group {
			siblings[i] = row.(P)
		}
	}
	a := b.answers[edge+" "+id(parent)]
	if a == nil {
		a = &answer{}
		for _, s := range siblings {
			b.answers[edge+" "+id(s)] = a
		}
	}
	return a, siblings
}

// edge names a connection with its arguments: siblings share an answer only for equal ones.
func edge(name string, args page.Args) string {
	b, _ := json.Marshal(args) // numbers and strings always marshal
	return name + string(b)
}

// lookUp follows a foreign key of rows that were read together: one read of all targets.
func lookUp[P, V any](ctx context.Context, rows []P, id, target func(P) string, read func(context.Context, []string) (map[string]V, error)) (map[string]V, error) {
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
