package intent

import (
	"slices"

	"errand/internal/text"
)

// Answer is a reply to the question "which one?" or "shall I?".
type Answer struct {
	Yes, No bool
	// Consents is set for a yes that does more than agree, unlike "ok".
	Consents bool
	// Refs are the tasks that the answer names.
	Refs []Reference
	// Except are the tasks that a yes does not include: "yes, except the report".
	Except []Reference
}

// maxAnswer is the maximum number of words of an answer.
const maxAnswer = 20

// answer parses a short message as an answer; nil means that it cannot be one.
func (r *messageReader) answer(t text.Text) *Answer {
	if t.Len() == 0 || t.Len() > maxAnswer {
		return nil
	}
	var a Answer
	rest := t
	if no := max(r.lang.PhraseAt("no", rest, 0), r.lang.PhraseAt("keep", rest, 0)); no > 0 {
		a.No, rest = true, rest.From(no).Trim()
	}
	for !a.No {
		yes := r.lang.PhraseAt("yes", rest, 0)
		if yes < 0 {
			break
		}
		a.Consents = a.Consents || !r.lang.Is("agreement", rest.Key(0))
		a.Yes, rest = true, rest.From(yes).Trim()
	}
	rest = r.withoutTail(rest, "tail")
	switch {
	case rest.Len() == 0 || (a.Yes || a.No) && r.lang.Is("courtesy", rest.Key(0)):
		return &a
	case len(r.Requests) == 1 && r.Requests[0].Kind == Correct && len(r.Requests[0].Refs) > 0:
		return &Answer{Refs: r.Requests[0].Refs}
	case a.No:
		if slices.ContainsFunc(r.Requests, func(q Request) bool {
			return q.Kind != Say && q.Kind != Correct && !q.Offer
		}) {
			return nil
		}
		return &a
	}
	if after := r.lang.PhraseAt("except", rest, 0); after > 0 {
		refs, ok := r.names(rest.From(after))
		if !ok {
			return nil
		}
		return &Answer{Yes: true, Except: refs}
	}
	refs, ok := r.names(rest)
	switch {
	case !a.Yes:
		return r.pointing(rest)
	case ok && len(refs) == 1 && wide(refs[0]): // "yes, all but task 1"
		a.Except = refs[0].Except
		return &a
	case r.onlyIt(), rest.Len() < 5 && r.lang.Is("once", rest.Key(rest.Len()-1)) && !r.lang.Is("negated", rest.Key(0)):
		return &a
	}
	return nil
}

// onlyIt reports whether all requests concern "it" or several tasks, as in "yes, delete it".
func (r *messageReader) onlyIt() bool {
	return r.changed() && len(r.Left) == 0 && !slices.ContainsFunc(r.Requests, func(q Request) bool {
		return q.Kind != Say && (len(q.Refs) != 1 || q.Refs[0].Kind != It && !wide(q.Refs[0]))
	})
}

// pointing parses an answer that names tasks. It returns nil for a request.
func (r *messageReader) pointing(t text.Text) *Answer {
	t, _ = r.withoutCourtesy(t)
	t = r.lang.TrimLeading(t, "pointing")
	refs, ok := r.names(t)
	if !ok {
		return nil
	}
	for _, q := range r.Requests {
		if !(q.Offer && q.Kind == Add) && !(q.Kind == Show && firm(refs)) && q.Kind != Correct {
			return nil
		}
	}
	return &Answer{Refs: refs}
}
