package stream

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// recorder is a bus that keeps what is published.
type recorder struct{ events []Event }

func (r *recorder) Publish(e Event) { r.events = append(r.events, e) }

func (r *recorder) take() []Event {
	events := r.events
	r.events = nil
	return events
}

func delta(attempt, offset int, text string) Event {
	return Event{Kind: Delta, Topic: "conv_1", ID: "msg_2", Position: 2, Attempt: attempt, Offset: offset, Text: text}
}

func requireTail(t *testing.T, h *Hub, attempt int, text string) {
	t.Helper()
	got, from, ok := h.Tail("msg_2")
	require.True(t, ok)
	require.Equal(t, text, got)
	require.Equal(t, attempt, from)
}

func requireNoTail(t *testing.T, h *Hub) {
	t.Helper()
	_, _, ok := h.Tail("msg_2")
	require.False(t, ok)
}

func TestATailFollowsOneAttemptFromItsStart(t *testing.T) {
	h := NewHub()
	h.Receive(delta(1, 4, "late"))
	requireNoTail(t, h)
	h.Receive(delta(1, 0, ""))
	requireTail(t, h, 1, "")
	h.Receive(delta(1, 0, "a𝄞"))
	h.Receive(delta(1, 1, "𝄞b")) // overlaps
	h.Receive(delta(1, 0, "a"))  // repeats
	requireTail(t, h, 1, "a𝄞b")
	h.Receive(delta(2, 0, "x"))
	h.Receive(delta(1, 4, "zombie"))
	requireTail(t, h, 2, "x")
	h.Receive(delta(2, 5, "gap"))
	requireNoTail(t, h)
	h.Receive(delta(1, 0, "zombie")) // the newer attempt is remembered
	requireNoTail(t, h)
	h.Receive(delta(2, 0, "xyzzygap"))
	requireTail(t, h, 2, "xyzzygap")
	h.Receive(Event{Kind: Changed, Topic: "conv_1"})
	requireTail(t, h, 2, "xyzzygap")
	h.Receive(Event{Kind: Changed, Topic: "conv_1", ID: "msg_2"})
	requireNoTail(t, h)
	require.Empty(t, h.tails.all)
}

func TestTheWriterAnswersForItsTextAndNobodyElse(t *testing.T) {
	h, bus := NewHub(), &recorder{}
	h.Connect(bus)
	want := Event{Kind: Want, Topic: "conv_1", ID: "msg_2"}
	h.Receive(want)
	require.Empty(t, bus.take())
	h.Receive(delta(1, 0, "elsewhere"))
	h.Receive(want)
	require.Empty(t, bus.take(), "text of another replica")
	h.Publish(delta(2, 0, "my "))
	h.Publish(delta(2, 3, "own"))
	bus.take()
	h.Receive(want)
	require.Equal(t, []Event{delta(2, 0, "my own")}, bus.take())
	h.Forget("msg_2")
	h.Receive(want)
	require.Empty(t, bus.take())
}

func TestAskingIsBounded(t *testing.T) {
	h, bus := NewHub(), &recorder{}
	h.Connect(bus)
	now := time.Unix(0, 0)
	h.tails.now = func() time.Time { return now }
	want := []Event{{Kind: Want, Topic: "conv_1", ID: "msg_2"}}
	h.Ask("conv_1", "msg_2")
	require.Equal(t, want, bus.take())
	now = now.Add(askAgain - 1)
	h.Ask("conv_1", "msg_2")
	h.Receive(delta(1, 9, "not an answer"))
	h.Ask("conv_1", "msg_2")
	require.Empty(t, bus.take())
	h.Ask("conv_1", "msg_4")
	require.Len(t, bus.take(), 1, "another reply")
	now = now.Add(1)
	h.Ask("conv_1", "msg_2")
	require.Equal(t, want, bus.take())
	h.Receive(delta(1, 0, "the answer"))
	h.Receive(delta(1, 99, "a gap"))
	h.Ask("conv_1", "msg_2")
	require.Equal(t, want, bus.take(), "after an answer, at once")
	NewHub().Ask("conv_1", "msg_2") // nobody to ask
}

func TestResyncDistrustsWhatOthersSaid(t *testing.T) {
	h := NewHub()
	h.Receive(delta(1, 0, "elsewhere"))
	h.Publish(Event{Kind: Delta, Topic: "conv_1", ID: "msg_4", Position: 4, Attempt: 1, Text: "here"})
	h.Resync()
	requireNoTail(t, h)
	_, _, ok := h.Tail("msg_4")
	require.True(t, ok)
}

func TestWhatNobodyEndsIsForgotten(t *testing.T) {
	h := NewHub()
	h.Connect(&recorder{})
	now := time.Unix(0, 0)
	h.tails.now = func() time.Time { return now }
	for i := range 100 {
		e := delta(1, i%2, "x") // every other one is lost from the start
		e.ID = fmt.Sprint("msg_", i)
		h.Receive(e)
		h.Ask("conv_1", e.ID)
	}
	require.Len(t, h.tails.all, 100)
	now = now.Add(forgetAfter + sweepEvery)
	h.Receive(delta(1, 0, "x"))
	require.Len(t, h.tails.all, 1)
	require.Empty(t, h.tails.asked)
}
