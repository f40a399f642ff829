package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"errand/ent/enum"
	"errand/internal/account"
	"errand/internal/agent"
	"errand/internal/auth"
	"errand/internal/chat"
	"errand/internal/config"
	"errand/internal/graphqlhttp"
	"errand/internal/llm/provider"
	"errand/internal/mcp"
	"errand/internal/price"
	"errand/internal/run"
	"errand/internal/store"
	"errand/internal/stream"
	"errand/internal/task"
	"errand/internal/telemetry"
	"errand/internal/tool"
	"errand/internal/usage"
)

// Server is the whole program: main and the tests start the same one.
type Server struct {
	Config   config.Config
	Log      *slog.Logger
	Metrics  *telemetry.Metrics
	Tracer   *telemetry.Tracer // nil when traces are off
	DB       *store.DB
	Hub      *stream.Hub
	Runs     *run.Engine
	Auth     *auth.Service
	Services Services
	MCP      *mcp.Server

	failed   chan error
	agent    *agent.Agent
	graphql  *graphqlhttp.Handler
	http     *http.Server
	listener net.Listener
	// undo are what Stop does, in the order of starting; it works backward.
	undo []func(context.Context) error
}

// Services are the domain, wired.
type Services struct {
	Accounts *account.Service
	Tasks    *task.Service
	Tools    *tool.Registry
	Chat     *chat.Service
	Usage    *usage.Book
}

// Open opens the database and builds the services, without listeners, workers or a
// connection to other replicas. Commands that work on the database use it as it is. On
// error it has released everything it opened.
func Open(ctx context.Context, cfg config.Config, log *slog.Logger) (*Server, error) {
	s := newServer(cfg, log)
	return s.stoppedOnError(ctx, s.open(ctx))
}

// Start opens everything and serves. On error it has released everything it opened.
func Start(ctx context.Context, cfg config.Config, log *slog.Logger) (*Server, error) {
	s := newServer(cfg, log)
	return s.stoppedOnError(ctx, s.start(ctx))
}

func newServer(cfg config.Config, log *slog.Logger) *Server {
	return &Server{Config: cfg, Log: log, Metrics: telemetry.NewMetrics(), failed: make(chan error, 1)}
}

