package server

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"

	"errand/internal/account"
	"errand/internal/agent"
	"errand/internal/chat"
	"errand/internal/config"
	"errand/internal/llm"
	"errand/internal/llm/provider"
	"errand/internal/offline"
	"errand/internal/price"
	"errand/internal/quota"
	"errand/internal/run"
	"errand/internal/store"
	"errand/internal/task"
	"errand/internal/tool"
	"errand/internal/usage"

	"github.com/tmc/langchaingo/llms"
)

// maxHistoryTurns is the maximum number of earlier turns in a prompt.
const maxHistoryTurns = 20

// Services are the domain services, connected to each other. They act as the viewer of their context.
type Services struct {
	Accounts *account.Service
	Tasks    *task.Service
	Tools    *tool.Registry
	Chat     *chat.Service
	Usage    *usage.Ledger
}

// OpenStore opens the configured database. It does not migrate it.
func OpenStore(ctx context.Context, cfg config.Config, log *slog.Logger) (*store.DB, error) {
	return store.Open(ctx, store.Options{
		URL:            cfg.Database.URL.Reveal(),
		DirectURL:      cfg.Database.DirectURL.Reveal(),
		MaxConns:       cfg.Database.MaxConns,
		StatementCache: cfg.Database.StatementCache,
		RLS:            store.RLSMode(cfg.Database.RowSecurity),
		Logger:         log,
	})
}

// OpenModel returns the configured model and its name. It makes no network request.
func OpenModel(c config.LLM, log *slog.Logger) (model llms.Model, name string, err error) {
	return provider.Open(provider.Settings{
		Provider:         string(c.Provider),
		Model:            c.Model,
		Fallback:         c.Fallback,
		OpenAIKey:        c.OpenAIKey,
		OpenAIBaseURL:    c.OpenAIBaseURL,
		GeminiKey:        c.GeminiKey,
		GeminiBaseURL:    c.GeminiBaseURL,
		AnthropicKey:     c.AnthropicKey,
		AnthropicBaseURL: c.AnthropicBaseURL,
		OllamaBaseURL:    c.OllamaBaseURL,
		HTTP:             llm.HTTPOptions{Log: log},
		Rules:            func() llms.Model { return offline.New(offline.Options{Pace: c.RulesPace}) },
	})
}

// buildServices sets the run engine, the services and the agent, and connects them through the hub. It starts nothing.
func (s *Server) buildServices() (err error) {
	client, events := s.DB.Client(), publisher{s.Hub}
	limits := quota.Limits{
		Tasks:              s.Config.Limits.TasksPerUser,
		Conversations:      s.Config.Limits.ConversationsPerUser,
		Bytes:              int64(s.Config.Limits.BytesPerUser),
		MutationsPerMinute: s.Config.Limits.MutationsPerMinute,
	}
	s.Services.Tasks = task.NewService(client, limits, events.tasksChanged)
	s.Services.Tools = tool.NewRegistry()
	s.Runs, err = run.NewEngine(run.Options{
		Client:        client,
		SQL:           s.DB.SQL(),
		Replica:       s.Config.Replicas.ReplicaName,
		Lease:         s.Config.Runs.Lease,
		SweepInterval: s.Config.Runs.Sweep,
		MaxAttempts:   s.Config.Runs.MaxAttempts,
		Concurrency:   s.Config.Runs.Concurrency,
		Exclusive:     s.DB.SingleServer(),
		NewLock:       s.newWorkerLock(),
		Notifier:      events,
		Observer:      s.Metrics,
		OnFinished:    events.replyFinished,
		Logger:        s.Log,
	})
	if err != nil {
		return err
	}
	s.Hub.OnRunQueued(s.Runs.WakeLocal)
	s.Hub.OnRunCancelled(func(runID string) { s.Runs.CancelLocal(runID) })
	prices, err := price.Parse(s.Config.LLM.Prices)
	if err != nil {
		return fmt.Errorf("LLM_PRICES: %w", err)
	}
	s.Services.Usage = usage.New(usage.Options{
		Client: client,
		Prices: prices,
		Limits: usage.Limits{PerTurn: s.Config.Turns.TokensPerTurn, PerDay: s.Config.Turns.TokensPerDay},
	})
	s.Services.Chat = chat.NewService(client, s.Hub, s.Runs, s.Services.Tasks, chat.Limits{
		UnfinishedReplies: s.Config.Limits.RepliesPerUser,
		MessagesPerMinute: s.Config.Limits.MessagesPerMinute,
		CheckBudget:       s.Services.Usage.Admit,
		Quota:             limits,
	})
	s.Services.Accounts = account.NewService(client, limits, account.Hooks{
		CancelReplies: s.Services.Chat.CancelReplies,
		OnDeleted:     events.accountDeleted,
	})
	s.agent, err = s.newAgent()
	return err
}

// newWorkerLock returns the constructor of the lock that shows that this replica runs, or nil on SQLite.
func (s *Server) newWorkerLock() func(name string) run.WorkerLock {
	if s.DB.SingleServer() {
		return nil
	}
	return func(name string) run.WorkerLock {
		l := store.NewSessionLock(s.DB, name)
		s.Metrics.Watch("session_lock_held", "Whether this replica holds its session lock, by which others notice its end.",
			func() float64 {
				if l.Held() {
					return 1
				}
				return 0
			})
		return l
	}
}

func (s *Server) newAgent() (*agent.Agent, error) {
	model, name, err := OpenModel(s.Config.LLM, s.Log)
	if err != nil {
		return nil, err
	}
	return agent.New(agent.Options{
		Client:    s.DB.Client(),
		Runs:      s.Runs,
		Hub:       s.Hub,
		Tasks:     s.Services.Tasks,
		Tools:     s.Services.Tools,
		Ledger:    s.Services.Usage,
		Model:     model,
		ModelName: name,
		Offline:   name == provider.Rules,
		Titles:    s.Config.LLM.Titles,
		Observer:  s.Metrics,
		Logger:    s.Log,

		ApprovalTTL: s.Config.Turns.ApprovalTTL,
		Limits: agent.Limits{
			Steps:     s.Config.Turns.MaxSteps,
			ToolCalls: s.Config.Turns.MaxToolCalls,
			Time:      s.Config.Turns.TurnTimeout,
			Turns:     maxHistoryTurns,
			Changes:   s.Config.Turns.MaxChanges,
			Context:   cmp.Or(s.Config.LLM.ContextTokens, provider.ContextTokens(string(s.Config.LLM.Provider))),
		},
	}), nil
}
