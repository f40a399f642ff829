package offline

import (
	"strconv"
	"strings"

	"errand/internal/offline/intent"
)

// add returns the action that adds the tasks of requests with one call.
func (p *planner) add(reqs []intent.Request) *action {
	return &action{said: reqs[0].Said, run: func(_ *memory, call caller) outcome {
		args := newTask(reqs[0].Fields)
		if len(reqs) > 1 {
			tasks := make([]map[string]any, len(reqs))
			for i, r := range reqs {
				tasks[i] = newTask(r.Fields)
			}
			args = map[string]any{"tasks": tasks}
		}
		return p.added(reqs, call.one(addTask, args).items(""))
	}}
}

// added reports the tasks that were added. A call that fails has one result for all of them.
func (p *planner) added(reqs []intent.Request, results []item) (o outcome) {
	reminds := false
	for n, req := range reqs {
		i := results[min(n, len(results)-1)]
		if i.Task == nil || i.Task.Number < 1 || n >= len(results) {
			o.lines = append(o.lines, p.words.Say("not-added", quote(req.Fields.Title), i.Error.reason()))
			continue
		}
		o.changed = intent.Add
		o.touched = append(o.touched, *i.Task)
		o.lines = append(o.lines, p.newTask(*i.Task))
		if req.DateLeft != "" {
			o.lines = append(o.lines, p.words.Say("date-left", quote(req.DateLeft)))
		}
		reminds = reminds || req.Reminder
	}
	if len(o.touched) > fewTasks && len(o.touched) == len(o.lines) {
		heading := p.words.Say("many-add", strconv.Itoa(len(o.touched)))
		o.lines = append([]string{heading}, p.rows(o.touched, 0, false)...)
	}
	if reminds {
		o.lines = append(o.lines, p.words.Say("no-notification"))
	}
	return o
}

// undo returns the action that undoes the last change or, with redo, the last undo. then is an optional action that
// follows.
func (p *planner) undo(said string, redo bool, then *action) *action {
	return &action{said: said, exclusive: true, run: func(m *memory, call caller) outcome {
		args := map[string]any{}
		if redo {
			if m.undone == "" {
				return outcome{lines: []string{p.words.Say("nothing-to-redo")}}
			}
			args["change"] = m.undone
		}
		r := call.one(undoChanges, args)
		if r.Error != nil {
			return outcome{lines: []string{p.words.Say("not-undone", r.Error.reason())}}
		}
		o := outcome{changed: intent.Undo}
		o.lines, o.touched = p.undone(r)
		if !redo {
			o.undone = r.Batch
		}
		if then != nil {
			next := then.run(m, call)
			next.lines, next.undone = append(o.lines, next.lines...), ""
			return next
		}
		return o
	}}
}

// undone reports which changes an undo reverted and which it skipped, and returns their tasks.
func (p *planner) undone(r toolResult) (lines []string, touched []task) {
	for _, c := range r.Undone {
		if t := (task{Number: c.Number, Title: c.Title}); t.Number > 0 && p.words.Has("undone-"+c.Kind) {
			lines = append(lines, p.words.Say("undone-"+c.Kind, nameOf(t)))
			touched = append(touched, missingFrom(touched, []task{t})...)
		}
	}
	if more := r.Count - len(r.Undone); more > 0 {
		lines = append(lines, p.words.Say("more-changes", strconv.Itoa(more)))
	}
	for _, c := range r.Skipped {
		name := nameOf(task{Number: c.Number, Title: c.Title})
		lines = append(lines, p.words.Say("not-taken-back", name, p.sentence(c.Reason)))
	}
	if len(lines) == 0 {
		lines = []string{p.words.Say("undone")}
	}
	return lines, touched
}

// offer returns the action that asks whether to carry out requests.
func (p *planner) offer(reqs []intent.Request) *action {
	var lines, titles []string
	q := &question{confirm: true}
	for _, r := range reqs {
		switch {
		case r.DidYouMean != "":
			lines = append(lines, p.words.Say("did-you-mean", quote(r.DidYouMean)))
		case r.Kind == intent.Add:
			f := r.Fields
			f.Title, f.Description = "", ""
			titles = append(titles, quote(r.Fields.Title)+p.describeChange(f))
			if r.Rhythm != "" {
				lines = append(lines, p.words.Say("add-once", quote(r.Rhythm)))
			}
			if r.Place != "" {
				lines = append(lines, p.words.Say("no-place", quote(r.Place)))
			}
		default:
			lines = append(lines, p.words.Say("shall-do", quote(r.Said)))
		}
		r.Offer, r.DidYouMean = false, ""
		q.requests = append(q.requests, r)
	}
	if len(titles) > 0 {
		lines = append(lines, p.words.Say("shall-add", strings.Join(titles, ", ")))
	}
	return reply(strings.Join(lines, " "), q)
}

// repeat returns the action that asks a question again.
func (p *planner) repeat(q *question) *action {
	if len(q.candidates) == 0 {
		return reply(p.words.Say("yes-or-no"), q)
	}
	if q.confirm {
		return reply(strings.Join(p.rows(q.candidates, 0, true), "\n")+"\n"+
			p.words.Say("should-them", p.verb(q.requests[0].Kind)), q)
	}
	return reply(p.whichOne(q.requests[0].Kind, "", q.candidates), q)
}

// reply returns an action that only replies.
func reply(line string, q *question) *action {
	return fixed(outcome{lines: []string{line}, question: q})
}

// fixed returns an action without calls.
func fixed(o outcome) *action {
	return &action{run: func(*memory, caller) outcome { return o }}
}
