package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/message"
	"errand/internal/tool"

	"entgo.io/ent/dialect/sql"
	"github.com/tmc/langchaingo/llms"
)

// maxEarlierReplies is how many failed replies a message may have before it is answered (chat.MaxRetries). More replies,
// through approvals, take the place of earlier turns.
const maxEarlierReplies = 10

// pastTurn is an earlier message and its replies as model messages.
type pastTurn struct {
	// first and last are the positions of the user message and of the last reply.
	first, last int
	tokens      int
	messages    []llms.MessageContent
}

// newPastTurn returns the turn of a user message and its replies, newest first. All but the last reply have failed or
// asked for approval: only their tool calls are of interest.
func newPastTurn(sent *ent.Message, replies []*ent.Message, r tool.Replay) pastTurn {
	p := pastTurn{first: sent.Position, last: sent.Position, messages: modelMessages(sent, r)}
	if len(replies) > 0 {
		for _, s := range stepsOf(replies[1:]) {
			p.messages = append(p.messages, s.messages(r)...)
		}
		p.last = replies[0].Position
		p.messages = append(p.messages, modelMessages(replies[0], r)...)
	}
	p.tokens = estimate(p.messages)
	return p
}

// stepsOf returns the recorded steps of replies, which are newest first, oldest first.
func stepsOf(replies []*ent.Message) (steps []*step) {
	for i := len(replies) - 1; i >= 0; i-- {
		steps = append(steps, recordedSteps(replies[i])...)
	}
	return steps
}

// leadingReplies returns the number of replies before the first user message.
func leadingReplies(rows []*ent.Message) int {
	n := slices.IndexFunc(rows, func(m *ent.Message) bool { return m.Role == enum.RoleUser })
	if n < 0 {
		return len(rows)
	}
	return n
}

// takeEarlierReplies records the steps of the replies to the message to answer that have failed or asked for approval,
// and returns the rows from that message on. This reply continues from the steps, so that it does not repeat their
// effects.
func (t *turn) takeEarlierReplies(rows []*ent.Message) []*ent.Message {
	n := leadingReplies(rows)
	t.earlierSteps = stepsOf(rows[:n])
	return rows[n:]
}

// loadHistory reads the message to answer and the turns before it that the summary does not cover, newest
// first. The number of rows is bounded by Limits.Turns.
func (t *turn) loadHistory(ctx context.Context, reply *ent.Message) ([]*ent.Message, error) {
	rows, err := t.Client.Message.Query().
		Where(message.ConversationID(reply.ConversationID), message.PositionLT(reply.Position),
			message.PositionGT(t.conversation.SummarisedTo)).
		Order(message.ByPosition(sql.OrderDesc())).
		Limit(2*t.Limits.Turns + 1 + maxEarlierReplies).WithToolCalls(bySequence).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the conversation: %w", err)
	}
	for _, m := range rows { // turns of other tokens may have read more
		tool.RedactCalls(t.job.Scopes, m.Edges.ToolCalls)
	}
	return rows, nil
}

// fitHistory returns the newest turns that fit the context window beside the rest of the prompt. Turns are
// never split.
func (t *turn) fitHistory(rows []*ent.Message) []pastTurn {
	free := t.freeTokens(rows[0])
	var window []pastTurn
	for rows = rows[1:]; len(rows) > 0 && len(window) < t.Limits.Turns; {
		n := leadingReplies(rows)
		if n == len(rows) {
			return window // the user message was not read
		}
		past := newPastTurn(rows[n], rows[:n], t.finishedReplay())
		rows = rows[n+1:]
		if past.tokens > free {
			return window
		}
		free -= past.tokens
		window = append(window, past)
	}
	return window
}

// estimate estimates the tokens of messages: one for four ASCII characters and one for each other
// character, which overestimates for most tokenizers.
func estimate(messages []llms.MessageContent) int {
	n := 0
	for _, m := range messages {
		n += 4
		for _, part := range m.Parts {
			switch p := part.(type) {
			case llms.TextContent:
				n += estimateText(p.Text)
			case llms.ToolCall:
				n += 8 + estimateText(p.FunctionCall.Arguments)
			case llms.ToolCallResponse:
				n += 8 + estimateText(p.Content)
			}
		}
	}
	return n
}

func estimateSteps(steps []*step, r tool.Replay) int {
	n := 0
	for _, s := range steps {
		n += estimate(s.messages(r))
	}
	return n
}

func estimateText(s string) int {
	runes := utf8.RuneCountInString(s)
	wide := (len(s) - runes + 1) / 2 // characters beyond ASCII have 2 to 4 bytes
	return (runes-min(wide, runes)+3)/4 + wide
}

func estimateTools(offered []llms.Tool) int {
	b, _ := json.Marshal(offered) // schemas are valid JSON, as the registry has checked
	return estimateText(string(b))
}
