package offline

import "errand/internal/offline/intent"

// memory is what follow-ups may lean on.
type memory struct {
	// list holds the tasks in the order shown: "the second one".
	list []task
	// last are the tasks of the last turn that spoke of any: "both", "them".
	last []task
	// it is the one task spoken of last, nil when there were several.
	it *task
	// open is the question that ended the last turn.
	open *question
	// added tells that the last turn added tasks and did nothing else: "and eggs".
	added bool
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
	if len(o.touched) > 0 {
		if first || o.listed {
			m.last = nil
		}
		m.last = append(m.last[:len(m.last):len(m.last)], fresh(m.last, o.touched)...)
		m.it = only(o.touched)
		if o.listed || len(fresh(m.list, o.touched)) > 0 {
			m.list = m.last // otherwise the list shown before still counts: "and now the third"
		}
	}
	if o.question == nil {
		return
	}
	m.open = o.question
	if c := o.question.candidates; len(c) > 0 {
		m.list, m.last, m.it = c, c, only(c)
	}
}

// endTurn forgets "it" when the turn spoke of several tasks: in the next message it could be any.
func (m *memory) endTurn() {
	if len(m.last) > 1 {
		m.it = nil
	}
}

func only(ts []task) *task {
	if len(ts) != 1 {
		return nil
	}
	return &ts[0]
}

// fresh is what of b is not in a.
func fresh(a, b []task) []task {
	var added []task
	for _, t := range b {
		if _, known := (result{Tasks: a}).find(t.Number); !known {
			added = append(added, t)
		}
	}
	return added
}

// fromRecord is the memory of a turn that some other model made: its results tell which tasks were spoken of.
func fromRecord(m memory, t turn) memory {
	m.open, m.added = nil, false
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
		m.list, m.last, m.it = seen, seen, only(seen)
	}
	return m
}
