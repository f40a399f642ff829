package offline

import (
	"strings"

	"errand/internal/offline/intent"
)

// slot is one task that a request names, on its way from words to result.
type slot struct {
	ref intent.Reference
	// number is the task's, 0 while it is unknown.
	number int
	// current is the task as it was read before the change.
	current *task
	// widened tells that the second, looser search was made.
	widened bool
	// line ends the slot without a change; result ends it with one.
	line   string
	result *result
	// question goes with line.
	question *question
	// shown are the tasks that line speaks of.
	shown []task
}

func (s *slot) over() bool { return s.line != "" || s.result != nil }

// lookup is the search that the slot needs before its task is known.
func (s *slot) lookup(j *taskJob) (ask, bool) {
	if s.number != 0 || s.over() || s.ref.Kind != intent.BySearch {
		return ask{}, false
	}
	phrase := s.ref.Phrase
	if s.widened {
		phrase = longest(content(phrase))
	}
	args := map[string]any{"search": phrase, "status": "all", "limit": longList}
	return ask{name: listTasks, args: args, take: func(r result) { j.found(s, r) }}, true
}

// canWiden tells whether a second search, for one stem only, may find more than the first.
func (s *slot) canWiden() bool {
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

// found settles the slot by what a search returned.
func (j *taskJob) found(s *slot, r result) {
	if r.Error != nil {
		s.line = "I could not look for " + quote(s.ref.Phrase) + ": " + r.reason()
		return
	}
	more := r.more()
	if s.widened {
		r.Tasks = matching(r.Tasks, s.ref.Phrase)
	}
	fits := j.prefer(s.ref, r.Tasks)
	switch {
	case len(fits) == 0 && more > 0:
		s.line = "Too many tasks match " + quote(s.ref.Phrase) + " to look through. Please tell me the task's number."
	case len(fits) == 0 && s.canWiden():
		s.widened = true
	case len(fits) == 0:
		s.line = j.nothingFound(s.ref.Phrase)
	case len(fits) == 1 && more == 0:
		j.settle(s, fits[0])
	default:
		j.askWhich(s, fits, more)
	}
}

// settle takes the one task found. When only its description matches, or when a mere report of a
// deed does not fit its title, the person is asked first.
func (j *taskJob) settle(s *slot, t task) {
	doubtful := j.req.Verb != "" && !t.Completed && !hasWord(t.Title, j.req.Verb)
	if j.req.Kind != intent.Show && !s.ref.Exact && !hasAll(t.Title, content(s.ref.Phrase)) {
		doubtful = true // only its description matches
	}
	if doubtful {
		s.line = "Should I " + verbs[j.req.Kind] + " task " + nameOf(t) + "?"
		s.question = &question{request: j.req, candidates: []task{t}, confirm: true}
		return
	}
	s.number, s.current = t.Number, &t
}

// prefer narrows what was found to what the request can be about: an exactly quoted title,
// pending tasks to complete, completed ones to reopen.
func (j *taskJob) prefer(ref intent.Reference, ts []task) []task {
	narrow := func(fits []task) {
		if len(fits) > 0 {
			ts = fits
		}
	}
	if ref.Exact {
		narrow(entitled(ts, ref.Phrase))
	} else {
		narrow(matching(ts, ref.Phrase)) // rather by title than by description
	}
	switch j.req.Kind {
	case intent.Complete, intent.Update:
		narrow(having(ts, false))
	case intent.Reopen:
		narrow(having(ts, true))
	}
	if j.req.Verb != "" && len(ts) > 1 {
		var fits []task
		for _, t := range ts {
			if hasWord(t.Title, j.req.Verb) {
				fits = append(fits, t)
			}
		}
		narrow(fits)
	}
	return ts
}

func (j *taskJob) nothingFound(phrase string) string {
	line := "I could not find a task that matches " + quote(phrase)
	if j.req.Kind == intent.Show {
		return line + "."
	}
	return line + ", so I " + left[j.req.Kind] + "."
}

var left = map[intent.Kind]string{
	intent.Complete: "marked nothing as done", intent.Reopen: "reopened nothing", intent.Delete: "deleted nothing", intent.Update: "changed nothing",
}

// askWhich ends the slot with the question which of several tasks is meant.
func (j *taskJob) askWhich(s *slot, ts []task, more int) {
	if j.req.Kind == intent.Show {
		s.line, s.shown = several(s.ref.Phrase, ts, more, j.now)+".", ts
		s.line = trimStop(s.line)
		return
	}
	s.line = whichOne(j.req.Kind, s.ref.Phrase, ts, more, j.now)
	s.question = &question{request: j.req, candidates: ts}
}
