package server

import (
	"context"
	"fmt"

	"errand/internal/stream"
	"errand/internal/stream/natsbus"
	"errand/internal/stream/pgbus"
	"errand/internal/stream/relay"
)

// bus carries events to the other replicas.
type bus interface {
	stream.Bus
	Stats() relay.Stats
	Close(ctx context.Context)
}

// connectBus joins this replica with the others: by NATS where it is given, else
// through PostgreSQL. One process on SQLite is alone.
func (s *Server) connectBus(ctx context.Context) (err error) {
	options := relay.Options{Logger: s.Log}
	var b bus
	switch postgres := s.DB.PostgresConfig(); {
	case s.Config.Replicas.NATSURL.IsSet():
		b, err = natsbus.Start(ctx, s.Config.Replicas.NATSURL.Reveal(), s.Hub, natsbus.Options{Relay: options})
	case postgres != nil:
		b, err = pgbus.Start(ctx, postgres, s.Hub, pgbus.Options{Relay: options})
	default:
		return nil
	}
	if err != nil {
		return fmt.Errorf("joining the other replicas: %w", err)
	}
	s.onStop(func(ctx context.Context) error { b.Close(ctx); return nil })
	s.watchBus(b)
	return nil
}

func (s *Server) watchBus(b bus) {
	count := func(name, help string, read func(relay.Stats) uint64) {
		s.Metrics.WatchCounter(name, help, func() float64 { return float64(read(b.Stats())) })
	}
	count("bus_sent_total", "Events sent to other replicas.", func(t relay.Stats) uint64 { return t.Sent })
	count("bus_received_total", "Events received from other replicas.", func(t relay.Stats) uint64 { return t.Received })
	count(
		"bus_dropped_total",
		"Events that could not be sent; receivers read rows instead.",
		func(t relay.Stats) uint64 { return t.Dropped },
	)
	count("bus_reconnects_total", "Times that the bus came back.", func(t relay.Stats) uint64 { return t.Reconnects })
	count(
		"bus_resyncs_total",
		"Times that all subscribers were told to read rows.",
		func(t relay.Stats) uint64 { return t.Resyncs },
	)
	s.Metrics.Watch(
		"bus_lag_seconds",
		"Age of the newest batch on its arrival.",
		func() float64 { return b.Stats().Lag.Seconds() },
	)
}
