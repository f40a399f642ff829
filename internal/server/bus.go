package server

import (
	"context"
	"fmt"

	"errand/internal/stream"
	"errand/internal/stream/natsbus"
	"errand/internal/stream/pgbus"
	"errand/internal/stream/relay"
	"errand/internal/telemetry"
)

// bus carries events to other replicas and back.
type bus interface {
	stream.Bus
	Stats() relay.Stats
	Close(ctx context.Context)
}

// connectBus connects the hub to other replicas: by NATS if NATS_URL is set, else through PostgreSQL. On SQLite there
// is one server; the commits of other processes are detected in the file.
func (s *Server) connectBus(ctx context.Context) (err error) {
	if s.DB.SingleServer() {
		s.watchExternalChanges()
	}
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
		return fmt.Errorf("connecting to the bus: %w", err)
	}
	s.onStop("bus", 1, func(ctx context.Context) error { b.Close(ctx); return nil })
	registerBusMetrics(s.Metrics, b)
	return nil
}

func registerBusMetrics(metrics *telemetry.Metrics, b bus) {
	counter := func(name, help string, value func(relay.Stats) uint64) {
		metrics.WatchCounter(name, help, func() float64 { return float64(value(b.Stats())) })
	}
	counter("bus_sent_total", "Events sent to other replicas.",
		func(s relay.Stats) uint64 { return s.Sent })
	counter("bus_received_total", "Events received from other replicas.",
		func(s relay.Stats) uint64 { return s.Received })
	counter("bus_dropped_total", "Events not sent; the receivers read rows instead.",
		func(s relay.Stats) uint64 { return s.Dropped })
	counter("bus_reconnects_total", "Reconnects to the bus.",
		func(s relay.Stats) uint64 { return s.Reconnects })
	counter("bus_resyncs_total", "Resyncs of all subscribers: events may be missing, so they read rows.",
		func(s relay.Stats) uint64 { return s.Resyncs })
	metrics.Watch("bus_lag_seconds", "Age of the newest batch on arrival.",
		func() float64 { return b.Stats().Lag.Seconds() })
}
