package offline

import (
	"strings"

	"errand/internal/offline/intent"
)

// candidate is one task reference of a request: resolved to a task, then to a result or an error line.
type candidate struct {
	ref intent.Reference
	// number is the task's number, 0 while it is not known.
	number int
	// current is the task as it was read before the change.
	current *task
	// widened is set when the second, looser search has run.
	widened bool
	// line resolves the candidate without a change; result with one.
	line   string
	result *toolResult
	// question is the open question that line asks, if any.
	question *question
	// shown are the tasks that line mentions.
	shown []task
}

func (s *candidate) resolved() bool { return s.line != "" || s.result != nil }

// lookup returns the search that finds the task, if one is needed.
func (s *candidate) lookup(a *taskAction) (toolCall, bool) {
	if s.number != 0 || s.resolved() || s.ref.Kind != intent.BySearch {
		return toolCall{}, false
	}
	phrase := s.ref.Phrase
	if s.widened {
		phrase = longest(content(phrase))
	}
	args := map[string]any{"search": phrase, "status": "all", "limit": longList}
	return toolCall{name: listTasks, args: args, onResult: func(r toolResult) { a.applySearch(s, r) }}, true
}

// canWiden reports whether a second search, for one stem only, may find more than the first.
func (s *candidate) canWiden() bool {
	stem := longest(content(s.ref.Phrase))
	return !s.widened && !s.ref.Exact && stem != "" && !strings.EqualFold(stem, s.ref.Phrase)
}

func longest(words []string) string {
	best := ""
	for _, w := range words {
		if len(w) > len(best) {
			best = w
		}
	}
	return best
}

// applySearch resolves the candidate from the result of its search.
func (a *taskAction) applySearch(s *candidate, r toolResult) {
	if r.Error != nil {
		s.line = "I could not look for " + quote(s.ref.Phrase) + ": " + r.reason()
		return
	}
	more := r.more()
	if s.widened {
		r.Tasks = matchTitle(r.Tasks, s.ref.Phrase)
	}
	fits := a.prefer(s.ref, r.Tasks)
	switch {
	case len(fits) == 0 && more > 0:
		s.line = "Too many tasks match " + quote(s.ref.Phrase) + " to look through. Please tell me the task's number."
	case len(fits) == 0 && s.canWiden():
		s.widened = true
	case len(fits) == 0:
		s.line = a.nothingFound(s.ref.Phrase)
	case len(fits) == 1 && more == 0:
		a.accept(s, fits[0])
	default:
		a.requestChoice(s, fits, more)
	}
}

// accept resolves the candidate with the only task found. It requires a confirmation when only the description
// matches, or when the verb of a report ("I called Ann") is not in the title.
func (a *taskAction) accept(s *candidate, t task) {
	doubtful := a.req.Verb != "" && !t.Completed && !hasWord(t.Title, a.req.Verb)
	if a.req.Kind != intent.Show && !s.ref.Exact && !hasAll(t.Title, content(s.ref.Phrase)) {
		doubtful = true // only its description matches
	}
	if doubtful {
		s.line = "Should I " + verbs[a.req.Kind] + " task " + nameOf(t) + "?"
		s.question = &question{request: a.req, candidates: []task{t}, confirm: true}
		return
	}
	s.number, s.current = t.Number, &t
}

// prefer narrows the matches to those that the request can apply to: an exactly quoted title,
// pending tasks to complete, completed ones to reopen.
func (a *taskAction) prefer(ref intent.Reference, ts []task) []task {
	narrow := func(fits []task) {
		if len(fits) > 0 {
			ts = fits
		}
	}
	if ref.Exact {
		narrow(withTitle(ts, ref.Phrase))
	} else {
		narrow(matchTitle(ts, ref.Phrase)) // a title match beats a description match
	}
	switch a.req.Kind {
	case intent.Complete, intent.Update:
		narrow(withStatus(ts, false))
	case intent.Reopen:
		narrow(withStatus(ts, true))
	}
	if a.req.Verb != "" && len(ts) > 1 {
		var fits []task
		for _, t := range ts {
			if hasWord(t.Title, a.req.Verb) {
				fits = append(fits, t)
			}
		}
		narrow(fits)
	}
	return ts
}

func (a *taskAction) nothingFound(phrase string) string {
	line := "I could not find a task that matches " + quote(phrase)
	if a.req.Kind == intent.Show {
		return line + "."
	}
	return line + ", so I " + notDone[a.req.Kind] + "."
}

var notDone = map[intent.Kind]string{
	intent.Complete: "marked nothing as done", intent.Reopen: "reopened nothing", intent.Delete: "deleted nothing",
	intent.Update: "changed nothing",
}

// requestChoice resolves the candidate with a question to choose one of several tasks.
func (a *taskAction) requestChoice(s *candidate, ts []task, more int) {
	if a.req.Kind == intent.Show {
		s.line, s.shown = several(s.ref.Phrase, ts, more, a.now)+".", ts
		s.line = trimStop(s.line)
		return
	}
	s.line = whichOne(a.req.Kind, s.ref.Phrase, ts, more, a.now)
	s.question = &question{request: a.req, candidates: ts}
}
