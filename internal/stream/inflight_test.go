package stream

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// recordingBus is a bus that records the published events.
type recordingBus struct{ events []Event }

func (r *recordingBus) Publish(e Event) { r.events = append(r.events, e) }

func (r *recordingBus) take() []Event {
	events := r.events
	r.events = nil
	return events
}

func delta(attempt, offset int, text string) Event {
	return Event{
		Kind: TextAppended, Topic: "conv_1", ID: "msg_2", Position: 2, Attempt: attempt, Offset: offset,
		Text: text,
	}
}

func requireInFlight(t *testing.T, h *Hub, attempt int, text string) {
	t.Helper()
	got, from, ok := h.InFlightText("msg_2")
	require.True(t, ok)
	require.Equal(t, text, got)
	require.Equal(t, attempt, from)
}

func requireNotInFlight(t *testing.T, h *Hub) {
	t.Helper()
	_, _, ok := h.InFlightText("msg_2")
	require.False(t, ok)
}

func TestInFlightText_SeveralAttempts_HoldsNewestFromItsStart(t *testing.T) {
	h := NewHub()
	h.Receive(delta(1, 4, "late"))
	requireNotInFlight(t, h)
	h.Receive(delta(1, 0, ""))
	requireInFlight(t, h, 1, "")
	h.Receive(delta(1, 0, "a𝄞"))
	h.Receive(delta(1, 1, "𝄞b")) // overlaps
	h.Receive(delta(1, 0, "a"))  // repeats
	requireInFlight(t, h, 1, "a𝄞b")
	h.Receive(delta(2, 0, "x"))
	h.Receive(delta(1, 4, "zombie"))
	requireInFlight(t, h, 2, "x")
	h.Receive(delta(2, 5, "gap"))
	requireNotInFlight(t, h)
	h.Receive(delta(1, 0, "zombie")) // the newer attempt is still known
	requireNotInFlight(t, h)
	h.Receive(delta(2, 0, "xyzzygap"))
	requireInFlight(t, h, 2, "xyzzygap")
	h.Receive(Event{Kind: RowsChanged, Topic: "conv_1"})
	requireInFlight(t, h, 2, "xyzzygap")
	h.Receive(Event{Kind: RowsChanged, Topic: "conv_1", ID: "msg_2"})
	requireNotInFlight(t, h)
	require.Empty(t, h.inFlight.replies)
}

func TestPublishSnapshot_RemoteText_PublishesNothing(t *testing.T) {
	h, bus := NewHub(), &recordingBus{}
	h.Connect(bus)
	want := Event{Kind: SnapshotRequest, Topic: "conv_1", ID: "msg_2"}
	h.Receive(want)
	require.Empty(t, bus.take())
	h.Receive(delta(1, 0, "elsewhere"))
	h.Receive(want)
	require.Empty(t, bus.take(), "text of another replica")
	h.Publish(delta(2, 0, "local "))
	h.Publish(delta(2, 6, "text"))
	bus.take()
	h.Receive(want)
	require.Equal(t, []Event{delta(2, 0, "local text")}, bus.take())
	h.DropInFlight("msg_2")
	h.Receive(want)
	require.Empty(t, bus.take())
}

func TestRequestSnapshot_Repeated_IsRateLimited(t *testing.T) {
	h, bus := NewHub(), &recordingBus{}
	h.Connect(bus)
	now := time.Unix(0, 0)
	h.inFlight.now = func() time.Time { return now }
	want := []Event{{Kind: SnapshotRequest, Topic: "conv_1", ID: "msg_2"}}
	h.RequestSnapshot("conv_1", "msg_2")
	require.Equal(t, want, bus.take())
	now = now.Add(snapshotRequestInterval - 1)
	h.RequestSnapshot("conv_1", "msg_2")
	h.Receive(delta(1, 9, "not a snapshot"))
	h.RequestSnapshot("conv_1", "msg_2")
	require.Empty(t, bus.take())
	h.RequestSnapshot("conv_1", "msg_4")
	require.Len(t, bus.take(), 1, "another reply")
	now = now.Add(1)
	h.RequestSnapshot("conv_1", "msg_2")
	require.Equal(t, want, bus.take())
	h.Receive(delta(1, 0, "the snapshot"))
	h.Receive(delta(1, 99, "a gap"))
	h.RequestSnapshot("conv_1", "msg_2")
	require.Equal(t, want, bus.take(), "after a snapshot, at once")
	NewHub().RequestSnapshot("conv_1", "msg_2") // no bus
}

func TestResync_RemoteText_IsDropped(t *testing.T) {
	h := NewHub()
	h.Receive(delta(1, 0, "elsewhere"))
	h.Publish(Event{Kind: TextAppended, Topic: "conv_1", ID: "msg_4", Position: 4, Attempt: 1, Text: "here"})
	h.Resync()
	requireNotInFlight(t, h)
	_, _, ok := h.InFlightText("msg_4")
	require.True(t, ok)
}

func TestSweep_ExpiredText_IsDropped(t *testing.T) {
	h := NewHub()
	h.Connect(&recordingBus{})
	now := time.Unix(0, 0)
	h.inFlight.now = func() time.Time { return now }
	for i := range 100 {
		e := delta(1, i%2, "x") // every other one is incomplete
		e.ID = fmt.Sprint("msg_", i)
		h.Receive(e)
		h.RequestSnapshot("conv_1", e.ID)
	}
	require.Len(t, h.inFlight.replies, 100)
	now = now.Add(inFlightTTL + sweepInterval)
	h.Receive(delta(1, 0, "x"))
	require.Len(t, h.inFlight.replies, 1)
	require.Empty(t, h.inFlight.requestedAt)
}
