// Package pgbus is the bus between replicas over PostgreSQL's LISTEN and NOTIFY. Each replica uses two connections of
// its own: a NOTIFY inside a writing transaction, or on the listening connection, would slow both down.
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
	// DefaultChannel is the default notification channel. Channels are separate for each database.
	DefaultChannel = "errand_stream"
	// startTimeout bounds Start and closeTimeout bounds Close.
	startTimeout = 10 * time.Second
	closeTimeout = 3 * time.Second
)

// Options configure a Bus. A zero field means its default.
type Options struct {
	// Channel is the notification channel, which must be the same on all replicas.
	Channel string
	// Relay configures batches and heartbeats. Its MaxPayload is ignored: PostgreSQL limits a payload.
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

// Bus is a stream.Bus over PostgreSQL.
type Bus struct {
	relay     *relay.Relay
	notifier  *notifier
	stop      context.CancelFunc // ends the listener
	listening sync.WaitGroup
	once      sync.Once
}

// Start connects the hub to the other replicas of the database. It fails within ten seconds if it cannot listen, cannot
// notify, or does not receive its own notifications, as behind a pooler in transaction mode. Set the hub's OnRunQueued
// and OnRunCancelled before, publish only after Start has returned, and Close the bus in the end.
func Start(ctx context.Context, config *pgx.ConnConfig, hub *stream.Hub, o Options) (*Bus, error) {
	o = o.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	l := &listener{
		config:        withNameSuffix(config, "listen"),
		channel:       o.Channel,
		log:           o.Relay.Logger,
		idleTimeout:   3 * o.Relay.Heartbeat,
		pingTimeout:   min(10*o.Relay.Heartbeat, responseTimeout),
		checkInterval: o.Relay.Heartbeat,
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
			err = fmt.Errorf(
				"%w (LISTEN does not work through a pooler in transaction mode: set DATABASE_DIRECT_URL or NATS_URL)",
				err,
			)
		}
		b.Close(ctx)
		hub.Connect(nil)
		return nil, fmt.Errorf("starting the bus on PostgreSQL: %w", err)
	}
	return b, nil
}

// withNameSuffix returns a copy of config with a suffix to application_name, which identifies the connection in
// pg_stat_activity.
func withNameSuffix(config *pgx.ConnConfig, suffix string) *pgx.ConnConfig {
	config = config.Copy()
	name := config.RuntimeParams["application_name"]
	if name == "" {
		name = "errand"
	}
	config.RuntimeParams["application_name"] = name + " " + suffix
	return config
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
		b.stop()
		b.listening.Wait()
		b.notifier.close()
	})
}
