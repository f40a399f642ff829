package server

import (
	"context"
	"math"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"time"

	"errand/internal/config"
	"errand/internal/listen"
	"errand/internal/netlimit"
	"errand/internal/store"
	"errand/internal/stream"
	"errand/internal/telemetry"
)

// serveAdmin serves metrics on their own listener, for operators, and profiles if that listener is reachable from this
// machine only. If ADMIN_ADDR is a loopback address and in use, for example by another replica on the same machine, the
// server runs without metrics.
func (s *Server) serveAdmin() error {
	if s.Config.Server.AdminAddr == config.AdminOff {
		return nil
	}
	inner, err := listen.Open("ADMIN_ADDR", s.Config.Server.AdminAddr)
	if err != nil && config.IsLoopbackAddr(s.Config.Server.AdminAddr) {
		s.Log.Warn("no metrics: listening on ADMIN_ADDR failed", "error", err)
		return nil
	}
	if err != nil {
		return err
	}
	registerMetrics(s.Metrics, s.DB, s.Hub)
	s.Metrics.Watch(
		"runs_waiting",
		"Replies that wait for a free replica or an earlier reply, on all replicas.",
		s.waitingRuns,
	)
	registerConnectionMetrics(s.Metrics, s.listener)
	listener := netlimit.NewListener(inner, netlimit.Options{
		Max:        config.MaxAdminConnections,
		PerAddress: config.MaxAdminConnections,
		Exempt:     func(netip.Addr) bool { return true },
		Log:        s.Log,
	})
	loopback := config.IsLoopbackAddr(listener.Addr().String())
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.Metrics.Handler())
	if loopback {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	guard := adminGuard{loopback: loopback, hosts: s.Config.Server.AdminHosts, refusals: s.refusals}
	admin := s.newHTTPServer(guard.wrap(mux))
	s.onStop("admin listener", 1, func(ctx context.Context) error { return shutdownHTTP(ctx, admin, listener) })
	go serveListener(admin, listener, s.serveErr)
	s.Log.Info("serving metrics", "url", "http://"+listener.Addr().String()+"/metrics")
	return nil
}

// waitingRuns counts the waiting runs in the database, when metrics are read. NaN means that they cannot be counted.
func (s *Server) waitingRuns() float64 {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	n, err := s.Runs.Waiting(ctx)
	if err != nil {
		return math.NaN()
	}
	return float64(n)
}

// registerMetrics adds the values that the database pool and the hub count themselves.
func registerMetrics(metrics *telemetry.Metrics, db *store.DB, hub *stream.Hub) {
	pool := func(value func(store.PoolStats) int64) func() float64 {
		return func() float64 { return float64(value(db.PoolStats())) }
	}
	metrics.Watch(
		"db_connections_open", "Open database connections.",
		pool(func(p store.PoolStats) int64 { return int64(p.Open) }),
	)
	metrics.Watch(
		"db_connections_in_use", "Database connections in use.",
		pool(func(p store.PoolStats) int64 { return int64(p.InUse) }),
	)
	metrics.WatchCounter(
		"db_waits_total", "Waits for a database connection.",
		pool(func(p store.PoolStats) int64 { return p.WaitCount }),
	)
	metrics.WatchCounter(
		"deltas_out_total", "Text deltas delivered to subscribers.",
		func() float64 { return float64(hub.Deltas()) },
	)
	metrics.Watch(
		"stream_subscribers", "Subscribers of conversations and tasks.",
		func() float64 { return float64(hub.Subscribers()) },
	)
}
