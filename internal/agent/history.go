package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"errand/ent"
	"errand/ent/message"
	"errand/internal/tool"

	"entgo.io/ent/dialect/sql"
	"github.com/tmc/langchaingo/llms"
)

// answerTokens is reserved for an answer in prompts and token budgets.
const answerTokens = 1024

// pastTurn is an earlier message and its reply as model messages.
type pastTurn struct {
	// last is the position of the reply.
	last     int
	tokens   int
	messages []llms.MessageContent
}

// loadHistory reads the message to answer and the turns before it that the summary does not cover, newest
// first. The number of rows is bounded by Limits.Turns.
func (t *turn) loadHistory(ctx context.Context, reply *ent.Message) ([]*ent.Message, error) {
	rows, err := t.Client.Message.Query().
		Where(message.ConversationID(reply.ConversationID), message.PositionLT(reply.Position),
			message.PositionGT(t.conversation.SummarisedTo)).
		Order(message.ByPosition(sql.OrderDesc())).Limit(2*t.Limits.Turns + 1).WithToolCalls(bySequence).All(ctx)
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
	for i := 1; i+1 < len(rows); i += 2 {
		past := pastTurn{last: rows[i].Position, messages: append(modelMessages(rows[i+1]), modelMessages(rows[i])...)}
		past.tokens = estimate(past.messages)
		if past.tokens > free {
			return window
		}
		free -= past.tokens
		window = append(window, past)
	}
	return window
}

// freeTokens is the number of tokens left for earlier turns.
func (t *turn) freeTokens(userMessage *ent.Message) int {
	return t.Limits.Context - answerTokens - t.toolTokens - estimate(t.prompt) - estimateText(userMessage.Content)
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

func estimateText(s string) int {
	runes := utf8.RuneCountInString(s)
	wide := (len(s) - runes + 1) / 2 // characters beyond ASCII have 2 to 4 bytes
	return (runes-min(wide, runes)+3)/4 + wide
}

func estimateTools(offered []llms.Tool) int {
	b, _ := json.Marshal(offered) // schemas are valid JSON, as the registry has checked
	return estimateText(string(b))
}
