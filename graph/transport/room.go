package transport

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"errand/graph/plain"
	"errand/internal/apperr"
)

// bound gives the operation room for its answer: plans take it for what they write, and
// this middleware takes it for texts that go gqlgen's own way.
func (op *operation) bound() {
	room := plain.NewRoom(op.engine.options.Sizes.Response)
	op.room = room
	room.Bound(op.context)
	inner := op.context.ResolverMiddleware
	op.context.ResolverMiddleware = func(ctx context.Context, next graphql.Resolver) (any, error) {
		value, err := inner(ctx, next)
		if err != nil || isTop(ctx) {
			return value, err
		}
		return take(room, value), nil
	}
}

// isTop reports whether a field is one of the operation's own.
func isTop(ctx context.Context) bool {
	field := graphql.GetFieldContext(ctx)
	return field != nil && field.Parent != nil && field.Parent.Parent == nil
}

// take is value, or nothing much in its place when there is no room for it: then the
// answer as a whole is thrown away.
func take(room *plain.Room, value any) any {
	switch text := value.(type) {
	case string:
		if !room.Take(len(text)) {
			return ""
		}
	case *string:
		if text != nil && !room.Take(len(*text)) {
			return new(string)
		}
	}
	return value
}

// fitting is the response, or what stands for it when it would be too large.
func (op *operation) fitting(r *graphql.Response) *graphql.Response {
	if r == nil || !op.room.Full() {
		return r
	}
	cut := *r // a part of an answer keeps its place
	cut.Data, cut.Errors = []byte("null"), gqlerror.List{op.tooLarge()}
	return &cut
}

func (op *operation) tooLarge() *gqlerror.Error {
	most := op.engine.options.Sizes.Response
	message := "The answer has more than %d bytes, which is the limit \"responseBytes\"; ask for less at once."
	if op.kind == ast.Mutation {
		message += " What was to be changed is changed."
	}
	e := wire(apperr.New(apperr.ComplexityLimit, message, most))
	e.Extensions["limit"], e.Extensions["max"] = "responseBytes", most
	return e
}
