package offline

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"errand/internal/due"
	"errand/internal/offline/intent"
)

// taskAction completes, reopens, deletes, updates or shows the tasks of a request. It resolves the references,
// searches for tasks named by words, and makes one call for each task.
type taskAction struct {
	req        intent.Request
	now        time.Time
	candidates []*candidate
	ready      bool
	// whole is the list from which tasks are looked up by number.
	whole *toolResult
	// bulk is the list behind "all tasks" until the change is confirmed.
	bulk *toolResult
}

// exclusive reports whether the action refers to earlier requests. Showing a task also waits for earlier changes.
func (a *taskAction) exclusive() bool {
	return a.req.Kind == intent.Show || slices.ContainsFunc(a.req.Refs, func(r intent.Reference) bool {
		return r.Contextual() || r.Kind == intent.Everything
	})
}

func (a *taskAction) nextCalls(m *memory) []toolCall {
	if !a.ready {
		a.resolve(m)
		a.ready = true
	}
	for _, stage := range []func() []toolCall{a.bulkCalls, a.searchCalls, a.readCalls, a.writeCalls} {
		if calls := stage(); len(calls) > 0 {
			return calls
		}
	}
	return nil
}

// resolve creates candidates for the references that need no tool call.
func (a *taskAction) resolve(m *memory) {
	for _, r := range a.req.Refs {
		switch r.Kind {
		case intent.ByNumber:
			a.add(r, r.Number)
		case intent.BySearch:
			a.candidates = append(a.candidates, &candidate{ref: r})
		case intent.It:
			if m.single == nil {
				a.unclear(r, m)
				continue
			}
			a.add(r, m.single.Number)
		case intent.ByPlace:
			if t, ok := placed(m.list, r.Place); ok {
				a.add(r, t.Number)
				continue
			}
			a.unclear(r, m)
		case intent.Shown:
			a.allShown(r, m)
		case intent.Unnamed:
			a.unclear(r, m)
		}
	}
}

