package exec

import (
	"context"

	"errand/graph/fastjson"
	"errand/internal/apperr"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// attachBudget gives the operation a response budget of maxBytes. The fast JSON encoder takes from it what it writes,
// and a resolver middleware takes what gqlgen writes. The fields of the root type are not counted themselves.
func attachBudget(op *graphql.OperationContext, rootType string, maxBytes int) *fastjson.Budget {
	budget := fastjson.NewBudget(maxBytes)
	budget.Attach(op)
	inner := op.ResolverMiddleware
	op.ResolverMiddleware = func(ctx context.Context, next graphql.Resolver) (any, error) {
		value, err := inner(ctx, next)
		field := graphql.GetFieldContext(ctx)
		if err == nil && field.Object != rootType && !budget.Take(minSize(field, value)) {
			return emptyText(value), nil
		}
		return value, err
	}
	return budget
}

// minSize returns the minimum number of bytes of a field in a response: its name, and its value if that is a text.
func minSize(field *graphql.FieldContext, value any) int {
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

// emptyText replaces a text that exceeds the budget: the whole response will be dropped.
func emptyText(value any) any {
	switch value.(type) {
	case string:
		return ""
	case *string:
		return new(string)
	default:
		return value
	}
}

// enforceBudget returns r, or an error in its place when r exceeds the budget.
func enforceBudget(budget *fastjson.Budget, r *graphql.Response, kind ast.Operation, maxBytes int) *graphql.Response {
	if r == nil || !budget.Exceeded() {
		return r
	}
	replaced := *r // keeps the path and label of a deferred group
	replaced.Data, replaced.Errors = []byte("null"), gqlerror.List{responseTooLarge(kind, maxBytes)}
	return &replaced
}

func responseTooLarge(kind ast.Operation, maxBytes int) *gqlerror.Error {
	message := "The response has more than %d bytes, which is the limit \"responseBytes\"; select fewer fields or rows."
	if kind == ast.Mutation {
		message += " The changes of the mutation have been made."
	}
	e := ToGraphQLError(apperr.New(apperr.ComplexityLimit, message, maxBytes))
	e.Extensions["limit"], e.Extensions["max"] = "responseBytes", maxBytes
	return e
}
