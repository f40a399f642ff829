package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	"errand/internal/account"
	"errand/internal/agent"
	"errand/internal/apitoken"
	"errand/internal/chat"
	"errand/internal/config"
	"errand/internal/llm"
	"errand/internal/llm/catalog"
	"errand/internal/llm/provider"
	"errand/internal/offline"
	"errand/internal/price"
	"errand/internal/quota"
	"errand/internal/run"
	"errand/internal/signin"
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
	Tokens   *apitoken.Service
	SignIn   *signin.Service
	Tasks    *task.Service
	Tools    *tool.Registry
	Chat     *chat.Service
	Usage    *usage.Ledger
}

// OpenStore opens the configured database. It does not migrate it.
func OpenStore(ctx context.Context, cfg config.Config, log *slog.Logger) (*store.DB, error) {
	db, err := store.Open(ctx, store.Options{
		URL:            cfg.Database.URL.Reveal(),
		DirectURL:      cfg.Database.DirectURL.Reveal(),
		MaxConns:       cfg.Database.MaxConns,
		StatementCache: cfg.Database.StatementCache,
		RLS:            store.RLSMode(cfg.Database.RowSecurity),
		Logger:         log,
	})
	if err != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("%w; %s", err, databaseFix(cfg.Database, err))
	}
	return db, err
}

// databaseFix returns what to do about a database that cannot be opened.
func databaseFix(c config.Database, err error) string {
	path, sqlite := c.URL.SQLitePath()
	if !sqlite {
		return "check DATABASE_URL, and that the database server runs"
	}
	info, statErr := os.Stat(path)
	switch {
	case statErr == nil && info.IsDir():
		return "DATABASE_URL names a folder: set it to a file in it, such as sqlite:" + filepath.Join(path, "errand.db")
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return "make the folder of DATABASE_URL writable for this user, or set another one"
	case errors.Is(err, syscall.ENOSPC):
		return "the disk is full: free space, or set another DATABASE_URL"
	case statErr == nil:
		return "DATABASE_URL must name a file of Errand: set another one, or restore a backup to a new file"
	default:
		return "check DATABASE_URL"
	}
}

// OpenModel returns the configured model and its name. It makes no network request.
func OpenModel(c config.LLM, log *slog.Logger) (model llms.Model, name string, err error) {
	return provider.Open(modelSettings(c, log))
}

// openModel returns the configured model with connections for as many calls as replies are generated at the same time.
func (s *Server) openModel() (model llms.Model, name string, err error) {
	settings := modelSettings(s.Config.LLM, s.Log)
	settings.HTTP.Client = llm.NewHTTPClient(s.Config.Runs.Concurrency)
	return provider.Open(settings)
}

// ListModels returns the models of a provider, which need not be the configured one.
func ListModels(ctx context.Context, c config.LLM, name string) ([]catalog.Model, error) {
	server, err := modelSettings(c, slog.New(slog.DiscardHandler)).Server(name)
	if err != nil {
		return nil, err
	}
	return catalog.List(ctx, name, server)
}

func modelSettings(c config.LLM, log *slog.Logger) provider.Settings {
	return provider.Settings{
		Provider:         string(c.Provider),
		Model:            c.Model,
		Fallback:         c.Fallback,
		OpenAIKey:        c.OpenAIKey,
		OpenAIBaseURL:    c.OpenAIBaseURL,
		OpenAIAPI:        c.OpenAIAPI,
		GeminiKey:        c.GeminiKey,
		GeminiBaseURL:    c.GeminiBaseURL,
		AnthropicKey:     c.AnthropicKey,
		AnthropicBaseURL: c.AnthropicBaseURL,
		OllamaBaseURL:    c.OllamaBaseURL,
		Generation:       generation(c),
		HTTP:             llm.HTTPOptions{Log: log},
		Rules:            func() llms.Model { return offline.New(offline.Options{Pace: c.RulesPace}) },
	}
}

func generation(c config.LLM) llm.Generation {
	g := llm.Generation{
		Effort:          c.ReasoningEffort,
		Thinking:        c.Thinking,
		Temperature:     c.Temperature,
		MaxOutputTokens: c.MaxOutputTokens,
	}
	if g.Thinking == config.ThinkingAuto {
		g.Thinking = ""
	}
	return g
}

// buildServices sets the run engine, the services and the agent, and connects them through the hub. It starts nothing.
func (s *Server) buildServices() (err error) {
	client, events := s.DB.Client(), publisher{s.Hub}
	limits := quota.Limits{
		Tasks:              s.Config.Limits.TasksPerUser,
		Conversations:      s.Config.Limits.ConversationsPerUser,
		Bytes:              s.Config.Limits.BytesPerUser,
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
		OnRevoked:     func(ids ...string) { s.Revoked.Revoke(ids...) },
	})
	s.Services.Tokens = apitoken.NewService(client, limits, func(id string) { s.Revoked.Revoke(id) })
	s.Services.SignIn = signin.New(signin.Options{
		Client:    client,
		Log:       s.Log,
		OnRevoked: s.Revoked.Revoke,
		IsRevoked: s.Revoked.Contains,
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
	model, name, err := s.openModel()
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
			Chars:     s.Config.Turns.MaxChars,
			Changes:   s.Config.Turns.MaxChanges,
			Context:   cmp.Or(s.Config.LLM.ContextTokens, provider.ContextTokens(string(s.Config.LLM.Provider))),
		},
		Window: modelWindow(s.Config.LLM, name),
	}), nil
}
