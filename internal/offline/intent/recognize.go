package intent

import (
	"strings"

	"errand/internal/due"
	"errand/internal/offline/text"
)

// ordered lists the rules, specific ones before general ones: "remove the due date from task 3" also matches the deletion
// of a task named "the due date from task 3".
var ordered = join(clearRules, noteRules, labelRules, reopenRules, valueRules, laterRules, completeRules, renameRules)

// certain are the rules for unambiguously named tasks. They are tried first, so that in "set task 2 to high priority and
// due friday" the task is not "task 2 to high priority and".
var certain = onlyExplicit(ordered)

func onlyExplicit(rules []rule) []rule {
	strict := make([]rule, len(rules))
	for i, r := range rules {
		strict[i] = rule{r.pattern, func(c text.Captures, now due.Now) (Request, bool) {
			req, ok := r.build(c, now)
			return req, ok && req.explicit
		}}
	}
	return strict
}

var wide = join(showRules, whenRules, deleteRules)

var last = join(topicRules, addRules, bareDeeds)

// topicRules match a statement about a task that is followed by a command: "the report is not done yet, reopen it".
var topicRules = on(topic, "<ref> is|are|was|were|isnt|arent|wasnt|werent <state> ,|and|so <order>")

// topic builds a request from a command about "it" that follows its task.
func topic(c text.Captures, now due.Now) (Request, bool) {
	order := withoutCourtesy(c["order"])
	if c["ref"].Len() > maxTopicWords || !openers[order.Key(0)] {
		return Request{}, false
	}
	req, ok := work(order, now)
	if !ok || len(req.Refs) != 1 || req.Refs[0].Kind != It && req.Refs[0].Kind != Shown {
		return Request{}, false
	}
	named, ok := about(req.Kind, c["ref"], now)
	req.Refs = named.Refs
	return req, ok
}

// maxTopicWords is the maximum number of words of the task in a topic rule.
const maxTopicWords = 8

// duties introduce something that is still to be done.
var duties = patterns("i|ive|im|we|weve [really|also|still|just] " + duty + " [to] <rest>")

// wishes may introduce commands ("I want to see my tasks"), but do not add tasks.
var wishes = patterns(
	"i|we [really|also|still|just] want|like|wish|love|wanna|would_like|would_love to <rest>",
	"id|wed like|love to <rest>",
	"i_wanna|let_me|lets|let_us|im_going_to|i_am_going_to|i_will|ill <rest>",
)

// clause parses a clause.
func clause(t text.Text, now due.Now) Request {
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

// attempt parses the clause unchanged, then without courtesies.
func attempt(t text.Text, now due.Now) (Request, bool) {
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
			if req, ok := intended(c["rest"], now); ok {
				return req, req.explicit || req.Kind == Add
			}
			return apply(addRules, polite, now)
		}
	}
	for _, p := range wishes {
		if c, ok := p.Match(polite); ok {
			return intended(c["rest"], now)
		}
	}
	return command(polite, now)
}

// addBefore parses "don't forget to …", which the small-talk rules would treat as a rejection.
func addBefore(t text.Text, now due.Now) (Request, bool) {
	if k := t.Key(0); k != "dont" && k != "do" && k != "never" {
		return Request{}, false
	}
	return apply(addRules, t, now)
}

// intended parses a sentence about what the user needs or wants to do. "I need to mark task 3 as done" is a command; a
// need to finish a task never completes it.
func intended(t text.Text, now due.Now) (Request, bool) {
	t = withoutCourtesy(t)
	req, ok := command(t, now)
	return req, ok && (req.Kind != Complete || marking[t.Key(0)])
}

var marking = words("mark check tick cross set flag strike")

// command parses a command or a question.
func command(t text.Text, now due.Now) (Request, bool) {
	calm := t // without "!!!", which is a priority only in a new task
	for calm.Len() > 1 && strings.HasPrefix(calm.Key(calm.Len()-1), "!!") {
		calm = calm.Slice(0, calm.Len()-1).Trim()
	}
	if req, ok := work(calm, now); ok {
		return req, true
	}
	if req, ok := listRequest(calm, now); ok {
		return req, true
	}
	return apply(last, t, now)
}

// work parses a command for existing tasks.
func work(t text.Text, now due.Now) (Request, bool) {
	for _, rules := range [][]rule{certain, ordered, wide} {
		if req, ok := apply(rules, t, now); ok {
			return req, true
		}
	}
	return Request{}, false
}
