package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"errand/internal/config"
	"errand/internal/graphqlhttp/exec"
	"errand/internal/listen"
	"errand/internal/netlimit"
	"errand/internal/telemetry"
)

const (
	maxHeaderBytes = 64 << 10
	// connectionGrace is enough for the request of a client that is not slow.
	connectionGrace = 250 * time.Millisecond
)

// checkAddresses returns an error if the server could not listen later. It is called before anything is changed, such
// as by migrations. The listener itself is opened last, because a client would wait on it meanwhile.
func (s *Server) checkAddresses() error {
	err := listen.Check("ADDR", s.Config.Server.Addr)
	if admin := s.Config.Server.AdminAddr; admin != config.AdminOff && !config.IsLoopbackAddr(admin) {
		err = errors.Join(err, listen.Check("ADMIN_ADDR", admin))
	}
	return err
}

// listen opens the public listener.
func (s *Server) listen() error {
	inner, err := listen.Open("ADDR", s.Config.Server.Addr)
	if err != nil {
		return err
	}
	c := s.Config.Connections
	proxies := netlimit.Proxies(c.ProxyNetworks())
	limit := s.connectionLimit()
	s.listener = netlimit.NewListener(inner, netlimit.Options{
		Max:        limit,
		PerAddress: min(c.ConnectionsPerAddress, max(limit/4, 4)),
		Grace:      connectionGrace,
		Exempt:     func(ip netip.Addr) bool { return ip.IsLoopback() || proxies.Contains(ip) },
		Log:        s.Log,
	})
	s.onStop("listener", 1, func(context.Context) error {
		_ = s.listener.Close() // an error means: closed by http.Server
		s.listener.CloseAll()
		return nil
	})
	return nil
}

// connectionLimit returns the maximum number of connections of the public listener, and logs it.
func (s *Server) connectionLimit() int {
	l, level := netlimit.ConnectionLimit(
		s.Config.Connections.MaxConnections,
		s.Config.ReservedDescriptors(),
	), slog.LevelInfo
	if l.Tight {
		level = slog.LevelWarn
	}
	s.Log.Log(context.Background(), level, "connections are limited", "limit", l.Connections, "descriptors", l.Descriptors,
		"reserved", l.Reserved, "max_connections", s.Config.Connections.MaxConnections)
	return l.Connections
}

// newHTTPServer returns a server with deadlines for everything that a client may keep waiting.
func (s *Server) newHTTPServer(handler http.Handler) *http.Server {
	c := s.Config.Connections
	deadlines := netlimit.Deadlines{Body: c.BodyTimeout, Write: c.WriteTimeout}
	return &http.Server{
		Handler:           deadlines.Wrap(handler),
		ReadHeaderTimeout: c.HeaderTimeout,
		ReadTimeout:       c.HeaderTimeout + c.BodyTimeout,
		WriteTimeout:      c.BodyTimeout + s.Config.Limits.RequestTimeout + c.WriteTimeout,
		IdleTimeout:       c.IdleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnState:         netlimit.TrackState,
		ConnContext:       netlimit.WithConn,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
		// OPTIONS * is answered by the handler, within its deadlines.
		DisableGeneralOptionsHandler: true,
	}
}

// behindProxies returns next, which gets requests as their clients sent them to the proxies of TRUSTED_PROXIES. It logs
// once that a forwarding header came from another address: of a proxy that is missing in the setting, or of a client.
func (s *Server) behindProxies(next http.Handler) http.Handler {
	proxies := netlimit.Proxies(s.Config.Connections.ProxyNetworks())
	trusted := proxies.Wrap(next)
	var once sync.Once
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" {
			if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && !proxies.Contains(peer.Addr().Unmap()) {
				once.Do(func() {
					s.Log.Warn("forwarding headers are ignored: their sender is not in TRUSTED_PROXIES", "address", peer.Addr())
				})
			}
		}
		trusted.ServeHTTP(w, r)
	})
}

// shutdownHTTP waits for the requests in progress, and closes their connections when ctx ends.
func shutdownHTTP(ctx context.Context, server *http.Server, listener *netlimit.Listener) error {
	server.RegisterOnShutdown(listener.CloseInactive)
	err := server.Shutdown(ctx)
	if err != nil {
		_ = server.Close()
	}
	listener.CloseAll() // hijacked ones, which the server does not know
	return err
}

// authenticateConn returns authenticate, which also records that the request of ctx's connection is authenticated.
func authenticateConn(authenticate exec.Authenticate) exec.Authenticate {
	return func(ctx context.Context, token string) (context.Context, string, time.Time, error) {
		authenticated, userID, expires, err := authenticate(ctx, token)
		if err == nil {
			netlimit.MarkAuthenticated(ctx)
		}
		return authenticated, userID, expires, err
	}
}

// registerConnectionMetrics adds the numbers that the listener counts.
func registerConnectionMetrics(metrics *telemetry.Metrics, listener *netlimit.Listener) {
	metrics.Watch("connections", "Open connections of the public listener.",
		func() float64 { return float64(listener.Stats().Open) })
	metrics.WatchCounter("connections_evicted_total", "Connections closed in favour of others at a limit.",
		func() float64 { return float64(listener.Stats().Evicted) })
	metrics.WatchCounter("connections_refused_total", "Connections answered with 503 at the limit.",
		func() float64 { return float64(listener.Stats().Refused) })
}
