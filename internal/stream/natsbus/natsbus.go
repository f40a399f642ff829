// Package natsbus carries events between replicas by NATS, for fleets that are too
// large for PostgreSQL's notifications.
package natsbus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"errand/internal/stream"
	"errand/internal/stream/relay"

	"github.com/nats-io/nats.go"
)

const (
	// DefaultPrefix begins the names of subjects.
	DefaultPrefix = "errand"
	// DefaultInterval is shorter than the relay's own: a message costs little here.
	DefaultInterval = 5 * time.Millisecond
	// maxPayload is far below what NATS takes, so that one batch does not hold up the next.
	maxPayload = 64 << 10
	// startTimeout bounds Start, closeTimeout Close, answerTimeout one exchange with the server.
	startTimeout    = 10 * time.Second
	closeTimeout    = 3 * time.Second
	responseTimeout = 5 * time.Second
)

// Options configure a Bus; zero means the default.
type Options struct {
	// Prefix tells installations apart that share a NATS server; all replicas of one must share it.
	Prefix string
	// Relay configures batches and heartbeats. Its MaxPayload is the server's, up to 64 KiB.
	Relay relay.Options
}

func (o Options) withDefaults() Options {
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	if o.Relay.Interval == 0 {
		o.Relay.Interval = DefaultInterval
	}
	if o.Relay.Logger == nil {
		o.Relay.Logger = slog.Default()
	}
	return o
}

// Bus is a stream.Bus.
type Bus struct {
	relay   *relay.Relay
	conn    *nats.Conn
	subject string
	log     *slog.Logger
	// ready closes when relay and conn are set: the connection's callbacks may come earlier.
	ready  chan struct{}
	closed chan struct{}
	once   sync.Once
}

// Start connects the hub to the other replicas. urls are one address or several with commas, and may
// hold a password. It fails, within ten seconds, when there is no server, or when this replica
// may not publish and subscribe. Set the hub's OnWork and OnCancel before, and publish
// nothing until Start returns. Close the bus in the end.
func Start(ctx context.Context, urls string, hub *stream.Hub, o Options) (*Bus, error) {
	o = o.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	b := &Bus{subject: o.Prefix + ".stream", log: o.Relay.Logger, ready: make(chan struct{}), closed: make(chan struct{})}
	conn, err := nats.Connect(urls, b.options()...)
	if err != nil {
		return nil, fmt.Errorf("connecting to NATS: %w", withoutURL(err))
	}
	o.Relay.MaxPayload = int(min(conn.MaxPayload(), maxPayload))
	b.conn, b.relay = conn, relay.New(hub, b.send, o.Relay)
	hub.Connect(b)
	close(b.ready)
	if err := b.start(ctx); err != nil {
		b.Close(ctx)
		hub.Connect(nil)
		return nil, fmt.Errorf("starting the bus on NATS: %w", err)
	}
	return b, nil
}

// Probe connects once, as Start does, and says why that fails. Replicas notice nothing.
func Probe(urls string) error {
	conn, err := nats.Connect(urls, nats.Name("errand doctor"), nats.Timeout(responseTimeout), nats.NoReconnect())
	if err != nil {
		return withoutURL(err)
	}
	defer conn.Close()
	return conn.FlushTimeout(responseTimeout)
}

func (b *Bus) start(ctx context.Context) error {
	_, err := b.conn.Subscribe(b.subject, func(m *nats.Msg) { b.relay.Receive(m.Data) })
	// The relay is started in any case: Close expects it to be.
	if started := b.relay.Start(ctx); started != nil {
		err = errors.Join(err, started, b.conn.LastError())
	}
	return err
}

func (b *Bus) options() []nats.Option {
	return []nats.Option{
		nats.Name("errand"),
		nats.Timeout(responseTimeout),
		nats.FlusherTimeout(responseTimeout),
		nats.PingInterval(responseTimeout),
		nats.MaxPingsOutstanding(2),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectJitter(250*time.Millisecond, 500*time.Millisecond),
		nats.ReconnectBufSize(-1), // the relay itself keeps what cannot be sent
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				b.log.Warn("the connection to NATS broke", "error", err)
			}
		}),
		nats.ReconnectHandler(b.onReconnect),
		nats.ErrorHandler(b.onError),
		nats.ClosedHandler(func(*nats.Conn) { close(b.closed) }),
	}
}

// onReconnect resyncs once the server has confirmed that it knows our subscription
// again: rows that are read earlier may miss what is published in between.
func (b *Bus) onReconnect(conn *nats.Conn) {
	<-b.ready
	if err := conn.FlushTimeout(responseTimeout); err != nil {
		b.log.Warn("the connection to NATS came back and broke", "error", err)
		return // it will come back again
	}
	b.relay.Reconnected()
}

// onError is told what goes wrong in the background.
func (b *Bus) onError(_ *nats.Conn, _ *nats.Subscription, err error) {
	b.log.Warn("NATS reports a fault", "error", err)
	if errors.Is(err, nats.ErrSlowConsumer) {
		<-b.ready
		b.relay.MessagesLost()
	}
}

func (b *Bus) send(_ context.Context, payload []byte) error {
	return b.conn.Publish(b.subject, payload)
}

// Publish hands an event to the other replicas, soon. It never blocks.
func (b *Bus) Publish(e stream.Event) { b.relay.Publish(e) }

// Stats reads the bus's counters.
func (b *Bus) Stats() relay.Stats { return b.relay.Stats() }

// Close sends what waits, for three seconds or until ctx ends, and disconnects.
// Nothing is published or received afterwards.
func (b *Bus) Close(ctx context.Context) {
	b.once.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, closeTimeout)
		defer cancel()
		b.relay.Stop(ctx)
		if err := b.conn.FlushWithContext(ctx); err != nil {
			b.log.Warn("the last events may not have reached the other replicas", "error", err)
		}
		b.conn.Close()
		<-b.closed
	})
}

// withoutURL drops the address, which may hold a password, from the error of a bad one.
func withoutURL(err error) error {
	var bad *url.Error
	if errors.As(err, &bad) {
		return bad.Err
	}
	return err
}
