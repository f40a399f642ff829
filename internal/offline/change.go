package offline

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"errand/internal/due"
	"errand/internal/offline/intent"
)

// change completes, reopens, deletes, restores, updates or shows the tasks of a request. It reads tasks before a change
// only if they must be selected ("all but the report"), named in a question, or compared with the change.
type change struct {
	voice
	req intent.Request
	// confirmFirst makes it ask "Shall I …?" instead of acting.
	confirmFirst bool

	targets, except []target
	// everything is the reference to all tasks of a filter, nil if there is none. rest counts those beyond the list.
	everything *intent.Reference
	rest       int
	results    []item
	outcome    outcome
}

// target is a task that a request names.
type target struct {
	// ref is its name for the tools, a number or words.
	ref string
	// task is nil until the task is known, and may lack fields until it is read.
	task *task
	read bool
}

// maxRead is how many tasks are read before a change.
const maxRead = 8

// toolFor are the tools of the kinds of change.
var toolFor = map[intent.Kind]string{
	intent.Complete: completeTask,
	intent.Reopen:   reopenTask,
	intent.Delete:   deleteTask,
	intent.Restore:  restoreTask,
	intent.Update:   updateTask,
}

// change returns the action of a request. It waits for earlier ones if it refers to their tasks, or shows them.
func (p *planner) change(r intent.Request, confirmFirst bool) *action {
	return &action{
		said:      r.Said,
		exclusive: r.Kind == intent.Show || slices.ContainsFunc(r.Refs, intent.Reference.Contextual),
		run: func(m *memory, call caller) outcome {
			return (&change{voice: p.voice, req: r, confirmFirst: confirmFirst}).run(m, call)
		},
	}
}

func (c *change) run(m *memory, call caller) outcome {
	for _, r := range c.req.Refs {
		c.targets = append(c.targets, c.resolve(r, m)...)
	}
	if c.outcome.question == nil {
		c.selectTasks(call)
		c.read(call, c.except)
		if c.confirmFirst || c.req.Kind == intent.Update || c.req.Kind == intent.Show {
			c.read(call, c.targets[:min(len(c.targets), maxRead)])
		}
		c.confirmFirst = c.confirmFirst && !isTitled(c.req, c.targets)
	}
	switch {
	case c.req.Kind == intent.Show:
		return c.show()
	case c.outcome.question == nil:
		c.write(call)
	}
	return c.report()
}

func (c *change) say(key string, values ...string) {
	c.outcome.lines = append(c.outcome.lines, c.words.Say(key, values...))
}

// resolve returns the targets of a reference.
func (c *change) resolve(r intent.Reference, m *memory) []target {
	for _, e := range r.Except {
		c.except = append(c.except, c.resolve(e, m)...)
	}
	switch r.Kind {
	case intent.ByNumber:
		if r.Number < 1 {
			c.say("bad-number")
			return nil
		}
		t := target{ref: strconv.Itoa(r.Number)}
		if known, ok := find(m.list, r.Number); ok {
			t.task = &known // for its title; it is read again where its fields matter
		}
		return []target{t}
	case intent.BySearch:
		return []target{{ref: strings.TrimSpace(c.req.Verb + " " + r.Phrase)}}
	case intent.Everything:
		c.everything = &r
		return nil
	}
	found := targetsOf(m.referent(r))
	for i := range found {
		found[i].read = c.req.Kind != intent.Update && c.req.Kind != intent.Show // the fields may be old
	}
	if len(found) == 0 {
		c.unclear(m)
	}
	return found
}

// isTitled reports whether a request is certain because its references are the whole titles of the targets.
func isTitled(req intent.Request, ts []target) bool {
	return req.Titled && slices.EqualFunc(ts, req.Refs, func(t target, r intent.Reference) bool {
		return r.Kind == intent.BySearch && t.task != nil && slices.Equal(keys(t.task.Title), keys(r.Phrase))
	})
}

func targetsOf(ts []task) (all []target) {
	for _, t := range ts {
		all = append(all, target{ref: strconv.Itoa(t.Number), task: &t, read: true})
	}
	return all
}

// unclear asks which task is meant and offers those mentioned last.
func (c *change) unclear(m *memory) {
	c.outcome.question = &question{requests: []intent.Request{c.req}}
	if len(m.last) > 1 {
		c.outcome.question.candidates = m.last
		c.outcome.lines = append(c.outcome.lines, c.whichOne(c.req.Kind, "", m.last))
		return
	}
	c.say("which-unknown")
}

// read reads the tasks that are not known yet. It records the results of those that are not found.
func (c *change) read(call caller, ts []target) {
	var unread []*target
	var calls []toolCall
	for i := range ts {
		if !ts[i].read {
			unread, calls = append(unread, &ts[i]), append(calls, toolCall{getTask, nameArgs([]string{ts[i].ref})})
		}
	}
	for i, r := range call(calls...) {
		t, found := unread[i], r.items(unread[i].ref)[0]
		if t.read, t.task = true, found.Task; t.task == nil {
			c.results = append(c.results, found)
			continue
		}
		t.ref = strconv.Itoa(t.task.Number)
	}
}