// stoppedOnError returns s, or releases what it opened when err is not nil.
func (s *Server) stoppedOnError(ctx context.Context, err error) (*Server, error) {
	if err != nil {
		return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	return s, nil
}

func (s *Server) open(ctx context.Context) (err error) {
	if err := s.openDatabase(ctx); err != nil {
		return err
	}
	s.Hub = stream.NewHub()
	s.Services, s.agent, err = s.newServices()
	return err
}

func (s *Server) start(ctx context.Context) (err error) {
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
	s.onStop(func(context.Context) error { _ = s.listener.Close(); return nil })
	if err := s.connectBus(ctx); err != nil {
		return err
	}
	if err := s.StartRuns(ctx); err != nil {
		return err
	}
	if err := s.serveAdmin(); err != nil {
		return err
	}
	return s.serve(s.Services)
}

func (s *Server) openAuth() (err error) {
	if s.Auth, err = auth.New(s.Config, s.Log); err != nil {
		return err
	}
	s.onStop(func(context.Context) error { s.Auth.Close(); return nil })
	return nil
}

// StartRuns starts the run engine: from here on this process writes replies.
func (s *Server) StartRuns(ctx context.Context) error {
	s.onStop(s.Runs.Stop) // a server that serves stops the engine earlier
	return s.Runs.Start(ctx, s.traced(s.agent.Handle))
}

// ModelName is the configured model, as usage and evaluations report it.
func (s *Server) ModelName() string { return s.agent.ModelName }

// Failed delivers the error of a listener that ended although nobody stopped it.
func (s *Server) Failed() <-chan error { return s.failed }

// Handler returns the whole HTTP surface, as the listener serves it.
func (s *Server) Handler() http.Handler { return s.http.Handler }

// URL is where the server answers.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

func (s *Server) onStop(fn func(context.Context) error) { s.undo = append(s.undo, fn) }

// Stop ends everything in order: take no more work and hand runs over, end the
// streams, then the requests, then the database. It may be called again.
func (s *Server) Stop(ctx context.Context) error {
	var errs []error
	for i := len(s.undo) - 1; i >= 0; i-- {
		errs = append(errs, s.undo[i](ctx))
	}
	s.undo = nil
	return errors.Join(errs...)
}

func (s *Server) openDatabase(ctx context.Context) (err error) {
	if s.DB, err = OpenStore(ctx, s.Config, s.Log); err != nil {
		return err
	}
	s.onStop(func(context.Context) error { return s.DB.Close() })
	return s.DB.EnsureSchema(ctx, s.Config.Database.Migrate)
}

// newServices joins the domain's parts; nothing of it runs yet.
func (s *Server) newServices() (d Services, worker *agent.Agent, err error) {
	client := s.DB.Client()
	d.Tasks = task.NewService(client, func(userID string) {
		s.Hub.Publish(stream.Event{Kind: stream.Changed, Topic: userID})
	})
	d.Tools = tool.NewRegistry()
	s.Runs, err = run.NewEngine(run.Options{
		Client:        client,
		SQL:           s.DB.SQL(),
		Replica:       s.Config.Replicas.ReplicaName,
		Lease:         s.Config.Runs.Lease,
		SweepInterval: s.Config.Runs.Sweep,
		MaxAttempts:   s.Config.Runs.MaxAttempts,
		Concurrency:   s.Config.Runs.Concurrency,
		Notifier:      signals{s.Hub},
		Observer:      s.Metrics,
		OnFinished:    s.finished,
		Logger:        s.Log,
	})
	if err != nil {
		return d, nil, err
	}
	s.Hub.OnWork(s.Runs.WakeLocal)
	s.Hub.OnCancel(func(runID string) { s.Runs.CancelLocal(runID) })
	prices, err := price.Parse(s.Config.LLM.Prices)
	if err != nil {
		return d, nil, fmt.Errorf("LLM_PRICES: %w", err)
	}
	d.Usage = usage.New(usage.Options{Client: client, Prices: prices, Limits: usage.Limits{
		PerTurn: s.Config.Turns.TokensPerTurn, PerDay: s.Config.Turns.TokensPerDay,
	}})
	d.Chat = chat.NewService(client, s.Hub, s.Runs, chat.Limits{
		UnfinishedReplies: s.Config.Limits.RepliesPerUser, MessagesPerMinute: s.Config.Limits.MessagesPerMinute, CheckBudget: d.Usage.Admit,
	})
	d.Accounts = account.NewService(client, account.Hooks{CancelReplies: d.Chat.CancelReplies, OnDeleted: s.accountDeleted})
	worker, err = s.newAgent(d)
	return d, worker, err
}

// shownTurns is how many earlier turns a model is shown at most.
const shownTurns = 20

func (s *Server) newAgent(d Services) (*agent.Agent, error) {
	model, name, err := OpenModel(s.Config.LLM, s.Log)
	if err != nil {
		return nil, err
	}
	return agent.New(agent.Options{
		Client: s.DB.Client(), Runs: s.Runs, Hub: s.Hub, Tasks: d.Tasks, Tools: d.Tools, Book: d.Usage,
		Model: model, ModelName: name, Offline: name == provider.Rules, Titles: s.Config.LLM.Titles,
		Observer: s.Metrics, Logger: s.Log,
		Limits: agent.Limits{
			Steps: s.Config.Turns.MaxSteps, ToolCalls: s.Config.Turns.MaxToolCalls, Time: s.Config.Turns.TurnTimeout,
			Turns: shownTurns, Changes: s.Config.Turns.MaxChanges,
			Context: cmp.Or(s.Config.LLM.ContextTokens, provider.ContextTokens(string(s.Config.LLM.Provider))),
		},
	}), nil
}

// finished tells everybody that a reply has become terminal; the row is committed.
func (s *Server) finished(job run.Job, _ enum.MessageStatus) {
	s.Hub.Publish(stream.Event{Kind: stream.Changed, Topic: job.ConversationID, ID: job.MessageID})
}

// accountDeleted ends, on all replicas, what a deleted account has open.
func (s *Server) accountDeleted(userID string, conversationIDs []string) {
	for _, id := range conversationIDs {
		s.Hub.Publish(stream.Event{Kind: stream.Changed, Topic: id})
	}
	s.Hub.Publish(stream.Event{Kind: stream.Gone, Topic: userID})
}

// signals carries the run engine's hints over the bus.
type signals struct{ hub *stream.Hub }

// NotifyQueued implements run.Signals.
func (s signals) NotifyQueued() { s.hub.Publish(stream.Event{Kind: stream.Work}) }

// NotifyCancelled implements run.Signals.
func (s signals) NotifyCancelled(runID string) {
	s.hub.Publish(stream.Event{Kind: stream.Cancel, ID: runID})
}

// serve begins to answer requests.
func (s *Server) serve(d Services) error {
	handler, err := s.routes(d)
	if err != nil {
		return err
	}
	s.http = &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	s.onStop(s.http.Shutdown)
	// The sockets end before their streams do: a stream that ends first looks complete.
	s.onStop(func(context.Context) error { s.Hub.Close(); return nil })
	s.onStop(func(ctx context.Context) error { return s.graphql.Shutdown(ctx) })
	s.onStop(s.Runs.Stop)
	go func() {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
	s.Log.Info("serving", "url", s.URL(), "playground", s.URL()+"/playground", "database", s.Config.Database.URL.String())
	return nil
}
