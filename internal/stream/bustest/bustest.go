// Package bustest holds the tests that every bus must pass.
package bustest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"errand/internal/stream"

	"github.com/stretchr/testify/require"
)

// waitTimeout bounds each wait.
const waitTimeout = 30 * time.Second

// Replica is a hub that reports run events on channels.
type Replica struct {
	*stream.Hub
	// QueuedRuns and CancelledRuns receive the calls of OnRunQueued and OnRunCancelled, or drop them when full.
	QueuedRuns    chan struct{}
	CancelledRuns chan string
}

// NewReplica returns a replica without a bus.
func NewReplica() *Replica {
	r := &Replica{Hub: stream.NewHub(), QueuedRuns: make(chan struct{}, 1), CancelledRuns: make(chan string, 100)}
	r.OnRunQueued(func() { trySend(r.QueuedRuns, struct{}{}) })
	r.OnRunCancelled(func(id string) { trySend(r.CancelledRuns, id) })
	return r
}

func trySend[T any](c chan T, v T) {
	select {
	case c <- v:
	default:
	}
}

// Delta returns a TextAppended event of a reply in the conversation conv_1.
func Delta(id string, offset int, text string) stream.Event {
	return stream.Event{
		Kind: stream.TextAppended, Topic: "conv_1", ID: id, Position: 2, Attempt: 1, Offset: offset,
		Text: text,
	}
}

// CheckOrderedDelivery publishes n events, spread over the hubs, and checks that each hub receives those of the others
// in order. Each hub writes two replies in turns, so that the events are not merged.
func CheckOrderedDelivery(t *testing.T, hubs []*Replica, n int) {
	t.Helper()
	var wg sync.WaitGroup
	for i, h := range hubs {
		wg.Go(func() {
			for at := range n / len(hubs) / 2 {
				for _, id := range replies(i) {
					h.Publish(Delta(id, at, string(rune('a'+at%26))))
				}
			}
			h.Publish(stream.Event{Kind: stream.RunCancelled, ID: fmt.Sprint("run_", i)})
		})
	}
	wg.Wait()
	want := strings.Repeat("abcdefghijklmnopqrstuvwxyz", n)[:n/len(hubs)/2]
	for i, h := range hubs {
		for range len(hubs) - 1 {
			receive(t, h.CancelledRuns)
		}
		for other := range hubs {
			for _, id := range replies(other) {
				got, _, ok := h.InFlightText(id)
				require.True(t, ok, "hub %d has a gap in the text of hub %d", i, other)
				require.Equal(t, want, got, "hub %d, of hub %d", i, other)
			}
		}
	}
}

// replies are the IDs of the replies that a hub writes.
func replies(hub int) []string { return []string{fmt.Sprint("msg_a", hub), fmt.Sprint("msg_b", hub)} }

// CheckExchange checks that an event of each hub reaches all others. The event is published repeatedly, because a bus
// that has just reconnected may lose the first.
func CheckExchange(t *testing.T, hubs []*Replica) {
	t.Helper()
	for i, from := range hubs {
		for j, to := range hubs {
			if i != j {
				checkReaches(t, from, to, fmt.Sprintf("exchange_%d_%d", i, j))
			}
		}
	}
}

func checkReaches(t *testing.T, from, to *Replica, topic string) {
	t.Helper()
	sub := to.Subscribe(topic)
	defer sub.Close()
	arrived := make(chan string, 1)
	go func() {
		for {
			if b, err := sub.Next(t.Context()); err != nil || len(b.Events) > 0 {
				arrived <- topic
				return
			}
		}
	}()
	retry := time.NewTicker(200 * time.Millisecond)
	defer retry.Stop()
	for deadline := time.After(waitTimeout); ; {
		from.Publish(stream.Event{Kind: stream.RowsChanged, Topic: topic})
		select {
		case <-arrived:
			return
		case <-retry.C:
		case <-deadline:
			require.Fail(t, "no event arrives", topic)
		}
	}
}

// WaitUntilBehind waits until a subscription must read its rows.
func WaitUntilBehind(t *testing.T, sub *stream.Subscription) {
	t.Helper()
	behind := make(chan string, 1)
	go func() {
		for {
			b, err := sub.Next(t.Context())
			if err != nil || b.Behind {
				behind <- ""
				return
			}
		}
	}()
	receive(t, behind)
}

// WaitForText waits until a hub holds all in-flight text of a reply in the topic of the subscription.
func WaitForText(t *testing.T, h *Replica, sub *stream.Subscription, id, want string) {
	t.Helper()
	whole := make(chan string, 1)
	go func() {
		for {
			if _, err := sub.Next(t.Context()); err != nil {
				return
			}
			if got, _, _ := h.InFlightText(id); len(got) >= len(want) {
				whole <- got
				return
			}
		}
	}()
	require.Equal(t, want, receive(t, whole))
}

// Eventually polls a condition that gives no signal, such as the state of a server.
func Eventually(t *testing.T, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, waitTimeout, 50*time.Millisecond)
}

func receive(t *testing.T, c chan string) string {
	t.Helper()
	select {
	case got := <-c:
		return got
	case <-time.After(waitTimeout):
		require.Fail(t, "timeout")
		return ""
	}
}
