package offline

import (
	"slices"
	"strings"
	"unicode"

	"errand/internal/due"
	"errand/internal/offline/intent"
)

// understand returns the requests of the message, which may be an answer to the open question, one more task, or a
// message of its own.
func (e *turnRun) understand() (m intent.Message) {
	m, e.words = e.read.message(e.turn.message, e.now)
	q := e.memory.open
	if e.words == nil && q != nil {
		m = e.answerInLanguage(m)
	}
	e.memory.words = e.words
	a := m.Answer
	switch {
	case q == nil && e.memory.added && m.More != nil && onlyOffers(m.Requests):
		return intent.Message{Requests: []intent.Request{*m.More}}
	case q != nil && (!q.approval || a != nil && len(a.Except) > 0):
		return e.answered(q, m)
	case a != nil && a.Consents && len(a.Except) == 0 && !works(m):
		return intent.Message{Requests: []intent.Request{{Kind: intent.Say, Topic: nothingAsked}}}
	}
	return m
}

// nothingAsked is the topic of a yes without a question.
const nothingAsked intent.Topic = "nothing-asked"

// answerInLanguage reads the message as a choice in the language of the question ("die zweite"). It returns any other
// message unchanged. A message without letters is taken to be in that language too.
func (e *turnRun) answerInLanguage(m intent.Message) intent.Message {
	asked := e.memory.words
	if !strings.ContainsFunc(e.turn.message, unicode.IsLetter) {
		e.words = asked
	}
	if a := asked.Answer(e.turn.message, e.now); a != nil {
		e.words = asked
		return intent.Message{Answer: a}
	}
	return m
}

// answered reads the message as an answer to a question. It returns any other message unchanged. It sets e.again if the
// answer chooses nothing.
func (e *turnRun) answered(q *question, m intent.Message) intent.Message {
	a := m.Answer
	if q.confirm && len(q.candidates) == 0 && !decides(a) {
		return m // an offer is not a choice
	}
	if a != nil && len(a.Refs) > 0 && !changes(m) {
		m.Requests = nil // the task is chosen, not to be shown
	}
	if q.title && (a == nil || !a.No) {
		if req, ok := q.titled(e.turn.message, m, e.now); ok {
			return intent.Message{Requests: []intent.Request{req}}
		}
	}
	switch {
	case a == nil || works(m) && !a.Yes:
		return m
	case a.No:
		return intent.Message{Requests: []intent.Request{{Kind: intent.Say, Topic: intent.LeftAlone}}}
	}
	requests, ok := q.resolve(*a)
	if !ok {
		e.again = q
		return intent.Message{}
	}
	if a.Yes {
		requests = append(requests, besides(m.Requests, requests[0].Kind)...)
	}
	for i := range requests {
		requests[i].Said = e.turn.message
	}
	return intent.Message{Requests: requests}
}

// decides reports whether an answer is yes or no.
func decides(a *intent.Answer) bool { return a != nil && (a.Yes || a.No) }

func onlyOffers(requests []intent.Request) bool {
	return !slices.ContainsFunc(requests, func(r intent.Request) bool { return !r.Offer })
}

// changes reports whether a message asks for a change.
func changes(m intent.Message) bool {
	return slices.ContainsFunc(m.Requests, func(r intent.Request) bool {
		return !r.Offer && r.Kind != intent.Say && r.Kind != intent.Show && r.Kind != intent.List
	})
}

// works reports whether a message asks for something, and not as a question.
func works(m intent.Message) bool {
	return slices.ContainsFunc(m.Requests, func(r intent.Request) bool {
		return !r.Offer && !r.Bare && r.Kind != intent.Say
	})
}

// resolve completes the requests of the question with an answer. ok is false if the answer chooses nothing.
func (q *question) resolve(a intent.Answer) (requests []intent.Request, ok bool) {
	requests = slices.Clone(q.requests)
	for i := range requests {
		requests[i].Offer, requests[i].Verb, requests[i].DidYouMean = false, "", ""
	}
	refs := a.Refs
	switch {
	case a.Yes && !q.confirm:
		return nil, false
	case a.Yes && len(a.Except) == 0:
		return requests, true
	case a.Yes:
		without, ok := q.choose(a.Except)
		if !ok || len(without) == 0 {
			return nil, false
		}
		kept := slices.DeleteFunc(slices.Clone(q.candidates), func(t task) bool {
			return slices.ContainsFunc(without, func(w task) bool { return w.Number == t.Number })
		})
		requests[0].Refs = references(kept)
		return requests[:1], len(kept) > 0
	case len(q.candidates) == 0:
		requests[0].Refs = refs
		return requests, len(refs) > 0
	}
	chosen, ok := q.choose(refs)
	requests[0].Refs = references(chosen)
	return requests[:1], ok && len(chosen) > 0
}

// choose returns the candidates that references name. ok is false if a reference names no candidate, or several.
func (q *question) choose(refs []intent.Reference) (chosen []task, ok bool) {
	m := memory{list: q.candidates, last: q.candidates, single: single(q.candidates)}
	for _, r := range refs {
		var found []task
		switch r.Kind {
		case intent.ByNumber:
			if t, ok := find(q.candidates, r.Number); ok {
				found = []task{t}
			}
		case intent.BySearch:
			found = named(q.candidates, r.Phrase)
		case intent.Everything:
			found = q.candidates
		default:
			found = m.referent(r)
		}
		if len(found) == 0 || len(found) > 1 && r.Kind == intent.BySearch {
			return nil, false
		}
		chosen = append(chosen, missingFrom(chosen, found)...)
	}
	return chosen, true
}

func references(ts []task) []intent.Reference {
	refs := make([]intent.Reference, len(ts))
	for i, t := range ts {
		refs[i] = intent.Reference{Kind: intent.ByNumber, Number: t.Number}
	}
	return refs
}

// titled completes the request that lacks a title with the title in the answer. ok is false if the message is a request
// of its own.
func (q *question) titled(message string, m intent.Message, now due.Now) (req intent.Request, ok bool) {
	asked := q.requests[0]
	if asked.Kind == intent.Update {
		asked.Fields.Title = strings.Trim(oneLine(message), `"“”'.`)
		return asked, !works(m) || m.Requests[0].Kind == intent.Add && m.Requests[0].Bare
	}
	answer := intent.ReadTitle(message, now)
	if works(m) {
		answer = m.Requests[0]
	}
	if answer.Kind != intent.Add || len(m.Requests) > 1 || answer.Fields.Title == "" {
		return answer, !works(m)
	}
	answer.Fields.Labels = slices.Clip(answer.Fields.Labels)
	answer.Fields.Merge(asked.Fields)
	answer.Reminder, answer.Offer = asked.Reminder, false
	return answer, true
}

// besides returns the requests of other kinds than the answered one.
func besides(requests []intent.Request, answered intent.Kind) []intent.Request {
	return slices.DeleteFunc(slices.Clone(requests), func(r intent.Request) bool {
		return r.Offer || r.Kind == intent.Say || r.Kind == answered
	})
}
