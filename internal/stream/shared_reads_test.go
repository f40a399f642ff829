package stream

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"errand/ent"
	"errand/internal/apperr"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
)

// countingLog is a ChangeLog that counts reads.
type countingLog struct {
	last, reads int
	err         error
}

func (l *countingLog) LastChangeSeq(context.Context) (int, error) { return l.last, nil }

func (l *countingLog) ChangesAfter(_ context.Context, seq, _ int) (changes []*ent.TaskChange, err error) {
	l.reads++
	for seq < l.last {
		seq++
		c := &ent.TaskChange{Seq: seq}
		c.Edges.Task = &ent.Task{}
		changes = append(changes, c)
	}
	return changes, l.err
}

func as(ctx context.Context, userID string, scopes viewer.Scopes) context.Context {
	return viewer.NewContext(ctx, viewer.Viewer{UserID: userID, Scopes: scopes})
}

func openTasks(t *testing.T, h *Hub, log ChangeLog) *TaskStream {
	t.Helper()
	s, err := OpenTaskStream(t.Context(), h, "user_1", nil, log)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// seqs returns the positions of the pending changes.
func seqs(ctx context.Context, s *TaskStream) (out []int) {
	for _, e := range s.Pending(ctx) {
		out = append(out, e.Change.Seq)
	}
	return out
}

func TestSharedRead_ManySubscribers_OneReadPerChange(t *testing.T) {
	h, log := NewHub(), &countingLog{last: 7}
	var all []*TaskStream
	for range 50 {
		all = append(all, openTasks(t, h, log))
	}
	for change := 8; change <= 10; change++ {
		log.last, log.reads = change, 0
		h.Publish(Event{Kind: RowsChanged, Topic: "user_1"})
		for _, s := range all {
			require.Equal(t, []int{change}, seqs(as(t.Context(), "user_1", ""), s))
		}
		require.Equal(t, 1, log.reads)
	}
}

func TestSharedRead_OtherUserOrScopes_ReadsItself(t *testing.T) {
	h, log := NewHub(), &countingLog{}
	contexts := []context.Context{
		as(t.Context(), "user_1", ""),
		as(t.Context(), "user_2", ""),
		as(t.Context(), "user_1", viewer.Scopes(viewer.TasksRead)),
		t.Context(), // without a viewer
		t.Context(),
	}
	var all []*TaskStream
	for range contexts {
		all = append(all, openTasks(t, h, log))
	}
	log.last = 1
	h.Publish(Event{Kind: RowsChanged, Topic: "user_1"})
	for i, ctx := range contexts {
		require.Equal(t, []int{1}, seqs(ctx, all[i]))
		require.Equal(t, i+1, log.reads)
	}
}

// A read that began before an event was delivered, before a resync or before a subscription must not serve it.
func TestSharedRead_OlderThanTheEvent_ReadsAgain(t *testing.T) {
	h, log := NewHub(), &countingLog{}
	ctx := as(t.Context(), "user_1", "")
	first, second := openTasks(t, h, log), openTasks(t, h, log)
	require.Empty(t, seqs(ctx, first))
	h.Publish(Event{Kind: RowsChanged, Topic: "user_1"})
	require.Empty(t, seqs(ctx, first))
	log.last = 1
	for _, announce := range []func(){
		func() { h.Publish(Event{Kind: RowsChanged, Topic: "user_1"}) },
		h.Resync,
	} {
		announce()
		second.seq = 0
		require.Equal(t, []int{1}, seqs(ctx, second))
	}
	start := TaskCursor(0)
	late, err := OpenTaskStream(ctx, h, "user_1", &start, log)
	require.NoError(t, err)
	defer late.Close()
	reads := log.reads
	require.Equal(t, []int{1}, seqs(ctx, late))
	require.Equal(t, reads+1, log.reads)
}

func TestSharedRead_Error_OnlyNotFoundIsShared(t *testing.T) {
	h := NewHub()
	open := []*Subscription{h.Subscribe("topic"), h.Subscribe("topic")}
	ctx, reads := as(t.Context(), "user_1", ""), 0
	read := func(position int, err error) error {
		_, got := sharedReadOf(ctx, h, "topic", position, 0, open[1].neededFrom(), func() (int, error) {
			reads++
			return 0, err
		})
		return got
	}
	broken, missing := errors.New("broken"), apperr.Missing("account")
	require.ErrorIs(t, read(1, broken), broken)
	require.NoError(t, read(1, nil))
	require.ErrorIs(t, read(2, missing), missing)
	require.ErrorIs(t, read(2, nil), missing)
	require.Equal(t, 3, reads)
}

func TestSharedRead_Kept_BoundedInTimeAndNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, ctx := NewHub(), as(t.Context(), "user_1", "")
		read := func(position int) {
			_, err := sharedReadOf(ctx, h, "topic", position, 0, 0, func() (int, error) { return 0, nil })
			require.NoError(t, err)
		}
		kept := func() int {
			h.reads.mu.Lock()
			defer h.reads.mu.Unlock()
			return len(h.reads.reads)
		}
		h.Subscribe("topic")
		read(0)
		require.Zero(t, kept(), "there is no other subscriber")
		h.Subscribe("topic")
		for i := range 2 * maxSharedReads {
			read(i)
		}
		require.Equal(t, maxSharedReads, kept())
		time.Sleep(sharedReadTTL)
		synctest.Wait()
		require.Zero(t, kept())
	})
}
