// Package server assembles the whole program from its packages. [Start] serves HTTP; [Open] builds the services only,
// for commands that work on the database. Tests start the same [Server] as "errand serve".
//
// Start order: traces, database and schema, services, token verification, listener, bus, run engine, admin listener,
// HTTP server. Each part registers its own stop function, and [Server.Stop] calls them in reverse order.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"errand/internal/agent"
	"errand/internal/auth"
	"errand/internal/config"
	"errand/internal/graphqlhttp"
	"errand/internal/mcp"
	"errand/internal/run"
	"errand/internal/store"
	"errand/internal/stream"
	"errand/internal/telemetry"
)

const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
)

// Server is the whole program. Its exported fields are set by [Open] and [Start] and must not be changed.
type Server struct {
	Config   config.Config
	Log      *slog.Logger
	Metrics  *telemetry.Metrics
	Tracer   *telemetry.Tracer // nil when traces are off
	DB       *store.DB
	Hub      *stream.Hub   // delivers events within this replica
	Runs     *run.Engine   // stopped until StartRuns
	Auth     *auth.Service // nil after Open
	Services Services
	MCP      *mcp.Server // nil after Open

	serves   bool // this process will run the engine: it came from Start
	agent    *agent.Agent
	graphql  *graphqlhttp.Handler
	http     *http.Server
	listener net.Listener
	serveErr chan error // the error of the first listener that fails; capacity 1
	// stopFuncs are called by Stop in reverse order.
	stopFuncs []func(context.Context) error
}

// Open opens the database, brings its schema up to date if cfg allows that, and builds the services. It starts no
// listener, no worker and no connection to other replicas. On error it has released everything it opened.
func Open(ctx context.Context, cfg config.Config, log *slog.Logger) (*Server, error) {
	s := newServer(cfg, log)
	return stopOnError(ctx, s, s.open(ctx))
}

// Start opens everything and serves until [Server.Stop]. ctx limits the start only. On error it has released everything
// it opened.
func Start(ctx context.Context, cfg config.Config, log *slog.Logger) (*Server, error) {
	s := newServer(cfg, log)
	return stopOnError(ctx, s, s.start(ctx))
}

func newServer(cfg config.Config, log *slog.Logger) *Server {
	return &Server{Config: cfg, Log: log, Metrics: telemetry.NewMetrics(), serveErr: make(chan error, 1)}
}

// stopOnError returns s if err is nil; otherwise it stops s and returns the errors.
func stopOnError(ctx context.Context, s *Server, err error) (*Server, error) {
	if err != nil {
		return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	return s, nil
}

func (s *Server) open(ctx context.Context) (err error) {
	if s.DB, err = OpenStore(ctx, s.Config, s.Log); err != nil {
		return err
	}
	s.onStop(func(context.Context) error { return s.DB.Close() })
	if s.serves { // before the migrations, which must not run under another server
		if err := s.DB.LockServer(ctx, "serve"); err != nil {
			return err
		}
	}
	if err := s.DB.EnsureSchema(ctx, s.Config.Database.Migrate); err != nil {
		return err
	}
	s.Hub = stream.NewHub()
	return s.buildServices()
}

func (s *Server) start(ctx context.Context) (err error) {
	s.serves = true
	if err := s.startTraces(ctx); err != nil {
		return err
	}
	if err := s.open(ctx); err != nil {
		return err
	}
	if err := s.openAuth(); err != nil {
		return err
	}
	if s.listener, err = net.Listen("tcp", s.Config.Server.Addr); err != nil {
		return fmt.Errorf("listening on ADDR: %w", err)
	}
	s.onStop(func(context.Context) error { _ = s.listener.Close(); return nil }) // an error means: closed by http.Server
	if err := s.connectBus(ctx); err != nil {
		return err
	}
	if err := s.StartRuns(ctx); err != nil {
		return err
	}
	if err := s.serveAdmin(); err != nil {
		return err
	}
	return s.serve()
}

func (s *Server) openAuth() (err error) {
	if s.Auth, err = auth.New(s.Config, s.Log); err != nil {
		return err
	}
	s.onStop(func(context.Context) error { s.Auth.Close(); return nil })
	return nil
}

// StartRuns starts the run engine: from then on, this process claims runs and writes replies. [Start] calls it; after
// [Open], a command may call it. On SQLite it fails while another process runs the engine on the same file.
func (s *Server) StartRuns(ctx context.Context) error {
	if err := s.DB.LockServer(ctx, "serve"); err != nil {
		return err
	}
	s.onStop(s.Runs.Stop)
	return s.Runs.Start(ctx, s.observer().traceAttempts(s.agent.Handle))
}

// serve starts the HTTP server on the listener.
func (s *Server) serve() error {
	handler, err := s.routes()
	if err != nil {
		return err
	}
	s.http = newHTTPServer(handler, s.Log)
	s.http.IdleTimeout, s.http.MaxHeaderBytes = idleTimeout, maxHeaderBytes
	s.onStop(s.http.Shutdown)
	// Close the WebSockets before the hub: a client takes a stream that ends on an open socket for complete.
	s.onStop(func(context.Context) error { s.Hub.Close(); return nil })
	s.onStop(func(ctx context.Context) error { return s.graphql.Shutdown(ctx) })
	// Hand over runs first, so that another replica continues them while clients reconnect. Stop is idempotent.
	s.onStop(s.Runs.Stop)
	go serveListener(s.http, s.listener, s.serveErr)
	s.Log.Info("serving", "url", s.URL(), "playground", s.URL()+"/playground", "database", s.Config.Database.URL.String())
	return nil
}

func newHTTPServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// serveListener serves until Shutdown. Any other error is sent to failed, unless an earlier one is waiting there.
func serveListener(server *http.Server, listener net.Listener, failed chan<- error) {
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		select {
		case failed <- err:
		default:
		}
	}
}

// Failed returns a channel that receives the error of a listener that ended before Stop.
func (s *Server) Failed() <-chan error { return s.serveErr }

// Handler returns the HTTP handler that the listener serves. It panics after Open.
func (s *Server) Handler() http.Handler { return s.http.Handler }

// URL returns the base URL of the listener, without a trailing slash. It panics after Open.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// ModelName returns the name of the configured model, as usage and evaluations report it.
func (s *Server) ModelName() string { return s.agent.ModelName }

// onStop registers a function for Stop.
func (s *Server) onStop(fn func(context.Context) error) { s.stopFuncs = append(s.stopFuncs, fn) }

// Stop stops everything in reverse start order: the run engine, which hands runs over to other replicas; WebSockets;
// streams; HTTP requests; the database. ctx limits the wait. A second call does nothing.
func (s *Server) Stop(ctx context.Context) error {
	var errs []error
	for i := len(s.stopFuncs) - 1; i >= 0; i-- {
		errs = append(errs, s.stopFuncs[i](ctx))
	}
	s.stopFuncs = nil
	return errors.Join(errs...)
}
