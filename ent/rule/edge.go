package rule

import (
	"context"
	stdsql "database/sql"
	"fmt"
	"slices"

	"errand/internal/apperr"

	"entgo.io/ent"
	"entgo.io/ent/privacy"
)

// Edge is a foreign key whose target must belong to the viewer.
type Edge struct {
	// Field is the field of the mutation that holds the target's id.
	Field string
	// Table is the table of the target. It must have a column user_id.
	Table string
	// Name is the target's name in error messages, such as "conversation".
	Name string
}

// rawQuerier is implemented by generated mutations. The query runs in the mutation's transaction.
type rawQuerier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*stdsql.Rows, error)
}

// check returns apperr.NotFound unless the target exists and belongs to the user.
func (e Edge) check(ctx context.Context, m ent.Mutation, target ent.Value, userID string) error {
	q, ok := m.(rawQuerier)
	if !ok {
		return privacy.Denyf("mutation %T cannot query the target of %s", m, e.Field)
	}
	// Both PostgreSQL and SQLite accept the placeholders $1 and $2.
	rows, err := q.QueryContext(ctx, "SELECT 1 FROM "+e.Table+" WHERE id = $1 AND user_id = $2", target, userID)
	if err != nil {
		return fmt.Errorf("checking foreign key %s: %w", e.Field, err)
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return fmt.Errorf("checking foreign key %s: %w", e.Field, err)
		}
		return apperr.Missing(e.Name)
	}
	return rows.Err()
}

type skipEdgeCheckKey struct{}

// SkipEdgeCheck returns a context in which foreign keys to the rows with the given ids are not checked for their
// owner, which saves a query per row. Ids of earlier calls stay exempt.
//
// The caller must have read, locked or created each of the rows under the viewer's policy in the same transaction.
// Otherwise a row could refer to another user's row. test/arch/calls.txt lists the callers.
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
