// Package relay implements the protocol that all buses between replicas share: events are sent in numbered batches, and
// a replica that misses a batch, or a whole replica, makes its subscribers read the stored rows again.
//
// Every replica sends a batch at least once in a heartbeat interval. A gap in the numbers means that batches were lost.
// Silence means that the replica has stopped, perhaps between a commit and its event. A loss is therefore noticed
// within a few heartbeats without polling the database.
package relay

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"errand/internal/stream"
)

// Defaults of Options.
const (
	DefaultInterval  = 10 * time.Millisecond
	DefaultHeartbeat = 2 * time.Second
)

// ErrNotDelivered means that a replica does not receive its own batches.
var ErrNotDelivered = errors.New("the bus does not deliver what is sent on it")

// Options configure a Relay. A zero field means its default.
type Options struct {
	// Interval is the minimum interval between two batches, 10 ms by default. The first event after a pause is sent at
	// once, and so are RunQueued and RunCancelled.
	Interval time.Duration
	// Heartbeat is the maximum interval between two batches, 2 s by default.
	Heartbeat time.Duration
	// MaxPayload is the maximum size of a batch in bytes: at least 7500, the default.
	MaxPayload int
	// ObserveLag is called with the age of each received batch, at least zero. The age is as accurate as the clocks
	// of the replicas. The function must return quickly.
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

// Send sends a payload to all replicas, including this one. After an error the payload may not have arrived, and is
// sent again.
type Send func(ctx context.Context, payload []byte) error

// Relay is a stream.Bus over a transport that delivers the payloads of each sender in order, but perhaps not all of
// them.
type Relay struct {
	id    string
	hub   *stream.Hub
	send  Send
	o     Options
	queue *sendQueue
	stats

	mu        sync.Mutex
	peers     peers
	delivered chan struct{} // closed when the first own batch arrives

	stopping, stopped chan struct{}
	// sendCtx ends when the time of Stop is over.
	sendCtx context.Context
	abort   context.CancelFunc
}

var _ stream.Bus = (*Relay)(nil)

// New returns a relay that queues events until Start.
func New(hub *stream.Hub, send Send, o Options) *Relay {
	o = o.withDefaults()
	r := &Relay{
		id:        randomID(),
		hub:       hub,
		send:      send,
		o:         o,
		peers:     newPeers(3 * o.Heartbeat),
		delivered: make(chan struct{}),
		stopping:  make(chan struct{}),
		stopped:   make(chan struct{}),
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

// Publish queues an event for the other replicas. It never blocks: if the queue is full, all of it is dropped and the
// other replicas resync.
func (r *Relay) Publish(e stream.Event) { r.queue.enqueue(e) }

// Start starts to send, and waits until this replica receives its own first batch, which proves that it sends and
// receives on one bus. If ctx ends first the error is ErrNotDelivered. Call Stop in either case.
func (r *Relay) Start(ctx context.Context) error {
	go (&sender{Relay: r}).run()
	select {
	case <-r.delivered:
		return nil
	case <-ctx.Done():
		return errors.Join(ErrNotDelivered, r.lastSendErr())
	}
}

// Stop sends the queued events and a final batch, until ctx ends at the latest. Nothing is sent afterwards. Call it
// once, after Start.
func (r *Relay) Stop(ctx context.Context) {
	r.queue.close()
	close(r.stopping)
	defer context.AfterFunc(ctx, r.abort)()
	<-r.stopped
	r.abort()
}

// batchVersion is the version of the events that this version reads. A batch with a higher one is not decoded: its
// receiver reads the rows instead. Raise it only for events that an earlier version would misread. Members that it may
// ignore, and new kinds of events, for which it reads the rows of their topic, keep the version.
const batchVersion = 1

// batch is a payload. Replicas exchange its JSON form, also with replicas of other versions: its members must not
// change.
type batch struct {
	// Version is the version of Events; 0 means 1, which is not sent.
	Version int `json:"v,omitempty"`
	// From is the ID of the sending replica, Number the number of the batch, from 1.
	From   string `json:"r"`
	Number uint64 `json:"n"`
	// Sent is the time of sending by the sender's clock, in microseconds since 1970.
	Sent int64 `json:"s"`
	// Lost reports that the sender dropped events before these, Final that it sends no more batches.
	Lost   bool              `json:"l,omitempty"`
	Final  bool              `json:"b,omitempty"`
	Events []json.RawMessage `json:"e,omitempty"`
}

// Receive handles a payload that the transport delivered.
func (r *Relay) Receive(payload []byte) {
	var b batch
	if err := json.Unmarshal(payload, &b); err != nil || b.From == "" {
		r.o.Logger.Warn("a message on the bus is not a batch", "bytes", len(payload))
		return
	}
	if b.From == r.id {
		r.receiveOwn()
		return
	}
	missed, unreadable := r.recordBatch(b)
	if missed || b.Lost {
		r.resync("events were lost")
	}
	r.observeLag(time.Since(time.UnixMicro(b.Sent)))
	if unreadable {
		r.resync("a replica of a newer version sends events that this version cannot read")
	}
	if b.Version > batchVersion {
		return
	}
	for _, raw := range b.Events {
		var e stream.Event
		if err := json.Unmarshal(raw, &e); err != nil {
			r.o.Logger.Warn("an event on the bus cannot be decoded", "error", err)
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

// recordBatch reports whether batches of the sender are missing before b, and whether it is time to read the rows
// because of events of a newer version.
func (r *Relay) recordBatch(b batch) (missed, unreadable bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	return r.peers.recordBatch(b, now), r.peers.recordUnreadable(b, now, r.o.Heartbeat)
}

// Reconnected resyncs after the transport was interrupted, because everything sent meanwhile is lost.
func (r *Relay) Reconnected() {
	r.reconnects.Add(1)
	r.mu.Lock()
	r.peers.clear()
	r.mu.Unlock()
	r.resync("the bus was interrupted")
}

// MessagesLost resyncs after the transport may have dropped messages to this replica.
func (r *Relay) MessagesLost() { r.resync("the bus dropped messages") }

// resync compensates for any lost event: subscribers read their rows and the run engine claims queued runs.
func (r *Relay) resync(why string) {
	r.resyncs.Add(1)
	r.o.Logger.Info("streams are resynced from the database", "why", why)
	r.hub.Resync()
	r.hub.Receive(stream.Event{Kind: stream.RunQueued})
}

// Stats holds a relay's counters since its start.
type Stats struct {
	// Sent and Received count events, the latter those of other replicas. Long text is sent in parts of at most 1000
	// bytes, which count as one event each.
	Sent, Received uint64
	// Batches counts sent batches, heartbeats included.
	Batches uint64
	// Dropped counts events that could not be sent in time.
	Dropped uint64
	// Reconnects counts reconnections of the receiver.
	Reconnects uint64
	// Resyncs counts resyncs of all subscribers.
	Resyncs uint64
	// Lag is the age of the last received batch on its arrival.
	Lag time.Duration
}

type stats struct {
	sent, received, batches, dropped, reconnects, resyncs atomic.Uint64
	lag                                                   atomic.Int64
	sendErr                                               atomic.Pointer[error]
}

// Stats returns the counters.
func (s *stats) Stats() Stats {
	return Stats{
		Sent:       s.sent.Load(),
		Received:   s.received.Load(),
		Batches:    s.batches.Load(),
		Dropped:    s.dropped.Load(),
		Reconnects: s.reconnects.Load(),
		Resyncs:    s.resyncs.Load(),
		Lag:        time.Duration(s.lag.Load()),
	}
}

// lastSendErr returns the error of the last attempt to send, or nil.
func (s *stats) lastSendErr() error {
	if err := s.sendErr.Load(); err != nil {
		return *err
	}
	return nil
}