// add creates a candidate for a task number, unless there is one.
func (a *taskAction) add(r intent.Reference, number int) {
	if slices.ContainsFunc(a.candidates, func(s *candidate) bool { return s.number == number && number != 0 }) {
		return
	}
	s := &candidate{ref: r, number: number}
	if number < 1 || number > maxNumber {
		s.line = "There is no task with that number."
		if number == 0 && r.Number == 0 {
			s.line = "Task numbers begin at 1, so there is no such task."
		}
	}
	a.candidates = append(a.candidates, s)
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

// allShown creates candidates for the tasks shown last. "both" requires exactly two.
func (a *taskAction) allShown(r intent.Reference, m *memory) {
	if len(m.last) == 0 || r.Count != 0 && r.Count != len(m.last) {
		a.unclear(r, m)
		return
	}
	for _, t := range m.last {
		a.add(r, t.Number)
	}
}

// unclear resolves the action with a question for the task, with those shown last as the choices.
func (a *taskAction) unclear(r intent.Reference, m *memory) {
	s := &candidate{ref: r, number: -1}
	s.question = &question{request: a.req}
	s.line = "Which task do you mean? Please tell me its number or its name."
	if len(m.last) > 1 {
		s.question.candidates = m.last
		s.line = whichOne(a.req.Kind, "", m.last, 0, a.now)
	}
	a.candidates = append(a.candidates, s)
}

func (a *taskAction) searchCalls() []toolCall {
	var calls []toolCall
	for _, s := range a.candidates {
		if a, ok := s.lookup(a); ok {
			calls = append(calls, a)
		}
	}
	return calls
}

// readCalls returns the calls that read tasks named by number, when the change depends on their current state.
func (a *taskAction) readCalls() []toolCall {
	if a.req.Kind != intent.Show && !a.req.Fields.NeedsCurrent() {
		return nil
	}
	missing := slices.ContainsFunc(a.candidates, func(s *candidate) bool { return !s.resolved() && s.current == nil })
	if !missing || a.whole != nil {
		return nil
	}
	args := map[string]any{"status": "all", "limit": longList}
	return []toolCall{{name: listTasks, args: args, onResult: a.readNumbers}}
}

func (a *taskAction) readNumbers(r toolResult) {
	a.whole = &r
	for _, s := range a.candidates {
		if s.resolved() || s.current != nil {
			continue
		}
		t, ok := r.find(s.number)
		switch {
		case ok:
			s.current = &t
		case r.Error != nil:
			s.line = "I could not look at task " + strconv.Itoa(s.number) + ": " + r.reason()
		case r.more() > 0:
			s.line = "I can look through " + strconv.Itoa(
				len(r.Tasks),
			) + " tasks at a time, and task " + strconv.Itoa(
				s.number,
			) + " is not among those."
		default:
			s.line = "There is no task " + strconv.Itoa(s.number) + "."
		}
	}
}

func (a *taskAction) writeCalls() []toolCall {
	if a.req.Kind == intent.Show {
		return nil
	}
	var calls []toolCall
	for _, s := range a.candidates {
		if s.resolved() || s.number < 1 || a.req.Fields.NeedsCurrent() && s.current == nil {
			continue
		}
		args, ok := a.arguments(s)
		if !ok {
			continue
		}
		calls = append(calls, toolCall{name: toolFor[a.req.Kind], args: args, onResult: func(r toolResult) { s.result = &r }})
	}
	return calls
}

var toolFor = map[intent.Kind]string{
	intent.Complete: completeTask,
	intent.Reopen:   reopenTask,
	intent.Delete:   deleteTask,
	intent.Update:   updateTask,
}

// arguments returns the arguments of the call for one task. It resolves the candidate with an error when they
// would exceed a limit.
func (a *taskAction) arguments(s *candidate) (map[string]any, bool) {
	args := map[string]any{"number": s.number}
	f := a.req.Fields
	if f.Title != "" {
		args["title"] = f.Title
	}
	if f.Priority != "" {
		args["priority"] = f.Priority
	}
	var empty []string
	if f.ClearDue {
		empty = append(empty, "due")
	}
	date, unclear := a.dueDate(s)
	if unclear != "" {
		s.line = unclear
		return nil, false
	}
	setDue(args, date)
	switch description := a.description(s); {
	case f.ClearDescription:
		empty = append(empty, "description")
	case utf8.RuneCountInString(description) > maxDescription:
		s.line = "The description of task " + strconv.Itoa(s.number) + " would grow too long."
		return nil, false
	case description != "":
		args["description"] = description
	}
	switch labels := a.labels(s); {
	case len(labels) > maxLabels:
		s.line = "Task " + strconv.Itoa(s.number) + " would have too many labels."
		return nil, false
	case f.ClearLabels || labels != nil && len(labels) == 0:
		empty = append(empty, "labels")
	case labels != nil:
		args["labels"] = labels
	}
	if len(empty) > 0 {
		args["clear"] = empty
	}
	return args, true
}

// The limits of the tools' arguments.
const (
	maxDescription = 10000
	maxLabels      = 20
)

// dueDate returns the new due date, nil for none. A time without a day keeps the day of the task unless that has
// passed, and a task that is moved to another day keeps its time. unclear is a sentence that states why there is none.
func (a *taskAction) dueDate(s *candidate) (date *due.Date, unclear string) {
	f, now := a.req.Fields, due.Now{Time: a.now} // the user's week does not matter here
	var moved due.Date
	switch {
	case len(f.Later) > 0:
		moved, unclear = postponed(*s.current, f.Later, now)
	case f.Due == nil || !f.Due.AnyDay && !f.KeepTime || s.current == nil:
		return f.Due, ""
	default:
		moved, unclear = dateOrReason(f.Due.Onto(dueOf(*s.current, a.now.Location()), now))
	}
	return &moved, unclear
}

// description returns the new description; a note is appended on its own line.
func (a *taskAction) description(s *candidate) string {
	if a.req.Fields.AppendNote && s.current != nil && s.current.Description != "" {
		return s.current.Description + "\n" + a.req.Fields.Description
	}
	return a.req.Fields.Description
}

// labels returns the new labels, nil when the request does not change labels.
func (a *taskAction) labels(s *candidate) []string {
	f := a.req.Fields
	if len(f.AddLabels)+len(f.DropLabels) == 0 || s.current == nil {
		return nil
	}
	kept := []string{}
	for _, l := range append(slices.Clone(s.current.Labels), f.AddLabels...) {
		if !containsFold(kept, l) && !containsFold(f.DropLabels, l) {
			kept = append(kept, l)
		}
	}
	return kept
}

func containsFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(l string) bool { return strings.EqualFold(l, s) })
}
