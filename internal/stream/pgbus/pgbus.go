// Package pgbus carries events between replicas by PostgreSQL's LISTEN and NOTIFY.
// It uses two connections of its own for each replica: notifying inside a
// transaction that writes, or on a connection that listens, would slow both down.
package pgbus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"errand/internal/stream"
	"errand/internal/stream/relay"

	"github.com/jackc/pgx/v5"
)

const (
	// DefaultChannel is what is listened on; channels are apart for each database.
	DefaultChannel = "errand_stream"
	// startTimeout bounds Start, closeTimeout Close.
	startTimeout = 10 * time.Second
	closeTimeout = 3 * time.Second
)

// Options configure a Bus; zero means the default.
type Options struct {
	// Channel is the notification channel, which all replicas must share.
	Channel string
	// Relay configures batches and heartbeats. Its MaxPayload is PostgreSQL's and cannot be changed.
	Relay relay.Options
}

func (o Options) withDefaults() Options {
	if o.Channel == "" {
		o.Channel = DefaultChannel
	}
	if o.Relay.Logger == nil {
		o.Relay.Logger = slog.Default()
	}
	if o.Relay.Heartbeat == 0 {
		o.Relay.Heartbeat = relay.DefaultHeartbeat
	}
	o.Relay.MaxPayload = 0 // a notification holds less than 8000 bytes
	return o
}

// Bus is a stream.Bus.
type Bus struct {
	relay     *relay.Relay
	notifier  *notifier
	stop      context.CancelFunc // ends the listener
	listening sync.WaitGroup
	once      sync.Once
}

// Start connects the hub to the other replicas of the database. It fails, within ten seconds, when
// it cannot listen, cannot notify, or does not hear itself, as behind a pooler in transaction mode.
// Set the hub's OnWork and OnCancel before, and publish nothing until Start returns. Close the bus in the end.
func Start(ctx context.Context, config *pgx.ConnConfig, hub *stream.Hub, o Options) (*Bus, error) {
	o = o.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	l := &listener{
		config: withNameSuffix(config, "listen"), channel: o.Channel, log: o.Relay.Logger,
		idleTimeout: 3 * o.Relay.Heartbeat, pingTimeout: min(10*o.Relay.Heartbeat, responseTimeout),
	}
	conn, err := l.connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("listening on PostgreSQL: %w", err)
	}
	b := &Bus{notifier: &notifier{config: withNameSuffix(config, "notify"), channel: o.Channel}}
	b.relay = relay.New(hub, b.notifier.send, o.Relay)
	l.relay = b.relay
	hub.Connect(b)
	listening, stop := context.WithCancel(context.Background())
	b.stop = stop
	b.listening.Go(func() { l.run(listening, conn) })
	if err := b.relay.Start(ctx); err != nil {
		if errors.Is(err, relay.ErrNotDelivered) {
			err = fmt.Errorf("%w (LISTEN does not work through a pooler in transaction mode)", err)
		}
		b.Close(ctx)
		hub.Connect(nil)
		return nil, fmt.Errorf("starting the bus on PostgreSQL: %w", err)
	}
	return b, nil
}

// withNameSuffix is a copy of config whose connections can be told apart in pg_stat_activity.
func withNameSuffix(config *pgx.ConnConfig, what string) *pgx.ConnConfig {
	config = config.Copy()
	name := config.RuntimeParams["application_name"]
	if name == "" {
		name = "errand"
	}
	config.RuntimeParams["application_name"] = name + " " + what
	return config
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
		b.stop()
		b.listening.Wait()
		b.notifier.close()
	})
}
