package agent

import (
	"fmt"
	"slices"
	"strings"

	"errand/ent/enum"
	"errand/internal/agent/claims"
	"errand/internal/truncate"

	"github.com/tmc/langchaingo/llms"
)

// verification is the state of a reply whose text claimed changes that no tool result shows.
type verification struct {
	// originalText is the text of the reply before the correction.
	originalText string
	// correction are the messages that end the next prompt: the reply so far and what is wrong with it.
	correction []llms.MessageContent
}

// correctionPrompt is sent to the model only; no user sees it.
const correctionPrompt = `[From the server, not from the person] Your reply says: %s
No tool result in this turn shows that. If it was asked for, do it now with the tools; otherwise tell the person in one sentence what is really the case. What you wrote before stays visible, so take back what is not true.`

// needsCorrection compares a final reply with the executed calls. The first time that a claim has no tool
// result, it requests one more step, in which the model can do the change or retract the claim. Streamed text
// cannot be changed, so the correction is appended.
func (t *turn) needsCorrection(choice *llms.ContentChoice) bool {
	if t.verification != nil || !followsInstructions(choice) {
		return false
	}
	unbacked := claims.Unbacked(t.writer.text(), t.executedCalls())
	if len(unbacked) == 0 {
		return false
	}
	t.verification = &verification{originalText: t.writer.text(), correction: []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeAI, t.writer.unrecordedText()),
		llms.TextParts(llms.ChatMessageTypeHuman, fmt.Sprintf(correctionPrompt, quoteSentences(unbacked))),
	}}
	return true
}

// unverifiedReason names the claims that are still without a result after the correction; nil when none are.
func (t *turn) unverifiedReason() *string {
	if t.verification == nil {
		return nil
	}
	record := t.executedCalls()
	after := strings.TrimPrefix(t.writer.text(), t.verification.originalText)
	unbacked := claims.Unbacked(after, record)
	if before := claims.Unbacked(t.verification.originalText, record); len(unbacked) == 0 && !claims.Retracts(after) {
		unbacked = before
	}
	if len(unbacked) == 0 {
		return nil
	}
	reason := "The reply says " + quoteSentences(unbacked) + ", but no tool result shows it."
	return &reason
}

// executedCalls collects the tool results of this reply and of those that it retries.
func (t *turn) executedCalls() claims.Record {
	r := claims.Record{UserMessage: t.userMessage}
	for _, s := range slices.Concat(t.earlierSteps, t.steps) {
		for _, c := range s.calls {
			if c.Status == enum.ToolCallSucceeded && c.Result != nil {
				r.Add(c.Name, *c.Result)
			}
		}
	}
	return r
}

// quoteSentences quotes the first few sentences, truncated.
func quoteSentences(sentences []string) string {
	const most, length = 3, 160
	sentences = sentences[:min(len(sentences), most)]
	quoted := make([]string, len(sentences))
	for i, s := range sentences {
		quoted[i] = "“" + truncate.Ellipsis(s, length) + "”"
	}
	return strings.Join(quoted, ", ")
}
