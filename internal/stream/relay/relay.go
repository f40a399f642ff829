// Package relay is what all buses between replicas have in common: events are
// packed into numbered batches, and whoever misses a batch, or a whole replica,
// notices and has its subscribers read the stored rows again.
//
// Every replica sends a batch at least once a heartbeat. A gap in a replica's numbers means
// that batches were lost. Silence means that it died, perhaps between a commit and the
// news of it. So nothing that is lost stays unnoticed for longer than a few heartbeats,
// and nobody has to poll the database for it.
package relay

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"errand/internal/stream"
)

// Defaults of Options.
const (
	DefaultInterval  = 25 * time.Millisecond
	DefaultHeartbeat = 2 * time.Second
)

// ErrNotDelivered means that a replica does not hear what it sends itself.
var ErrNotDelivered = errors.New("the bus does not deliver what is sent on it")

// Options configure a Relay; zero means the default.
type Options struct {
	// Interval is the least pause between two batches. The first event after a pause is sent at
	// once, and so are Work and Cancel.
	Interval time.Duration
	// Heartbeat is the longest pause between two batches.
	Heartbeat time.Duration
	// MaxPayload is the most bytes of a batch, 7500 or more, which is also the default.
	MaxPayload int
	// ObserveLag is told each foreign batch's age on arrival, never below zero: as good as
	// the machines' clocks agree. May be nil; it must return quickly.
	ObserveLag func(time.Duration)
	// Logger defaults to slog.Default.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Interval == 0 {
		o.Interval = DefaultInterval
	}
	if o.Heartbeat == 0 {
		o.Heartbeat = DefaultHeartbeat
	}
	o.MaxPayload = max(o.MaxPayload, minPayload)
	if o.ObserveLag == nil {
		o.ObserveLag = func(time.Duration) {}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Send hands one payload to all replicas, this one included. An error means that
// it may not have arrived; the same payload is then sent again.
type Send func(ctx context.Context, payload []byte) error

// Relay is a stream.Bus over a transport that delivers payloads: in order for each
// sender, but perhaps not all of them.
type Relay struct {
	id    string
	hub   *stream.Hub
	send  Send
	o     Options
	queue *sendQueue
	stats

	mu        sync.Mutex
	peers     peers
	delivered chan struct{} // closed when we first heard ourselves

	stopping, stopped chan struct{}
	// sendCtx ends when Stop gives up waiting.
	sendCtx context.Context
	abort   context.CancelFunc
}

var _ stream.Bus = (*Relay)(nil)

// New makes a relay that collects events until Start.
func New(hub *stream.Hub, send Send, o Options) *Relay {
	o = o.withDefaults()
	r := &Relay{
		id: randomID(), hub: hub, send: send, o: o, peers: newPeers(3 * o.Heartbeat),
		delivered: make(chan struct{}), stopping: make(chan struct{}), stopped: make(chan struct{}),
	}
	r.sendCtx, r.abort = context.WithCancel(context.Background())
	r.queue = newSendQueue(&r.stats)
	return r
}

func randomID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// Publish hands an event to the other replicas, soon. It never blocks: when more waits than
// can be sent, all of it is dropped and the other replicas are told to resync.
func (r *Relay) Publish(e stream.Event) { r.queue.enqueue(e) }

// Start begins to send, and waits until this replica hears itself: the proof that the way out
// and the way in are one bus. It fails with ErrDeaf when ctx ends first. Stop it in any case.
func (r *Relay) Start(ctx context.Context) error {
	go (&sender{Relay: r}).run()
	select {
	case <-r.delivered:
		return nil
	case <-ctx.Done():
		return errors.Join(ErrNotDelivered, r.lastSendErr())
	}
}

// Stop sends what waits, until ctx ends at the latest, and takes leave of the other
// replicas. Nothing is sent afterwards. Call it once, after Start.
func (r *Relay) Stop(ctx context.Context) {
	r.queue.close()
	close(r.stopping)
	defer context.AfterFunc(ctx, r.abort)()
	<-r.stopped
	r.abort()
}

// batch is what travels.
type batch struct {
	// From is the sending replica, Number counts its batches from 1.
	From   string `json:"r"`
	Number uint64 `json:"n"`
	// Sent is when, in microseconds since 1970 by the sender's clock.
	Sent int64 `json:"s"`
	// Lost says that the sender dropped events before these; Bye, that it ends with this batch.
	Lost   bool              `json:"l,omitempty"`
	Final  bool              `json:"b,omitempty"`
	Events []json.RawMessage `json:"e,omitempty"`
}

// Receive takes a payload that the transport delivered.
func (r *Relay) Receive(payload []byte) {
	var b batch
	if err := json.Unmarshal(payload, &b); err != nil || b.From == "" {
		r.o.Logger.Warn("a message on the bus is not one of ours", "bytes", len(payload))
		return
	}
	if b.From == r.id {
		r.receiveOwn()
		return
	}
	if r.recordBatch(b) || b.Lost {
		r.resync("events were lost")
	}
	r.observeLag(time.Since(time.UnixMicro(b.Sent)))
	for _, raw := range b.Events {
		var e stream.Event
		if err := json.Unmarshal(raw, &e); err != nil {
			r.o.Logger.Warn("an event on the bus cannot be read", "error", err)
			continue
		}
		r.received.Add(1)
		r.hub.Receive(e)
	}
}

func (r *Relay) observeLag(age time.Duration) {
	age = max(age, 0)
	r.lag.Store(int64(age))
	r.o.ObserveLag(age)
}

func (r *Relay) receiveOwn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.peers.ownHeardAt.IsZero() {
		close(r.delivered)
	}
	r.peers.ownHeardAt = time.Now()
}

// recordBatch reports whether batches of the sender are missing before this one.
func (r *Relay) recordBatch(b batch) (missed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.peers.recordBatch(b, time.Now())
}

// Reconnected tells that the transport was cut off and is back: whatever was sent meanwhile is lost.
func (r *Relay) Reconnected() {
	r.reconnects.Add(1)
	r.mu.Lock()
	r.peers.clear()
	r.mu.Unlock()
	r.resync("the bus was cut off")
}

// MessagesLost tells that the transport may have dropped something that was on its way here.
func (r *Relay) MessagesLost() { r.resync("the bus dropped messages") }

// resync makes up for any lost event: subscribers read their rows, the run engine looks for work.
func (r *Relay) resync(why string) {
	r.resyncs.Add(1)
	r.o.Logger.Info("streams are resynced from the database", "why", why)
	r.hub.Resync()
	r.hub.Receive(stream.Event{Kind: stream.RunQueued})
}
