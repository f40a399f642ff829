package harness

import (
	"context"
	"sync/atomic"

	"entgo.io/ent"
)

// CountStatements counts every query and every change that a server sends to its database
// through Ent, which is all that answers GraphQL but the locking of a person's row.
func CountStatements(b *Env) *atomic.Int64 {
	var n atomic.Int64
	b.DB.Client().Intercept(ent.InterceptFunc(func(next ent.Querier) ent.Querier {
		return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
			n.Add(1)
			return next.Query(ctx, q)
		})
	}))
	b.DB.Client().Use(func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			n.Add(1)
			return next.Mutate(ctx, m)
		})
	})
	return &n
}
