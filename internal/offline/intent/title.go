package intent

import (
	"cmp"
	"strings"

	"errand/internal/due"
	"errand/internal/tasktext"
	"errand/internal/text"
)

// titleRequest returns the addition of a task with a title.
func (p *clauseParser) titleRequest(t text.Text) Request {
	req := Request{Kind: Add, Said: t.String(), free: true}
	p.fillTitle(&req, t)
	return req
}

// fillTitle parses a title with values into a request. The title keeps the user's wording.
func (p *clauseParser) fillTitle(req *Request, t text.Text) {
	if t = t.Trim(); t.Len() > 1 && p.lang.Is("article", t.Key(0)) && !p.lang.Is("quantity", t.Key(1)) {
		t = t.From(1)
	}
	t = p.lang.TrimLeading(p.withoutTail(t, "tail"), "hesitation")
	if start, end := due.Recurring(t.Keys()); end > start {
		req.Offer, req.Rhythm = true, t.Slice(start, end).String()
		t = t.Remove(start, end)
	}
	req.titles = t
	*p.steps -= 20 * t.Len()
	title := tasktext.ReadTitle(t, p.now)
	f := Fields{Values: title.Values}
	req.Rejection = cmp.Or(req.Rejection, title.Rejection)
	req.DateLeft = title.DateLeft
	f.Merge(req.Fields)
	req.Fields = f
	req.Offer = req.Offer || req.DateLeft != "" && strings.HasSuffix(f.Title, req.DateLeft)
}

// onlyValues parses a text that consists of priority, labels and due date only.
func onlyValues(t text.Text, now due.Now) (f Fields, rejection string, ok bool) {
	v, rejection, ok := tasktext.OnlyValues(t, now)
	return Fields{Values: v, Shift: v.DueText}, rejection, ok
}
