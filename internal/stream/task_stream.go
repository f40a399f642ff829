package stream

import (
	"context"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/page"
)

// TaskEvent is an event of a TaskStream.
type TaskEvent struct {
	Cursor string
	Kind   enum.ChangeKind
	// Task is the task at the time of the read, which may be later than the change.
	Task   *ent.Task
	Change *ent.TaskChange
}

// taskEventKey identifies an event: the change, and the version of the task that the event holds.
type taskEventKey struct {
	changeID    string
	taskVersion int
}

func (e *TaskEvent) dedupKey() any { return taskEventKey{e.Change.ID, e.Task.Version} }

// ChangeLog is a user's log of task changes. Its sequence numbers ascend in commit order.
type ChangeLog interface {
	// LastChangeSeq returns the sequence number of the newest change.
	LastChangeSeq(ctx context.Context) (int, error)
	// ChangesAfter returns at most limit changes after a sequence number, in order, with their tasks. A missing user is
	// NOT_FOUND.
	ChangesAfter(ctx context.Context, seq, limit int) ([]*ent.TaskChange, error)
}

const (
	// taskCursorName is the name of the stream in its cursors.
	taskCursorName = "taskStream"
	changesPerRead = 100
)

// TaskStream is the stream of a user's task changes for one subscriber. Methods are those of Source. The change log
// holds each change, so events serve only as signals to read it.
type TaskStream struct {
	source[*TaskEvent]
	hub *Hub
	log ChangeLog
	// seq is the sequence number of the last change that was emitted.
	seq int
}

// OpenTaskStream subscribes to a user's task changes. after is the cursor to resume from, nil for changes from now on;
// an invalid one is BAD_USER_INPUT. The caller must Close the stream.
func OpenTaskStream(
	ctx context.Context, hub *Hub, userID string, after *string, log ChangeLog,
) (*TaskStream, error) {
	// Subscribe before the log is read: a change that commits later is then signalled to the subscription.
	s := &TaskStream{hub: hub, log: log, source: source[*TaskEvent]{sub: hub.Subscribe(userID)}}
	s.apply = s.readChanges
	var err error
	if after != nil {
		s.seq, err = page.ParsePosition("after", after, taskCursorName)
		s.sub.markBehind() // read the changes since the cursor
	} else {
		s.seq, err = log.LastChangeSeq(ctx)
	}
	if err != nil {
		s.sub.Close()
		return nil, err
	}
	return s, nil
}

// TaskCursor returns the cursor of the change with a sequence number.
func TaskCursor(seq int) string { return page.PositionCursor(taskCursorName, seq).Encode() }

// readChanges emits the next changes of the log, whatever the batch holds.
func (s *TaskStream) readChanges(ctx context.Context, _ Batch, emit func(*TaskEvent)) error {
	needed := s.sub.neededFrom()
	changes, err := readWithRetry(ctx, func() ([]*ent.TaskChange, error) {
		return sharedReadOf(ctx, s.hub, s.sub.topic.name, s.seq, 0, needed, func() ([]*ent.TaskChange, error) {
			return s.log.ChangesAfter(ctx, s.seq, changesPerRead)
		})
	})
	if err != nil {
		return err
	}
	for _, c := range changes {
		s.seq = c.Seq
		emit(&TaskEvent{
			Cursor: TaskCursor(c.Seq),
			Kind:   c.Kind,
			Task:   c.Edges.Task,
			Change: c,
		})
	}
	if len(changes) == changesPerRead {
		s.sub.markBehind() // there may be more
	}
	return nil
}
