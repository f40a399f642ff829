// Package rule holds the privacy policies of the entities: a viewer has access to the rows that the viewer owns.
//
// The policies are Ent's layer of access control. On PostgreSQL, row-level security is a second layer with the same
// effect. The package imports no generated code, so that all generated code can be deleted and generated again.
package rule

import (
	"context"

	"errand/internal/viewer"

	"entgo.io/ent"
	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/privacy"
)

// Policy returns the policy of rows that belong to the viewer whose id is in ownerColumn.
//
//   - Queries, updates and deletes are restricted to the viewer's rows.
//   - Creates and updates return an error unless the targets of the given foreign keys are the viewer's rows too.
//   - Without a viewer in the context, every operation fails with apperr.Unauthenticated.
//
// A context from System passes the policy unrestricted.
func Policy(ownerColumn string, edges ...Edge) ent.Policy {
	return policy{ownerColumn: ownerColumn, edges: edges}
}

// filterable is implemented by generated queries and mutations.
type filterable interface {
	WhereP(...func(*sql.Selector))
}

type policy struct {
	ownerColumn string
	edges       []Edge
}

// EvalQuery restricts the query to the viewer's rows.
func (p policy) EvalQuery(ctx context.Context, q ent.Query) error {
	if decision, ok := privacy.DecisionFromContext(ctx); ok {
		return decision
	}
	v, err := viewer.Require(ctx)
	if err != nil {
		return err
	}
	f, ok := q.(filterable)
	if !ok {
		return privacy.Denyf("query %T cannot be filtered", q)
	}
	f.WhereP(sql.FieldEQ(p.ownerColumn, v.UserID))
	return privacy.Allow
}

// EvalMutation restricts updates and deletes to the viewer's rows. Ent applies no predicates to a create: there the
// SetOwner hook, and the checks of owner and foreign keys below, take their place.
func (p policy) EvalMutation(ctx context.Context, m ent.Mutation) error {
	if decision, ok := privacy.DecisionFromContext(ctx); ok {
		return decision
	}
	v, err := viewer.Require(ctx)
	if err != nil {
		return err
	}
	if owner, set := m.Field(p.ownerColumn); set && owner != v.UserID {
		return privacy.Denyf("%s is another user", p.ownerColumn)
	}
	if err := p.checkEdges(ctx, m, v.UserID); err != nil {
		return err
	}
	if m.Op().Is(ent.OpCreate) {
		if p.ownerColumn == "id" { // users own themselves, so a new one has no owner yet
			return privacy.Denyf("only the system creates users")
		}
		return privacy.Allow
	}
	f, ok := m.(filterable)
	if !ok {
		return privacy.Denyf("mutation %T cannot be filtered", m)
	}
	f.WhereP(sql.FieldEQ(p.ownerColumn, v.UserID))
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

// SetOwner is the hook that makes the viewer the owner of new rows. Callers do not set an owner.
func SetOwner(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
		if v, ok := viewer.FromContext(ctx); ok && m.Op().Is(ent.OpCreate) {
			if err := m.SetField("user_id", v.UserID); err != nil {
				return nil, err
			}
		}
		return next.Mutate(ctx, m)
	})
}
