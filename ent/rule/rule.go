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

// Scopes are the scopes that a policy requires of the viewer's token. They are the last line: the domain requires
// the scope of each operation, and no path around it reaches rows of another area. Without any, every token passes.
type Scopes struct {
	// Read lists the scopes of which the viewer must have one to query.
	Read []viewer.Scope
	// Write lists the scopes of which the viewer must have one to create, update and delete.
	Write []viewer.Scope
}

// The scopes of the entities.
var (
	// Tasks can be read by who may change them, because a change begins with reading.
	Tasks = Scopes{
		Read:  []viewer.Scope{viewer.TasksRead, viewer.TasksWrite},
		Write: []viewer.Scope{viewer.TasksWrite},
	}
	// Conversations are rows that only chats read and write.
	Conversations = Scopes{Read: []viewer.Scope{viewer.Chat}, Write: []viewer.Scope{viewer.Chat}}
	// Usage is written by chats and shown with the account.
	Usage = Scopes{Read: []viewer.Scope{viewer.Account, viewer.Chat}, Write: []viewer.Scope{viewer.Chat}}
	// IdempotencyKeys are written by mutations that create tasks or conversations.
	IdempotencyKeys = Scopes{
		Read:  []viewer.Scope{viewer.TasksWrite, viewer.Chat},
		Write: []viewer.Scope{viewer.TasksWrite, viewer.Chat},
	}
	// Account is for rows that only the account's settings show and change.
	Account = Scopes{Read: []viewer.Scope{viewer.Account}, Write: []viewer.Scope{viewer.Account}}
	// AnyScope is for the user's row, which holds the time zone and the counters that all operations need.
	AnyScope = Scopes{}
)

// Policy returns the policy of rows that belong to the viewer whose id is in ownerColumn.
//
//   - Operations need the scopes.
//   - Queries, updates and deletes are restricted to the viewer's rows.
//   - Creates and updates return an error unless the targets of the given foreign keys are the viewer's rows too.
//   - Without a viewer in the context, every operation fails with apperr.Unauthenticated.
//
// A context from System passes the policy unrestricted.
func Policy(ownerColumn string, scopes Scopes, edges ...Edge) ent.Policy {
	return policy{ownerColumn: ownerColumn, scopes: scopes, edges: edges}
}

// filterable is implemented by generated queries and mutations.
type filterable interface {
	WhereP(...func(*sql.Selector))
}

type policy struct {
	ownerColumn string
	scopes      Scopes
	edges       []Edge
}

// EvalQuery restricts the query to the viewer's rows.
func (p policy) EvalQuery(ctx context.Context, q ent.Query) error {
	if decision, ok := privacy.DecisionFromContext(ctx); ok {
		return decision
	}
	v, err := viewer.RequireAny(ctx, p.scopes.Read...)
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
	v, err := viewer.RequireAny(ctx, p.scopes.Write...)
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
