package task

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"errand/ent"
	"errand/ent/task"
	"errand/internal/apperr"
	"errand/internal/idempotency"
	"errand/internal/ids"
	"errand/internal/store"
	"errand/internal/viewer"
)

// MaxOperations is how many operations ApplyTasks accepts.
const MaxOperations = 50

// Operation is a change to a task. Exactly one field is set; those of the type string are IDs of tasks.
type Operation struct {
	Create   *CreateTaskInput
	Update   *Update
	Complete *string
	Reopen   *string
	Delete   *string
	Restore  *string
}

// Update is an operation that changes fields of a task.
type Update struct {
	ID string
	Patch
}

// ApplyTasksInput is the input of ApplyTasks.
type ApplyTasksInput struct {
	Operations []Operation
	// Atomic means that no operation is applied if one fails.
	Atomic bool
	// IdempotencyKey makes retries safe: see package idempotency.
	IdempotencyKey *string
}

// AppliedTasks is the result of ApplyTasks.
type AppliedTasks struct {
	// Results are those of the operations, in their order.
	Results []*OperationResult
	// Applied is false if the operations are atomic and one failed: then no task has changed.
	Applied bool
	// BatchID is the batch of the changes; nil if no task has changed.
	BatchID *string
}

// OperationResult is the result of an operation. Both fields are nil if it was not applied because another failed.
type OperationResult struct {
	// Task is the task after the operation.
	Task *ent.Task
	// Error is why the operation failed.
	Error *OperationError
}

// OperationError describes an operation that failed, as the extensions of GraphQL errors do.
type OperationError struct {
	Code         string  `json:"code"`
	Message      string  `json:"message"`
	Field        *string `json:"field,omitempty"`
	RetryAfterMs *int    `json:"retryAfterMs,omitempty"`
}

// errNotApplied rolls a transaction back after an operation of an atomic batch has failed.
var errNotApplied = errors.New("an operation failed")

// ApplyTasks applies at most MaxOperations operations in their order, in one transaction. Their changes share a batch,
// so that they can be undone at once. If an operation fails, its result has the error, and the others are applied
// unless the input is atomic; the remaining operations of an atomic input are still checked, so that all errors are
// reported. Too many operations are BAD_USER_INPUT.
func (s *Service) ApplyTasks(ctx context.Context, in ApplyTasksInput) (*AppliedTasks, error) {
	v, err := viewer.Require(ctx, viewer.TasksWrite)
	if err != nil {
		return nil, err
	}
	if n := len(in.Operations); n > MaxOperations {
		return nil, apperr.Invalid("operations", "At most %d operations can be applied at once; these are %d.",
			MaxOperations, n)
	}
	if v.BatchID == "" {
		v.BatchID = ids.New(ids.Batch)()
	}
	b := &taskBatch{in: in, out: &AppliedTasks{Results: []*OperationResult{}, Applied: true}}
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		b.changeWriter = &changeWriter{tx: tx, viewer: v, limits: s.limits}
		return b.runOnce(ctx)
	})
	if errors.Is(err, errNotApplied) {
		return b.notApplied(), nil
	}
	if err != nil {
		return nil, err
	}
	if b.out.BatchID != nil {
		s.changed(v.UserID)
	}
	return b.out, nil
}

// taskBatch applies the operations of one call.
type taskBatch struct {
	*changeWriter
	in  ApplyTasksInput
	out *AppliedTasks
}

// runOnce applies the operations unless an earlier request with the key has done so.
func (b *taskBatch) runOnce(ctx context.Context) error {
	request := idempotency.Request{
		Operation: "applyTasks",
		Key:       b.in.IdempotencyKey,
		Input:     []any{b.in.Operations, b.in.Atomic},
	}
	earlier, replayed, err := idempotency.Run(ctx, b.tx, request, func() ([]string, error) {
		if err := b.run(ctx); err != nil {
			return nil, err
		}
		return b.record()
	})
	if err != nil || !replayed {
		return err
	}
	return b.replay(ctx, earlier)
}

