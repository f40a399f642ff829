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

// errTooLong ends a turn that used up its time.
var errTooLong = errors.New("agent: the turn took too long")

// turn is one attempt at a reply.
type turn struct {
	*Agent
	job    run.Job
	prompt []llms.MessageContent // system, history and the message to answer
	steps  []*step               // of this reply, recorded ones first
	calls  int                   // tool calls of this reply
	out    *writer
	model  string // who answered last, as provider/name

	conversation *ent.Conversation
	asked        string     // the message to answer
	window       []pastTurn // the earlier turns in the prompt, newest first

	usage usage.Spent // of this reply
	owed  usage.Spent // the part of it that is not stored yet
	doubt *doubt      // set once the reply was asked to correct itself

	completed bool       // the reply is finished and good
	retryAt   *time.Time // when a refused turn may be tried again
}

// Handle writes a reply; it is the run engine's handler. Everything recorded by
// earlier attempts is kept and never done again. What is done after the reply is finished may
// fail without harm.
func (a *Agent) Handle(ctx context.Context, job run.Job) error {
	t := &turn{Agent: a, job: job, model: a.ModelName}
	if err := t.handle(ctx); err != nil || !t.completed {
		return err
	}
	t.after(ctx)
	return nil
}

func (t *turn) handle(ctx context.Context) error {
	ctx, stop := context.WithTimeoutCause(ctx, t.Limits.Time, errTooLong)
	defer stop()
	err := t.run(ctx)
	if t.out != nil {
		t.out.close()
	}
	var refused *usage.RefusedError
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), run.ErrCancelled):
		return t.end(ctx, run.Outcome{Status: enum.MessageCancelled})
	case errors.Is(context.Cause(ctx), errTooLong), errors.Is(err, errTooMuch):
		return t.end(ctx, run.Outcome{Status: enum.MessageFailed, ErrorCode: apperr.ComplexityLimit})
	case errors.As(err, &refused):
		t.retryAt = &refused.Until
		return t.end(ctx, run.Outcome{Status: enum.MessageFailed, ErrorCode: apperr.RateLimited})
	default:
		t.settle(ctx)
		return verdict(err)
	}
}

// verdict says whether trying again may help.
func verdict(err error) error {
	kind := llm.KindOf(err)
	if kind == "" || kind == llm.KindCancelled || llm.Transient(err) {
		if e := apperr.From(err); e.RetryAfter > 0 {
			return run.RetryAfter(err, e.RetryAfter)
		}
		return err
	}
	return run.PermanentError(apperr.CodeOf(err), err)
}

func (t *turn) run(ctx context.Context) error {
	if err := t.begin(ctx); err != nil {
		return err
	}
	// What the last attempt recorded but did not do comes first.
	if err := t.use(ctx); err != nil {
		return err
	}
	for len(t.steps) < t.Limits.Steps {
		choice, err := t.ask(ctx)
		if err != nil {
			return err
		}
		if len(choice.ToolCalls) == 0 {
			if t.questions(choice) {
				continue
			}
			if strings.TrimSpace(t.out.text()) == "" { // some models stop so after a tool's result
				return &llm.Error{Kind: llm.KindTruncated, Provider: t.model, Detail: "an answer without a word"}
			}
			return t.end(ctx, run.Outcome{Status: enum.MessageCompleted})
		}
		if err := t.record(ctx, choice); err != nil {
			return err
		}
		if err := t.use(ctx); err != nil {
			return err
		}
	}
	return t.end(ctx, run.Outcome{Status: enum.MessageFailed, ErrorCode: apperr.ComplexityLimit})
}

// begin reads what was recorded, takes over the reply's text up to there, and tells
// everybody that a new attempt begins.
func (t *turn) begin(ctx context.Context) error {
	reply, err := t.Client.Message.Query().
		Where(message.ID(t.job.MessageID)).
		WithToolCalls(inOrder).
		WithConversation().
		Only(ctx)
	if err != nil {
		return fmt.Errorf("reading the reply: %w", err)
	}
	t.usage = storedUsage(reply)
	t.steps = recordedSteps(reply)
	t.calls = len(reply.Edges.ToolCalls)
	kept := recordedText(reply)
	if err := t.buildPrompt(ctx, reply); err != nil {
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
	t.out = newWriter(t.Hub, t.job, kept)
	t.changed()
	return nil
}

// changed tells subscribers that rows of the conversation have changed.
func (t *turn) changed() {
	t.Hub.Publish(stream.Event{Kind: stream.Changed, Topic: t.job.ConversationID})
}

// ask lets the model speak once. In the last step it may use no tools, so that it must answer;
// they are declared all the same, since a history with calls wants them and a prompt's cache begins with them.
func (t *turn) ask(ctx context.Context) (*llms.ContentChoice, error) {
	messages := slices.Clone(t.prompt)
	for _, s := range t.steps {
		messages = append(messages, s.messages()...)
	}
	if t.doubt != nil {
		messages = append(messages, t.doubt.note...)
	}
	if err := t.afford(ctx, messages); err != nil {
		return nil, err
	}
	t.out.beginStep()
	started, first := time.Now(), true
	options := []llms.CallOption{llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
		if first && len(chunk) > 0 {
			first = false
			t.Observer.FirstText(time.Since(started))
		}
		return t.say(ctx, string(chunk))
	}), llms.WithTools(t.offered)}
	if len(t.steps) >= t.Limits.Steps-1 || t.calls >= t.Limits.ToolCalls {
		options = append(options, llms.WithToolChoice("none"))
	}
	choice, spent, err := t.generate(ctx, messages, options...)
	if err != nil {
		t.spend(t.cutShort(ctx, messages))
		return nil, err
	}
	t.spend(spent)
	t.model = t.answeredBy(choice)
	// A model that does not stream says everything at the end.
	return choice, t.say(ctx, t.out.unsaid(choice.Content))
}

// say streams text and, once a second, stores it.
func (t *turn) say(ctx context.Context, text string) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	t.out.write(text)
	if !t.out.checkpointDue() {
		return nil
	}
	return t.Runs.Do(ctx, t.job, func(ctx context.Context, tx *ent.Tx) error {
		return tx.Message.Update().Where(message.ID(t.job.MessageID)).SetContent(t.out.text()).Exec(ctx)
	})
}

// end makes the reply terminal with the text so far.
func (t *turn) end(ctx context.Context, o run.Outcome) error {
	o.Effects = func(ctx context.Context, tx *ent.Tx) error { return t.Book.Record(ctx, tx.UsageDay, t.owed) }
	if t.out != nil {
		t.out.flush()
	}
	err := t.Runs.Finish(ctx, t.job, o, func(u *ent.MessageUpdateOne) {
		if t.out == nil {
			return // nothing was begun: what is stored stays
		}
		u.SetContent(t.out.text()).
			SetAttempt(t.job.Attempt).
			SetNillableRetryAt(t.retryAt).
			SetNillableUnverifiedReason(t.unverified())
		t.setUsage(u.Mutation())
	})
	t.completed = err == nil && o.Status == enum.MessageCompleted
	return err
}
