package main

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
	"errand/graph/transport"
	"errand/internal/agent"
	"errand/internal/auth"
	"errand/internal/chat"
	"errand/internal/config"
	"errand/internal/llm/provider"
	"errand/internal/price"
	"errand/internal/runs"
	"errand/internal/spend"
	"errand/internal/store"
	"errand/internal/stream"
	"errand/internal/tasks"
	"errand/internal/telemetry"
	"errand/internal/tools"
	"errand/internal/users"
)

// Server is the whole program: main and the tests start the same one.
type Server struct {
	cfg    config.Config
	log    *slog.Logger
	failed chan error

	metrics  *telemetry.Metrics
	tracer   *telemetry.Tracer // nil when traces are off
	db       *store.DB
	hub      *stream.Hub
	runs     *runs.Engine
	auth     *auth.Auth
	domain   services
	graphql  *transport.Handler
	http     *http.Server
	listener net.Listener
	// undo are what Stop does, in the order of starting; it works backward.
	undo []func(context.Context) error
}

// services are the domain, wired.
type services struct {
	users *users.Service
	tasks *tasks.Service
	tools *tools.Registry
	chat  *chat.Service
	spend *spend.Book
}

// Start opens everything and serves. An error leaves nothing behind.
func Start(ctx context.Context, cfg config.Config, log *slog.Logger) (s *Server, err error) {
	s = &Server{cfg: cfg, log: log, failed: make(chan error, 1), metrics: telemetry.NewMetrics()}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
			s = nil
		}
	}()
	if err := s.startTraces(ctx); err != nil {
		return s, err
	}
	if err := s.openDatabase(ctx); err != nil {
		return s, err
	}
	s.hub = stream.NewHub()
	if s.auth, err = auth.New(cfg, log); err != nil {
		return s, err
	}
	s.onStop(func(context.Context) error { s.auth.Close(); return nil })
	if s.listener, err = net.Listen("tcp", cfg.Server.Addr); err != nil {
		return s, fmt.Errorf("listening on ADDR: %w", err)
	}
	s.onStop(func(context.Context) error { _ = s.listener.Close(); return nil })
	var worker *agent.Agent
	if s.domain, worker, err = s.wire(); err != nil {
		return s, err
	}
	if err := s.connectBus(ctx); err != nil {
		return s, err
	}
	s.onStop(s.runs.Stop) // for a start that fails; a server that serves stops them earlier
	if err := s.runs.Start(ctx, s.traced(worker.Handle)); err != nil {
		return s, err
	}
	if err := s.serveAdmin(); err != nil {
		return s, err
	}
	return s, s.serve(s.domain)
}

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
	if s.db, err = openStore(ctx, s.cfg, s.log); err != nil {
		return err
	}
	s.onStop(func(context.Context) error { return s.db.Close() })
	return s.db.EnsureSchema(ctx, s.cfg.Database.Migrate)
}

// wire joins the domain's parts; nothing of it runs yet.
func (s *Server) wire() (d services, worker *agent.Agent, err error) {
	client := s.db.Client()
	d.tasks = tasks.New(client, func(userID string) {
		s.hub.Publish(stream.Event{Kind: stream.Changed, Topic: userID})
	})
	d.tools = tools.New(d.tasks)
	s.runs, err = runs.New(runs.Options{
		Client: client, Dialect: s.db.Dialect(), Replica: s.cfg.Replicas.ReplicaName,
		Lease: s.cfg.Runs.Lease, Sweep: s.cfg.Runs.Sweep,
		MaxAttempts: s.cfg.Runs.MaxAttempts, Concurrency: s.cfg.Runs.Concurrency,
		Signals: signals{s.hub}, Observer: s.metrics, OnFinished: s.finished, Logger: s.log,
	})
	if err != nil {
		return d, nil, err
	}
	s.hub.OnWork(s.runs.WakeLocal)
	s.hub.OnCancel(func(runID string) { s.runs.CancelLocal(runID) })
	prices, err := price.Parse(s.cfg.LLM.Prices)
	if err != nil {
		return d, nil, fmt.Errorf("LLM_PRICES: %w", err)
	}
	d.spend = spend.New(spend.Options{Client: client, Prices: prices, Limits: spend.Limits{
		PerTurn: s.cfg.Turns.TokensPerTurn, PerDay: s.cfg.Turns.TokensPerDay,
	}})
	d.chat = chat.New(client, s.hub, s.runs, chat.Limits{
		Unfinished: s.cfg.Limits.RepliesPerUser, PerMinute: s.cfg.Limits.MessagesPerMinute, Budget: d.spend.Admit,
	})
	d.users = users.New(client, users.Hooks{StopReplies: d.chat.StopReplies, Deleted: s.accountDeleted})
	worker, err = s.newAgent(d)
	return d, worker, err
}

// shownTurns is how many earlier turns a model is shown at most.
const shownTurns = 20

func (s *Server) newAgent(d services) (*agent.Agent, error) {
	model, name, err := openModel(s.cfg.LLM, s.log)
	if err != nil {
		return nil, err
	}
	return agent.New(agent.Options{
		Client: s.db.Client(), Runs: s.runs, Hub: s.hub, Tasks: d.tasks, Tools: d.tools, Book: d.spend,
		Model: model, ModelName: name, Offline: name == provider.Rules, Titles: s.cfg.LLM.Titles,
		Observer: s.metrics, Logger: s.log,
		Limits: agent.Limits{
			Steps: s.cfg.Turns.MaxSteps, ToolCalls: s.cfg.Turns.MaxToolCalls, Time: s.cfg.Turns.TurnTimeout,
			Turns: shownTurns, Changes: s.cfg.Turns.MaxChanges,
			Context: cmp.Or(s.cfg.LLM.ContextTokens, provider.ContextTokens(string(s.cfg.LLM.Provider))),
		},
	}), nil
}

// finished tells everybody that a reply has become terminal; the row is committed.
func (s *Server) finished(job runs.Job, _ enum.MessageStatus) {
	s.hub.Publish(stream.Event{Kind: stream.Changed, Topic: job.ConversationID, ID: job.MessageID})
}

// accountDeleted ends, on all replicas, what a deleted account has open.
func (s *Server) accountDeleted(userID string, conversationIDs []string) {
	for _, id := range conversationIDs {
		s.hub.Publish(stream.Event{Kind: stream.Changed, Topic: id})
	}
	s.hub.Publish(stream.Event{Kind: stream.Gone, Topic: userID})
}

// signals carries the run engine's hints over the bus.
type signals struct{ hub *stream.Hub }

// Wake implements runs.Signals.
func (s signals) Wake() { s.hub.Publish(stream.Event{Kind: stream.Work}) }

// Cancel implements runs.Signals.
func (s signals) Cancel(runID string) { s.hub.Publish(stream.Event{Kind: stream.Cancel, ID: runID}) }

// serve begins to answer requests.
func (s *Server) serve(d services) error {
	handler, err := s.routes(d)
	if err != nil {
		return err
	}
	s.http = &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	s.onStop(s.http.Shutdown)
	// The sockets end before their streams do: a stream that ends first looks complete.
	s.onStop(func(context.Context) error { s.hub.Close(); return nil })
	s.onStop(func(ctx context.Context) error { return s.graphql.Shutdown(ctx) })
	s.onStop(s.runs.Stop)
	go func() {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
	s.log.Info("serving", "url", s.URL(), "playground", s.URL()+"/playground", "database", s.cfg.Database.URL.String())
	return nil
}
