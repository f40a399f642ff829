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

// patience bounds each wait for something that must happen.
const patience = 30 * time.Second

// Replica is a hub whose run engine is a pair of channels.
type Replica struct {
	*stream.Hub
	// Worked and Cancelled tell what OnWork and OnCancel were told; what nobody takes is dropped.
	Worked    chan struct{}
	Cancelled chan string
}

// NewReplica makes a replica that has no bus yet.
func NewReplica() *Replica {
	r := &Replica{Hub: stream.NewHub(), Worked: make(chan struct{}, 1), Cancelled: make(chan string, 100)}
	r.OnWork(func() { offer(r.Worked, struct{}{}) })
	r.OnCancel(func(id string) { offer(r.Cancelled, id) })
	return r
}

func offer[T any](c chan T, v T) {
	select {
	case c <- v:
	default:
	}
}

// Delta is text of a reply in the conversation conv_1.
func Delta(id string, offset int, text string) stream.Event {
	return stream.Event{Kind: stream.Delta, Topic: "conv_1", ID: id, Position: 2, Attempt: 1, Offset: offset, Text: text}
}

// Flood publishes about n events, shared out among the hubs, and checks that each hub received
// all of the others' in their order.
func Flood(t *testing.T, hubs []*Replica, n int) {
	t.Helper()
	var all sync.WaitGroup
	for i, h := range hubs {
		all.Go(func() {
			for at := range n / len(hubs) {
				h.Publish(Delta(fmt.Sprint("msg_", i), at, string(rune('a'+at%26))))
			}
			h.Publish(stream.Event{Kind: stream.Cancel, ID: fmt.Sprint("run_", i)})
		})
	}
	all.Wait()
	want := strings.Repeat("abcdefghijklmnopqrstuvwxyz", n)[:n/len(hubs)]
	for i, h := range hubs {
		for range len(hubs) - 1 {
			wait(t, h.Cancelled)
		}
		for other := range hubs {
			got, _, ok := h.Tail(fmt.Sprint("msg_", other))
			require.True(t, ok, "hub %d lost its way in the text of hub %d", i, other)
			require.Equal(t, want, got, "hub %d, of hub %d", i, other)
		}
	}
}

// Exchange checks that an event of each hub reaches all others. It is published again and
// again: a bus that has just come back may still have lost the first.
func Exchange(t *testing.T, hubs []*Replica) {
	t.Helper()
	for i, from := range hubs {
		for j, to := range hubs {
			if i != j {
				reach(t, from, to, fmt.Sprintf("exchange_%d_%d", i, j))
			}
		}
	}
}

func reach(t *testing.T, from, to *Replica, topic string) {
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
	for deadline := time.After(patience); ; {
		from.Publish(stream.Event{Kind: stream.Changed, Topic: topic})
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
	wait(t, behind)
}

// WaitForTail waits until a hub holds all the text of a reply, whose events the subscription gets.
func WaitForTail(t *testing.T, h *Replica, sub *stream.Subscription, id, want string) {
	t.Helper()
	whole := make(chan string, 1)
	go func() {
		for {
			if _, err := sub.Next(t.Context()); err != nil {
				return
			}
			if got, _, _ := h.Tail(id); len(got) >= len(want) {
				whole <- got
				return
			}
		}
	}()
	require.Equal(t, want, wait(t, whole))
}

// Eventually waits for something that gives no signal, such as a server's own books.
func Eventually(t *testing.T, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, patience, 50*time.Millisecond)
}

func wait(t *testing.T, c chan string) string {
	t.Helper()
	select {
	case got := <-c:
		return got
	case <-time.After(patience):
		require.Fail(t, "it never came")
		return ""
	}
}
