package intent

import (
	"cmp"
	"slices"
	"strings"

	"errand/internal/due"
	"errand/internal/tasktext"
	"errand/internal/text"
)

// correct applies a segment that begins with a correction ("sorry, 6pm", "wait, not 1, 2", "no, complete it") to the
// requests before it, or makes it a request of its own. It returns false if the segment is an ordinary one.
func (r *messageReader) correct(g segment) bool {
	rest, marker, strong := r.correction(g)
	switch {
	case rest.Len() == 0 && r.changed():
		all := slices.ContainsFunc(marker.Keys(), func(k string) bool { return r.lang.Is("retractall", k) })
		r.accept(Request{Kind: map[bool]Kind{true: retract, false: keep}[all]})
		return true
	case rest.Len() == 0:
		words := strings.Join(marker.Keys(), " ")
		if r.lang.Is("retract", words) || r.lang.Is("keep", words) {
			r.takeBack(len(r.Requests))
			return true
		}
		return false
	}
	negated := r.lang.Is("negated", marker.Key(marker.Len()-1))
	rest = r.lang.TrimLeading(rest, "pointing")
	q, ok := r.replacement(rest, strong)
	if negated {
		q, ok = r.insteadOf(rest)
	}
	said := g.marker.String() + " " + g.String()
	switch {
	case ok && r.changed():
		r.replaceLast(q, said)
	case ok:
		if q.Kind == Correct && len(q.Refs) == 0 && q.Fields.Title == "" && marker.Key(0) == "make" {
			q.Kind, q.Refs = Update, []Reference{{Kind: It, firm: true}}
		}
		q.Said, q.explicit = said, true
		r.add(q)
	case !r.changed() || r.isCommand(g.Text):
		return false
	default:
		r.takeBack(r.lastSentence())
		r.Left = append(r.Left, said)
	}
	return true
}

// correction returns the text after the markers of a segment ("no wait, sorry, 6pm"), the last marker, and whether one
// of them is strong.
func (r *messageReader) correction(g segment) (rest, marker text.Text, strong bool) {
	rest, marker = g.Trim(), g.marker
	for {
		strong = strong || r.lang.Is("strong", strings.Join(marker.Keys(), " "))
		end := r.lang.PhraseAt("correct", rest, 0)
		if whole := max(r.lang.PhraseAt("retract", rest, 0), r.lang.PhraseAt("keep", rest, 0)); whole == rest.Len() {
			end = whole
		}
		if end <= 0 {
			return rest, marker, strong
		}
		marker, rest = rest.Slice(0, end), rest.From(end).Trim()
	}
}

// insteadOf parses "1, 2" after "not".
func (r *messageReader) insteadOf(t text.Text) (Request, bool) {
	pieces := r.split(t, "pieces")
	if len(pieces) == 0 || !r.isFirm(pieces[0]) {
		return Request{}, false
	}
	q := Request{Kind: Correct}
	q.Instead, _ = r.names(pieces[0])
	for _, piece := range pieces[1:] {
		refs, _ := r.names(piece)
		q.Refs = append(q.Refs, refs...)
	}
	return q, true
}

// replacement parses the right values, the right task or another command.
func (r *messageReader) replacement(t text.Text, strong bool) (Request, bool) {
	if f, rejection, ok := onlyValues(t, r.now); ok && !(strong && numberForm.MatchString(t.String())) {
		return Request{Kind: Correct, Fields: f, Rejection: rejection}, true
	}
	if r.isFirm(t) {
		refs, ok := r.names(t)
		return Request{Kind: Correct, Refs: refs}, ok
	}
	if q, ok := r.clause(t); ok {
		return q, q.changes()
	}
	last := r.lastKind()
	if strong || last == Add && r.lang.Is("taskverb", t.Key(0)) ||
		last == Update && r.Requests[len(r.Requests)-1].Fields.Title != "" {
		q := r.titleRequest(t)
		q.Kind = Correct
		return q, q.Fields.Title != ""
	}
	return Request{}, false
}

// replaceLast applies a correction to the last request of the message.
func (r *messageReader) replaceLast(q Request, said string) {
	last := &r.Requests[len(r.Requests)-1]
	switch {
	case q.Kind != Correct:
		if len(q.Refs) == 1 && (q.Refs[0].Kind == It || q.Refs[0].Kind == Shown) {
			q.Refs = last.Refs
		}
		from := r.lastSentence()
		for from > 0 && !r.Requests[from].changes() {
			from--
		}
		q.Said = said
		r.Retracted = append(r.Retracted, r.Requests[from:]...)
		r.Requests = append(r.Requests[:from:from], q)
	case q.Fields.Title != "" && last.Kind == Update:
		last.Fields.Title = q.Fields.Title
	case q.Fields.Title != "" && last.Kind == Add:
		q.Fields.Merge(last.Fields)
		last.Fields = q.Fields
	case len(q.Instead) > 0:
		last.Refs = slices.DeleteFunc(slices.Clone(last.Refs), func(ref Reference) bool {
			return slices.ContainsFunc(q.Instead, ref.same)
		})
		if last.Refs = append(last.Refs, q.Refs...); len(last.Refs) == 0 { // nothing is certain
			*last = Request{Kind: Say, Topic: LeftAlone, Said: said}
		}
	case len(q.Refs) > 0 && len(last.Refs) > 0:
		last.Refs = q.Refs
	case last.Kind == Add || last.Kind == Update || last.Kind == Correct:
		last.override(q, r.now)
	}
}

// same reports whether two references name the same task by the same words.
func (r Reference) same(other Reference) bool {
	return r.Kind == other.Kind && r.Number == other.Number && r.Place == other.Place &&
		strings.EqualFold(r.Phrase, other.Phrase)
}

// override sets the values of a correction. A time alone keeps the day, and a day alone the time.
func (q *Request) override(right Request, now due.Now) {
	f := right.Fields
	if had := q.Fields.Due; f.Due != nil && had != nil {
		if both, err := f.Due.Onto(*had, now); err == nil {
			f.Due, f.DueText, f.Shift = &both, both.String(), both.String()
		}
	}
	was := tasktext.Values{Priority: q.Fields.Priority, Due: q.Fields.Due, DueText: q.Fields.DueText}
	f.Merge(Fields{Values: was, Shift: q.Fields.Shift})
	q.Fields.Priority, q.Fields.Due, q.Fields.DueText, q.Fields.Shift = f.Priority, f.Due, f.DueText, f.Shift
	q.Fields.Labels = append(q.Fields.Labels, f.Labels...)
	q.Rejection = cmp.Or(right.Rejection, q.Rejection)
}
