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

// timeLine marks the line of the system message with the present time, the zone and the first day of the week:
// "Current time: 2026-11-22T11:35:00+01:00 (Europe/Berlin), weeks start on Sunday".
const (
	timeLine = "Current time: "
	weekText = ", weeks start on "
)

// parseConversation splits a conversation into turns. now is zero when the system message has no time.
func parseConversation(messages []llms.MessageContent) (turns []turn, now due.Now) {
	for _, m := range messages {
		switch m.Role {
		case llms.ChatMessageTypeSystem:
			if t := currentTime(textOf(m)); !t.IsZero() {
				now = t
			}
		case llms.ChatMessageTypeHuman:
			turns = append(turns, turn{message: textOf(m)})
		case llms.ChatMessageTypeAI, llms.ChatMessageTypeTool:
			if len(turns) > 0 {
				turns[len(turns)-1].record(m)
			}
		}
	}
	return turns, now
}

func textOf(m llms.MessageContent) string {
	var texts []string
	for _, p := range m.Parts {
		if t, ok := p.(llms.TextContent); ok {
			texts = append(texts, t.Text)
		}
	}
	return strings.Join(texts, "\n")
}

// currentTime parses the line of timeLine; without one it returns the zero value.
func currentTime(system string) due.Now {
	_, line, ok := strings.Cut(system, timeLine)
	if !ok {
		return due.Now{}
	}
	line, _, _ = strings.Cut(line, "\n")
	line, week, _ := strings.Cut(line, weekText)
	stamp, zone, _ := strings.Cut(strings.TrimSpace(line), " ")
	t, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return due.Now{}
	}
	if loc, err := time.LoadLocation(strings.Trim(zone, "() ")); err == nil && zone != "" {
		t = t.In(loc)
	}
	return due.At(t, weekday(week))
}

// weekday returns the day with an English name. Other texts are Monday.
func weekday(name string) time.Weekday {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if d.String() == name {
			return d
		}
	}
	return time.Monday
}

// record adds the calls of a model message or the results of a tool message.
func (t *turn) record(m llms.MessageContent) {
	if m.Role == llms.ChatMessageTypeAI && strings.TrimSpace(textOf(m)) != "" {
		t.answered = true
	}
	var calls round
	for _, p := range m.Parts {
		switch p := p.(type) {
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
