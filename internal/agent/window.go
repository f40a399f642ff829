package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"errand/ent"
	"errand/ent/message"

	"entgo.io/ent/dialect/sql"
	"github.com/tmc/langchaingo/llms"
)

// answerTokens is the room kept for an answer, in the window and in budgets.
const answerTokens = 1024

// pastTurn is a message and its reply, as the model is shown them.
type pastTurn struct {
	// last is the reply's position.
	last     int
	tokens   int
	messages []llms.MessageContent
}

// newest reads the message to answer and the turns before it that no summary covers,
// newest first. However long the conversation is, it reads a bounded number of rows.
func (t *turn) newest(ctx context.Context, reply *ent.Message) ([]*ent.Message, error) {
	rows, err := t.Client.Message.Query().
		Where(message.ConversationID(reply.ConversationID), message.PositionLT(reply.Position),
			message.PositionGT(t.conversation.SummarisedTo)).
		Order(message.ByPosition(sql.OrderDesc())).Limit(2*t.Limits.Turns + 1).WithToolCalls(inOrder).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the conversation: %w", err)
	}
	return rows, nil
}

// fit takes turns from the newest back, whole ones only, as long as they fit the
// model's window beside what must be there.
func (t *turn) fit(rows []*ent.Message) []pastTurn {
	room := t.room(rows[0])
	var window []pastTurn
	for i := 1; i+1 < len(rows); i += 2 {
		past := pastTurn{last: rows[i].Position, messages: append(replay(rows[i+1]), replay(rows[i])...)}
		past.tokens = estimate(past.messages)
		if past.tokens > room {
			return window
		}
		room -= past.tokens
		window = append(window, past)
	}
	return window
}

// room is how many tokens are left for earlier turns.
func (t *turn) room(asked *ent.Message) int {
	return t.Limits.Context - answerTokens - t.toolTokens - estimate(t.prompt) - estimateText(asked.Content)
}

// estimate guesses how many tokens messages take: about a token for four ASCII
// characters and for each other one, which is on the safe side for most tokenizers.
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
