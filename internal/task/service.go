// Package task is all that can be done to a task, once, for the API, the agent
// and the Model Context Protocol alike.
package task

import (
	"context"
	"fmt"

	"errand/ent"
	"errand/ent/task"
	"errand/internal/apperr"
	"errand/internal/store"
	"errand/internal/viewer"
)

// Service does what can be done to the viewer's tasks. When the context carries a
// transaction (ent.NewTxContext) it works in it and announces nothing: whoever
// opened it calls Announce after the commit. Otherwise it opens its own.
type Service struct {
	client  *ent.Client
	changed func(userID string)
}

// NewService makes the service. changed is told of a person whose tasks have changed,
// after the commit; it must not block.
func NewService(client *ent.Client, changed func(userID string)) *Service {
	return &Service{client: client, changed: changed}
}

// NotifyChanged tells the person's open streams that tasks have changed.
func (s *Service) NotifyChanged(userID string) { s.changed(userID) }

// reader is the client to read with: the caller's transaction or the root.
func (s *Service) reader(ctx context.Context) *ent.Client {
	if tx := ent.TxFromContext(ctx); tx != nil {
		return tx.Client()
	}
	return s.client
}

// person is the viewer's row.
func (s *Service) person(ctx context.Context) (*ent.User, error) {
	v, ok := viewer.FromContext(ctx)
	if !ok {
		return nil, apperr.New(apperr.Unauthenticated, "Sign in first.")
	}
	u, err := s.reader(ctx).User.Get(ctx, v.UserID)
	if ent.IsNotFound(err) {
		return nil, apperr.New(apperr.Unauthenticated, "This account no longer exists.")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the user: %w", err)
	}
	return u, nil
}

// write runs fn in the caller's transaction or one of its own.
func (s *Service) write(
	ctx context.Context,
	fn func(ctx context.Context, w *writer) (*ent.Task, error),
) (*ent.Task, error) {
	v, ok := viewer.FromContext(ctx)
	if !ok {
		return nil, apperr.New(apperr.Unauthenticated, "Sign in first.")
	}
	if tx := ent.TxFromContext(ctx); tx != nil {
		return fn(ctx, &writer{tx: tx, viewer: v})
	}
	var t *ent.Task
	err := store.WithTx(ctx, s.client, func(tx *ent.Tx) (err error) {
		t, err = fn(ctx, &writer{tx: tx, viewer: v})
		return err
	})
	if err != nil {
		return nil, err
	}
	s.changed(v.UserID)
	return t, nil
}

// FindTask is one of the viewer's tasks by id, in the trash or not; nil when there is none.
func (s *Service) FindTask(ctx context.Context, id string) (*ent.Task, error) {
	t, err := s.reader(ctx).Task.Get(ctx, id)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	return t, err
}

// FindTaskByNumber is one of the viewer's tasks outside the trash by its number; nil when there is none.
func (s *Service) FindTaskByNumber(ctx context.Context, number int) (*ent.Task, error) {
	t, err := s.reader(ctx).Task.Query().Where(task.Number(number), task.DeletedAtIsNil()).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	return t, err
}

// TasksByID are those of the viewer's tasks that exist, by id.
func (s *Service) TasksByID(ctx context.Context, ids []string) (map[string]*ent.Task, error) {
	return store.ByID(s.reader(ctx).Task.Query().Where(task.IDIn(ids...)).All(ctx))
}
