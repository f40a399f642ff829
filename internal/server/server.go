// Package server assembles the whole program from its packages. [Start] serves HTTP; [Open] builds the services only,
// for commands that work on the database. Tests start the same [Server] as "errand serve".
//
// Start order: traces, database and schema, services, token verification, listener, bus, run engine, admin listener,
// HTTP server. Each part registers its own stop function, and [Server.Stop] calls them in reverse order.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"errand/internal/agent"
	"errand/internal/apitoken"
	"errand/internal/auth"
	"errand/internal/auth/revoked"
	"errand/internal/config"
	"errand/internal/graphqlhttp"
	"errand/internal/mcp"
	"errand/internal/netlimit"
	"errand/internal/refusal"
	"errand/internal/run"
	"errand/internal/store"
	"errand/internal/stream"
	"errand/internal/telemetry"
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
	Revoked  *revoked.Set // revoked sign-in sessions and API tokens
	MCP      *mcp.Server  // nil after Open
	// Indexed is closed when the search index was completed once after Start.
	Indexed <-chan struct{}

	serves   bool // this process will run the engine: it came from Start
	refusals *refusal.Recorder
	tokens   *apitoken.Verifier // nil after Open
	setUpURL string             // see SetUpURL
	agent    *agent.Agent
	health   *healthMonitor
	graphql  *graphqlhttp.Handler
	http     *http.Server
	listener *netlimit.Listener
	serveErr chan error // the error of the first listener that fails; capacity 1
	// stopSteps are executed by Stop in reverse order.
	stopSteps []stopStep
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
	metrics := telemetry.NewMetrics()
	metrics.BuildInfo(cfg.Version, cfg.Commit)
	return &Server{
		Config:   cfg,
		Log:      log,
		Metrics:  metrics,
		refusals: refusal.NewRecorder(log, metrics.Refused),
		serveErr: make(chan error, 1),
	}
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
	s.onStop("database", 1, func(context.Context) error { return s.DB.Close() })
	if s.Config.Database.DirectURL.IsSet() {
		if err := store.CheckDirect(ctx, s.DB); err != nil {
			return fmt.Errorf("DATABASE_DIRECT_URL: %w", err)
		}
	}
	if s.serves { // before the migrations, which must not run under another server
		if err := store.LockServer(ctx, s.DB, "serve"); err != nil {
			return err
		}
	}
	if err := s.DB.EnsureSchema(ctx, s.Config.Database.Migrate); err != nil {
		return err
	}
	s.Hub = stream.NewHub()
	s.Revoked = revoked.New(publisher{s.Hub}.credentialRevoked, s.Log)
	s.Hub.OnCredentialRevoked(func(id string) { s.Revoked.Add(id) })
	return s.buildServices()
}

func (s *Server) start(ctx context.Context) (err error) {
	s.serves = true
	if err := s.checkAddresses(); err != nil {
		return err
	}
	if err := s.startTraces(ctx); err != nil {
		return err
	}
	if err := s.open(ctx); err != nil {
		return err
	}
	s.warnExposure(ctx)
	s.watchHealth(ctx)
	if err := s.openAuth(ctx); err != nil {
		return err
	}
	if err := s.watchRevocations(ctx); err != nil {
		return err
	}
	if err := s.listen(); err != nil {
		return err
	}
	if err := s.connectBus(ctx); err != nil {
		return err
	}
	if err := s.StartRuns(ctx); err != nil {
		return err
	}
	s.startIndexing()
	s.startPurging()
	if err := s.serveAdmin(); err != nil {
		return err
	}
	return s.serve(ctx)
}

func (s *Server) openAuth(ctx context.Context) (err error) {
	if s.Auth, err = auth.New(s.Config, s.Log); err != nil {
		return err
	}
	s.onStop("authentication", 1, func(context.Context) error { s.Auth.Close(); return nil })
	s.acceptAPITokens()
	return s.acceptAccounts(ctx)
}

// StartRuns starts the run engine: from then on, this process claims runs and writes replies. [Start] calls it; after
// [Open], a command may call it. On SQLite it fails while another process runs the engine on the same file.
func (s *Server) StartRuns(ctx context.Context) error {
	if err := store.LockServer(ctx, s.DB, "serve"); err != nil {
		return err
	}
	s.onStop("runs", 1, s.Runs.Stop)
	return s.Runs.Start(ctx, s.observer().traceAttempts(s.agent.Handle))
}

// serve starts the HTTP server on the listener.
func (s *Server) serve(ctx context.Context) error {
	if err := s.openSetUp(ctx); err != nil {
		return err
	}
	handler, err := s.routes()
	if err != nil {
		return err
	}
	s.http = s.newHTTPServer(handler)
	s.onStop("requests", 3, func(ctx context.Context) error { return shutdownHTTP(ctx, s.http, s.listener) })
	// Close the WebSockets before the hub: a client takes a stream that ends on an open socket for complete.
	s.onStop("hub", 1, func(context.Context) error { s.Hub.Close(); return nil })
	s.onStop("WebSockets and streams", 3, s.graphql.Shutdown)
	// Hand over runs first, so that another replica continues them while clients reconnect. Stop is idempotent.
	s.onStop("hand-over of runs", 5, s.Runs.Stop)
	go serveListener(s.http, s.listener, s.serveErr)
	s.Log.Info("serving", "url", s.URL(), "public_url", s.PublicURL(), "playground", s.PlaygroundURL(),
		"version", cmp.Or(s.Config.Version, "devel"), "environment", s.Config.Environment,
		"database", s.Config.Database.URL.String(), "provider", s.Config.LLM.Provider, "model", s.ModelName())
	return nil
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
