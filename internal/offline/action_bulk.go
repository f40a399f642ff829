package offline

import (
	"slices"
	"strconv"

	"errand/internal/offline/intent"
)

// everything returns the reference to all tasks, if there is one.
func (a *taskAction) everything() (intent.Reference, bool) {
	i := slices.IndexFunc(a.req.Refs, func(r intent.Reference) bool { return r.Kind == intent.Everything })
	if i < 0 {
		return intent.Reference{}, false
	}
	return a.req.Refs[i], true
}

// bulkCalls returns the calls that list all tasks of the request.
func (a *taskAction) bulkCalls() []toolCall {
	ref, ok := a.everything()
	if !ok || a.bulk != nil {
		return nil
	}
	status := ref.Status
	switch {
	case status == "all" && a.req.Kind == intent.Complete:
		status = "pending"
	case status == "all" && a.req.Kind == intent.Reopen:
		status = "completed"
	}
	filter := intent.Filter{}
	if ref.Filter != nil {
		filter = *ref.Filter
	}
	filter.Status = status
	list := listAction{filter: filter, now: a.now}
	args := list.arguments()
	args["limit"] = longList
	take := func(r toolResult) {
		list.result = &r
		a.applyBulk(filter, list.shown())
	}
	return []toolCall{{name: listTasks, args: args, onResult: take}}
}

// maxUnasked is how many tasks the server changes by default without asking the user for approval. It asks before it
// deletes more than one.
const maxUnasked = 5

// serverAsks reports whether the server asks before it changes the tasks, so that the model need not.
func serverAsks(k intent.Kind, n int) bool { return n > maxUnasked || k == intent.Delete && n > 1 }

// applyBulk proceeds with a single task that matches all words, and with changes before which the server asks; any
// other change needs a confirmation.
func (a *taskAction) applyBulk(f intent.Filter, r toolResult) {
	a.bulk = &r
	s := &candidate{number: -1}
	a.candidates = append(a.candidates, s)
	switch {
	case r.Error != nil:
		s.line = "I could not look at your tasks: " + r.reason()
	case len(r.Tasks) == 0:
		s.line = trimStop(nothing(f)) + ", so I " + notDone[a.req.Kind] + "."
	case len(r.Tasks) == 1 && r.more() == 0 && hasAll(r.Tasks[0].Title, content(f.Search)):
		s.number, s.current = r.Tasks[0].Number, &r.Tasks[0]
	case r.more() == 0 && len(r.Tasks) < maxCalls && serverAsks(a.req.Kind, len(r.Tasks)):
		a.candidates = a.candidates[:len(a.candidates)-1]
		for i := range r.Tasks {
			a.candidates = append(a.candidates, &candidate{number: r.Tasks[i].Number, current: &r.Tasks[i]})
		}
	default:
		s.line = confirmAll(a.req.Kind, r, a.now)
		s.question = &question{request: a.req, candidates: r.Tasks, confirm: true}
	}
}

func adjective(status string) string {
	if status == "all" {
		return ""
	}
	return status + " "
}

func (a *taskAction) outcome() outcome {
	o := outcome{listed: a.req.Kind == intent.Show}
	var missed []string
	for _, s := range a.candidates {
		switch {
		case s.line != "":
			o.lines = append(o.lines, s.line)
			o.touched = append(o.touched, s.shown...)
			if s.question != nil {
				o.question = s.question
			}
		case s.result != nil:
			line, t := changed(a.req, s.number, *s.result, a.now)
			o.lines = append(o.lines, line)
			if t != nil {
				o.touched = append(o.touched, *t)
			}
		case a.req.Kind == intent.Show && s.current != nil:
			o.lines = append(o.lines, details(*s.current, a.now))
			o.touched = append(o.touched, *s.current)
		default:
			missed = append(missed, s.name())
		}
	}
	if len(missed) > 0 || len(a.candidates) == 0 {
		o.lines = append(o.lines, notReached(a.req, missed))
	}
	return o
}

// name returns the name of the candidate's task for a reply.
func (s *candidate) name() string {
	if s.number > 0 {
		return "task " + strconv.Itoa(s.number)
	}
	return quote(s.ref.Phrase)
}
