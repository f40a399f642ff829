package rule

import (
	"context"
	"slices"

	"entgo.io/ent"
)

type skipEdgeCheckKey struct{}

// SkipEdgeCheck returns a context in which foreign keys to the rows with the given ids are not checked for their
// owner, which saves a query per row. Ids of earlier calls stay exempt.
//
// The caller must have read, locked or created each of the rows under the viewer's policy in the same transaction.
// Otherwise a row could refer to another user's row. The linter allows the call only in packages that do.
func SkipEdgeCheck(ctx context.Context, ids ...string) context.Context {
	if exempt, ok := ctx.Value(skipEdgeCheckKey{}).([]string); ok {
		ids = slices.Concat(exempt, ids)
	}
	return context.WithValue(ctx, skipEdgeCheckKey{}, ids)
}

// skipsEdgeCheck reports whether target is an id that SkipEdgeCheck exempted.
func skipsEdgeCheck(ctx context.Context, target ent.Value) bool {
	exempt, _ := ctx.Value(skipEdgeCheckKey{}).([]string)
	id, ok := target.(string)
	return ok && slices.Contains(exempt, id)
}
