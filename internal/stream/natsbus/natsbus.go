// Package natsbus is the bus between replicas over NATS, for more replicas than PostgreSQL's notifications support.
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
	// DefaultPrefix is the default prefix of subjects.
	DefaultPrefix = "errand"
	// DefaultInterval is shorter than the relay's own default, because messages are cheap.
	DefaultInterval = 5 * time.Millisecond
	// maxPayload is far below the limit of NATS, so that one batch does not delay the next.
	maxPayload = 64 << 10
	// startTimeout bounds Start, closeTimeout Close, answerTimeout one exchange with the server.
	startTimeout    = 10 * time.Second
	closeTimeout    = 3 * time.Second
	responseTimeout = 5 * time.Second
)

// Options configure a Bus. A zero field means its default.
type Options struct {
	// Prefix separates installations that share a NATS server. It must be the same on all replicas of one.
	Prefix string
	// Relay configures batches and heartbeats. Its MaxPayload is ignored: it is the server's, at most 64 KiB.
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

// Bus is a stream.Bus over NATS.
type Bus struct {
	relay   *relay.Relay
	conn    *nats.Conn
	subject string
	log     *slog.Logger
	// ready closes when relay and conn are set: the connection may call its handlers earlier.
	ready  chan struct{}
	closed chan struct{}
	once   sync.Once
}

// Start connects the hub to the other replicas. urls is one address or several separated by commas, and may contain a
// password. Start fails within ten seconds if there is no server or this replica may not publish and subscribe. Set the
// hub's OnRunQueued and OnRunCancelled before, publish only after Start has returned, and Close the bus in the end.
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

// Probe connects once, with the options of Start, and returns the error. It publishes nothing.
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
	// The relay is started in any case, because Close stops it.
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
		nats.ReconnectBufSize(-1), // the relay queues events itself
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

// onReconnect resyncs after the server has confirmed the subscription: rows that are read earlier may lack changes
// whose messages were lost.
func (b *Bus) onReconnect(conn *nats.Conn) {
	<-b.ready
	if err := conn.FlushTimeout(responseTimeout); err != nil {
		b.log.Warn("the connection to NATS broke again after a reconnect", "error", err)
		return // onReconnect is called again
	}
	b.relay.Reconnected()
}

// onError handles asynchronous errors of the connection.
func (b *Bus) onError(_ *nats.Conn, _ *nats.Subscription, err error) {
	b.log.Warn("NATS reports an error", "error", err)
	if errors.Is(err, nats.ErrSlowConsumer) {
		<-b.ready
		b.relay.MessagesLost()
	}
}

func (b *Bus) send(_ context.Context, payload []byte) error {
	return b.conn.Publish(b.subject, payload)
}

// Publish queues an event for the other replicas. It never blocks.
func (b *Bus) Publish(e stream.Event) { b.relay.Publish(e) }

// Stats returns the counters of the relay.
func (b *Bus) Stats() relay.Stats { return b.relay.Stats() }

// Close sends the queued events, for at most three seconds or until ctx ends, and disconnects. Nothing is published or
// received afterwards.
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

// withoutURL removes the address, which may contain a password, from a parse error.
func withoutURL(err error) error {
	var bad *url.Error
	if errors.As(err, &bad) {
		return bad.Err
	}
	return err
}
