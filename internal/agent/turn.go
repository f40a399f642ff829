package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/message"
	"errand/internal/apperr"
	"errand/internal/llm"
	"errand/internal/run"
	"errand/internal/stream"
	"errand/internal/usage"

	"github.com/tmc/langchaingo/llms"
)

// errTimeLimit is the cause of the context of an attempt that exceeded Limits.Time.
var errTimeLimit = errors.New("agent: the turn took too long")

// turn is one attempt to write a reply.
type turn struct {
	*Agent
	job    run.Job
	writer *textWriter
	model  string // model of the last answer, as provider/name

	conversation *ent.Conversation
	userMessage  string                // the message to answer
	userPosition int                   // its position; 0 without one
	question     string                // the reply before it, if that asked something
	earlierSteps []*step               // steps of earlier replies to it, which failed
	history      []pastTurn            // the earlier turns in the prompt, newest first
	prompt       []llms.MessageContent // system, history and the message to answer

	approvals approvals

	steps     []*step      // steps of the reply, recorded ones first
	callCount int          // tool calls of the reply
	used      usage.Amount // usage of the reply
	unbilled  usage.Amount // the part of used that is not stored yet

	completed bool       // the reply is COMPLETED and committed
	retryAt   *time.Time // when a reply that exceeded the daily limit may be retried
}

// Handle is the run engine's handler. It resumes from the steps that earlier attempts recorded and
// repeats none of them. Work after a completed reply (title, summary) may fail without effect on it.
func (a *Agent) Handle(ctx context.Context, job run.Job) error {
	t := &turn{Agent: a, job: job, model: a.ModelName}
	if err := t.attempt(ctx); err != nil || !t.completed {
		return err
	}
	t.runPostWork(ctx)
	return nil
}

func (t *turn) attempt(ctx context.Context) error {
	ctx, stop := context.WithTimeoutCause(ctx, t.Limits.Time, errTimeLimit)
	defer stop()
	err := t.loop(ctx)
	if t.writer != nil {
		t.writer.close()
	}
	var refused *usage.LimitError
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), run.ErrCancelled):
		return t.finish(ctx, run.Outcome{Status: enum.MessageCancelled})
	case errors.Is(context.Cause(ctx), errTimeLimit), errors.Is(err, errTokenLimit):
		return t.finish(ctx, run.Outcome{Status: enum.MessageFailed, ErrorCode: apperr.ComplexityLimit})
	case errors.As(err, &refused):
		t.retryAt = &refused.ResetsAt
		return t.finish(ctx, run.Outcome{Status: enum.MessageFailed, ErrorCode: apperr.RateLimited})
	default:
		t.flushUsage(ctx)
		return classifyError(err)
	}
}

// classifyError marks errors that a retry cannot fix as permanent and passes a provider's retry delay on.
func classifyError(err error) error {
	kind := llm.KindOf(err)
	if kind == "" || kind == llm.KindCancelled || llm.Transient(err) {
		if e := apperr.From(err); e.RetryAfter > 0 {
			return run.RetryAfter(err, e.RetryAfter)
		}
		return err
	}
	return run.PermanentError(apperr.CodeOf(err), err)
}

func (t *turn) loop(ctx context.Context) error {
	if err := t.start(ctx); err != nil {
		return err
	}
	// Calls that the last attempt recorded but did not run come first.
	if err := t.runToolCalls(ctx); err != nil {
		return err
	}
	if t.awaitsApproval() {
		return t.finishAsking(ctx)
	}
	for len(t.steps) < t.Limits.Steps {
		choice, err := t.callModel(ctx)
		if err != nil {
			return err
		}
		if len(choice.ToolCalls) == 0 {
			if strings.TrimSpace(t.writer.text()) == "" { // some models stop like this after a tool result
				return &llm.Error{Kind: llm.KindTruncated, Provider: t.model, Detail: "empty answer"}
			}
			return t.finish(ctx, run.Outcome{Status: enum.MessageCompleted})
		}
		if err := t.recordStep(ctx, choice); err != nil {
			return err
		}
		if err := t.runToolCalls(ctx); err != nil {
			return err
		}
		if t.awaitsApproval() {
			return t.finishAsking(ctx)
		}
	}
	return t.finish(ctx, run.Outcome{Status: enum.MessageFailed, ErrorCode: apperr.ComplexityLimit})
}

