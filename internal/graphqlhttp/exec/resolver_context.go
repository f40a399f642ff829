package exec

import (
	"context"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
)

// resolverContext is cancelled by another context, but only while its resolver runs.
//
// gqlgen drops the result of a deferred group when the group's context has ended, and then waits forever for that
// result. The group's context derives from the context of the enclosing resolver, so it must not be cancelled, while
// the resolver itself must be.
type resolverContext struct {
	context.Context
	cancel   context.Context
	returned atomic.Bool
}

// Done returns the channel of the cancelling context while the resolver runs, and nil afterwards.
func (c *resolverContext) Done() <-chan struct{} {
	if c.returned.Load() {
		return nil
	}
	return c.cancel.Done()
}

// Err returns the error of the cancelling context while the resolver runs, and nil afterwards.
func (c *resolverContext) Err() error {
	if c.returned.Load() {
		return nil
	}
	return c.cancel.Err()
}

// cancelResolvers makes the end of cancel end the contexts of all resolvers of an operation whose own context does not
// end.
func cancelResolvers(op *graphql.OperationContext, cancel context.Context) {
	inner := op.ResolverMiddleware
	op.ResolverMiddleware = func(ctx context.Context, next graphql.Resolver) (any, error) {
		resolving := &resolverContext{Context: ctx, cancel: cancel}
		defer resolving.returned.Store(true)
		return inner(resolving, next)
	}
}
