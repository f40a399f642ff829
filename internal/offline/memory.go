package offline

import (
	"slices"

	"errand/internal/offline/intent"
	"errand/internal/offline/language"
)

// memory holds what follow-up messages may refer to: the tasks mentioned last, and the open question.
type memory struct {
	// list holds the tasks of the last list in its order, then those mentioned since: "the second one".
	list []task
	// cut is set if list lacks tasks at its end, which the record of the conversation leaves out: "the last one" and
	// "them" are then not known.
	cut bool
	// last are the tasks of the last turn with tasks: "both", "them".
	last []task
	// single is the task mentioned last; nil if several tasks were mentioned together.
	single *task
	// open is the question that ended the last turn; words is the language of that turn.
	open  *question
	words *language.Language
	// added is set if the last turn added tasks and did nothing else: "and eggs".
	added bool
	// changed is the kind of the last change of tasks. If that was an undo, undone is its batch: undoing it is a redo.
	changed intent.Kind
	undone  string
	// begun is set once the current turn has mentioned a task.
	begun bool
}

// question is a question to the user that the next message may answer.
type question struct {
	// requests are done after a yes. A choice or a title completes the first of them.
	requests []intent.Request
	// candidates are the tasks to choose from; a yes means all of them if confirm is set.
	candidates []task
	confirm    bool
	// approval means that the server asked. It handles a plain yes or no itself, but not "yes, except …".
	approval bool
	// title means that the answer is a title.
	title bool
}

// outcome is what an action has done.
type outcome struct {
	lines []string
	// touched are the tasks that were changed or shown.
	touched []task
	// listed is set if lines are a list, which replaces the one that "the first" refers to.
	listed bool
	// cut is set if the list lacks tasks at its end.
	cut bool
	// courtesy is the reply if no other outcome has one.
	courtesy string
	// changed is the kind of change that was made to touched, if any; undone is the batch of an undo.
	changed  intent.Kind
	undone   string
	question *question
}

// remember stores an outcome.
func (m *memory) remember(o outcome) {
	if len(o.touched) > 0 {
		if !m.begun || o.listed {
			m.last = nil
		}
		m.begun = true
		m.last = append(slices.Clip(m.last), missingFrom(m.last, o.touched)...)
		m.single = single(o.touched)
		if o.listed {
			m.list, m.cut = nil, o.cut
		}
		m.list = append(slices.Clip(m.list), missingFrom(m.list, o.touched)...)
	}
	if o.changed != "" {
		m.changed, m.undone = o.changed, o.undone
	}
	if o.question == nil {
		return
	}
	m.open = o.question
	if c := o.question.candidates; len(c) > 0 {
		m.list, m.last, m.single = c, c, single(c)
	}
}

// endTurn clears single if the turn spoke of several tasks, because "it" is then ambiguous.
func (m *memory) endTurn() {
	if len(m.last) > 1 {
		m.single = nil
	}
}

// referent returns the tasks that a reference to the conversation means, no tasks if that is not clear.
func (m *memory) referent(r intent.Reference) []task {
	switch r.Kind {
	case intent.It:
		if m.single != nil {
			return []task{*m.single}
		}
	case intent.ByPlace:
		if t, ok := placed(m.list, r.Place); ok && (r.Place > 0 || !m.cut) {
			return []task{t}
		}
	case intent.Other:
		for _, shown := range [][]task{m.last, m.list} {
			if m.single != nil && len(shown) == 2 {
				return slices.DeleteFunc(slices.Clone(shown), func(t task) bool { return t.Number == m.single.Number })
			}
		}
	case intent.Shown:
		for _, shown := range [][]task{m.last, m.list} {
			if len(shown) > 0 && !m.cut && (r.Count == 0 || r.Count == len(shown)) {
				return shown
			}
		}
	}
	return nil
}

func placed(shown []task, place int) (task, bool) {
	if place < 0 {
		place += len(shown) + 1
	}
	if place < 1 || place > len(shown) {
		return task{}, false
	}
	return shown[place-1], true
}

func single(ts []task) *task {
	if len(ts) != 1 {
		return nil
	}
	return &ts[0]
}

// missingFrom returns the tasks of b that are not in a, each once.
func missingFrom(a, b []task) []task {
	var added []task
	for _, t := range b {
		_, known := find(a, t.Number)
		if _, twice := find(added, t.Number); !known && !twice {
			added = append(added, t)
		}
	}
	return added
}

// fromRecord derives the memory from the recorded results of a turn that another model answered.
func fromRecord(m memory, t turn) memory {
	m.open, m.added, m.undone = nil, false, ""
	var seen []task
	for _, r := range t.rounds {
		for _, call := range r {
			if call.result == nil {
				continue
			}
			if call.name == listTasks && call.result.Error == nil {
				seen, m.cut = call.result.Tasks, call.result.Omitted > 0
			}
			for _, i := range call.result.items("") {
				if i.Task != nil {
					seen = append(slices.Clip(seen), missingFrom(seen, []task{*i.Task})...)
				}
			}
		}
	}
	if len(seen) > 0 {
		m.list, m.last, m.single = seen, seen, single(seen)
	}
	return m
}
