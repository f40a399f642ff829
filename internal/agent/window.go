package agent

import (
	"fmt"
	"slices"
	"strings"

	"errand/ent"
	"errand/internal/tool"

	"github.com/tmc/langchaingo/llms"
)

// The context window of a call is divided so that it holds, for any conversation: instructions and tools; the summary,
// at most a sixteenth; the user's words, at most a quarter; the steps of the turn, for which a quarter is kept free of
// history; and the answer.

// answerTokens is reserved for an answer in prompts and token budgets; less in small windows.
const answerTokens = 1024

// Bytes of a result in a finished turn.
const (
	finishedBytes = 800
	smallBytes    = 300
)

// finishedReplay says what is repeated of the calls of finished turns. The offline model computes with their results,
// and costs no tokens.
func (t *turn) finishedReplay() tool.Replay {
	if t.Offline {
		return tool.Replay{Finished: true}
	}
	return tool.Replay{Finished: true, MaxBytes: finishedBytes}
}

// inputTokens is the number of tokens that a call's messages may have.
func (t *turn) inputTokens() int {
	return t.window - t.answerReserve() - t.variant.toolTokens
}

func (t *turn) answerReserve() int { return min(answerTokens, t.window/5) }

// messageOverhead is more than the tokens that the messages of a request without history have beside their texts.
const messageOverhead = 16

// historyTokens is the number of tokens for earlier turns beside the system message, when the turn needs few.
func (t *turn) historyTokens() int {
	return t.inputTokens() - estimate(t.prompt[:1]) - estimateText(t.timePart) - t.window/4
}

// freeTokens is the number of tokens left for earlier turns in the prompt of this one.
func (t *turn) freeTokens(userMessage *ent.Message) int {
	beyond := max(0, estimateSteps(t.earlierSteps, tool.Replay{})-t.window/4)
	return t.historyTokens() - estimateText(t.userWords(userMessage)) - beyond
}

// stepMessages converts the steps of the turn, with earlier replies to the message, to messages that fit the window.
// Results are repeated whole while they fit, then those before the last step as in finished turns, then all shortened.
func (t *turn) stepMessages() (messages []llms.MessageContent) {
	steps := slices.Concat(t.earlierSteps, t.steps)
	if len(steps) == 0 {
		return nil
	}
	before, last := steps[:len(steps)-1], steps[len(steps)-1]
	if t.Offline { // which computes with the results, and costs no tokens
		for _, s := range steps {
			messages = append(messages, s.messages(tool.Replay{Whole: true})...)
		}
		return messages
	}
	free := t.inputTokens() - estimate(t.prompt)
	share := max(smallBytes, 3*free/(4*max(1, len(last.calls))))
	for _, r := range []struct{ before, last tool.Replay }{
		{},
		{before: tool.Replay{Finished: true, MaxBytes: finishedBytes}},
		{before: tool.Replay{Finished: true, MaxBytes: smallBytes}, last: tool.Replay{MaxBytes: 3 * share}},
		{before: tool.Replay{Finished: true, MaxBytes: smallBytes / 3}, last: tool.Replay{Finished: true, MaxBytes: share}},
		{
			before: tool.Replay{Finished: true, MaxBytes: smallBytes / 6},
			last:   tool.Replay{Finished: true, MaxBytes: smallBytes},
		},
	} {
		messages = nil
		for _, s := range before {
			messages = append(messages, s.messages(r.before)...)
		}
		messages = append(messages, last.messages(r.last)...)
		if estimate(messages) <= free {
			break
		}
	}
	for len(before) > 0 && estimate(messages) > free {
		messages, before = dropStep(messages), before[1:]
	}
	return messages
}

// dropStep removes the first step, which has an answer and its results. The names of its calls stay in the text of the
// next step, so that the model does not repeat them.
func dropStep(messages []llms.MessageContent) []llms.MessageContent {
	dropped := []string{}
	rest := messages[1:]
	for ; rest[0].Role == llms.ChatMessageTypeTool; rest = rest[1:] {
		if r, ok := rest[0].Parts[0].(llms.ToolCallResponse); ok {
			dropped = append(dropped, r.Name)
		}
	}
	earlier, next := "", rest[0]
	if text, ok := messages[0].Parts[0].(llms.TextContent); ok && strings.HasPrefix(text.Text, droppedSteps) {
		earlier, _, _ = strings.Cut(strings.TrimPrefix(text.Text, droppedSteps), "]")
		earlier += ", "
	}
	note := llms.TextContent{Text: droppedSteps + earlier + strings.Join(dropped, ", ") + "]\n"}
	next.Parts = append([]llms.ContentPart{note}, next.Parts...)
	return append([]llms.MessageContent{next}, rest[1:]...)
}

// droppedSteps begins the note about calls that a request leaves out.
const droppedSteps = "[Called before in this turn: "

// shortenText leaves out the middle of a text that has more tokens.
func shortenText(text string, tokens int) string {
	n := estimateText(text)
	if n <= tokens {
		return text
	}
	runes := []rune(text)
	for kept := len(runes) * max(0, tokens) / n; ; kept = kept * 3 / 4 {
		head := kept * 2 / 3
		short := fmt.Sprintf("%s\n[… %d characters are left out here: they do not fit the model's context window …]\n%s",
			string(runes[:head]), len(runes)-kept, string(runes[len(runes)-(kept-head):]))
		if kept <= 0 || estimateText(short) <= tokens {
			return short
		}
	}
}
