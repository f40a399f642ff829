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
	"errand/internal/telemetry"
	"errand/internal/usage"

	"github.com/tmc/langchaingo/llms"
)

// errTooMuch ends a turn that would take more tokens than one may.
var errTooMuch = errors.New("agent: the turn takes too many tokens")

// afford makes sure that a call with these messages fits the limits, and reserves its
// tokens. Without limits it asks the database nothing.
func (t *turn) afford(ctx context.Context, messages []llms.MessageContent) error {
	limits := t.Book.Limits
	need := estimate(messages) + t.toolTokens + answerTokens
	if limits.PerTurn > 0 && t.usage.Total()+need > limits.PerTurn {
		return errTooMuch
	}
	if limits.PerDay == 0 {
		return nil
	}
	return t.Runs.Do(ctx, t.job, func(ctx context.Context, tx *ent.Tx) error {
		return t.Book.Reserve(ctx, tx, t.job.MessageID, need)
	})
}

// generate calls the model and counts what it took. Where the provider counts nothing,
// the estimate stands: a limit must not be passed by for that.
func (a *Agent) generate(
	ctx context.Context,
	messages []llms.MessageContent,
	options ...llms.CallOption,
) (*llms.ContentChoice, usage.Spent, error) {
	started := time.Now()
	calling, end := telemetry.ModelCall(ctx, a.ModelName)
	answer, err := a.Model.GenerateContent(calling, messages, options...)
	end(err)
	if err == nil && len(answer.Choices) == 0 {
		err = &llm.Error{Kind: llm.KindTruncated, Provider: a.ModelName, Detail: "an answer without a choice"}
	}
	if err != nil {
		a.Observer.ModelCall(a.ModelName, time.Since(started), 0, 0, 0, err)
		return nil, usage.Spent{}, err
	}
	choice := answer.Choices[0]
	n := func(key string) int { v, _ := choice.GenerationInfo[key].(int); return max(v, 0) }
	tokens := price.Tokens{Input: n(llm.InfoInputTokens), Output: n(llm.InfoOutputTokens), Cached: n(llm.InfoCachedTokens)}
	if tokens.Input == 0 {
		tokens = price.Tokens{Input: estimate(messages), Output: max(tokens.Output, estimateAnswer(choice))}
	}
	model := a.answeredBy(choice)
	a.Observer.ModelCall(model, time.Since(started), tokens.Input, tokens.Output, tokens.Cached, nil)
	return choice, a.Book.Call(model, tokens), nil
}

// spend adds what a call took to what the reply did, and to what must still be booked.
func (t *turn) spend(s usage.Spent) { t.usage, t.owed = t.usage.Plus(s), t.owed.Plus(s) }

// cutShort is what a call took that was not heard to its end, about: the provider charges what it
// has read and said, and can tell nobody any more. Were it free, whoever stops replies would spend past all
// limits. A call that failed before its first word took nothing.
func (t *turn) cutShort(ctx context.Context, messages []llms.MessageContent) usage.Spent {
	said := t.out.tail()
	if said == "" && ctx.Err() == nil {
		return usage.Spent{}
	}
	return t.Book.Call(t.ModelName, price.Tokens{Input: estimate(messages) + t.toolTokens, Output: estimateText(said)})
}

// settle books what an attempt took that failed. One that has lost its run leaves that be.
func (t *turn) settle(ctx context.Context) {
	if t.owed.Calls == 0 || ctx.Err() != nil {
		return
	}
	err := t.Runs.Do(
		ctx,
		t.job,
		func(ctx context.Context, tx *ent.Tx) error { return t.pay(ctx, tx, tx.Message.Update()) },
	)
	if err != nil {
		t.Logger.WarnContext(ctx, "booking a failed attempt failed", "user_id", t.job.UserID,
			"conversation_id", t.job.ConversationID, "error", err)
	}
}

// pay stores with a change of the reply what it has taken, and books what is not booked yet.
func (t *turn) pay(ctx context.Context, tx *ent.Tx, change *ent.MessageUpdate) error {
	t.setUsage(change.Mutation())
	if err := change.Where(message.ID(t.job.MessageID)).Exec(ctx); err != nil {
		return err
	}
	return t.Book.Record(ctx, tx.UsageDay, t.owed)
}

func estimateAnswer(choice *llms.ContentChoice) int {
	n := estimateText(choice.Content)
	for _, c := range choice.ToolCalls {
		n += 8 + estimateText(c.FunctionCall.Arguments)
	}
	return n
}

// answeredBy names the model of an answer, which may be the fallback's.
func (a *Agent) answeredBy(choice *llms.ContentChoice) string {
	provider, _ := choice.GenerationInfo[llm.InfoProvider].(string)
	provider, _, _ = strings.Cut(provider, "@") // the wire adds which server it was
	model, _ := choice.GenerationInfo[llm.InfoModel].(string)
	if provider == "" || model == "" {
		return a.ModelName
	}
	return provider + "/" + model
}

// instructed reports whether an answer is by a model that follows instructions: providers
// name themselves, the offline model does not.
func instructed(choice *llms.ContentChoice) bool {
	provider, _ := choice.GenerationInfo[llm.InfoProvider].(string)
	return provider != ""
}

func storedUsage(m *ent.Message) usage.Spent {
	s := usage.Spent{Tokens: price.Tokens{Input: m.InputTokens, Output: m.OutputTokens, Cached: m.CachedTokens}}
	if m.CostNanos != nil {
		s.Nanos, s.Priced = *m.CostNanos, true
	}
	return s
}

// setUsage stores what the reply has taken, in place of what was reserved for it.
func (t *turn) setUsage(m *ent.MessageMutation) {
	m.SetInputTokens(t.usage.Input)
	m.SetOutputTokens(t.usage.Output)
	m.SetCachedTokens(t.usage.Cached)
	if t.usage.Priced {
		m.SetCostNanos(t.usage.Nanos)
	}
	m.SetReservedTokens(0)
	m.SetModel(t.model)
}
