package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/message"
	"errand/internal/account"
	"errand/internal/apperr"
	"errand/internal/auth"
	"errand/internal/chat"
	"errand/internal/config"
	"errand/internal/eval"
	"errand/internal/page"
	"errand/internal/price"
	"errand/internal/server"
	"errand/internal/stream"
	"errand/internal/task"
	"errand/internal/viewer"

	"github.com/spf13/cobra"
)

func newEvalCommand(inv *invocation) *cobra.Command {
	o := evalOptions{}
	cmd := &cobra.Command{
		Use:   "eval",
		Short: "Measure the model with conversations of known result",
		Args:  refuseArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runEval(cmd.Context(), inv, o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.file, "file", "", "JSON file of cases; default: the built-in cases")
	flags.StringVar(&o.kind, "kind", "", "run only cases of this kind")
	flags.BoolVar(&o.heldOut, "held-out", false, "run only the held-out cases, and name those that are not right")
	addJSONFlag(cmd, &o.json)
	flags.Float64Var(&o.thresholds.MinRight, "min", 0.8, "share of cases that must be right, 0 to 1")
	flags.Float64Var(&o.thresholds.MaxWrong, "max-wrong", 0.02, "share of cases that may be wrong, 0 to 1")
	flags.IntVar(&o.thresholds.MaxWrongChanges, "max-wrong-changes", 0,
		"number of cases that may be wrong among those that delete or complete tasks")
	return cmd
}

// runEval measures the configured model on a temporary database. It returns an error when the results are beyond the
// thresholds, so that the exit code is 1.
func runEval(ctx context.Context, inv *invocation, o evalOptions) (err error) {
	cases, err := o.cases()
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
		"NEON_DATABASE_URL":   "",
		"DATABASE_DIRECT_URL": "",
		"MESSAGES_PER_MINUTE": "100000",
		"RULES_PACE":          "0s",
		"LLM_TITLES":          "false",
	})
	cfg, err := config.Load(settings, config.DotenvFile)
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
	results, err := runCases(ctx, s, cases)
	if err != nil {
		return err
	}
	report := eval.NewReport(s.ModelName(), results, o.heldOut)
	write := report.WriteText
	if o.json {
		write = report.WriteJSON
	}
	return errors.Join(write(inv.stdout), report.Check(o.thresholds))
}

type evalOptions struct {
	file, kind    string
	heldOut, json bool
	thresholds    eval.Thresholds
}

// cases returns the cases to run.
func (o evalOptions) cases() ([]eval.Case, error) {
	all, err := eval.Builtin()
	if o.file != "" {
		content, readErr := os.ReadFile(o.file)
		if readErr != nil {
			return nil, fmt.Errorf("reading cases: %w", readErr)
		}
		all, err = eval.Parse(content)
	}
	if err != nil {
		return nil, err
	}
	cases := slices.DeleteFunc(all, func(c eval.Case) bool {
		return o.kind != "" && c.Kind != o.kind || o.heldOut && !c.HeldOut
	})
	if len(cases) == 0 {
		return nil, fmt.Errorf("no cases of kind %q", o.kind)
	}
	return cases, nil
}

// runCases runs the cases one after the other, each as a new user.
func runCases(ctx context.Context, s *server.Server, cases []eval.Case) ([]eval.Result, error) {
	var results []eval.Result
	for i, c := range cases {
		id, err := s.Services.Accounts.EnsureUser(ctx, auth.Claims{Subject: fmt.Sprintf("user-%d", i)})
		if err != nil {
			return nil, err
		}
		target := &evalTarget{services: s.Services, hub: s.Hub, client: s.DB.Client()}
		r, err := eval.Run(viewer.NewContext(ctx, viewer.Viewer{UserID: id}), c, target)
		if err != nil {
			return nil, fmt.Errorf("case %q of kind %q: %w", c.Name, c.Kind, err)
		}
		results = append(results, r)
	}
	return results, nil
}

// evalTarget implements eval.Target with the services of the server, for the viewer in ctx.
type evalTarget struct {
	services       server.Services
	hub            *stream.Hub
	client         *ent.Client
	conversationID *string
}

// SetTimeZone implements eval.Target.
func (e *evalTarget) SetTimeZone(ctx context.Context, zone string) error {
	_, err := e.services.Accounts.UpdateUser(ctx, account.UserPatch{TimeZone: &zone})
	return err
}

// CreateTask implements eval.Target.
func (e *evalTarget) CreateTask(ctx context.Context, t eval.State) error {
	in := task.CreateTaskInput{Title: t.Title, Labels: t.Labels, DueAt: t.DueAt}
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
	created, err := e.services.Tasks.CreateTask(ctx, in)
	if err == nil && t.Completed {
		_, err = e.services.Tasks.CompleteTask(ctx, created.ID)
	}
	return err
}

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
	r := eval.Reply{Text: m.Content, Usage: eval.Usage{
		Steps:     1,
		Tokens:    price.Tokens{Input: m.InputTokens, Output: m.OutputTokens, Cached: m.CachedTokens},
		CostNanos: m.CostNanos,
	}}
	for _, c := range m.Edges.ToolCalls {
		r.Usage.Steps = max(r.Usage.Steps, c.Step+2)
	}
	if m.Failure() != nil {
		r.Failure = "failed: " + m.Failure().Message
	}
	return r
}

// ListTasks implements eval.Target.
func (e *evalTarget) ListTasks(ctx context.Context) ([]eval.State, error) {
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
	out := []eval.State{}
	for _, t := range found.Nodes() {
		state := eval.State{
			Number:      t.Number,
			Title:       t.Title,
			Description: t.Description,
			Completed:   t.Completed(),
			Priority:    strings.ToLower(t.Priority.String()),
			Labels:      t.Labels,
			DueAt:       t.DueAt,
		}
		if t.DueOn != nil {
			state.DueOn = *t.DueOn
		}
		out = append(out, state)
	}
	return out, nil
}
