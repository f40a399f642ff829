package intent

import (
	"cmp"
	"slices"
	"strings"

	"errand/internal/due"
	"errand/internal/text"
)

// Limits of one message.
const (
	maxRequests  = 100
	maxSentences = 200
	// The steps bound the attempts to match, and so the cost; ordinary messages take up to 6,000.
	stepsPerToken, minSteps = 10, 10_000
)

// Parse returns what a message means. Dates are relative to now. The cost is linear in the length of the message.
func Parse(message string, now due.Now) Message {
	m, _ := parse(message, now)
	return m
}

// parse is Parse, and returns the number of steps it took.
func parse(message string, now due.Now) (Message, int) {
	all := text.Tokenize(text.Clean(message))
	r := messageReader{clauseParser: newParser(all.Len(), now)}
	budget := *r.steps
	list := sentences(all)
	for i, s := range list {
		s.heads = s.Key(s.Len()-1) == ":" && i+1 < len(list) && list[i+1].newLine
		full := i == maxSentences || len(r.Requests) >= maxRequests || *r.steps <= 0
		if !full && s.Len() <= maxWords {
			r.sentence(s)
			continue
		}
		r.Left = append(r.Left, s.Slice(0, min(s.Len(), 20)).String()+" …")
		if full {
			break
		}
	}
	r.closeHeader()
	r.Answer = r.answer(all.Trim())
	r.More = r.another(all)
	return r.Message, budget - *r.steps
}

// messageReader collects the requests of a message.
type messageReader struct {
	*clauseParser
	Message
	// begins are the indices in Requests of the first request of each sentence.
	begins []int
	// header is an "Add these tasks:" whose titles are expected on the following lines.
	header *Request
	filled bool
}

func (r *messageReader) sentence(s sentence) {
	corrected := s.fixed(r)
	if n := s.Len(); s.question && n > 2 && r.lang.Is("asktag", s.Key(n-2)) {
		s.Text, s.question = s.Slice(0, n-2), false
	}
	if r.header != nil && (s.bullet || s.newLine && !r.isExplicit(s.Text)) {
		r.filled = true
		q := r.titleRequest(s.Trim())
		q.Fields.Merge(r.header.Fields)
		r.add(q)
		return
	}
	r.closeHeader()
	r.begins = append(r.begins, len(r.Requests))
	listed := s.semicolon && r.lastKind() == Add && !r.Requests[len(r.Requests)-1].Offer
	if (s.bullet || listed) && !r.isCommand(s.Text) {
		r.add(r.titleRequest(s.Trim()))
		return
	}
	if bare, _ := r.withoutCourtesy(s.Text); r.lang.PhraseAt("condition", bare, 0) > 0 {
		r.add(Request{Kind: Say, Topic: NoCondition, Said: s.String()})
		return
	}
	if s.newLine && s.heads && s.Len() <= maxTopicWords {
		if q, ok := r.clause(s.Text); !ok || !q.several && (q.Kind == Add || !q.changes()) {
			r.header = &Request{Kind: Add, Said: s.String()}
			return
		}
	}
	before := len(r.Requests)
	parts := r.merged(r.segments(s.Text), s.Text)
	help, _ := r.clause(parts[len(parts)-1].Text)
	for i, g := range parts {
		part := s
		part.question = s.question && (i+1 == len(parts) || !help.asksHelp) // "add milk, and what can you do?"
		r.segment(g, part)
	}
	for i := before; corrected != "" && i < len(r.Requests); i++ {
		r.Requests[i].offer(corrected)
	}
}

// fixed corrects misspelled days in a sentence, and returns its corrected text, "" without any.
func (s *sentence) fixed(r *messageReader) (corrected string) {
	for i := range s.Tokens {
		if right := r.lang.Value("misspelled", s.Key(i)); right != "" {
			corrected = strings.Replace(cmp.Or(corrected, s.String()), s.Raw(i), right, 1)
			s.Text = s.WithKey(i, right)
		}
	}
	return corrected
}

// offer makes a change uncertain, because it was requested by other words.
func (q *Request) offer(meant string) {
	if q.changes() {
		q.Offer, q.DidYouMean = true, meant
	}
}

// changes reports whether a request changes tasks.
func (q *Request) changes() bool {
	switch q.Kind {
	case Add, Complete, Reopen, Delete, Update, Restore, Undo, Redo, Correct:
		return true
	}
	return false
}

func (r *messageReader) isCommand(t text.Text) bool {
	req, ok := r.clause(t)
	return ok && req.Kind != Say
}

// isExplicit reports whether a line cannot be a title.
func (r *messageReader) isExplicit(t text.Text) bool {
	req, ok := r.clause(t)
	return ok && (req.explicit || req.Kind == Say)
}

func (r *messageReader) lastKind() Kind {
	if len(r.Requests) == 0 {
		return ""
	}
	return r.Requests[len(r.Requests)-1].Kind
}

func (r *messageReader) add(q Request) { r.Requests = append(r.Requests, q) }

// closeHeader converts a header without titles to a request without a title, for which the user is asked.
func (r *messageReader) closeHeader() {
	if r.header != nil && !r.filled {
		r.add(Request{Kind: Add, Said: r.header.Said})
	}
	r.header, r.filled = nil, false
}

