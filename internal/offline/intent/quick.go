package intent

import (
	"cmp"
	"slices"

	"errand/internal/due"
	"errand/internal/editdist"
	"errand/internal/tasktext"
	"errand/internal/text"
)

// maxOffered is the maximum number of words of a title without a command that is offered to be added.
const maxOffered = 15

// quick parses a clause without a command: values alone ("6pm"), or a task ("dentist friday at 3"). A date, a label or
// a priority marks it as a task; others are offered. Sentences and questions are neither.
func (r *messageReader) quick(t text.Text, asked bool) (Request, bool) {
	if t.Len() > tasktext.MaxValues {
		return Request{}, false
	}
	if f, rejection, ok := onlyValues(t, r.now); ok {
		return Request{Kind: Correct, Fields: f, Rejection: rejection, Said: t.String()}, !asked
	}
	bare, _ := r.withoutCourtesy(t)
	if q, ok := r.afterDate(bare); ok {
		return q, true
	}
	q := r.titleRequest(bare)
	q.Said, q.titles, q.Bare = t.String(), bare, true
	first := bare.Key(0)
	statement := r.isStatement(bare)
	f := q.Fields
	switch {
	case f.Title == "" || r.lang.Is("subject", first) || r.lang.Is("nottitle", first) || q.several || r.namesNumber(bare):
		return Request{}, false
	case q.Offer:
		return q, true
	case f.Any() || q.Rejection != "":
		q.Offer = asked || statement || !r.lang.Is("taskverb", first) && f.Due == nil && len(f.Labels) == 0
		return q, !(asked && statement)
	case asked || statement || bare.Len() < 2 || !tasktext.HasLetter(f.Title):
		return Request{}, false
	}
	q.Offer = true
	return q, bare.Len() <= maxTopicWords || bare.Len() <= maxOffered && r.lang.Is("taskverb", first)
}

// isStatement reports whether a text has a finite verb.
func (p *clauseParser) isStatement(t text.Text) bool {
	return slices.ContainsFunc(t.Keys(), func(k string) bool { return p.lang.Is("finite", k) })
}

// afterDate parses "tomorrow at 7 add feed the cats" and "by friday I need to finish the draft".
func (r *messageReader) afterDate(t text.Text) (Request, bool) {
	if !r.startsValue(t.Key(0)) {
		return Request{}, false
	}
	m, ok := due.Find(t.Keys(), r.now)
	if !ok || m.Start != 0 || m.Unclear != "" {
		return Request{}, false
	}
	q, ok := r.clause(t.From(m.End))
	q.Fields.Merge(Fields{Values: tasktext.Values{Due: &m.Due, DueText: t.Slice(0, m.End).String()}})
	return q, ok && q.Kind == Add && q.Fields.Title != ""
}

// namesNumber reports whether a text mentions a task by number, so that it is about that task.
func (r *messageReader) namesNumber(t text.Text) bool {
	for i := range t.Tokens {
		if numberForm.MatchString(t.Key(i)) && (t.Key(i)[0] == '#' || i > 0 && r.lang.Is("noun", t.Key(i-1))) {
			return true
		}
	}
	return false
}

// typo parses a clause whose first word is almost that of a command: "delte task 1".
func (r *messageReader) typo(t text.Text) (Request, bool) {
	bare, _ := r.withoutCourtesy(t)
	k := bare.Key(0)
	known := r.lang.Is("notypo", k) || r.lang.Is("taskverb", k) || r.lang.Is("begin", k)
	at := slices.IndexFunc(r.lang.Class("typoverb"), func(verb string) bool { return oneTypo(k, verb) })
	if at < 0 || known || bare.Len() < 2 {
		return Request{}, false
	}
	verb := r.lang.Class("typoverb")[at]
	req, ok := r.clause(bare.WithKey(0, verb))
	req.offer(verb + " " + bare.From(1).String())
	return req, ok
}

// oneTypo reports whether two words differ by one letter: added, left out, replaced, or exchanged with the next one.
func oneTypo(a, b string) bool {
	return max(len(a)-len(b), len(b)-len(a)) < 2 && editdist.Distance(a, b) == 1
}

