package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/message"
	"errand/internal/apperr"
	"errand/internal/auth"
	"errand/internal/chat"
	"errand/internal/eval"
	"errand/internal/page"
	"errand/internal/server"
	"errand/internal/stream"
	"errand/internal/task"
	"errand/internal/viewer"
)

// runEval measures the configured model on a temporary database. It returns an error when the share of passed cases
// is below --min, so that the exit code is 1.
func runEval(ctx context.Context, inv invocation) (err error) {
	flags := newFlags(inv)
	file := flags.String("file", "", "JSON file of cases; default: the built-in cases")
	kind := flags.String("kind", "", "run only cases of this kind")
	minShare := flags.Float64("min", 1, "share of cases that must pass, 0 to 1")
	if err := flags.Parse(inv.args); err != nil {
		return err
	}
	cases, err := loadCases(*file, *kind)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "errand-eval-")
	if err != nil {
		return fmt.Errorf("creating a directory for the database: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	settings := maps.Clone(inv.environ)
	maps.Copy(settings, map[string]string{
		"DATABASE_URL":        "sqlite:" + filepath.Join(dir, "eval.db"),
		"MESSAGES_PER_MINUTE": "100000",
		"RULES_PACE":          "0s",
		"LLM_TITLES":          "false",
	})
	cfg, err := loadConfig(settings)
	if err != nil {
		return err
	}
	s, err := server.Open(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop(context.WithoutCancel(ctx))) }()
	if err := s.StartRuns(ctx); err != nil {
		return err
	}
	return runCases(ctx, s, cases, *minShare, inv.stdout)
}

func loadCases(path, kind string) ([]eval.Case, error) {
	var content []byte
	if path != "" {
		var err error
		if content, err = os.ReadFile(path); err != nil {
			return nil, fmt.Errorf("reading cases: %w", err)
		}
	}
	all, err := eval.Load(content)
	var cases []eval.Case
	for _, c := range all {
		if kind == "" || c.Kind == kind {
			cases = append(cases, c)
		}
	}
	if err == nil && len(cases) == 0 {
		return nil, fmt.Errorf("no cases of kind %q", kind)
	}
	return cases, err
}

// runCases runs the cases one after the other, each as a new user.
func runCases(ctx context.Context, s *server.Server, cases []eval.Case, minShare float64, out io.Writer) error {
	var results []eval.Result
	for i, c := range cases {
		id, err := s.Services.Accounts.EnsureUser(ctx, auth.Claims{Subject: fmt.Sprintf("user-%d", i)})
		if err != nil {
			return err
		}
		target := &evalTarget{services: s.Services, hub: s.Hub, client: s.DB.Client()}
		r, err := eval.Run(viewer.NewContext(ctx, viewer.Viewer{UserID: id}), c, target)
		if err != nil {
			return fmt.Errorf("case %q: %w", c.Name, err)
		}
		results = append(results, r)
	}
	if err := eval.Write(out, s.ModelName(), results); err != nil {
		return err
	}
	if share := float64(eval.Passed(results)) / float64(len(results)); share < minShare {
		return fmt.Errorf(
			"%d of %d cases passed, a smaller share than --min %g",
			eval.Passed(results),
			len(results),
			minShare,
		)
	}
	return nil
}

// evalTarget implements eval.Target with the services of the server, for the viewer in ctx.
type evalTarget struct {
	services       server.Services
	hub            *stream.Hub
	client         *ent.Client
	conversationID *string
}

// CreateTask implements eval.Target.
func (e *evalTarget) CreateTask(ctx context.Context, t eval.Task) error {
	in := task.CreateTaskInput{Title: t.Title, Labels: t.Labels}
	if t.Description != "" {
		in.Description = &t.Description
	}
	if t.Priority != "" {
		priority, err := enum.ParsePriority(t.Priority)
		if err != nil {
			return err
		}
		in.Priority = &priority
	}
	if t.DueOn != "" {
		in.DueOn = &t.DueOn
	}
	if t.DueAt != "" {
		at, err := time.Parse(dueLayout, t.DueAt)
		if err != nil {
			return err
		}
		in.DueAt = &at
	}
	created, err := e.services.Tasks.CreateTask(ctx, in)
	if err == nil && t.Completed {
		_, err = e.services.Tasks.CompleteTask(ctx, created.ID)
	}
	return err
}

const dueLayout = "2006-01-02 15:04"

// SendMessage implements eval.Target.
func (e *evalTarget) SendMessage(ctx context.Context, text string) (eval.Reply, error) {
	turn, err := e.services.Chat.SendMessage(ctx, chat.SendMessageInput{ConversationID: e.conversationID, Content: text})
	if err != nil {
		return eval.Reply{}, err
	}
	e.conversationID = &turn.Conversation.ID
	sub := e.hub.Subscribe(turn.Conversation.ID)
	defer sub.Close()
	for {
		m, err := e.client.Message.Query().Where(message.ID(turn.AssistantMessage.ID)).WithToolCalls().Only(ctx)
		if err != nil {
			return eval.Reply{}, err
		}
		if m.Status.Terminal() {
			return newEvalReply(m), nil
		}
		if _, err := sub.Next(ctx); err != nil {
			return eval.Reply{}, err
		}
	}
}

func newEvalReply(m *ent.Message) eval.Reply {
	r := eval.Reply{Text: m.Content, Steps: 1, Tokens: m.InputTokens + m.OutputTokens}
	for _, c := range m.Edges.ToolCalls {
		r.Steps = max(r.Steps, c.Step+2)
	}
	if m.Failure() != nil {
		r.Failure = "failed: " + m.Failure().Message
	}
	return r
}

// ListTasks implements eval.Target.
func (e *evalTarget) ListTasks(ctx context.Context) ([]eval.Task, error) {
	const maxTasks = 100
	first := maxTasks
	found, err := e.services.Tasks.ListTasks(
		ctx,
		page.Args{First: &first},
		&task.Order{Field: enum.OrderNumber, Direction: enum.Ascending},
		nil,
	)
	if err != nil {
		return nil, err
	}
	if found.PageInfo.HasNextPage {
		return nil, apperr.New(apperr.Internal, "the case has more than %d tasks", maxTasks)
	}
	out := []eval.Task{}
	for _, t := range found.Nodes() {
		task := eval.Task{
			Number:      t.Number,
			Title:       t.Title,
			Description: t.Description,
			Completed:   t.Completed(),
			Priority:    strings.ToLower(t.Priority.String()),
			Labels:      t.Labels,
		}
		if t.DueOn != nil {
			task.DueOn = *t.DueOn
		}
		if t.DueAt != nil {
			task.DueAt = t.DueAt.UTC().Format(dueLayout)
		}
		out = append(out, task)
	}
	return out, nil
}
