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

// taskJob completes, reopens, deletes, updates or shows the tasks that a request names: it
// resolves the references, looks up what is named by words, and makes one call for each task.
type taskJob struct {
	req   intent.Request
	now   time.Time
	slots []*slot
	ready bool
	// whole is the listing from which tasks are read by number.
	whole *result
	// bulk is the listing of "all tasks", until it is confirmed.
	bulk *result
}

// alone jobs lean on what was said before; showing also waits for changes asked before it.
func (j *taskJob) alone() bool {
	return j.req.Kind == intent.Show || slices.ContainsFunc(j.req.Refs, func(r intent.Reference) bool {
		return r.Contextual() || r.Kind == intent.Everything
	})
}

func (j *taskJob) want(m *memory) []ask {
	if !j.ready {
		j.resolve(m)
		j.ready = true
	}
	for _, stage := range []func() []ask{j.listing, j.lookups, j.readings, j.writes} {
		if asks := stage(); len(asks) > 0 {
			return asks
		}
	}
	return nil
}

// resolve makes slots of the references, as far as they can be known without tools.
func (j *taskJob) resolve(m *memory) {
	for _, r := range j.req.Refs {
		switch r.Kind {
		case intent.ByNumber:
			j.add(r, r.Number)
		case intent.BySearch:
			j.slots = append(j.slots, &slot{ref: r})
		case intent.It:
			if m.it == nil {
				j.unclear(r, m)
				continue
			}
			j.add(r, m.it.Number)
		case intent.ByPlace:
			if t, ok := placed(m.list, r.Place); ok {
				j.add(r, t.Number)
				continue
			}
			j.unclear(r, m)
		case intent.Shown:
			j.allShown(r, m)
		case intent.Unnamed:
			j.unclear(r, m)
		}
	}
}

// add makes a slot for a number, once.
func (j *taskJob) add(r intent.Reference, number int) {
	if slices.ContainsFunc(j.slots, func(s *slot) bool { return s.number == number && number != 0 }) {
		return
	}
	s := &slot{ref: r, number: number}
	if number < 1 || number > maxNumber {
		s.line = "There is no task with that number."
		if number == 0 && r.Number == 0 {
			s.line = "Task numbers begin at 1, so there is no such task."
		}
	}
	j.slots = append(j.slots, s)
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

// allShown takes what was shown last. "Both" must have been two.
func (j *taskJob) allShown(r intent.Reference, m *memory) {
	if len(m.last) == 0 || r.Count != 0 && r.Count != len(m.last) {
		j.unclear(r, m)
		return
	}
	for _, t := range m.last {
		j.add(r, t.Number)
	}
}

// unclear asks which task is meant, offering those that were shown last.
func (j *taskJob) unclear(r intent.Reference, m *memory) {
	s := &slot{ref: r, number: -1}
	s.question = &question{request: j.req}
	s.line = "Which task do you mean? Please tell me its number or its name."
	if len(m.last) > 1 {
		s.question.candidates = m.last
		s.line = whichOne(j.req.Kind, "", m.last, 0, j.now)
	}
	j.slots = append(j.slots, s)
}

func (j *taskJob) lookups() []ask {
	var asks []ask
	for _, s := range j.slots {
		if a, ok := s.lookup(j); ok {
			asks = append(asks, a)
		}
	}
	return asks
}

// readings reads the tasks named by number when the change depends on how they are now.
func (j *taskJob) readings() []ask {
	if j.req.Kind != intent.Show && !j.req.Fields.NeedsCurrent() {
		return nil
	}
	missing := slices.ContainsFunc(j.slots, func(s *slot) bool { return !s.over() && s.current == nil })
	if !missing || j.whole != nil {
		return nil
	}
	args := map[string]any{"status": "all", "limit": longList}
	return []ask{{name: listTasks, args: args, take: j.readNumbers}}
}

func (j *taskJob) readNumbers(r result) {
	j.whole = &r
	for _, s := range j.slots {
		if s.over() || s.current != nil {
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

func (j *taskJob) writes() []ask {
	if j.req.Kind == intent.Show {
		return nil
	}
	var asks []ask
	for _, s := range j.slots {
		if s.over() || s.number < 1 || j.req.Fields.NeedsCurrent() && s.current == nil {
			continue
		}
		args, ok := j.arguments(s)
		if !ok {
			continue
		}
		asks = append(asks, ask{name: toolFor[j.req.Kind], args: args, take: func(r result) { s.result = &r }})
	}
	return asks
}

var toolFor = map[intent.Kind]string{
	intent.Complete: completeTask,
	intent.Reopen:   reopenTask,
	intent.Delete:   deleteTask,
	intent.Update:   updateTask,
}

// arguments are those of the call for one task; it ends the slot when they would break a limit.
func (j *taskJob) arguments(s *slot) (map[string]any, bool) {
	args := map[string]any{"number": s.number}
	f := j.req.Fields
	if f.Title != "" {
		args["title"] = f.Title
	}
	if f.Priority != "" {
		args["priority"] = f.Priority
	}
	if f.ClearDue {
		args["due_on"], args["due_at"] = nil, nil
	}
	setDue(args, j.date(s))
	if f.Later != nil {
		due, fault := postponed(*s.current, *f.Later, j.now)
		if fault != "" {
			s.line = fault
			return nil, false
		}
		setDue(args, &due)
	}
	switch description := j.description(s); {
	case f.ClearDescription:
		args["description"] = nil
	case utf8.RuneCountInString(description) > maxDescription:
		s.line = "The description of task " + strconv.Itoa(s.number) + " would grow too long."
		return nil, false
	case description != "":
		args["description"] = description
	}
	switch labels := j.labels(s); {
	case len(labels) > maxLabels:
		s.line = "Task " + strconv.Itoa(s.number) + " would have too many labels."
		return nil, false
	case f.ClearLabels:
		args["labels"] = nil
	case labels != nil:
		args["labels"] = labels
	}
	return args, true
}

// The limits of the tools' arguments.
const (
	maxDescription = 10000
	maxLabels      = 20
)

// due is the new due date. A time without a day keeps the day that the task has, unless that is over.
func (j *taskJob) date(s *slot) *due.Due {
	date := j.req.Fields.Due
	if date == nil || !date.AnyDay || s.current == nil {
		return date
	}
	day, _ := dueParts(*s.current, j.now)
	at := time.Date(day.Year(), day.Month(), day.Day(), date.At.Hour(), date.At.Minute(), 0, 0, j.now.Location())
	if day.IsZero() || at.Before(j.now) {
		return date
	}
	return &due.Due{Day: day, At: at, Timed: true}
}

// description is the new text; a note goes on a line of its own below what is there.
func (j *taskJob) description(s *slot) string {
	if j.req.Fields.AppendNote && s.current != nil && s.current.Description != "" {
		return s.current.Description + "\n" + j.req.Fields.Description
	}
	return j.req.Fields.Description
}

// labels is the new list, nil when the request leaves it alone.
func (j *taskJob) labels(s *slot) []string {
	f := j.req.Fields
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
