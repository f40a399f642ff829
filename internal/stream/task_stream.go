package stream

import (
	"context"
	"io"
	"iter"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/page"
)

// TaskEvent is what a subscriber of a person's tasks receives.
type TaskEvent struct {
	Cursor string
	Kind   enum.ChangeKind
	// Task is the task as it is when the event is told.
	Task   *ent.Task
	Change *ent.TaskChange
}

// ChangeLog is the person's log of changes to tasks. Its places grow in the order of commit.
type ChangeLog interface {
	// LastChangeSeq is the place of the newest change.
	LastChangeSeq(ctx context.Context) (int, error)
	// ChangesAfter are the changes after a place, in order, with their tasks, at most limit;
	// NOT_FOUND when the person's account is gone.
	ChangesAfter(ctx context.Context, place, limit int) ([]*ent.TaskChange, error)
}

// taskCursorName names the stream in its cursors; changesPerRead is how many changes are read at once.
const (
	taskCursorName = "taskStream"
	changesPerRead = 100
)

// TaskStream is one subscriber's way through a person's changes.
type TaskStream struct {
	sub *Subscription
	log ChangeLog
	seq int
	err error // of the last Pending
}

// OpenTaskStream subscribes to a person's changes, from now on or from a cursor. The
// caller must Close the follower.
func OpenTaskStream(ctx context.Context, hub *Hub, userID string, after *string, log ChangeLog) (*TaskStream, error) {
	f := &TaskStream{log: log, sub: hub.Subscribe(userID)}
	var err error
	if after != nil {
		f.seq, err = page.ParsePosition("after", after, taskCursorName)
		f.sub.markBehind() // tell what has happened since
	} else {
		f.seq, err = log.LastChangeSeq(ctx)
	}
	if err != nil {
		f.sub.Close()
		return nil, err
	}
	return f, nil
}

// Pending yields all changes so far and ends without waiting for more; Err reports why the source ended, if it has.
// Events with equal keys are equal.
func (f *TaskStream) Pending(ctx context.Context) iter.Seq2[any, *TaskEvent] {
	return func(yield func(any, *TaskEvent) bool) {
		f.err = f.yieldPending(ctx, yield)
	}
}

// Err reports why the source ended after Pending: nil means that more may come, io.EOF that the subscriber has left or
// the account is deleted. SERVICE_UNAVAILABLE means that this replica shuts down; other errors come from the database.
func (f *TaskStream) Err() error { return f.err }

func (f *TaskStream) yieldPending(ctx context.Context, yield func(key any, event *TaskEvent) bool) error {
	for {
		batch, ok := f.sub.take()
		switch {
		case !ok:
			return nil
		case batch.Ended:
			return errShuttingDown()
		}
		listening, err := f.tellAll(ctx, func(e *TaskEvent) bool { return yield(taskKey{e.Change.ID, e.Task.Version}, e) })
		switch {
		case ctx.Err() != nil || err == nil && !listening || apperr.CodeOf(err) == apperr.NotFound:
			return io.EOF // the subscriber has left or the account is deleted
		case err != nil:
			return err
		}
	}
}

// taskKey tells events apart: a change is told with the task as it is by then.
type taskKey struct {
	change  string
	version int
}

// OnReady sets the function called, without blocking, when Pending may have something new.
func (f *TaskStream) OnReady(ready func()) { f.sub.onReady(ready, false) }

// Close ends the subscription.
func (f *TaskStream) Close() { f.sub.Close() }

// tellAll reads the log to its end; it reports whether the subscriber still listens.
func (f *TaskStream) tellAll(ctx context.Context, emit func(*TaskEvent) bool) (bool, error) {
	for {
		changes, err := insist(ctx, func() ([]*ent.TaskChange, error) {
			return f.log.ChangesAfter(ctx, f.seq,
				changesPerRead)
		})
		if err != nil {
			return false, err
		}
		for _, c := range changes {
			f.seq = c.Seq
			e := &TaskEvent{
				Cursor: page.PositionCursor(taskCursorName, c.Seq).Encode(), Kind: c.Kind, Task: c.Edges.Task,
				Change: c,
			}
			if !emit(e) {
				return false, nil
			}
		}
		if len(changes) < changesPerRead {
			return true, nil
		}
	}
}
