package offline

import (
	"slices"
	"strings"

	"errand/internal/offline/intent"
)

// requests parses the message, as an answer to the open question or else as new requests.
func (e *planExecutor) requests() []intent.Request {
	read := intent.Read(e.turn.message, e.now)
	q := e.memory.open
	if q == nil {
		if more, ok := intent.ReadAnother(e.turn.message, e.now); ok && e.memory.added && notUnderstoodAll(read) {
			return []intent.Request{more}
		}
		return read
	}
	if q.title && notUnderstoodAll(read) {
		if answer, ok := intent.ReadAnswer(e.turn.message, e.now); !ok || !answer.No {
			return []intent.Request{withTitleFrom(q.request, intent.ReadTitle(e.turn.message, e.now))}
		}
	}
	if answer, ok := intent.ReadAnswer(e.turn.message, e.now); ok {
		return q.resolve(answer, e.turn.message)
	}
	return read
}

// onlyAdded reports whether a turn's actions added tasks and did nothing else.
func onlyAdded(actions []action) bool {
	for _, j := range actions {
		if add, ok := j.(*addAction); !ok || len(add.outcome().touched) == 0 {
			return false
		}
	}
	return len(actions) > 0
}

func notUnderstoodAll(requests []intent.Request) bool {
	for _, r := range requests {
		if r.Kind != intent.Unknown {
			return false
		}
	}
	return true
}

// withTitleFrom completes a request that lacked a title with the one in the answer.
func withTitleFrom(asked, answer intent.Request) intent.Request {
	if answer.Kind != intent.Add {
		return answer
	}
	f := asked.Fields
	f.Title = answer.Fields.Title
	if answer.Fields.Priority != "" {
		f.Priority = answer.Fields.Priority
	}
	if answer.Fields.Due != nil {
		f.Due = answer.Fields.Due
	}
	f.AddLabels = append(f.AddLabels, answer.Fields.AddLabels...)
	answer.Fields = f
	return answer
}

// resolve combines an answer with the open request.
func (q *question) resolve(a intent.Answer, said string) []intent.Request {
	req := q.request
	switch {
	case a.No:
		return []intent.Request{{Kind: intent.Say, Topic: intent.LeftAlone}}
	case a.Yes && (q.confirm || len(q.candidates) == 1):
		req.Refs = numbers(q.candidates)
	case a.Yes:
		req.Refs = []intent.Reference{{Kind: intent.Unnamed}}
	default:
		req.Refs = q.choose(a.Refs)
	}
	req.Verb = "" // confirmed
	req.Said = said
	return []intent.Request{req}
}

func numbers(ts []task) []intent.Reference {
	refs := make([]intent.Reference, len(ts))
	for i, t := range ts {
		refs[i] = intent.Reference{Kind: intent.ByNumber, Number: t.Number}
	}
	return refs
}

// choose narrows references to the candidates. References that match none repeat the question.
func (q *question) choose(refs []intent.Reference) []intent.Reference {
	if len(q.candidates) == 0 {
		return refs
	}
	var chosen []intent.Reference
	for _, r := range refs {
		switch r.Kind {
		case intent.ByNumber:
			if _, ok := (toolResult{Tasks: q.candidates}).find(r.Number); ok {
				chosen = append(chosen, r)
			}
		case intent.BySearch:
			if fits := matchTitle(q.candidates, r.Phrase); len(fits) == 1 {
				chosen = append(chosen, numbers(fits)...)
			}
		case intent.Everything:
			chosen = append(chosen, numbers(q.candidates)...)
		default:
			chosen = append(chosen, r) // positions and "both" refer to the candidates shown
		}
	}
	if len(chosen) < len(refs) {
		return []intent.Reference{{Kind: intent.Unnamed}}
	}
	return chosen
}

// plan creates an action for each request.
func (e *planExecutor) plan(requests []intent.Request) []action {
	actions := make([]action, len(requests))
	for i, r := range requests {
		switch {
		case r.Kind == intent.Unknown || r.Kind == intent.Say:
			actions[i] = &textAction{}
		case r.Rejection != "":
			actions[i] = &textAction{line: faultLine(r)}
		case e.now.IsZero() && dated(r):
			actions[i] = &textAction{line: "I do not know what day it is, so I did nothing for " + quote(r.Said) + "."}
		case r.Kind == intent.Add:
			actions[i] = &addAction{req: r, now: e.now.Time}
		case r.Kind == intent.List:
			actions[i] = &listAction{filter: r.Filter, now: e.now.Time}
		default:
			actions[i] = &taskAction{req: r, now: e.now.Time}
		}
	}
	return actions
}

// dated reports whether the request depends on the current date.
func dated(r intent.Request) bool {
	if r.Fields.Due != nil || r.Filter.When != "" || r.Filter.Overdue {
		return true
	}
	return slices.ContainsFunc(r.Refs, func(ref intent.Reference) bool {
		return ref.Filter != nil && (ref.Filter.When != "" || ref.Filter.Overdue)
	})
}

func faultLine(r intent.Request) string {
	nothing := "o I did nothing for " + quote(r.Said) + "."
	if strings.Contains(r.Rejection, ". ") {
		return r.Rejection + " S" + nothing
	}
	return trimStop(r.Rejection) + ", s" + nothing
}

// textAction replies without tool calls. With an empty line, compose chooses the wording.
type textAction struct{ line string }

func (*textAction) nextCalls(*memory) []toolCall { return nil }
func (*textAction) exclusive() bool              { return false }
func (a *textAction) outcome() outcome {
	if a.line == "" {
		return outcome{}
	}
	return outcome{lines: []string{a.line}}
}
