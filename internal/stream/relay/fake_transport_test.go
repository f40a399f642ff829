package relay

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"errand/internal/stream"

	"github.com/stretchr/testify/require"
)

// fakeTransport delivers every payload to every relay at once.
type fakeTransport struct {
	mu       sync.Mutex
	relays   []*Relay
	sent     []batch
	times    []time.Time
	fail     error
	drop     bool
	killedID string        // the ID of a killed relay, whose payloads are dropped
	hanging  chan struct{} // if set, sends signal here and block until their context ends
}

func (w *fakeTransport) Send(ctx context.Context, payload []byte) error {
	w.mu.Lock()
	if w.hanging != nil {
		defer w.mu.Unlock()
		w.hanging <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	if w.fail != nil {
		defer w.mu.Unlock()
		return w.fail
	}
	var b batch
	if err := json.Unmarshal(payload, &b); err != nil {
		defer w.mu.Unlock()
		return err
	}
	if b.From == w.killedID {
		defer w.mu.Unlock()
		return nil
	}
	w.sent, w.times = append(w.sent, b), append(w.times, time.Now())
	relays := w.relays
	if w.drop {
		relays = nil
	}
	w.mu.Unlock()
	for _, r := range relays {
		r.Receive(payload)
	}
	return nil
}

func (w *fakeTransport) set(fail error, drop bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail, w.drop = fail, drop
}

func (w *fakeTransport) take() (sent []batch, times []time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	sent, times = w.sent, w.times
	w.sent, w.times = nil, nil
	return sent, times
}

// start starts a replica on the transport.
func (w *fakeTransport) start(t *testing.T, o Options) (*Relay, *stream.Hub) {
	o.Logger = slog.New(slog.DiscardHandler)
	hub := stream.NewHub()
	r := New(hub, w.Send, o)
	hub.Connect(r)
	w.mu.Lock()
	w.relays = append(w.relays, r)
	w.mu.Unlock()
	require.NoError(t, r.Start(t.Context()))
	return r, hub
}

func (w *fakeTransport) kill(r *Relay) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.killedID = r.id
	w.relays = slices.DeleteFunc(w.relays, func(other *Relay) bool { return other == r })
}

// sleep advances the time of a synctest bubble.
func sleep(d time.Duration) { <-time.After(d) }

func stopAll(t *testing.T, relays ...*Relay) {
	for _, r := range relays {
		r.Stop(t.Context())
	}
}

func delta(offset int, text string) stream.Event {
	return stream.Event{
		Kind:     stream.TextAppended,
		Topic:    "conv_1",
		ID:       "msg_2",
		Position: 2,
		Attempt:  1,
		Offset:   offset,
		Text:     text,
	}
}

// next returns the events of a subscription's next batch.
func next(t *testing.T, s *stream.Subscription) []stream.Event {
	t.Helper()
	b, err := s.Next(t.Context())
	require.NoError(t, err)
	require.False(t, b.Behind)
	var events []stream.Event
	for _, e := range b.Events {
		events = append(events, *e)
	}
	return events
}

func requireBehind(t *testing.T, s *stream.Subscription) {
	t.Helper()
	b, err := s.Next(t.Context())
	require.NoError(t, err)
	require.True(t, b.Behind)
}
