package rule

import (
	"context"

	"entgo.io/ent"
	"entgo.io/ent/privacy"
)

// SystemOnly is the policy of rows that are nobody's: viewers reach none of them.
func SystemOnly() ent.Policy { return systemOnly{} }

type systemOnly struct{}

// EvalQuery implements ent.Policy.
func (systemOnly) EvalQuery(ctx context.Context, _ ent.Query) error { return allowSystem(ctx) }

// EvalMutation implements ent.Policy.
func (systemOnly) EvalMutation(ctx context.Context, _ ent.Mutation) error { return allowSystem(ctx) }

func allowSystem(ctx context.Context) error {
	if decision, ok := privacy.DecisionFromContext(ctx); ok {
		return decision
	}
	return privacy.Denyf("rows of the system alone")
}
