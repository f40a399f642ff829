package task

import (
	"context"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/idempotency"
	"errand/internal/store"
	"errand/internal/viewer"
)

// Atomically runs fn in a transaction, which commits if fn returns nil, and then reports the changes that fn made.
func (s *Service) Atomically(ctx context.Context, fn func(x Tx) error) error {
	v, err := viewer.Require(ctx, viewer.TasksWrite)
	if err != nil {
		return err
	}
	var x Tx
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		x = s.In(tx)
		return fn(x)
	})
	if err == nil && len(x.Changes()) > 0 {
		s.changed(v.UserID)
	}
	return err
}

// Once runs create unless an earlier request with the same key has done so: see idempotency.Run.
func (x Tx) Once(
	ctx context.Context, r idempotency.Request, create func() ([]string, error),
) (results []string, replayed bool, err error) {
	return idempotency.Run(ctx, x.tx, r, create)
}

// ApprovalPolicy returns when changes by each tool need the viewer's approval.
func (o operations) ApprovalPolicy(ctx context.Context) (enum.ApprovalPolicy, error) {
	u, err := o.user(ctx)
	if err != nil {
		return nil, err
	}
	return u.ApprovalPolicy, nil
}
