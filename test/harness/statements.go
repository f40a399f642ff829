package harness

import (
	"context"
	"sync/atomic"

	"entgo.io/ent"
)

// CountStatements returns a counter of the queries and mutations that a server runs through Ent from now on. It does
// not count statements that bypass Ent, such as the lock of the user's row.
func CountStatements(e *Env) *atomic.Int64 {
	<-e.Indexed // interceptors may be added only while no statement is in progress
	var n atomic.Int64
	e.DB.Client().Intercept(ent.InterceptFunc(func(next ent.Querier) ent.Querier {
		return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
			n.Add(1)
			return next.Query(ctx, q)
		})
	}))
	e.DB.Client().Use(func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			n.Add(1)
			return next.Mutate(ctx, m)
		})
	})
	return &n
}
