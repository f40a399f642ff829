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
	"errand/internal/config"
	"errand/internal/eval"
	"errand/internal/page"
	"errand/internal/server"
	"errand/internal/stream"
	"errand/internal/task"
	"errand/internal/viewer"
)

// evalCommand measures the configured model on a database of its own. Its error makes the
// exit code 1 when fewer cases pass than demanded.
func evalCommand(ctx context.Context, args []string, environ map[string]string, stdout, stderr io.Writer) (err error) {
	flags := newFlags("eval", stderr)
	file := flags.String("file", "", "JSON file of cases; the shipped ones when empty")
	kind := flags.String("kind", "", "only cases of this kind")
	least := flags.Float64("min", 1, "the share of cases that must pass, 0 to 1")
	if err := flags.Parse(args); err != nil {
		return err
	}
	cases, err := loadCases(*file, *kind)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "errand-eval-")
	if err != nil {
		return fmt.Errorf("making a folder for the database: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	settings := maps.Clone(environ)
	maps.Copy(settings, map[string]string{
		"DATABASE_URL": "sqlite:" + filepath.Join(dir, "eval.db"), "MESSAGES_PER_MINUTE": "100000",
		"RULES_PACE": "0s", "LLM_TITLES": "false",
	})
	cfg, err := config.Load(settings, ".env")
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
	return runCases(ctx, s, cases, *least, stdout)
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
		return nil, errors.New("there are no such cases")
	}
	return cases, err
}

// runCases runs the cases one after the other through the same agent that serves.
func runCases(ctx context.Context, s *server.Server, cases []eval.Case, least float64, out io.Writer) error {
	var results []eval.Result
	for i, c := range cases {
		id, err := s.Services.Accounts.EnsureUser(ctx, auth.Claims{Subject: fmt.Sprintf("person-%d", i)})
		if err != nil {
			return err
		}
		p := &subject{services: s.Services, hub: s.Hub, client: s.DB.Client()}
		r, err := eval.Run(viewer.NewContext(ctx, viewer.Viewer{UserID: id}), c, p)
		if err != nil {
			return fmt.Errorf("case %q: %w", c.Name, err)
		}
		results = append(results, r)
	}
	if err := eval.Write(out, s.ModelName(), results); err != nil {
		return err
	}
	if share := float64(eval.Passed(results)) / float64(len(results)); share < least {
		return fmt.Errorf("%d of %d cases passed", eval.Passed(results), len(results))
	}
	return nil
}

// subject implements eval.Person over the domain.
type subject struct {
	services server.Services
	hub      *stream.Hub
	client   *ent.Client
	talk     *string
}

// Put implements eval.Person.
func (p *subject) Put(ctx context.Context, t eval.Task) error {
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
	made, err := p.services.Tasks.CreateTask(ctx, in)
	if err == nil && t.Completed {
		_, err = p.services.Tasks.CompleteTask(ctx, made.ID)
	}
	return err
}

const dueLayout = "2006-01-02 15:04"

// Say implements eval.Person.
func (p *subject) Say(ctx context.Context, text string) (eval.Reply, error) {
	turn, err := p.services.Chat.SendMessage(ctx, chat.SendMessageInput{ConversationID: p.talk, Content: text})
	if err != nil {
		return eval.Reply{}, err
	}
	p.talk = &turn.Conversation.ID
	sub := p.hub.Subscribe(turn.Conversation.ID)
	defer sub.Close()
	for {
		m, err := p.client.Message.Query().Where(message.ID(turn.AssistantMessage.ID)).WithToolCalls().Only(ctx)
		if err != nil {
			return eval.Reply{}, err
		}
		if m.Status.Terminal() {
			return replyOf(m), nil
		}
		if _, err := sub.Next(ctx); err != nil {
			return eval.Reply{}, err
		}
	}
}

func replyOf(m *ent.Message) eval.Reply {
	r := eval.Reply{Text: m.Content, Steps: 1, Tokens: m.InputTokens + m.OutputTokens}
	for _, c := range m.Edges.ToolCalls {
		r.Steps = max(r.Steps, c.Step+2)
	}
	switch {
	case m.Failure() != nil:
		r.Fault = "failed: " + m.Failure().Message
	case m.Unverified():
		r.Fault = "is not true: " + *m.UnverifiedReason
	}
	return r
}

// Tasks implements eval.Person.
func (p *subject) Tasks(ctx context.Context) ([]eval.Task, error) {
	const most = 100
	first := most
	found, err := p.services.Tasks.ListTasks(
		ctx,
		page.Args{First: &first},
		&task.Order{Field: enum.OrderNumber, Direction: enum.Ascending},
		nil,
	)
	if err != nil {
		return nil, err
	}
	if found.PageInfo.HasNextPage {
		return nil, apperr.New(apperr.Internal, "a case with more than %d tasks", most)
	}
	out := []eval.Task{}
	for _, t := range found.Nodes() {
		view := eval.Task{
			Number: t.Number, Title: t.Title, Description: t.Description, Completed: t.Completed(),
			Priority: strings.ToLower(t.Priority.String()), Labels: t.Labels,
		}
		if t.DueOn != nil {
			view.DueOn = *t.DueOn
		}
		if t.DueAt != nil {
			view.DueAt = t.DueAt.UTC().Format(dueLayout)
		}
		out = append(out, view)
	}
	return out, nil
}
