package rule

import (
	"context"

	"errand/internal/viewer"

	"entgo.io/ent"
	"entgo.io/ent/privacy"
)

// System returns a context that passes every policy, and for which PostgreSQL's row-level security shows the rows that
// the server's own work needs. That work belongs to no user: creating an account at its first sign-in, claiming runs.
// test/arch/calls.txt lists the callers.
func System(ctx context.Context) context.Context {
	return privacy.DecisionContext(viewer.AsSystem(ctx), privacy.Allow)
}

// SystemOnly returns the policy of rows that no viewer has access to. Only a context from System passes it.
func SystemOnly() ent.Policy { return systemOnly{} }

type systemOnly struct{}

// EvalQuery implements ent.Policy.
func (systemOnly) EvalQuery(ctx context.Context, _ ent.Query) error { return requireSystem(ctx) }

// EvalMutation implements ent.Policy.
func (systemOnly) EvalMutation(ctx context.Context, _ ent.Mutation) error { return requireSystem(ctx) }

func requireSystem(ctx context.Context) error {
	if decision, ok := privacy.DecisionFromContext(ctx); ok {
		return decision
	}
	return privacy.Denyf("only the system has access")
}
