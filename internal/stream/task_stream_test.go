package stream

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"

	"github.com/stretchr/testify/require"
)

// fakeChangeLog is a ChangeLog in memory.
type fakeChangeLog struct {
	mu      sync.Mutex
	changes []*ent.TaskChange
	fail    int // number of next reads that fail
	reads   int
}

var errDown = errors.New("the database is down")

func (l *fakeChangeLog) commit(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range n {
		c := &ent.TaskChange{Seq: len(l.changes) + 1, Kind: enum.ChangeUpdated}
		c.Edges.Task = &ent.Task{ID: "task_1"}
		l.changes = append(l.changes, c)
	}
}

func (l *fakeChangeLog) LastChangeSeq(context.Context) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail > 0 {
		return 0, errDown
	}
	return len(l.changes), nil
}

func (l *fakeChangeLog) ChangesAfter(_ context.Context, place, limit int) ([]*ent.TaskChange, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads++
	if l.fail > 0 {
		l.fail--
		return nil, errDown
	}
	after := l.changes[min(place, len(l.changes)):]
	return after[:min(limit, len(after))], nil
}

func (l *fakeChangeLog) failNext(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fail = n
}

// runTaskStream opens and runs a stream until leave is called.
func runTaskStream(
	t *testing.T,
	h *Hub,
	l *fakeChangeLog,
	after *string,
) (events chan *TaskEvent, ended chan error, leave func()) {
	f, err := OpenTaskStream(t.Context(), h, "user_1", after, l)
	require.NoError(t, err)
	ctx, leave := context.WithCancel(t.Context())
	events, ended = make(chan *TaskEvent), make(chan error, 1)
	go func() {
		ended <- Run(ctx, f, func(e *TaskEvent) bool {
			select {
			case events <- e:
				return true
			case <-ctx.Done():
				return false
			}
		})
	}()
	return events, ended, leave
}

var changedTasks = Event{Kind: RowsChanged, Topic: "user_1"}

func TestTaskStream_NoCursor_EmitsLaterChanges(t *testing.T) {
	h, l := NewHub(), &fakeChangeLog{}
	l.commit(3)
	events, ended, leave := runTaskStream(t, h, l, nil)
	l.commit(2)
	h.Publish(changedTasks)
	for place := 4; place <= 5; place++ {
		e := <-events
		require.Equal(t, place, e.Change.Seq)
		require.Equal(t, enum.ChangeUpdated, e.Kind)
		require.Equal(t, "task_1", e.Task.ID)
	}
	leave()
	require.NoError(t, <-ended)
	require.Zero(t, h.Subscribers())
}

func TestTaskStream_CursorOfOtherReplica_Resumes(t *testing.T) {
	here, there, l := NewHub(), NewHub(), &fakeChangeLog{}
	events, ended, leave := runTaskStream(t, here, l, nil)
	l.commit(1)
	here.Publish(changedTasks)
	cursor := (<-events).Cursor
	leave()
	require.NoError(t, <-ended)
	l.commit(3 * changesPerRead) // more than one read, without an event
	events, ended, leave = runTaskStream(t, there, l, &cursor)
	for place := 2; place <= 1+3*changesPerRead; place++ {
		require.Equal(t, place, (<-events).Change.Seq)
	}
	leave()
	require.NoError(t, <-ended)
}

func TestTaskStream_LostAndRepeatedEvents_EmitsEachChangeOnce(t *testing.T) {
	h, l := NewHub(), &fakeChangeLog{}
	events, ended, leave := runTaskStream(t, h, l, nil)
	const all = 500
	go func() {
		for i := range all {
			l.commit(1)
			if i%3 == 0 {
				h.Publish(changedTasks)
			}
			if i%7 == 0 {
				h.Publish(changedTasks)
				h.Publish(changedTasks)
			}
		}
		h.Resync()
	}()
	for place := 1; place <= all; place++ {
		require.Equal(t, place, (<-events).Change.Seq)
	}
	leave()
	require.NoError(t, <-ended)
}

func TestTaskStream_DatabaseDownOrShutdown_EndsWithError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, l := NewHub(), &fakeChangeLog{}
		events, ended, _ := runTaskStream(t, h, l, nil)
		l.failNext(3)
		l.commit(1)
		h.Publish(changedTasks)
		require.Equal(t, 1, (<-events).Change.Seq, "a restart of the database does not end the stream")
		l.failNext(1000)
		h.Publish(changedTasks)
		require.ErrorIs(t, <-ended, errDown)

		l.failNext(0)
		_, ended, _ = runTaskStream(t, h, l, nil)
		h.Close()
		require.Equal(t, apperr.Unavailable, apperr.CodeOf(<-ended))
	})
}

func TestOpenTaskStream_BadCursorOrReadError_ReturnsError(t *testing.T) {
	h, l := NewHub(), &fakeChangeLog{}
	foreign := newSubscriberState("conv_1").cursor()
	_, err := OpenTaskStream(t.Context(), h, "user_1", &foreign, l)
	require.Equal(t, apperr.BadUserInput, apperr.CodeOf(err))
	l.failNext(1)
	_, err = OpenTaskStream(t.Context(), h, "user_1", nil, l)
	require.ErrorIs(t, err, errDown)
	require.Zero(t, h.Subscribers())
}
