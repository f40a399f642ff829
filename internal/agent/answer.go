package agent

import (
	"context"
	"errors"
	"strings"

	"errand/ent/enum"
	"errand/internal/llm"
	"errand/internal/run"

	"github.com/tmc/langchaingo/llms"
)

// What ends a model call, or an answer, that is neither a step nor the end of the reply.
var (
	// errReplyFull ends a model call whose text reached Limits.Chars.
	errReplyFull = errors.New("agent: the reply has reached its largest length")
	// errCutOff is the end of an answer at the model's limit of tokens, in the middle of its text.
	errCutOff = errors.New("agent: the answer was cut off by the model's token limit")
	// errPaused is the end of an answer that the provider paused.
	errPaused = errors.New("agent: the provider paused the answer")
)

// How often a reply asks a model again or to go on.
const (
	maxRepeats       = 1
	maxContinuations = 1
	maxPauses        = 4
)

// What the model is asked after an answer that cannot be used, or is not complete. Like the time, these are of the
// server, and not stored.
const (
	emptyAnswerRequest = "(Your last answer was empty. Answer the message above.)"
	tokenLimitRequest  = "(Your last answer exceeded the token limit, and nothing of it was carried out. Answer again " +
		"with fewer words, and with fewer or shorter tool calls at once.)"
	malformedCallRequest = "(Your last tool call could not be read, and nothing was done. Call the tool again with " +
		"valid JSON, or answer in words.)"
	continueRequest = "(Your answer was cut off. Continue exactly where it stopped. Repeat nothing, add no comment.)"
)

// followUp is what the next model call adds after the steps, until a step is recorded.
type followUp struct {
	messages  []llms.MessageContent
	continues bool // the next answer continues the text so far
	// repeats, continuations and pauses count the earlier ones of this answer.
	repeats, continuations, pauses int
}

func (f *followUp) request(text string) {
	f.messages, f.continues = []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, text)}, false
}

// goOn asks the model to continue the text of its answer.
func (f *followUp) goOn(text string) {
	f.request(continueRequest)
	f.continues = true
	if strings.TrimSpace(text) != "" {
		f.messages = append([]llms.MessageContent{llms.TextParts(llms.ChatMessageTypeAI, text)}, f.messages...)
	}
}

// checkAnswer returns an error unless an answer without tool calls ends the reply.
func (t *turn) checkAnswer(choice *llms.ContentChoice) error {
	switch {
	case choice.StopReason == llm.StopPaused:
		return errPaused
	case choice.StopReason == llm.StopLength:
		return errCutOff
	case strings.TrimSpace(t.writer.answer()) == "" && !t.followUp.continues:
		// Some models stop like this after a tool result.
		return &llm.Error{
			Kind: llm.KindTruncated, Reason: llm.ReasonEmptyAnswer, Provider: t.model, Detail: "empty answer",
		}
	default:
		return nil
	}
}

// recover handles a model call that has not led to a step or to the end of the reply: it ends the reply where that is
// better than a failure, or prepares one more call. Otherwise it returns err.
func (t *turn) recover(ctx context.Context, err error) (ended bool, _ error) {
	if context.Cause(ctx) != nil {
		return false, err
	}
	switch {
	case errors.Is(err, errReplyFull):
		return true, t.finishTruncated(ctx)
	case errors.Is(err, errPaused) && t.followUp.pauses < maxPauses:
		t.followUp.pauses++
		t.followUp.goOn(t.writer.unrecordedText())
		return false, nil
	case errors.Is(err, errCutOff) && t.followUp.continuations < maxContinuations:
		t.followUp.continuations++
		t.followUp.goOn(t.writer.unrecordedText())
		return false, nil
	case errors.Is(err, errCutOff), errors.Is(err, errPaused):
		return true, t.finishTruncated(ctx)
	case t.followUp.continues && llm.KindOf(err) != "" && t.writer.unrecordedText() != "":
		return true, t.finishTruncated(ctx) // the text before the continuation is worth more than another attempt
	}
	return t.recoverUnusable(ctx, err)
}

// recoverUnusable handles an answer that cannot be used. What the reply has done is told in its receipt; without that,
// the model is asked once more.
func (t *turn) recoverUnusable(ctx context.Context, err error) (ended bool, _ error) {
	reason := llm.ReasonOf(err)
	request := map[llm.Reason]string{
		llm.ReasonEmptyAnswer:   emptyAnswerRequest,
		llm.ReasonTokenLimit:    tokenLimitRequest,
		llm.ReasonMalformedCall: malformedCallRequest,
	}[reason]
	if request == "" && reason != llm.ReasonContentFilter {
		return false, err
	}
	if reason != llm.ReasonEmptyAnswer && request != "" && t.followUp.repeats < maxRepeats {
		t.followUp.repeats++
		t.followUp.request(request)
		return false, nil
	}
	receipt, failed := t.receiptLine(ctx)
	switch {
	case failed != nil:
		return false, failed
	case receipt != "":
		t.writer.beginStep()
		if err := t.appendText(ctx, receipt); err != nil {
			return false, err
		}
		return true, t.finish(ctx, run.Outcome{Status: enum.MessageCompleted})
	case reason == llm.ReasonEmptyAnswer && strings.TrimSpace(t.writer.text()) != "":
		return true, t.finish(ctx, run.Outcome{Status: enum.MessageCompleted})
	case request != "" && t.followUp.repeats < maxRepeats:
		t.followUp.repeats++
		t.followUp.request(request)
		return false, nil
	default:
		return false, err
	}
}

// finishTruncated completes the reply with the text so far, which ends at a limit.
func (t *turn) finishTruncated(ctx context.Context) error {
	t.truncated = true
	return t.finish(ctx, run.Outcome{Status: enum.MessageCompleted})
}
