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
	"errand/internal/store"
	"errand/internal/stream"
	"errand/internal/usage"

	"entgo.io/ent/dialect/sql"
	"github.com/tmc/langchaingo/llms"
)

// errTimeLimit is the cause of the context of an attempt that exceeded Limits.Time.
var errTimeLimit = errors.New("agent: the turn took too long")

// turn is one attempt to write a reply.
type turn struct {
	*Agent
	job     run.Job
	clock   *turnClock
	window  int     // size of the context window, in tokens
	variant variant // instructions and tools of the turn
	writer  *textWriter
	model   string // model of the last answer, as provider/name

	conversation *ent.Conversation
	userMessage  string                // the message to answer
	userPosition int                   // its position; 0 without one
	timePart     string                // the time of the attempt, sent with it
	question     string                // the reply before it, if that asked something
	earlierSteps []*step               // steps of earlier replies to it, which failed
	history      []pastTurn            // the earlier turns in the prompt, newest first
	prompt       []llms.MessageContent // system, history and the message to answer

	approvals approvals

	steps     []*step      // steps of the reply, recorded ones first
	callCount int          // tool calls of the reply
	used      usage.Amount // usage of the reply
	unbilled  usage.Amount // the part of used that is not stored yet

	followUp  followUp // what the next model call adds to the prompt
	truncated bool     // the reply ends at a limit of its length

	completed bool       // the reply is COMPLETED and committed
	retryAt   *time.Time // when a reply that exceeded the daily limit may be retried
}

// Handle is the run engine's handler. It resumes from the steps that earlier attempts recorded and
// repeats none of them. Work after a completed reply (title, summary) may fail without effect on it.
func (a *Agent) Handle(ctx context.Context, job run.Job) error {
	t := &turn{Agent: a, job: job, model: a.ModelName, window: a.Limits.Context}
	if a.Window != nil {
		t.window = a.Window(ctx)
	}
	t.variant = a.variantFor(t.window)
	if err := t.attempt(ctx); err != nil || !t.completed {
		return err
	}
	t.runPostWork(ctx)
	return nil
}

func (t *turn) attempt(ctx context.Context) error {
	ctx, clock, release := startTurnClock(ctx, t.Limits.Time)
	defer release()
	t.clock = clock
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
		if err == nil && len(choice.ToolCalls) == 0 {
			err = t.checkAnswer(choice)
		}
		if err != nil {
			if ended, err := t.recover(ctx, err); ended || err != nil {
				return err
			}
			continue
		}
		if len(choice.ToolCalls) == 0 {
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
		return store.Queue(tx).Message.Update().Where(message.ID(reply.ID)).SetStatus(enum.MessageStreaming).
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
	messages := append(slices.Clip(t.prompt), t.stepMessages()...)
	messages = append(messages, t.followUp.messages...)
	if err := t.reserveTokens(ctx, messages); err != nil {
		return nil, err
	}
	t.writer.beginAnswer(t.followUp.continues)
	started, first := time.Now(), true
	options := []llms.CallOption{llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
		if first && len(chunk) > 0 {
			first = false
			t.clock.run()
			t.Observer.FirstText(t.ModelName, time.Since(started))
		}
		return t.appendModelText(ctx, string(chunk))
	}), llms.WithTools(t.variant.tools)}
	forbidden := len(t.steps) >= t.Limits.Steps-1 || t.callCount >= t.Limits.ToolCalls
	if forbidden {
		options = append(options, llms.WithToolChoice("none"))
	}
	t.clock.stop()
	choice, spent, err := t.generate(ctx, messages, options...)
	t.clock.run()
	if err != nil {
		t.addUsage(t.failedUsage(ctx, messages, err))
		return nil, err
	}
	t.addUsage(spent)
	t.model = t.modelOf(choice)
	// A model that does not stream returns the whole text at the end.
	if err := t.appendModelText(ctx, t.writer.missingSuffix(choice.Content)); err != nil {
		return nil, err
	}
	if forbidden && strings.TrimSpace(choice.Content) != "" {
		choice.ToolCalls = nil // some servers ignore that no calls are allowed
	}
	return choice, nil
}

// appendModelText appends text of the model. It returns errReplyFull when the reply has reached Limits.Chars.
func (t *turn) appendModelText(ctx context.Context, text string) error {
	text, full := t.writer.fit(text, t.Limits.Chars)
	if err := t.appendText(ctx, text); err != nil {
		return err
	}
	if full {
		return errReplyFull
	}
	return nil
}

// appendText publishes text and, from time to time, appends what is published to the stored reply.
func (t *turn) appendText(ctx context.Context, text string) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	t.writer.append(text)
	unstored, due := t.writer.takeCheckpoint()
	if !due {
		return nil
	}
	return t.Runs.Do(ctx, t.job, func(ctx context.Context, tx *ent.Tx) error {
		return store.Queue(tx).Message.Update().
			Where(message.ID(t.job.MessageID), message.Attempt(t.job.Attempt)).
			Modify(func(u *sql.UpdateBuilder) {
				u.Set(message.FieldContent, sql.ExprFunc(func(b *sql.Builder) {
					b.Ident(message.FieldContent).WriteString(" || ").Arg(unstored)
				}))
			}).Exec(ctx)
	})
}

// finish commits the terminal state of the reply with the text so far.
func (t *turn) finish(ctx context.Context, o run.Outcome) error {
	o.Effects = func(ctx context.Context, tx *ent.Tx) error { return t.Ledger.Record(ctx, store.Queue(tx), t.unbilled) }
	if t.writer != nil {
		t.writer.flush()
	}
	err := t.Runs.Finish(ctx, t.job, o, func(u *ent.MessageUpdate) {
		if t.writer == nil {
			return // the attempt did not start: the stored content stays
		}
		u.SetContent(t.writer.text()).
			SetAttempt(t.job.Attempt).
			SetTruncated(t.truncated && o.Status == enum.MessageCompleted).
			SetNillableRetryAt(t.retryAt)
		t.setUsage(u.Mutation())
	})
	t.completed = err == nil && o.Status == enum.MessageCompleted
	return err
}
