// Package bustest holds what any bus between replicas must pass.
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

// waitTimeout bounds each wait for something that must happen.
const waitTimeout = 30 * time.Second

// Replica is a hub whose run engine is a pair of channels.
type Replica struct {
	*stream.Hub
	// QueuedRuns and Cancelled tell what OnWork and OnCancel were told; what nobody takes is dropped.
	QueuedRuns    chan struct{}
	CancelledRuns chan string
}

// NewReplica makes a replica that has no bus yet.
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

// Delta is text of a reply in the conversation conv_1.
func Delta(id string, offset int, text string) stream.Event {
	return stream.Event{
		Kind: stream.TextAppended, Topic: "conv_1", ID: id, Position: 2, Attempt: 1, Offset: offset,
		Text: text,
	}
}

// CheckOrderedDelivery publishes about n events, shared out among the hubs, and checks that each hub received
// all of the others' in their order.
func CheckOrderedDelivery(t *testing.T, hubs []*Replica, n int) {
	t.Helper()
	var all sync.WaitGroup
	for i, h := range hubs {
		all.Go(func() {
			for at := range n / len(hubs) {
				h.Publish(Delta(fmt.Sprint("msg_", i), at, string(rune('a'+at%26))))
			}
			h.Publish(stream.Event{Kind: stream.RunCancelled, ID: fmt.Sprint("run_", i)})
		})
	}
	all.Wait()
	want := strings.Repeat("abcdefghijklmnopqrstuvwxyz", n)[:n/len(hubs)]
	for i, h := range hubs {
		for range len(hubs) - 1 {
			receive(t, h.CancelledRuns)
		}
		for other := range hubs {
			got, _, ok := h.InFlightText(fmt.Sprint("msg_", other))
			require.True(t, ok, "hub %d lost its way in the text of hub %d", i, other)
			require.Equal(t, want, got, "hub %d, of hub %d", i, other)
		}
	}
}

// CheckExchange checks that an event of each hub reaches all others. It is published again and
// again: a bus that has just come back may still have lost the first.
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
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	for deadline := time.After(waitTimeout); ; {
		from.Publish(stream.Event{Kind: stream.RowsChanged, Topic: topic})
		select {
		case <-arrived:
			return
		case <-again.C:
		case <-deadline:
			require.Fail(t, "nothing arrives", topic)
		}
	}
}

// WaitUntilBehind waits until a subscription is told to read its rows.
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

// WaitForText waits until a hub holds all the text of a reply, whose events the subscription gets.
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

// Eventually waits for something that gives no signal, such as a server's own books.
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
		require.Fail(t, "it never came")
		return ""
	}
}
