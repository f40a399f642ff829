package offline

import (
	"strings"
	"time"

	"errand/internal/due"

	"github.com/tmc/langchaingo/llms"
)

// turn is one user message with the recorded steps that followed it.
type turn struct {
	message string
	rounds  []round
	// answered reports whether the turn has reply text.
	answered bool
}

// round is one step of the model that called tools, with the results.
type round []recordedCall

// recordedCall is a recorded tool call; result is nil while none is recorded.
type recordedCall struct {
	name   string
	id     string
	result *toolResult
}

// timeLine marks the line of the newest message's second part with the present time, the zone and the first day of the
// week: "Current time: Sun 2026-11-22 11:35 +01:00 (Europe/Berlin), weeks start on Sunday".
const (
	timeLine   = "Current time: "
	timeLayout = "Mon 2006-01-02 15:04 -07:00"
	weekText   = ", weeks start on "
)

// parseConversation splits a conversation into turns. now is zero when the last message of the user has no second part
// with the time. Words that imitate the time stay words.
func parseConversation(messages []llms.MessageContent) (turns []turn, now due.Now) {
	for _, m := range messages {
		switch parts := texts(m); {
		case m.Role == llms.ChatMessageTypeHuman:
			parts = append(parts, "") // a message may have no part
			turns, now = append(turns, turn{message: parts[0]}), currentTime(strings.Join(parts[1:], "\n"))
		case len(turns) > 0:
			turns[len(turns)-1].record(m)
		}
	}
	return turns, now
}

// currentTime parses the line of timeLine; without one it returns the zero value.
func currentTime(added string) due.Now {
	_, line, ok := strings.Cut(added, timeLine)
	if !ok {
		return due.Now{}
	}
	line, _, _ = strings.Cut(line, "\n")
	line, week, _ := strings.Cut(line, weekText)
	stamp, zone, _ := strings.Cut(strings.TrimSpace(line), " (")
	t, err := time.Parse(timeLayout, stamp)
	if err != nil {
		return due.Now{}
	}
	if loc, err := time.LoadLocation(strings.TrimSuffix(zone, ")")); err == nil && zone != "" {
		t = t.In(loc)
	}
	first := time.Monday
	for d := time.Sunday; d <= time.Saturday; d++ {
		if d.String() == week {
			first = d
		}
	}
	return due.At(t, first)
}

// record adds the calls of a model message or the results of a tool message.
func (t *turn) record(m llms.MessageContent) {
	var calls round
	for _, p := range m.Parts {
		switch p := p.(type) {
		case llms.TextContent:
			t.answered = t.answered || m.Role == llms.ChatMessageTypeAI && strings.TrimSpace(p.Text) != ""
		case llms.ToolCall:
			if p.FunctionCall != nil {
				calls = append(calls, recordedCall{name: p.FunctionCall.Name, id: p.ID})
			}
		case llms.ToolCallResponse:
			t.attach(p)
		}
	}
	if len(calls) > 0 {
		t.rounds = append(t.rounds, calls)
	}
}

// attach stores a result with its call. A result of an unknown call is recorded as a round of its own.
func (t *turn) attach(r llms.ToolCallResponse) {
	res := parseResult(r.Content)
	for _, calls := range t.rounds {
		for i := range calls {
			if calls[i].id == r.ToolCallID && calls[i].result == nil {
				calls[i].result = &res
				return
			}
		}
	}
	t.rounds = append(t.rounds, round{{name: r.Name, id: r.ToolCallID, result: &res}})
}