// list parses several titles, one request for each: all that the request announces ("add these: …"), an enumeration
// ("milk, bread and eggs"), or tasks that each begin with a verb ("call Ann, call Bo, call Cy"). A value, as in
// "…, urgent", belongs to the preceding title; "all for thursday" to all of them. It returns nil for a single title.
func (p *clauseParser) list(req *Request) (reqs []Request) {
	t, shared := p.sharedValues(req.titles)
	pieces := p.split(t, "betweentitles")
	certain := req.several || req.loose && !req.Offer && req.Rejection == "" && p.enumerates(pieces, t)
	if !certain {
		pieces, certain = p.verbPieces(t)
	}
	dated := 0
	for _, piece := range pieces {
		piece = p.lang.TrimLeading(piece.Trim(), "ties")
		if f, rejection, trait := onlyValues(piece, p.now); trait && len(reqs) > 0 {
			last := &reqs[len(reqs)-1]
			last.Fields.Merge(f)
			last.Rejection = cmp.Or(last.Rejection, rejection)
		} else if piece.Len() > 0 {
			reqs = append(reqs, p.titleRequest(piece))
		}
	}
	for i := range reqs {
		f := &reqs[i].Fields
		if f.Merge(shared); f.Due != nil {
			dated++
		}
		if req.several {
			reqs[i].Reminder = req.Reminder
			f.Merge(req.Fields)
		}
	}
	if certain || len(reqs) > 2 || dated > 1 {
		return reqs
	}
	return nil
}

// verbPieces splits a text before verbs if it begins with one. certain is set if a comma separates the parts.
func (p *clauseParser) verbPieces(t text.Text) (pieces []text.Text, certain bool) {
	start := 0
	for i := 1; i < t.Len() && p.lang.Is("taskverb", t.Key(0)); i++ {
		if after := p.joint(t, i); after > i && p.lang.Is("taskverb", t.Key(after)) && !p.lang.Is("dash", t.Key(i)) {
			pieces, certain = append(pieces, t.Slice(start, i)), certain || t.Key(i) == ","
			start, i = after, after
		}
	}
	if start == 0 {
		return nil, false
	}
	return append(pieces, t.From(start)), certain
}

// enumerates reports whether the pieces of a text are things: "milk, bread and eggs". "Buy milk, bread and eggs" is one
// task.
func (p *clauseParser) enumerates(pieces []text.Text, t text.Text) bool {
	if p.lang.Is("taskverb", t.Key(0)) || len(pieces) < 2 || !slices.Contains(t.Keys(), ",") {
		return false
	}
	before := t.Key(t.Len() - pieces[len(pieces)-1].Len() - 1)
	return (before == "and" || before == "&") &&
		!slices.ContainsFunc(pieces, func(t text.Text) bool { return t.Len() > maxThing })
}

// maxThing is the maximum number of words of a part of an enumeration.
const maxThing = 3

// sharedValues removes "all for thursday" from the end.
func (p *clauseParser) sharedValues(t text.Text) (text.Text, Fields) {
	for i := max(1, t.Len()-maxSpanWords); i < t.Len()-1; i++ {
		after := p.lang.PhraseAt("allof", t, i)
		if after < 0 || after >= t.Len() {
			continue
		}
		if f, rejection, ok := onlyValues(t.From(after), p.now); ok && rejection == "" {
			return t.Slice(0, i).Trim(), f
		}
	}
	return t, Fields{}
}

// maxAnother is the maximum number of words of a further title.
const maxAnother = 8

// another parses "and eggs too" as the title of a further task. A question or a complete sentence is not a title.
func (r *messageReader) another(whole text.Text) *Request {
	t := r.lang.TrimLeading(whole.Trim(), "more")
	led := t.Len() < whole.Trim().Len()
	for i := 1; i < t.Len(); i++ {
		led = led || r.lang.PhraseAt("moretail", t, i) == t.Len()
	}
	t = r.withoutTail(t, "moretail")
	if !led || t.Len() > maxAnother || t.Key(t.Len()-1) == "?" || r.lang.Is("subject", t.Key(0)) || r.isStatement(t) {
		return nil
	}
	if q, ok := r.clause(t); ok && q.Kind == Add {
		return &q
	} else if ok || r.isFirm(t) {
		return nil
	}
	if q := r.titleRequest(t); q.Fields.Title != "" {
		return &q
	}
	return nil
}

// ReadTitle parses a message that answers the question for a title.
func ReadTitle(message string, now due.Now) Request {
	all := text.Tokenize(text.Clean(message))
	p := newParser(all.Len(), now)
	bare, _ := p.withoutCourtesy(all)
	return p.titleRequest(bare)
}
