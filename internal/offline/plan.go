package offline

import (
	"slices"
	"strings"

	"errand/internal/offline/intent"
)

// requests reads what the person wants: an answer to the open question, or new requests.
func (p *play) requests() []intent.Request {
	read := intent.Read(p.turn.said, p.now)
	q := p.mem.open
	if q == nil {
		if more, ok := intent.ReadAnother(p.turn.said, p.now); ok && p.mem.added && unread(read) {
			return []intent.Request{more}
		}
		return read
	}
	if q.title && unread(read) {
		if answer, ok := intent.ReadAnswer(p.turn.said, p.now); !ok || !answer.No {
			return []intent.Request{titled(q.request, intent.ReadTitle(p.turn.said, p.now))}
		}
	}
	if answer, ok := intent.ReadAnswer(p.turn.said, p.now); ok {
		return q.resolve(answer, p.turn.said)
	}
	return read
}

// onlyAdded tells whether a turn's jobs added tasks and did nothing else.
func onlyAdded(jobs []job) bool {
	for _, j := range jobs {
		if add, ok := j.(*addJob); !ok || len(add.outcome().touched) == 0 {
			return false
		}
	}
	return len(jobs) > 0
}

func unread(requests []intent.Request) bool {
	for _, r := range requests {
		if r.Kind != intent.Unknown {
			return false
		}
	}
	return true
}

// titled gives a request that lacked a title the one in the answer.
func titled(asked, answer intent.Request) intent.Request {
	if answer.Kind != intent.Add {
		return answer
	}
	f := asked.Fields
	f.Title = answer.Fields.Title
	if answer.Fields.Priority != "" {
		f.Priority = answer.Fields.Priority
	}
	if answer.Fields.Due != nil {
		f.Due = answer.Fields.Due
	}
	f.AddLabels = append(f.AddLabels, answer.Fields.AddLabels...)
	answer.Fields = f
	return answer
}

// resolve turns an answer into the request that had been left open.
func (q *question) resolve(a intent.Answer, said string) []intent.Request {
	req := q.request
	switch {
	case a.No:
		return []intent.Request{{Kind: intent.Say, Topic: intent.LeftAlone}}
	case a.Yes && (q.confirm || len(q.candidates) == 1):
		req.Refs = numbers(q.candidates)
	case a.Yes:
		req.Refs = []intent.Reference{{Kind: intent.Unnamed}}
	default:
		req.Refs = q.choose(a.Refs)
	}
	req.Verb = "" // the person has confirmed what was meant
	req.Said = said
	return []intent.Request{req}
}

func numbers(ts []task) []intent.Reference {
	refs := make([]intent.Reference, len(ts))
	for i, t := range ts {
		refs[i] = intent.Reference{Kind: intent.ByNumber, Number: t.Number}
	}
	return refs
}

// choose narrows references to the candidates. What names none of them asks again.
func (q *question) choose(refs []intent.Reference) []intent.Reference {
	if len(q.candidates) == 0 {
		return refs
	}
	var chosen []intent.Reference
	for _, r := range refs {
		switch r.Kind {
		case intent.ByNumber:
			if _, ok := (result{Tasks: q.candidates}).find(r.Number); ok {
				chosen = append(chosen, r)
			}
		case intent.BySearch:
			if fits := matching(q.candidates, r.Phrase); len(fits) == 1 {
				chosen = append(chosen, numbers(fits)...)
			}
		case intent.Everything:
			chosen = append(chosen, numbers(q.candidates)...)
		default:
			chosen = append(chosen, r) // places and "both" speak of the candidates shown
		}
	}
	if len(chosen) < len(refs) {
		return []intent.Reference{{Kind: intent.Unnamed}}
	}
	return chosen
}

// plan makes a job of each request.
func (p *play) plan(requests []intent.Request) []job {
	jobs := make([]job, len(requests))
	for i, r := range requests {
		switch {
		case r.Kind == intent.Unknown || r.Kind == intent.Say:
			jobs[i] = &sayJob{}
		case r.Fault != "":
			jobs[i] = &sayJob{line: faulty(r)}
		case p.now.IsZero() && dated(r):
			jobs[i] = &sayJob{line: "I do not know what day it is, so I did nothing for " + quote(r.Said) + "."}
		case r.Kind == intent.Add:
			jobs[i] = &addJob{req: r, now: p.now}
		case r.Kind == intent.List:
			jobs[i] = &listJob{filter: r.Filter, now: p.now}
		default:
			jobs[i] = &taskJob{req: r, now: p.now}
		}
	}
	return jobs
}

// dated requests depend on what day it is.
func dated(r intent.Request) bool {
	if r.Fields.Due != nil || r.Filter.When != "" || r.Filter.Overdue {
		return true
	}
	return slices.ContainsFunc(r.Refs, func(ref intent.Reference) bool {
		return ref.Filter != nil && (ref.Filter.When != "" || ref.Filter.Overdue)
	})
}

func faulty(r intent.Request) string {
	nothing := "o I did nothing for " + quote(r.Said) + "."
	if strings.Contains(r.Fault, ". ") {
		return r.Fault + " S" + nothing
	}
	return trimStop(r.Fault) + ", s" + nothing
}

// sayJob needs no tools. Its line is empty where compose finds the words.
type sayJob struct{ line string }

func (*sayJob) want(*memory) []ask { return nil }
func (*sayJob) alone() bool        { return false }
func (j *sayJob) outcome() outcome {
	if j.line == "" {
		return outcome{}
	}
	return outcome{lines: []string{j.line}}
}