// nameArgs returns the arguments that name tasks.
func nameArgs(refs []string) map[string]any {
	if len(refs) > 1 {
		return map[string]any{"tasks": refs}
	}
	if n, err := strconv.Atoi(refs[0]); err == nil {
		return map[string]any{"number": n}
	}
	return map[string]any{"task": refs[0]}
}

// selectTasks lists the tasks of "all …": those with a label, or else with a word in the title.
func (c *change) selectTasks(call caller) {
	if c.everything == nil {
		return
	}
	f := c.everything.Filter
	switch {
	case c.req.Kind == intent.Complete && f.Status != "completed":
		f.Status = "pending"
	case c.req.Kind == intent.Reopen:
		f.Status = "completed"
	case c.req.Kind == intent.Restore:
		f.Trashed = true
	}
	f, r, _ := call.list(f, longList)
	found := c.matching(f, r)
	if f.Search != "" { // the tool finds beginnings of words and descriptions too
		found = named(found, f.Search)
		c.confirmFirst = c.confirmFirst || len(found) > 1
	}
	switch {
	case r.Error != nil:
		c.say("list-failed", r.Error.reason())
	case len(found) == 0:
		c.say("nothing-listed", strings.TrimSuffix(c.heading(0, f), "."), c.nothingDone())
	}
	c.targets = append(c.targets, targetsOf(found)...)
	c.rest = r.more()
}

// write makes the change, unless there is nothing to do or it must be confirmed.
func (c *change) write(call caller) {
	refs := c.selected()
	args, invalid := c.arguments()
	switch {
	case len(refs) == 0:
		return
	case c.req.Rejection != "":
		c.say("rejected", c.sentence(c.req.Rejection))
		return
	case invalid != "":
		c.outcome.lines = append(c.outcome.lines, invalid)
		return
	case c.confirmFirst:
		c.confirm()
		return
	}
	var calls []toolCall
	var names []string
	for part := range slices.Chunk(refs, batch) {
		named := nameArgs(part)
		for k, v := range args {
			named[k] = v
		}
		calls, names = append(calls, toolCall{toolFor[c.req.Kind], named}), append(names, strings.Join(part, ", "))
	}
	for i, r := range call(calls...) {
		c.results = append(c.results, r.items(names[i])...)
	}
}

// selected removes the exceptions and the tasks that cannot be changed from the targets, and returns the names of the
// others without duplicates.
func (c *change) selected() (refs []string) {
	if slices.ContainsFunc(c.except, func(e target) bool { return e.task == nil }) {
		c.say("unclear-except", c.nothingDone())
		return nil
	}
	c.targets = slices.DeleteFunc(c.targets, func(t target) bool {
		missing := t.read && t.task == nil
		excepted := slices.ContainsFunc(c.except, func(e target) bool { return e.ref == t.ref })
		if missing || excepted || slices.Contains(refs, t.ref) || t.task != nil && c.immovable(*t.task) {
			return true
		}
		refs = append(refs, t.ref)
		return false
	})
	return refs
}

// immovable reports whether the due date of a task cannot be moved as requested, and states why.
func (c *change) immovable(t task) bool {
	shift := c.req.Fields.Shift
	if shift == "" && c.req.Rejection == "" {
		return false
	}
	var unclear *due.UnclearError
	_, err := due.Shift(shift, t.due(c.now), c.now)
	switch {
	case t.Completed:
		c.say("done-not-moved", nameOf(t))
	case shift == "":
		return false
	case due.IsSpan(strings.Fields(shift)) && t.due(c.now).Day.IsZero():
		c.say("undated-not-moved", nameOf(t))
	case errors.As(err, &unclear):
		c.outcome.lines = append(c.outcome.lines, unclear.Reason)
	default:
		return false
	}
	return true
}

// confirm asks whether to make the change.
func (c *change) confirm() {
	var ts, unread []task
	for _, t := range c.targets {
		if n, err := strconv.Atoi(t.ref); err == nil && t.task == nil {
			unread = append(unread, task{Number: n})
		} else if t.task != nil {
			ts = append(ts, *t.task)
		}
	}
	lines := c.rows(ts, len(unread), true)
	ts = append(ts, unread...)
	c.outcome.question = c.about(ts, true)
	what := c.describeChange(c.req.Fields)
	if len(ts) == 1 {
		c.say("shall", c.verb(c.req.Kind), nameOf(ts[0]), what)
		return
	}
	c.outcome.lines = append(c.outcome.lines, lines...)
	c.say("shall-many", c.verb(c.req.Kind), strconv.Itoa(len(ts)), what)
}

// about returns a question: with confirm, whether to make the change to the tasks; else, to which of them.
func (c *change) about(ts []task, confirm bool) *question {
	req := c.req
	req.Offer, req.Verb, req.DidYouMean = false, "", ""
	req.Refs = references(ts)
	return &question{requests: []intent.Request{req}, candidates: ts, confirm: confirm}
}
