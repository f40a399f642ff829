package offline

import (
	"slices"
	"strconv"
	"strings"

	"errand/internal/offline/intent"
)

// fewTasks is how many tasks are reported by a sentence each.
const fewTasks = 4

// report turns the results into lines, one for each task, and a question about the ambiguous names.
func (c *change) report() outcome {
	done, same, failed, unsure, awaits := sorted(c.results)
	o := &c.outcome
	kind := string(c.req.Kind)
	if len(done) > fewTasks && c.req.Kind != intent.Update {
		c.say("many-"+kind, strconv.Itoa(len(done)))
		o.lines = append(o.lines, c.rows(done, 0, false)...)
	} else {
		for _, t := range done {
			o.lines = append(o.lines, c.changed(t))
		}
	}
	for _, t := range same {
		c.say("same-"+kind, nameOf(t))
	}
	for _, i := range failed {
		o.lines = append(o.lines, c.failure(i, len(done) > 0))
	}
	c.reportApproval(awaits)
	if len(unsure) > 0 {
		c.askChoice(unsure)
	}
	if len(done) > 0 {
		o.changed = c.req.Kind
		if c.rest > 0 {
			c.say("more-match", strconv.Itoa(c.rest))
		}
	}
	o.touched = missingFrom(nil, slices.Concat(done, same))
	return *o
}

// sorted returns the results by their outcome.
func sorted(results []item) (done, same []task, failed, unsure []item, awaits *toolError) {
	for _, i := range results {
		switch {
		case i.Error.awaits():
			awaits = i.Error
		case i.Task != nil && i.Task.Number > 0 && i.unchanged():
			same = append(same, *i.Task)
		case i.Task != nil && i.Task.Number > 0:
			done = append(done, *i.Task)
		case len(i.Choices) > 0:
			unsure = append(unsure, i)
		default:
			failed = append(failed, i)
		}
	}
	return done, same, failed, unsure, awaits
}

// changed reports one task that was changed.
func (c *change) changed(t task) string {
	if c.req.Kind != intent.Update {
		return c.sentence(c.words.Say("done-"+string(c.req.Kind), nameOf(t)))
	}
	var was *task
	for _, b := range c.targets {
		if b.task != nil && b.task.Number == t.Number {
			was = b.task
		}
	}
	return c.updated(was, t)
}

// failure reports one task that was not found or changed. also is set if others were changed.
func (c *change) failure(i item, also bool) string {
	if i.Error == nil || i.Error.Code != "NOT_FOUND" {
		return c.words.Say("failed", c.verb(c.req.Kind), c.refName(i.Reference), i.Error.reason())
	}
	key, name := "missing", quote(i.Reference)
	if n, err := strconv.Atoi(i.Reference); err == nil {
		key, name = "missing-number", strconv.Itoa(n)
	}
	if also || c.req.Kind == intent.Show {
		return c.words.Say(key, name) + "."
	}
	return c.words.Say("missing-so", c.words.Say(key, name), c.nothingDone())
}

// refName returns a name of tasks for replies.
func (v voice) refName(ref string) string {
	switch _, err := strconv.Atoi(ref); {
	case err == nil:
		return v.words.Say("task", ref)
	case strings.Contains(ref, ", "):
		return v.words.Say("tasks", ref)
	}
	return quote(ref)
}

// reportApproval states that the server asks the user, or that the user did not approve. The answer may be "yes, except
// the report".
func (c *change) reportApproval(e *toolError) {
	switch {
	case e == nil:
		return
	case e.Code == "AWAITING_APPROVAL":
		c.say("awaits")
	case e.Code == "REJECTED":
		c.say("not-approved", c.nothingDone())
	default:
		c.outcome.lines = append(c.outcome.lines, e.reason())
	}
	var known []task
	for _, t := range c.targets {
		if t.task != nil {
			known = append(known, *t.task)
		}
	}
	if len(known) > 0 && c.outcome.question == nil {
		c.outcome.question = c.about(known, true)
		c.outcome.question.approval = true
	}
}

// askChoice asks which tasks the ambiguous names refer to.
func (c *change) askChoice(unsure []item) {
	var refs []string
	var all []task
	for _, i := range unsure {
		refs, all = append(refs, i.Reference), append(all, missingFrom(all, i.Choices)...)
	}
	slices.SortFunc(all, func(a, b task) int { return a.Number - b.Number })
	if len(all) == 1 && c.req.Kind != intent.Show {
		c.say("should", quote(refs[0]), c.verb(c.req.Kind), nameOf(all[0]))
	} else {
		c.outcome.lines = append(c.outcome.lines, c.whichOne(c.req.Kind, strings.Join(refs, ", "), all))
	}
	if c.outcome.question == nil || c.outcome.question.approval {
		c.outcome.question = c.about(all, len(all) == 1)
	}
}

// show reports the tasks, or the field of them that was asked for.
func (c *change) show() outcome {
	o := &c.outcome
	o.listed = len(c.targets) > 1
	for _, t := range c.targets {
		switch {
		case !t.read:
			c.say("not-shown", c.refName(t.ref))
		case t.task != nil:
			o.lines = append(o.lines, c.answer(*t.task, c.req.Asked))
			o.touched = append(o.touched, *t.task)
		}
	}
	for _, i := range c.results {
		if len(i.Choices) > 0 {
			c.askChoice([]item{i})
		} else {
			o.lines = append(o.lines, c.failure(i, true))
		}
	}
	return *o
}
