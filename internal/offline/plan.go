package offline

import (
	"cmp"
	"fmt"
	"slices"

	"errand/internal/offline/intent"
)

// planner turns requests into actions.
type planner struct {
	voice
	memory *memory
}

// plan returns the actions for the requests of a message. Adjacent requests of the same group become one action.
func (p *planner) plan(m intent.Message) (actions []*action) {
	requests := slices.Clone(m.Requests)
	for i := range requests {
		requests[i].Rejection = cmp.Or(requests[i].Rejection, tooLong(requests[i].Fields))
	}
	for len(requests) > 0 {
		n := 1
		for n < len(requests) && p.joins(requests[n-1], requests[n]) && n < batch {
			n++
		}
		actions = append(actions, p.action(requests[:n], len(m.Left) > 0))
		requests = requests[n:]
	}
	return actions
}

// groupOf returns the group of requests that a request joins, "" for none.
func (p *planner) groupOf(r intent.Request) string {
	switch {
	case r.DidYouMean != "" || r.Offer && toolFor[r.Kind] == "":
		return "offer"
	case r.Kind == intent.Add && r.Fields.Title != "":
		return "add"
	case toolFor[r.Kind] != "" && r.Kind != intent.Update && r.Verb == "":
		return toolFor[r.Kind]
	}
	return ""
}

// joins reports whether two adjacent requests become one action.
func (p *planner) joins(a, b intent.Request) bool {
	group := p.groupOf(a)
	return group != "" && group == p.groupOf(b) && a.Offer == b.Offer && !p.isRefused(a) && !p.isRefused(b) &&
		!slices.ContainsFunc(b.Refs, intent.Reference.Contextual)
}

// isRefused reports whether the reply to a request is known without a call.
func (p *planner) isRefused(r intent.Request) bool {
	rejected := r.Rejection != "" && (r.Kind != intent.Update || len(r.Refs) == 0) // of an update, see change
	return rejected || r.Kind == intent.Say || p.now.IsZero() && dated(r)
}

// action returns the action of requests that join. unsure means that parts of the message were not understood: they may
// change what is to be deleted or completed.
func (p *planner) action(reqs []intent.Request, unsure bool) *action {
	r := reqs[0]
	switch group := p.groupOf(r); {
	case p.isRefused(r):
		return p.refuse(r)
	case group == "offer":
		return p.offer(reqs)
	case group == "add":
		return p.add(reqs)
	}
	for _, more := range reqs[1:] {
		r.Refs = slices.Concat(r.Refs, more.Refs)
	}
	return p.one(r, unsure)
}

// one returns the action of a request that is not joined with others.
func (p *planner) one(r intent.Request, unsure bool) *action {
	switch r.Kind {
	case intent.Add:
		return reply(p.words.Say("which-title"), &question{requests: []intent.Request{r}, title: true})
	case intent.List:
		return p.list(r)
	case intent.Recent:
		return p.recent(r)
	case intent.Undo:
		return p.takeBack(r)
	case intent.Redo:
		return p.undo(r.Said, true, nil)
	case intent.Correct:
		return p.correct(r)
	case intent.Restore:
		if p.memory.changed != intent.Delete && slices.ContainsFunc(r.Refs, isIt) { // "bring it back"
			return p.undo(r.Said, false, nil)
		}
	case intent.Update:
		c := change{voice: p.voice, req: r}
		if args, invalid := c.arguments(); r.Rejection == "" && len(args) == 0 && invalid == "" {
			return reply(p.words.Say("which-new-title"), &question{requests: []intent.Request{r}, title: true})
		}
	}
	return p.change(r, r.Offer || unsure && (r.Kind == intent.Delete || r.Kind == intent.Complete))
}

func isIt(r intent.Reference) bool { return r.Kind == intent.It || r.Kind == intent.Shown }

// refuse returns the reply to a request that cannot be met, and to messages that do not concern tasks.
func (p *planner) refuse(r intent.Request) *action {
	clock := r.Topic == intent.Clock
	switch {
	case r.Rejection != "":
		return reply(p.words.Say("refused", p.sentence(r.Rejection), quote(r.Said)), nil)
	case r.Kind != intent.Say || clock && p.now.IsZero():
		return reply(p.words.Say("no-time", quote(r.Said)), nil)
	case clock:
		return reply(p.words.Say("clock", p.now.Format("Monday, 2 January 2006, 15:04"), p.now.Location().String()), nil)
	}
	line := p.words.Say(string(r.Topic), quote(r.Said), quote(r.Rhythm))
	if r.Topic.Courtesy() {
		return fixed(outcome{courtesy: line})
	}
	return reply(line, nil)
}

// opposite are the kinds that take a kind of change back.
var opposite = map[intent.Kind]intent.Kind{
	intent.Delete: intent.Restore, intent.Complete: intent.Reopen, intent.Reopen: intent.Complete,
	intent.Restore: intent.Delete,
}

// takeBack returns the action that undoes the last change, or the change of the tasks that the request names.
func (p *planner) takeBack(r intent.Request) *action {
	back, known := opposite[p.memory.changed]
	named := slices.ContainsFunc(r.Refs, func(ref intent.Reference) bool { return !isIt(ref) })
	last := p.memory.single
	only := last != nil && !slices.ContainsFunc(r.Refs, func(ref intent.Reference) bool {
		return ref.Kind != intent.ByNumber || ref.Number != last.Number
	})
	switch {
	case !named || !known && only:
		return p.undo(r.Said, false, nil)
	case !known: // the last change may be that of another task
		return reply(p.words.Say("corrects-what", quote(r.Said)), nil)
	}
	r.Kind = back
	return p.change(r, false)
}

// correct returns the action that corrects the last change: its values, or the tasks that it should have changed.
func (p *planner) correct(r intent.Request) *action {
	kind := p.memory.changed
	if hour, ok := p.correctedHour(r); ok {
		r.Refs, r.Fields.Shift = nil, hour
	}
	switch {
	case len(r.Refs) > 0 && toolFor[kind] != "" && kind != intent.Update:
		return p.undo(r.Said, false, p.change(intent.Request{Kind: kind, Refs: r.Refs, Said: r.Said}, false))
	case len(r.Refs) > 0 || p.memory.single == nil && kind == "":
		return reply(p.words.Say("corrects-what", quote(r.Said)), nil)
	}
	r.Kind, r.Refs = intent.Update, []intent.Reference{{Kind: intent.It}}
	return p.change(r, false)
}

// correctedHour returns the time in "make that 6", said after a task due at a time of day was added or moved.
func (p *planner) correctedHour(r intent.Request) (clock string, ok bool) {
	t := p.memory.single
	if len(r.Refs) != 1 || r.Refs[0].Kind != intent.ByNumber || len(r.Instead) > 0 || t == nil ||
		p.memory.changed != intent.Add && p.memory.changed != intent.Update {
		return "", false
	}
	date, hour := t.due(p.now), r.Refs[0].Number
	if !date.Timed || hour < 1 || hour > 12 {
		return "", false
	}
	return fmt.Sprintf("%02d:00", hour%12+date.At.Hour()/12*12), true
}

// dated reports whether the request depends on the current date.
func dated(r intent.Request) bool {
	relative := func(f intent.Filter) bool { return f.When != "" || f.Due == "overdue" }
	return r.Fields.Due != nil || r.Fields.Shift != "" || relative(r.Filter) ||
		slices.ContainsFunc(r.Refs, func(ref intent.Reference) bool { return relative(ref.Filter) })
}
