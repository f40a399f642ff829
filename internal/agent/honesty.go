package agent

import (
	"fmt"
	"strings"

	"errand/ent/enum"
	"errand/internal/agent/claims"

	"github.com/tmc/langchaingo/llms"
)

// doubt is what a reply said without a tool result behind it.
type doubt struct {
	// before is the reply's text when it was asked to correct itself.
	before string
	// note ends the next question to the model: what it said, and what is wrong with it.
	note []llms.MessageContent
}

// correction is the note. It is shown to no person.
const correction = `[From the server, not from the person] Your reply says: %s
No tool result in this turn shows that. If it was asked for, do it now with the tools; otherwise tell the person in one sentence what is really the case. What you wrote before stays visible, so take back what is not true.`

// questions compares a reply that its model takes for final with what was done. The first
// time that something said has nothing behind it, the model gets one more step to do it or to take it
// back: text that was streamed cannot be unsaid, so the correction follows it.
func (t *turn) questions(choice *llms.ContentChoice) bool {
	if t.doubt != nil || !instructed(choice) {
		return false
	}
	doubted := claims.Unbacked(t.out.text(), t.done())
	if len(doubted) == 0 {
		return false
	}
	t.doubt = &doubt{before: t.out.text(), note: []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeAI, t.out.tail()),
		llms.TextParts(llms.ChatMessageTypeHuman, fmt.Sprintf(correction, quotations(doubted))),
	}}
	return true
}

// unverified says what a reply still claims after its correction; nil when nothing.
func (t *turn) unverified() *string {
	if t.doubt == nil {
		return nil
	}
	record := t.done()
	after := strings.TrimPrefix(t.out.text(), t.doubt.before)
	doubted := claims.Unbacked(after, record)
	if before := claims.Unbacked(t.doubt.before, record); len(doubted) == 0 && !claims.Retracts(after) {
		doubted = before
	}
	if len(doubted) == 0 {
		return nil
	}
	reason := "The reply says " + quotations(doubted) + ", but no tool result shows it."
	return &reason
}

// done is what this reply's tool results show.
func (t *turn) done() claims.Record {
	r := claims.Record{Asked: t.asked}
	for _, s := range t.steps {
		for _, c := range s.calls {
			if c.Status == enum.ToolCallSucceeded && c.Result != nil {
				r.Note(c.Name, *c.Result)
			}
		}
	}
	return r
}

// quotations are a few sentences, cut short.
func quotations(sentences []string) string {
	const most, length = 3, 160
	sentences = sentences[:min(len(sentences), most)]
	quoted := make([]string, len(sentences))
	for i, s := range sentences {
		if r := []rune(s); len(r) > length {
			s = string(r[:length]) + "…"
		}
		quoted[i] = "“" + s + "”"
	}
	return strings.Join(quoted, ", ")
}