func (b *taskBatch) run(ctx context.Context) error {
	o := operations{
		client: b.tx.Client(),
		limits: b.limits,
		write:  func(ctx context.Context, fn writeFunc) (*ent.Task, error) { return fn(ctx, b.changeWriter) },
	}
	failed := false
	for i := range b.in.Operations {
		t, err := o.apply(ctx, &b.in.Operations[i])
		result := &OperationResult{Task: t}
		if err != nil {
			if result.Error = operationError(err); result.Error == nil {
				return err
			}
			result.Task, failed = nil, true
		}
		b.out.Results = append(b.out.Results, result)
	}
	if failed && b.in.Atomic {
		return errNotApplied
	}
	if b.recorded != nil {
		b.out.BatchID = &b.viewer.BatchID
	}
	return nil
}

// apply applies an operation.
func (o operations) apply(ctx context.Context, op *Operation) (*ent.Task, error) {
	switch {
	case op.Create != nil:
		return o.CreateTask(ctx, *op.Create)
	case op.Update != nil:
		return byID(op.Update.ID, func(id string) (*ent.Task, error) { return o.UpdateTask(ctx, id, op.Update.Patch) })
	case op.Complete != nil:
		return byID(*op.Complete, func(id string) (*ent.Task, error) { return o.CompleteTask(ctx, id) })
	case op.Reopen != nil:
		return byID(*op.Reopen, func(id string) (*ent.Task, error) { return o.ReopenTask(ctx, id) })
	case op.Delete != nil:
		return byID(*op.Delete, func(id string) (*ent.Task, error) { return o.DeleteTask(ctx, id) })
	case op.Restore != nil:
		return byID(*op.Restore, func(id string) (*ent.Task, error) { return o.RestoreTask(ctx, id) })
	default:
		return nil, apperr.Invalid("operations", "An operation must have exactly one field.")
	}
}

// byID calls change with the ID of a task. A text that is no ID must not reach the database: it refuses some, which
// ends the transaction.
func byID(id string, change func(id string) (*ent.Task, error)) (*ent.Task, error) {
	if !ids.Is(id, ids.Task) {
		return nil, apperr.Missing("task")
	}
	return change(id)
}

// operationError returns the error of an operation that has changed nothing, or nil if the whole batch must fail.
func operationError(err error) *OperationError {
	e := apperr.From(err)
	if !e.Code.IsOfCaller() {
		return nil
	}
	out := &OperationError{Code: string(e.Code), Message: e.Message}
	if e.Field != "" {
		out.Field = &e.Field
	}
	if e.RetryAfter > 0 {
		out.RetryAfterMs = new(int(e.RetryAfter.Milliseconds()))
	}
	return out
}

// notApplied returns the result of an atomic batch that was rolled back.
func (b *taskBatch) notApplied() *AppliedTasks {
	for _, r := range b.out.Results {
		r.Task = nil
	}
	return &AppliedTasks{Results: b.out.Results}
}

// record returns what a retry needs: the batch, or "", and the ID of the task or the error of each operation. The error
// is a JSON object.
func (b *taskBatch) record() ([]string, error) {
	out := make([]string, 1, 1+len(b.out.Results))
	if b.out.BatchID != nil {
		out[0] = *b.out.BatchID
	}
	for _, r := range b.out.Results {
		if r.Task != nil {
			out = append(out, r.Task.ID)
			continue
		}
		text, err := json.Marshal(r.Error)
		if err != nil {
			return nil, fmt.Errorf("encoding the error of an operation: %w", err)
		}
		out = append(out, string(text))
	}
	return out, nil
}

// replay returns the result of an earlier request, with the tasks in their present state.
func (b *taskBatch) replay(ctx context.Context, recorded []string) error {
	if recorded[0] != "" {
		b.out.BatchID = &recorded[0]
	}
	recorded = recorded[1:]
	tasks, err := store.ByID(b.tx.Task.Query().Where(task.IDIn(recorded...)).All(ctx))
	if err != nil {
		return fmt.Errorf("reading the tasks of an earlier request: %w", err)
	}
	for _, text := range recorded {
		r := &OperationResult{Task: tasks[text]}
		switch {
		case r.Task != nil:
		case ids.Is(text, ids.Task): // deleted for good
			r.Error = operationError(apperr.Missing("task"))
		default:
			if err := json.Unmarshal([]byte(text), &r.Error); err != nil {
				return fmt.Errorf("decoding the error of an earlier request: %w", err)
			}
		}
		b.out.Results = append(b.out.Results, r)
	}
	return nil
}
