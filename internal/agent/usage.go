package agent

import (
	"context"
	"errors"
	"strings"
	"time"

	"errand/ent"
	"errand/ent/message"
	"errand/internal/llm"
	"errand/internal/price"
	"errand/internal/store"
	"errand/internal/telemetry"
	"errand/internal/usage"

	"github.com/tmc/langchaingo/llms"
)

// errTokenLimit ends a turn that would exceed the tokens of one turn.
var errTokenLimit = errors.New("agent: the turn takes too many tokens")

// reserveTokens checks that a call with these messages fits the limits and reserves its tokens for the day.
// Without a daily limit it makes no query.
func (t *turn) reserveTokens(ctx context.Context, messages []llms.MessageContent) error {
	limits := t.Ledger.Limits
	need := estimate(messages) + t.variant.toolTokens + answerTokens
	if limits.PerTurn > 0 && t.used.Total()+need > limits.PerTurn {
		return errTokenLimit
	}
	if limits.PerDay == 0 {
		return nil
	}
	return t.Runs.Do(ctx, t.job, func(ctx context.Context, tx *ent.Tx) error {
		return t.Ledger.Reserve(ctx, tx, t.job.MessageID, need)
	})
}

// generate calls the model and returns its usage. When the provider reports none, it is estimated, so that
// limits hold.
func (a *Agent) generate(
	ctx context.Context,
	messages []llms.MessageContent,
	options ...llms.CallOption,
) (*llms.ContentChoice, usage.Amount, error) {
	started := time.Now()
	call := telemetry.ModelCall{Requested: a.ModelName, Answered: a.ModelName}
	ctx, end := telemetry.StartModelCall(ctx, a.ModelName)
	defer func() {
		call.Took = time.Since(started)
		a.Observer.ModelCall(call)
		end(call)
	}()
	answer, err := a.Model.GenerateContent(ctx, messages, options...)
	if err == nil && len(answer.Choices) == 0 {
		err = &llm.Error{Kind: llm.KindTruncated, Provider: a.ModelName, Detail: "answer without choices"}
	}
	if err != nil {
		call.Err, call.ErrorKind = err, string(llm.KindOf(err))
		return nil, usage.Amount{}, err
	}
	choice := answer.Choices[0]
	n := func(key string) int { v, _ := choice.GenerationInfo[key].(int); return max(v, 0) }
	tokens := price.Tokens{Input: n(llm.InfoInputTokens), Output: n(llm.InfoOutputTokens), Cached: n(llm.InfoCachedTokens)}
	if tokens.Input == 0 {
		tokens = price.Tokens{Input: estimate(messages), Output: max(tokens.Output, estimateAnswer(choice))}
	}
	model := a.modelOf(choice)
	call.Answered, call.StopReason = model, choice.StopReason
	call.Input, call.Output, call.Cached = tokens.Input, tokens.Output, tokens.Cached
	return choice, a.Ledger.Amount(model, tokens), nil
}

// addUsage adds the usage of a call to the reply and to its unbilled part.
func (t *turn) addUsage(s usage.Amount) { t.used, t.unbilled = t.used.Add(s), t.unbilled.Add(s) }

// failedUsage returns the usage of a call that failed: what the provider reported for an answer that cannot be used,
// else an estimate. The provider charges the input and the text so far of a call that did not end, but reports nothing.
// Without the estimate, stopping replies would bypass the limits. A call that failed before its first text counts
// nothing.
func (t *turn) failedUsage(ctx context.Context, messages []llms.MessageContent, err error) usage.Amount {
	var failure *llm.Error
	if errors.As(err, &failure) && failure.Usage.Input > 0 {
		u := failure.Usage
		return t.Ledger.Amount(t.ModelName, price.Tokens{Input: u.Input, Output: u.Output, Cached: u.Cached})
	}
	said := t.writer.answer()
	if said == "" && ctx.Err() == nil {
		return usage.Amount{}
	}
	return t.Ledger.Amount(
		t.ModelName,
		price.Tokens{Input: estimate(messages) + t.variant.toolTokens, Output: estimateText(said)},
	)
}

// flushUsage records the unbilled usage of a failed attempt, unless the attempt no longer owns the run.
func (t *turn) flushUsage(ctx context.Context) {
	if t.unbilled.Calls == 0 || ctx.Err() != nil {
		return
	}
	err := t.Runs.Do(
		ctx,
		t.job,
		func(ctx context.Context, tx *ent.Tx) error {
			queue := store.Queue(tx)
			return t.saveUsage(ctx, queue, queue.Message.Update())
		},
	)
	if err != nil {
		t.Logger.WarnContext(ctx, "recording the usage of a failed attempt failed", "user_id", t.job.UserID,
			"conversation_id", t.job.ConversationID, "error", err)
	}
}

// saveUsage stores the usage of the reply with a change of it and records the unbilled part in the ledger.
func (t *turn) saveUsage(ctx context.Context, queue *ent.Client, change *ent.MessageUpdate) error {
	t.setUsage(change.Mutation())
	if err := change.Where(message.ID(t.job.MessageID)).Exec(ctx); err != nil {
		return err
	}
	return t.Ledger.Record(ctx, queue, t.unbilled)
}

func estimateAnswer(choice *llms.ContentChoice) int {
	n := estimateText(choice.Content)
	for _, c := range choice.ToolCalls {
		n += 8 + estimateText(c.FunctionCall.Arguments)
	}
	return n
}

// modelOf returns the model of an answer, which may be the fallback, as provider/name.
func (a *Agent) modelOf(choice *llms.ContentChoice) string {
	provider, _ := choice.GenerationInfo[llm.InfoProvider].(string)
	provider, _, _ = strings.Cut(provider, "@") // "openai@host": the client adds the host
	model, _ := choice.GenerationInfo[llm.InfoModel].(string)
	if provider == "" || model == "" {
		return a.ModelName
	}
	return provider + "/" + model
}

// followsInstructions reports whether a provider's model answered: the offline model sets no provider.
func followsInstructions(choice *llms.ContentChoice) bool {
	provider, _ := choice.GenerationInfo[llm.InfoProvider].(string)
	return provider != ""
}

func storedUsage(m *ent.Message) usage.Amount {
	s := usage.Amount{Tokens: price.Tokens{Input: m.InputTokens, Output: m.OutputTokens, Cached: m.CachedTokens}}
	if m.CostNanos != nil {
		s.Nanos, s.Priced = *m.CostNanos, true
	}
	return s
}

// setUsage stores the usage of the reply and clears its reservation.
func (t *turn) setUsage(m *ent.MessageMutation) {
	m.SetInputTokens(t.used.Input)
	m.SetOutputTokens(t.used.Output)
	m.SetCachedTokens(t.used.Cached)
	if t.used.Priced {
		m.SetCostNanos(t.used.Nanos)
	}
	m.SetReservedTokens(0)
	m.SetModel(t.model)
}
