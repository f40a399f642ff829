package graphqlhttp

import (
	"context"

	"errand/graph/fastjson"
	"errand/internal/apperr"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// bound gives the operation room for its answer: plans take it for what they write, and
// this middleware takes it for texts that go gqlgen's own way.
func (op *operation) bound() {
	room := fastjson.NewBudget(op.engine.options.Sizes.Response)
	op.room = room
	room.Attach(op.context)
	root := op.engine.documents.root(op.kind).Name
	inner := op.context.ResolverMiddleware
	op.context.ResolverMiddleware = func(ctx context.Context, next graphql.Resolver) (any, error) {
		value, err := inner(ctx, next)
		if field := graphql.GetFieldContext(ctx); err == nil && field.Object != root && !room.Take(size(field, value)) {
			return blank(value), nil
		}
		return value, err
	}
}

// size is what a field takes in an answer at least: its name, and its text if it is one.
func size(field *graphql.FieldContext, value any) int {
	n := len(field.Field.Alias) + len(`"":,`)
	switch text := value.(type) {
	case string:
		n += len(text)
	case *string:
		if text != nil {
			n += len(*text)
		}
	}
	return n
}

// blank stands for a text without room: the answer as a whole will be thrown away.
func blank(value any) any {
	switch value.(type) {
	case string:
		return ""
	case *string:
		return new(string)
	default:
		return value
	}
}

// fitting is the response, or what stands for it when it would be too large.
func (op *operation) fitting(r *graphql.Response) *graphql.Response {
	if r == nil || !op.room.Exceeded() {
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