// merged joins the segments that belong to one request: a title that contains "and", or a list of tasks. It parses each
// token at most three times.
func (r *messageReader) merged(list []segment, sentence text.Text) []segment {
	out := list[:0:0]
	for _, g := range list {
		if len(out) == 0 || g.marker.Len() > 0 || out[len(out)-1].marker.Len() > 0 && out[len(out)-1].Trim().Len() == 0 {
			out = append(out, g)
			continue
		}
		last := &out[len(out)-1]
		left, known := r.clause(last.Text)
		known = known && !left.Bare
		right, ok := r.clause(g.Text)
		joined := *last
		joined.join(g, sentence)
		apart := known && fits(left, right, ok)
		if !apart && mayFollow(last.Trim(), left, right) {
			apart, g.unsure = true, true // "add dentist friday and complete buy milk"
		}
		if !known && last.Len() <= maxTopicWords {
			_, whole := r.clause(joined.Text)
			apart = ok && !whole
		}
		if !apart && (known || last.Len() <= maxTopicWords) {
			*last = joined
		} else {
			out = append(out, g)
		}
	}
	return out
}

// mayFollow reports whether right may be a request of its own after a new task that ends in a due date.
func mayFollow(t text.Text, left, right Request) bool {
	f := left.Fields
	return left.Kind == Add && f.Due != nil && strings.HasSuffix(strings.Join(t.Keys(), " "), f.DueText) &&
		right.Kind != Add && right.changes()
}

// fits reports whether right may follow left as a separate request.
func fits(left, right Request, known bool) bool {
	if !known || right.Bare {
		return false
	}
	if right.Kind == Say && right.Topic != LeftAlone && right.Topic != NoReminder && !right.asksHelp {
		return false
	}
	return !left.free || right.explicit || right.Kind == Say || right.Kind == Add && !left.explicit
}

// segment adds the requests of a segment.
func (r *messageReader) segment(g segment, s sentence) {
	if g.marker.Len() > 0 && r.correct(g) {
		return
	}
	t := s.Slice(g.from, g.end).Trim()
	if t.Len() == 0 {
		return
	}
	if after := r.lang.PhraseAt("except", t, 0); after > 0 {
		if refs, ok := r.names(t.From(after)); ok && r.except(refs) {
			return
		}
	}
	bare := r.lang.TrimLeading(t, "shall")
	_, polite := r.withoutCourtesy(bare)
	asked := s.question && !polite
	req, ok := r.clause(bare)
	if !ok {
		req, ok = r.typo(bare)
	}
	if !ok {
		req, ok = r.quick(bare, asked)
	}
	if !ok {
		r.Left = append(r.Left, bare.String())
		return
	}
	asked = asked || bare.Len() < t.Len()
	req.Offer = req.Offer || req.changes() && (asked || g.unsure)
	req.Titled = !asked && (req.Titled || g.unsure && req.Kind == Complete)
	r.accept(req)
}

// accept adds a request, or applies those that take back or complete earlier ones.
func (r *messageReader) accept(req Request) {
	onIt := len(req.Refs) == 1 && req.Refs[0].Kind == It
	switch {
	case req.Kind == retract:
		r.takeBack(0)
	case req.Kind == keep && len(req.Refs) > 0:
		if !r.except(req.Refs) {
			r.add(Request{Kind: Say, Topic: LeftAlone, Said: req.Said})
		}
	case req.Kind == keep || req.Kind == Say && req.Topic == LeftAlone && r.changed():
		r.takeBack(r.lastSentence())
	case onIt && req.Kind == r.lastKind() && req.Kind != Update && req.changes():
		// "the report is not done yet, reopen it"
	case onIt && req.Kind == Update && r.lastKind() == Add && req.Fields.Any():
		r.Requests[len(r.Requests)-1].Fields.Merge(req.Fields)
	case req.Kind == Add:
		list := r.list(&req)
		switch {
		case len(list) > 0:
			r.Requests = append(r.Requests, list...)
		case req.several:
			r.header = &req
		default:
			r.add(req)
		}
	default:
		r.add(req)
	}
}

// changed reports whether there is a request that changes tasks.
func (r *messageReader) changed() bool {
	return slices.ContainsFunc(r.Requests, func(q Request) bool { return q.changes() })
}

// lastSentence returns the index of the first request of the last sentence with requests.
func (r *messageReader) lastSentence() int {
	for i := len(r.begins) - 1; i >= 0; i-- {
		if r.begins[i] < len(r.Requests) {
			return r.begins[i]
		}
	}
	return 0
}

// takeBack moves the requests from an index on to Retracted. Without any, it adds a reply that nothing is done.
func (r *messageReader) takeBack(from int) {
	if from >= len(r.Requests) {
		r.add(Request{Kind: Say, Topic: LeftAlone})
		return
	}
	r.Retracted = append(r.Retracted, r.Requests[from:]...)
	r.Requests = append(r.Requests[:from:from], Request{Kind: Say, Topic: LeftAlone})
}

// except excludes tasks from the last request.
func (r *messageReader) except(refs []Reference) bool {
	if len(r.Requests) == 0 {
		return false
	}
	last := &r.Requests[len(r.Requests)-1]
	if !last.changes() || !slices.ContainsFunc(last.Refs, wide) && len(last.Refs) < 2 {
		return false
	}
	for i := range last.Refs {
		last.Refs[i].Except = append(last.Refs[i].Except, refs...)
	}
	return true
}
