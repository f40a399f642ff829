package intent

import (
	"time"

	"errand/internal/llm/rules/text"
)

// ordered lists the rules, the narrow before the wide: "remove the due date from task 3" is
// also a deletion of something called "the due date from task 3".
var ordered = join(clearRules, noteRules, labelRules, reopenRules, valueRules, completeRules, renameRules)

var wide = join(showRules, deleteRules)

// duties announce that something is still to be done.
var duties = patterns("i|ive|im|we|weve [really|also|still|just] " + duty + " [to] <rest>")

// clause reads one clause.
func clause(t text.Text, now time.Time) Request {
	t = t.Trim()
	if conditional(t) {
		return Request{Kind: Say, Topic: NoCondition, Said: t.String()}
	}
	req, ok := attempt(t, now)
	for bare := t; !ok; {
		next, softened := strip(bare, softAfter)
		if !softened || next.Len() == 0 {
			break
		}
		bare = next
		req, ok = attempt(bare, now)
		ok = ok && !req.free
	}
	if !ok {
		req = Request{}
	}
	if hedged(req, t) {
		req = Request{Kind: Say, Topic: NoCondition}
	}
	req.Said = t.String()
	return req
}

// attempt tries the clause as it stands, then without courtesies.
func attempt(t text.Text, now time.Time) (Request, bool) {
	if t.Len() == 0 {
		return Request{}, false
	}
	polite := withoutCourtesy(t)
	if req, ok := addBefore(polite, now); ok {
		return req, true
	}
	if req, ok := readSmallTalk(t); ok {
		return req, true
	}
	if req, ok := readSmallTalk(polite); ok {
		return req, true
	}
	for _, p := range duties {
		if c, ok := p.Match(polite); ok {
			return obligation(polite, c["rest"], now)
		}
	}
	return command(polite, now)
}

// addBefore reads "don't forget to …", which small talk would take for a refusal.
func addBefore(t text.Text, now time.Time) (Request, bool) {
	if k := t.Key(0); k != "dont" && k != "do" && k != "never" {
		return Request{}, false
	}
	return apply(addRules, t, now)
}

// obligation reads "I need to …": an order when it names a task or a list, else a new task. That
// something must be finished never means that it is.
func obligation(whole, rest text.Text, now time.Time) (Request, bool) {
	if req, ok := command(withoutCourtesy(rest), now); ok && req.explicit {
		return req, req.Kind != Complete
	}
	return apply(addRules, whole, now)
}

// command reads an order or a question.
func command(t text.Text, now time.Time) (Request, bool) {
	for _, rules := range [][]rule{ordered, wide} {
		if req, ok := apply(rules, t, now); ok {
			return req, true
		}
	}
	if req, ok := listRequest(t, now); ok {
		return req, true
	}
	return apply(addRules, t, now)
}
