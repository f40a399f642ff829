package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"errand/internal/config"
)

// serveAdmin serves metrics and profiles on a listener of their own, which faces
// operators and never the world. A loopback port that is taken, as by another
// replica on the same machine, costs the metrics but not the service.
func (s *Server) serveAdmin() error {
	if s.Config.Server.AdminAddr == config.AdminOff {
		return nil
	}
	listener, err := net.Listen("tcp", s.Config.Server.AdminAddr)
	if err != nil && config.IsLoopbackAddr(s.Config.Server.AdminAddr) {
		s.Log.Warn("no metrics: ADMIN_ADDR cannot be listened on", "error", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("listening on ADMIN_ADDR: %w", err)
	}
	s.watch()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.Metrics.Handler())
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	admin := &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	s.onStop(admin.Shutdown)
	go func() {
		if err := admin.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
	s.Log.Info("serving metrics", "url", "http://"+listener.Addr().String()+"/metrics")
	return nil
}

// watch adds the figures that others keep to the metrics.
func (s *Server) watch() {
	pool := func(read func(open, inUse, waits float64) float64) func() float64 {
		return func() float64 {
			p := s.DB.PoolStats()
			return read(float64(p.Open), float64(p.InUse), float64(p.WaitCount))
		}
	}
	s.Metrics.Watch(
		"db_connections_open",
		"Open database connections.",
		pool(func(open, _, _ float64) float64 { return open }),
	)
	s.Metrics.Watch(
		"db_connections_in_use",
		"Database connections in use.",
		pool(func(_, used, _ float64) float64 { return used }),
	)
	s.Metrics.WatchCounter(
		"db_waits_total",
		"Times that work waited for a database connection.",
		pool(func(_, _, waits float64) float64 { return waits }),
	)
	s.Metrics.WatchCounter(
		"deltas_out_total",
		"Pieces of text handed to subscribers.",
		func() float64 { return float64(s.Hub.Deltas()) },
	)
	s.Metrics.Watch(
		"stream_subscribers",
		"Subscribers of conversations and tasks.",
		func() float64 { return float64(s.Hub.Subscribers()) },
	)
}
