package rules

import "errand/internal/llm/rules/intent"

// memory is what follow-ups may lean on.
type memory struct {
	// shown are the tasks spoken of last, in the order shown: "the second one", "both".
	shown []task
	// it is the one task spoken of last, nil when there were several.
	it *task
	// open is the question that ended the last turn.
	open *question
}

// question waits for an answer in the next turn.
type question struct {
	request intent.Request
	// candidates are the tasks to choose from; empty when any task will do.
	candidates []task
	confirm    bool // answered by yes or no
	title      bool // answered by a title
}

// outcome is what came of one request.
type outcome struct {
	lines []string
	// touched are the tasks that were changed or shown.
	touched []task
	// listed outcomes show tasks; what was shown before is then no longer meant by "the first".
	listed   bool
	question *question
}

// absorb remembers an outcome; first tells that nothing in this turn was remembered before.
func (m *memory) absorb(o outcome, first bool) {
	switch {
	case len(o.touched) == 0:
	case first || o.listed:
		m.shown = o.touched
	default:
		m.shown = append(m.shown[:len(m.shown):len(m.shown)], fresh(m.shown, o.touched)...)
	}
	if len(o.touched) > 0 {
		m.it = only(o.touched)
	}
	if o.question == nil {
		return
	}
	m.open = o.question
	if len(o.question.candidates) > 0 {
		m.shown, m.it = o.question.candidates, only(o.question.candidates)
	}
}

// endTurn forgets "it" when the turn spoke of several tasks: in the next message it could be any.
func (m *memory) endTurn() {
	if len(m.shown) > 1 {
		m.it = nil
	}
}

func only(ts []task) *task {
	if len(ts) != 1 {
		return nil
	}
	return &ts[0]
}

// fresh is what of b is not in a; a task known from before is renewed in a.
func fresh(a, b []task) []task {
	var added []task
	for _, t := range b {
		known := false
		for i := range a {
			if a[i].Number == t.Number {
				known = true
			}
		}
		if !known {
			added = append(added, t)
		}
	}
	return added
}

// fromRecord is the memory of a turn that some other model made: its results tell which tasks were spoken of.
func fromRecord(m memory, t turn) memory {
	m.open = nil
	var seen []task
	for _, r := range t.rounds {
		for _, d := range r {
			if d.result == nil || d.result.Error != nil {
				continue
			}
			if d.result.Task != nil {
				seen = append(seen, fresh(seen, []task{*d.result.Task})...)
			}
			if d.name == listTasks {
				seen = d.result.Tasks
			}
		}
	}
	if len(seen) > 0 {
		m.shown, m.it = seen, only(seen)
	}
	return m
}
