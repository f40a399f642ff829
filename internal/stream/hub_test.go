package stream

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPublish_SubscribedTopic_ReachesSubscribersAndBus(t *testing.T) {
	h, bus := NewHub(), &recordingBus{}
	h.Connect(bus)
	here, there := h.Subscribe("conv_1"), h.Subscribe("conv_2")
	defer here.Close()
	defer there.Close()
	h.Publish(delta(1, 0, "a"))
	h.Receive(delta(1, 1, "b"))
	batch, err := here.Next(t.Context())
	require.NoError(t, err)
	merged := delta(1, 0, "ab")
	require.Equal(t, Batch{Events: []*Event{&merged}}, batch)
	_, ok := there.take()
	require.False(t, ok)
	require.Equal(t, []Event{delta(1, 0, "a")}, bus.take(), "received events are not sent again")
}

func TestPublish_SlowSubscriber_FallsBehindWithoutBlocking(t *testing.T) {
	h := NewHub()
	s := h.Subscribe("conv_1")
	defer s.Close()
	for range 10 * maxQueued {
		h.Publish(delta(1, 0, "x"))
	}
	batch, err := s.Next(t.Context())
	require.NoError(t, err)
	require.Equal(t, Batch{Behind: true}, batch)
	h.Publish(delta(1, 0, "y"))
	batch, err = s.Next(t.Context())
	require.NoError(t, err)
	require.False(t, batch.Behind)
	require.Len(t, batch.Events, 1)
}

func TestNext_StaleSignal_WaitsForNewEvents(t *testing.T) {
	h := NewHub()
	s := h.Subscribe("conv_1")
	defer s.Close()
	h.Publish(delta(1, 0, "x"))
	_, ok := s.take() // its signal remains
	require.True(t, ok)
	gone := errors.New("gone")
	ctx, leave := context.WithCancelCause(t.Context())
	leave(gone)
	_, err := s.Next(ctx)
	require.ErrorIs(t, err, gone)
}

func TestResyncAndClose_SeveralTopics_ReachAllSubscriptions(t *testing.T) {
	h := NewHub()
	subs := []*Subscription{h.Subscribe("conv_1"), h.Subscribe("conv_1"), h.Subscribe("user_1")}
	require.Equal(t, 3, h.Subscribers())
	h.Resync()
	for _, s := range subs {
		batch, err := s.Next(t.Context())
		require.NoError(t, err)
		require.Equal(t, Batch{Behind: true}, batch)
	}
	h.Close()
	h.Close()
	for _, s := range append(subs, h.Subscribe("conv_1")) {
		batch, err := s.Next(t.Context())
		require.NoError(t, err)
		require.Equal(t, Batch{Ended: true}, batch)
		s.Close()
		s.Close()
	}
	require.Zero(t, h.Subscribers())
}

func TestSubscriptionClose_OthersOpen_KeepsThem(t *testing.T) {
	h := NewHub()
	one, two, three := h.Subscribe("conv_1"), h.Subscribe("conv_1"), h.Subscribe("conv_1")
	two.Close()
	h.Publish(delta(1, 0, "x"))
	for s, want := range map[*Subscription]bool{one: true, two: false, three: true} {
		_, ok := s.take()
		require.Equal(t, want, ok)
	}
	one.Close()
	three.Close()
	require.Empty(t, h.topics)
}

func TestReceive_RunEvents_CallsHandlers(t *testing.T) {
	h := NewHub()
	h.Receive(Event{Kind: RunQueued}) // no handlers yet
	h.Receive(Event{Kind: RunCancelled, ID: "run_1"})
	queued, cancelled := 0, ""
	h.OnRunQueued(func() { queued++ })
	h.OnRunCancelled(func(runID string) { cancelled = runID })
	h.Receive(Event{Kind: RunQueued})
	h.Receive(Event{Kind: RunCancelled, ID: "run_1"})
	require.Equal(t, 1, queued)
	require.Equal(t, "run_1", cancelled)
}

// orderCheckingBus checks that the text that is sent has no gap.
type orderCheckingBus struct {
	t    *testing.T
	sent int
}

func (b *orderCheckingBus) Publish(e Event) {
	require.GreaterOrEqual(b.t, e.Offset+UTF16Len(e.Text), b.sent, "text was sent before a snapshot that lacks it")
	b.sent = e.Offset + UTF16Len(e.Text)
}

func TestReceive_UnknownKind_MakesSubscribersReadRows(t *testing.T) {
	hub := NewHub()
	s := hub.Subscribe("conv_1")
	defer s.Close()
	hub.Receive(Event{Kind: "of a newer version", Topic: "conv_1", ID: "msg_2", Attempt: 1, Text: "ignored"})
	batch, err := s.Next(t.Context())
	require.NoError(t, err)
	require.Equal(t, []*Event{{Kind: RowsChanged, Topic: "conv_1"}}, batch.Events)
}

func TestPublishSnapshot_ConcurrentText_KeepsOrder(t *testing.T) {
	h := NewHub()
	h.Connect(&orderCheckingBus{t: t})
	h.Publish(delta(1, 0, ""))
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 1000 {
			h.Publish(delta(1, i, "x"))
		}
	})
	wg.Go(func() {
		for range 1000 {
			h.Receive(Event{Kind: SnapshotRequest, Topic: "conv_1", ID: "msg_2"})
		}
	})
	wg.Wait()
}

func TestSubscribe_ConcurrentPublish_LeavesNoSubscriptions(t *testing.T) {
	h := NewHub()
	var wg sync.WaitGroup
	for i := range 4 {
		topic := "conv_" + strconv.Itoa(i%2)
		wg.Go(func() {
			for range 500 {
				h.Subscribe(topic).Close()
			}
		})
		wg.Go(func() {
			for range 500 {
				h.Publish(Event{Kind: RowsChanged, Topic: topic})
				h.Resync()
			}
		})
	}
	wg.Wait()
	require.Zero(t, h.Subscribers())
}

func TestMessageStream_Idle_UsesLittleMemory(t *testing.T) {
	const many = 20_000
	h := NewHub()
	ids := make([]string, many)
	for i := range ids {
		ids[i] = "conv_" + strconv.Itoa(i)
	}
	followers := make([]*MessageStream, many)
	read := rowsOf(finishedTurn)
	before := heap()
	for i, id := range ids {
		f, err := OpenMessageStream(t.Context(), h, id, nil, read)
		require.NoError(t, err)
		f.initial = nil // as after Pending
		followers[i] = f
	}
	each := (heap() - before) / many
	t.Logf("%d bytes for each idle subscriber", each)
	require.Less(t, each, uint64(640))
	runtime.KeepAlive(followers)
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestDeltas_TextAppended_CountsOncePerSubscription(t *testing.T) {
	h := NewHub()
	h.Publish(delta(1, 0, "no subscriber"))
	h.Subscribe("conv_1")
	h.Subscribe("conv_1")
	h.Publish(delta(1, 13, " yet"))
	h.Publish(Event{Kind: RowsChanged, Topic: "conv_1"})
	require.EqualValues(t, 2, h.Deltas())
}
