package offline

import "errand/internal/offline/intent"

// memory holds the tasks and the question that follow-up messages may refer to.
type memory struct {
	// list holds the tasks in the order shown: "the second one".
	list []task
	// last are the tasks of the last turn with tasks: "both", "them".
	last []task
	// single is the one task mentioned last, nil when there were several.
	single *task
	// open is the question that ended the last turn.
	open *question
	// added is set when the last turn added tasks and did nothing else: "and eggs".
	added bool
}

// question is a question to the user that the next message may answer.
type question struct {
	request intent.Request
	// candidates are the tasks to choose from; empty when any task will do.
	candidates []task
	confirm    bool // answered by yes or no
	title      bool // answered by a title
}

// outcome is the result of one request.
type outcome struct {
	lines []string
	// touched are the tasks that were changed or shown.
	touched []task
	// listed is set when the outcome shows a list, which replaces the one "the first" refers to.
	listed   bool
	question *question
}

// remember stores an outcome; first is set for the first one of the turn.
func (m *memory) remember(o outcome, first bool) {
	if len(o.touched) > 0 {
		if first || o.listed {
			m.last = nil
		}
		m.last = append(m.last[:len(m.last):len(m.last)], missingFrom(m.last, o.touched)...)
		m.single = single(o.touched)
		if o.listed || len(missingFrom(m.list, o.touched)) > 0 {
			m.list = m.last // otherwise the previous list is kept: "and now the third"
		}
	}
	if o.question == nil {
		return
	}
	m.open = o.question
	if c := o.question.candidates; len(c) > 0 {
		m.list, m.last, m.single = c, c, single(c)
	}
}

// endTurn clears single when the turn mentioned several tasks, because "it" is then ambiguous.
func (m *memory) endTurn() {
	if len(m.last) > 1 {
		m.single = nil
	}
}

func single(ts []task) *task {
	if len(ts) != 1 {
		return nil
	}
	return &ts[0]
}

// missingFrom returns the tasks of b that are not in a.
func missingFrom(a, b []task) []task {
	var added []task
	for _, t := range b {
		if _, known := (toolResult{Tasks: a}).find(t.Number); !known {
			added = append(added, t)
		}
	}
	return added
}

// fromRecord derives the memory from the recorded results of a turn that another model answered.
func fromRecord(m memory, t turn) memory {
	m.open, m.added = nil, false
	var seen []task
	for _, r := range t.rounds {
		for _, d := range r {
			if d.result == nil || d.result.Error != nil {
				continue
			}
			if d.result.Task != nil {
				seen = append(seen, missingFrom(seen, []task{*d.result.Task})...)
			}
			if d.name == listTasks {
				seen = d.result.Tasks
			}
		}
	}
	if len(seen) > 0 {
		m.list, m.last, m.single = seen, seen, single(seen)
	}
	return m
}