// start loads the recorded steps and their text, builds the prompt and announces the new attempt to
// subscribers.
func (t *turn) start(ctx context.Context) error {
	reply, err := t.Client.Message.Query().
		Where(message.ID(t.job.MessageID)).
		WithToolCalls(bySequence).
		WithConversation().
		Only(ctx)
	if err != nil {
		return fmt.Errorf("reading the reply: %w", err)
	}
	t.used = storedUsage(reply)
	t.steps = recordedSteps(reply)
	t.callCount = len(reply.Edges.ToolCalls)
	kept := recordedText(reply)
	if err := t.buildPrompt(ctx, reply); err != nil {
		return err
	}
	if err := t.loadApprovals(ctx); err != nil {
		return err
	}
	err = t.Runs.Do(ctx, t.job, func(ctx context.Context, tx *ent.Tx) error {
		return tx.Message.UpdateOneID(reply.ID).SetStatus(enum.MessageStreaming).
			SetAttempt(t.job.Attempt).SetContent(kept).
			SetModel(t.model).SetPromptVersion(PromptVersion).Exec(ctx)
	})
	if err != nil {
		return err
	}
	t.writer = newTextWriter(t.Hub, t.job, kept)
	t.notifyChanged()
	return nil
}

// notifyChanged makes subscribers of the conversation re-read its rows.
func (t *turn) notifyChanged() {
	t.Hub.Publish(stream.Event{Kind: stream.RowsChanged, Topic: t.job.ConversationID})
}

// callModel requests one answer. The last step allows no tool calls, so that it ends with text. Tools are
// declared anyway: providers require them beside a history with calls, and prompt caches start with them.
func (t *turn) callModel(ctx context.Context) (*llms.ContentChoice, error) {
	messages := slices.Clone(t.prompt)
	for _, s := range t.steps {
		messages = append(messages, s.messages()...)
	}
	if err := t.reserveTokens(ctx, messages); err != nil {
		return nil, err
	}
	t.writer.beginStep()
	started, first := time.Now(), true
	options := []llms.CallOption{llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
		if first && len(chunk) > 0 {
			first = false
			t.Observer.FirstText(time.Since(started))
		}
		return t.appendText(ctx, string(chunk))
	}), llms.WithTools(t.offered)}
	if len(t.steps) >= t.Limits.Steps-1 || t.callCount >= t.Limits.ToolCalls {
		options = append(options, llms.WithToolChoice("none"))
	}
	choice, spent, err := t.generate(ctx, messages, options...)
	if err != nil {
		t.addUsage(t.interruptedUsage(ctx, messages))
		return nil, err
	}
	t.addUsage(spent)
	t.model = t.modelOf(choice)
	// A model that does not stream returns the whole text at the end.
	return choice, t.appendText(ctx, t.writer.missingSuffix(choice.Content))
}

// appendText publishes text and stores the reply once per checkpointInterval.
func (t *turn) appendText(ctx context.Context, text string) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	t.writer.append(text)
	if !t.writer.checkpointDue() {
		return nil
	}
	return t.Runs.Do(ctx, t.job, func(ctx context.Context, tx *ent.Tx) error {
		return tx.Message.Update().Where(message.ID(t.job.MessageID)).SetContent(t.writer.text()).Exec(ctx)
	})
}

// finish commits the terminal state of the reply with the text so far.
func (t *turn) finish(ctx context.Context, o run.Outcome) error {
	o.Effects = func(ctx context.Context, tx *ent.Tx) error { return t.Ledger.Record(ctx, tx.UsageDay, t.unbilled) }
	if t.writer != nil {
		t.writer.flush()
	}
	err := t.Runs.Finish(ctx, t.job, o, func(u *ent.MessageUpdateOne) {
		if t.writer == nil {
			return // the attempt did not start: the stored content stays
		}
		u.SetContent(t.writer.text()).
			SetAttempt(t.job.Attempt).
			SetNillableRetryAt(t.retryAt)
		t.setUsage(u.Mutation())
	})
	t.completed = err == nil && o.Status == enum.MessageCompleted
	return err
}
