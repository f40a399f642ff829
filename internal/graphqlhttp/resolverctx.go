package graphqlhttp

import (
	"context"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
)

// resolverContext carries a cancellation that holds only while its resolver runs.
//
// gqlgen drops the result of a deferred group when the group's context has ended, and
// then waits for ever for that result. The group's context descends from the context of
// the resolver around it, so it must not look ended, while the resolver's own must.
type resolverContext struct {
	context.Context
	cancel   context.Context
	returned atomic.Bool
}

// Done is the cancellation's channel for what the resolver starts, and nil afterwards.
func (c *resolverContext) Done() <-chan struct{} {
	if c.returned.Load() {
		return nil
	}
	return c.cancel.Done()
}

// Err follows Done.
func (c *resolverContext) Err() error {
	if c.returned.Load() {
		return nil
	}
	return c.cancel.Err()
}

// cancelResolvers makes the end of cancel reach every resolver of an operation whose
// own context does not end.
func cancelResolvers(op *graphql.OperationContext, cancel context.Context) {
	inner := op.ResolverMiddleware
	op.ResolverMiddleware = func(ctx context.Context, next graphql.Resolver) (any, error) {
		resolving := &resolverContext{Context: ctx, cancel: cancel}
		defer resolving.returned.Store(true)
		return inner(resolving, next)
	}
}
