package offline

import (
	"slices"
	"strconv"

	"errand/internal/offline/intent"
)

// everything is the reference to all tasks, if there is one.
func (j *taskJob) everything() (intent.Reference, bool) {
	i := slices.IndexFunc(j.req.Refs, func(r intent.Reference) bool { return r.Kind == intent.Everything })
	if i < 0 {
		return intent.Reference{}, false
	}
	return j.req.Refs[i], true
}

// listing looks at all tasks that the request is about.
func (j *taskJob) listing() []ask {
	ref, ok := j.everything()
	if !ok || j.bulk != nil {
		return nil
	}
	status := ref.Status
	switch {
	case status == "all" && j.req.Kind == intent.Complete:
		status = "pending"
	case status == "all" && j.req.Kind == intent.Reopen:
		status = "completed"
	}
	filter := intent.Filter{}
	if ref.Filter != nil {
		filter = *ref.Filter
	}
	filter.Status = status
	list := listJob{filter: filter, now: j.now}
	args := list.arguments()
	args["limit"] = longList
	take := func(r result) {
		list.result = &r
		j.tookAll(filter, list.shown())
	}
	return []ask{{name: listTasks, args: args, take: take}}
}

// tookAll goes on at once with a single task that clearly fits; anything else is changed only after a "yes".
func (j *taskJob) tookAll(f intent.Filter, r result) {
	j.bulk = &r
	s := &slot{number: -1}
	j.slots = append(j.slots, s)
	switch {
	case r.Error != nil:
		s.line = "I could not look at your tasks: " + r.reason()
	case len(r.Tasks) == 0:
		s.line = trimStop(nothing(f)) + ", so I " + left[j.req.Kind] + "."
	case len(r.Tasks) == 1 && r.more() == 0 && hasAll(r.Tasks[0].Title, content(f.Search)):
		s.number, s.current = r.Tasks[0].Number, &r.Tasks[0]
	default:
		s.line = confirmAll(j.req.Kind, r, j.now)
		s.question = &question{request: j.req, candidates: r.Tasks, confirm: true}
	}
}

func adjective(status string) string {
	if status == "all" {
		return ""
	}
	return status + " "
}

func (j *taskJob) outcome() outcome {
	o := outcome{listed: j.req.Kind == intent.Show}
	var missed []string
	for _, s := range j.slots {
		switch {
		case s.line != "":
			o.lines = append(o.lines, s.line)
			o.touched = append(o.touched, s.shown...)
			if s.question != nil {
				o.question = s.question
			}
		case s.result != nil:
			line, t := changed(j.req, s.number, *s.result, j.now)
			o.lines = append(o.lines, line)
			if t != nil {
				o.touched = append(o.touched, *t)
			}
		case j.req.Kind == intent.Show && s.current != nil:
			o.lines = append(o.lines, details(*s.current, j.now))
			o.touched = append(o.touched, *s.current)
		default:
			missed = append(missed, s.name())
		}
	}
	if len(missed) > 0 || len(j.slots) == 0 {
		o.lines = append(o.lines, notReached(j.req, missed))
	}
	return o
}

// name is how a report speaks of the slot's task.
func (s *slot) name() string {
	if s.number > 0 {
		return "task " + strconv.Itoa(s.number)
	}
	return quote(s.ref.Phrase)
}
