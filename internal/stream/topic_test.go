package stream

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTake_QueuedText_IsMergedWithinAnAttempt queues text as it comes while a subscriber's write is under way.
func TestTake_QueuedText_IsMergedWithinAnAttempt(t *testing.T) {
	h := NewHub()
	one, two := h.Subscribe("conv_1"), h.Subscribe("conv_1")
	defer one.Close()
	defer two.Close()
	rows := Event{Kind: RowsChanged, Topic: "conv_1"}
	long := strings.Repeat("x", maxMergedText)
	for _, e := range []Event{
		delta(1, 0, "a🦊"), delta(1, 3, "b"), delta(1, 4, "c"), // 🦊 has two UTF-16 units
		delta(1, 9, "gap"),
		rows,
		delta(2, 0, "other attempt"),
		delta(2, 13, long),
	} {
		h.Publish(e)
	}
	want := []Event{
		delta(1, 0, "a🦊bc"), delta(1, 9, "gap"), rows, delta(2, 0, "other attempt"), delta(2, 13, long),
	}
	for _, s := range []*Subscription{one, two} {
		batch, ok := s.take()
		require.True(t, ok)
		var got []Event
		for _, e := range batch.Events {
			got = append(got, *e)
		}
		require.Equal(t, want, got, "the events are shared, and merging does not change them")
	}
}

func TestAfterDelivery_AllPassedOn_CallsOnce(t *testing.T) {
	h := NewHub()
	calls := 0
	called := func() { calls++ }
	require.False(t, h.AfterDelivery("conv_1", called), "there is no subscription")
	one, two, left := h.Subscribe("conv_1"), h.Subscribe("conv_1"), h.Subscribe("conv_1")
	require.False(t, h.AfterDelivery("conv_1", called), "nothing was published")
	h.Publish(delta(1, 0, "a"))
	h.Publish(delta(1, 1, "b"))
	require.True(t, h.AfterDelivery("conv_1", called))
	for _, s := range []*Subscription{one, two} {
		_, ok := s.take()
		require.True(t, ok, "the events are being passed on")
	}
	_, ok := one.take()
	require.False(t, ok)
	_, ok = two.take()
	require.False(t, ok)
	require.Zero(t, calls, "one subscription still has its events")
	left.Close()
	require.Equal(t, 1, calls)
	require.False(t, h.AfterDelivery("conv_1", called))

	h.Publish(delta(1, 2, "c"))
	require.True(t, h.AfterDelivery("conv_1", called))
	one.Close()
	two.Close()
	require.Equal(t, 2, calls)
	require.Empty(t, h.topics)
}
