// Package task manages a user's tasks: create, edit, list, trash and history. The
// GraphQL API, the agent and the Model Context Protocol (MCP) server all use it.
//
// Every change to a task and its history record (TaskChange) commit in one
// transaction that holds a lock on the user's row. A user's changes therefore
// commit in the order of their sequence numbers, and a stream of changes that
// reads "all after N" never misses one (docs/ARCHITECTURE.md).
package task

import (
	"context"
	"fmt"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/task"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/viewer"
)

// Service runs each operation in a transaction of its own and reports committed
// changes to the function given to NewService. It is safe for concurrent use.
type Service struct {
	operations
	changed func(userID string)
}

// NewService returns a Service that enforces limits. It calls changed with the user's ID after each
// commit that changed the user's tasks; changed must not block.
func NewService(client *ent.Client, limits quota.Limits, changed func(userID string)) *Service {
	s := &Service{changed: changed}
	s.operations = operations{client: client, limits: limits, write: s.writeInNewTx}
	return s
}

// NotifyChanged reports that the user's tasks have changed. Callers that used In
// call it after their commit.
func (s *Service) NotifyChanged(userID string) { s.changed(userID) }

func (s *Service) writeInNewTx(ctx context.Context, fn writeFunc) (t *ent.Task, err error) {
	v, err := viewer.Require(ctx, viewer.TasksWrite)
	if err != nil {
		return nil, err
	}
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		t, err = fn(ctx, &changeWriter{tx: tx, viewer: v, limits: s.limits})
		return err
	})
	if err != nil {
		return nil, err
	}
	s.changed(v.UserID)
	return t, nil
}

// Tx has the operations of Service, but runs them in the caller's transaction and
// reports nothing: after the commit the caller calls Service.NotifyChanged.
type Tx struct {
	operations
	tx      *ent.Tx
	changes *[]enum.ProposedChange
}

// Changes returns the changes made through x so far.
func (x Tx) Changes() []enum.ProposedChange { return *x.changes }

// In returns the operations bound to tx.
func (s *Service) In(tx *ent.Tx) Tx {
	changes := new([]enum.ProposedChange)
	return Tx{tx: tx, changes: changes, operations: operations{
		client: tx.Client(),
		limits: s.limits,
		write: func(ctx context.Context, fn writeFunc) (*ent.Task, error) {
			v, err := viewer.Require(ctx, viewer.TasksWrite)
			if err != nil {
				return nil, err
			}
			return fn(ctx, &changeWriter{tx: tx, viewer: v, limits: s.limits, changes: changes})
		},
	}}
}

// writeFunc changes one task in w's transaction and returns it.
type writeFunc func(ctx context.Context, w *changeWriter) (*ent.Task, error)

// operations implements what Service and Tx have in common. All of them act as the
// context's viewer: reading needs the scope tasks:read, changing tasks:write.
type operations struct {
	// client reads; it is the root client or the transaction's.
	client *ent.Client
	limits quota.Limits
	// write runs its argument in a transaction.
	write func(ctx context.Context, fn writeFunc) (*ent.Task, error)
}

// FindTask returns the viewer's task with the ID, in the trash or not, or nil when there is none.
func (o operations) FindTask(ctx context.Context, id string) (*ent.Task, error) {
	if _, err := viewer.Require(ctx, viewer.TasksRead); err != nil {
		return nil, err
	}
	t, err := o.client.Task.Get(ctx, id)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	return t, err
}

// FindTaskByNumber returns the viewer's task with the number, or nil when there is none
// or it is in the trash.
func (o operations) FindTaskByNumber(ctx context.Context, number int) (*ent.Task, error) {
	if _, err := viewer.Require(ctx, viewer.TasksRead); err != nil {
		return nil, err
	}
	return findActiveTask(ctx, o.client, number)
}

// FindTaskToChange is FindTaskByNumber for a caller that changes the task next. It needs the scope of the change only.
func (o operations) FindTaskToChange(ctx context.Context, number int) (*ent.Task, error) {
	if _, err := viewer.Require(ctx, viewer.TasksWrite); err != nil {
		return nil, err
	}
	return findActiveTask(ctx, o.client, number)
}

// FindTaskToRestore returns the viewer's task in the trash with the number, or nil when there is none. It needs the
// scope of a change only.
func (o operations) FindTaskToRestore(ctx context.Context, number int) (*ent.Task, error) {
	if _, err := viewer.Require(ctx, viewer.TasksWrite); err != nil {
		return nil, err
	}
	t, err := o.client.Task.Query().Where(task.Number(number), task.DeletedAtNotNil()).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	return t, err
}

// findActiveTask returns the viewer's task with the number, or nil when there is none or it is in the trash.
func findActiveTask(ctx context.Context, client *ent.Client, number int) (*ent.Task, error) {
	t, err := client.Task.Query().Where(task.Number(number), task.DeletedAtIsNil()).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	return t, err
}

// TasksByID returns the viewer's tasks with the given IDs, keyed by ID. Unknown IDs are left out.
func (o operations) TasksByID(ctx context.Context, ids []string) (map[string]*ent.Task, error) {
	if _, err := viewer.Require(ctx, viewer.TasksRead); err != nil {
		return nil, err
	}
	return store.ByID(o.client.Task.Query().Where(task.IDIn(ids...)).All(ctx))
}

// user returns the viewer's row.
func (o operations) user(ctx context.Context) (*ent.User, error) {
	v, err := viewer.Require(ctx)
	if err != nil {
		return nil, err
	}
	u, err := o.client.User.Get(ctx, v.UserID)
	if ent.IsNotFound(err) {
		return nil, viewer.ErrAccountDeleted()
	}
	if err != nil {
		return nil, fmt.Errorf("reading the user: %w", err)
	}
	return u, nil
}
