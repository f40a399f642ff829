// Package rule holds the privacy rules of the entities. It uses no generated
// code, so that generation can start from nothing.
package rule

import (
	"context"
	stdsql "database/sql"
	"fmt"

	"errand/internal/apperr"
	"errand/internal/viewer"

	"entgo.io/ent"
	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/privacy"
)

// filterable is what generated queries and mutations share: room for one more predicate.
type filterable interface {
	WhereP(...func(*sql.Selector))
}

// rawQuerier is what generated mutations offer for a look-up inside their own transaction.
type rawQuerier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*stdsql.Rows, error)
}

// Policy denies by default and lets a viewer reach the rows whose ownerColumn
// holds the viewer's id. Each edge's target must be the viewer's too, on create and on update.
func Policy(ownerColumn string, edges ...Edge) ent.Policy {
	return policy{ownerColumn: ownerColumn, edges: edges}
}

// Edge is a foreign key whose target must belong to the viewer.
type Edge struct {
	// Field is the mutation's field that holds the target's id.
	Field string
	// Table is the target's table; its rows carry user_id.
	Table string
	// Name is what a person calls the target ("conversation").
	Name string
}

type policy struct {
	ownerColumn string
	edges       []Edge
}

// EvalQuery adds the owner to the query's conditions.
func (p policy) EvalQuery(ctx context.Context, q ent.Query) error {
	if decision, ok := privacy.DecisionFromContext(ctx); ok {
		return decision
	}
	v, ok := viewer.FromContext(ctx)
	if !ok {
		return errUnauthenticated()
	}
	n, ok := q.(filterable)
	if !ok {
		return privacy.Denyf("query %T cannot be narrowed", q)
	}
	n.WhereP(sql.FieldEQ(p.ownerColumn, v.UserID))
	return privacy.Allow
}

// EvalMutation adds the owner to the conditions of updates and deletes; Ent
// never applies conditions to a create, so there Owner's hook and the checks of owner and edges stand.
func (p policy) EvalMutation(ctx context.Context, m ent.Mutation) error {
	if decision, ok := privacy.DecisionFromContext(ctx); ok {
		return decision
	}
	v, ok := viewer.FromContext(ctx)
	if !ok {
		return errUnauthenticated()
	}
	if owner, set := m.Field(p.ownerColumn); set && owner != v.UserID {
		return privacy.Denyf("%s of another person", p.ownerColumn)
	}
	if err := p.checkEdges(ctx, m, v.UserID); err != nil {
		return err
	}
	if m.Op().Is(ent.OpCreate) {
		if p.ownerColumn == "id" { // a row that is its own owner has no owner before
			return privacy.Denyf("only the system makes people")
		}
		return privacy.Allow
	}
	n, ok := m.(filterable)
	if !ok {
		return privacy.Denyf("mutation %T cannot be narrowed", m)
	}
	n.WhereP(sql.FieldEQ(p.ownerColumn, v.UserID))
	return privacy.Allow
}

func (p policy) checkEdges(ctx context.Context, m ent.Mutation, userID string) error {
	for _, edge := range p.edges {
		target, set := m.Field(edge.Field)
		if !set || skipsEdgeCheck(ctx, target) {
			continue
		}
		if err := edge.check(ctx, m, target, userID); err != nil {
			return err
		}
	}
	return nil
}

func (e Edge) check(ctx context.Context, m ent.Mutation, target ent.Value, userID string) error {
	q, ok := m.(rawQuerier)
	if !ok {
		return privacy.Denyf("mutation %T cannot look up its edge %s", m, e.Field)
	}
	// $1 and $2 are understood by PostgreSQL and SQLite alike.
	rows, err := q.QueryContext(ctx, "SELECT 1 FROM "+e.Table+" WHERE id = $1 AND user_id = $2", target, userID)
	if err != nil {
		return fmt.Errorf("checking edge %s: %w", e.Field, err)
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return fmt.Errorf("checking edge %s: %w", e.Field, err)
		}
		return apperr.Missing(e.Name)
	}
	return rows.Err()
}

func errUnauthenticated() error {
	return apperr.New(apperr.Unauthenticated, "Sign in first.")
}
