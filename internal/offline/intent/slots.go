package intent

import (
	"cmp"
	"slices"
	"strings"

	"errand/internal/due"
	"errand/internal/tasktext"
	"errand/internal/text"
)

// Kinds of requests within a message that Parse resolves.
const (
	retract Kind = "retract" // "never mind": retracts the preceding requests
	keep    Kind = "keep"    // "keep it": retracts the last change; with references, excludes these tasks from it
)

// fill stores a capture in a request. It returns false if the text does not fit the capture. Captures without a
// meaning, such as "rest", are ignored.
func (a *attempt) fill(req *Request, name string, t text.Text) bool { //nolint:gocyclo // one case per capture
	f := &req.Fields
	switch name {
	case "ref", "firm", "short":
		return a.ref(req, t)
	case "one":
		return a.single(req, t)
	case "bare": // a message that is nothing but a number: "task 3"
		return (t.Len() > 1 || strings.HasPrefix(t.Key(0), "#")) && a.ref(req, t) && req.Refs[0].Kind == ByNumber
	case "past", "deed":
		req.Verb = a.baseForm(t.Key(0))
		return req.Verb != "" && (name == "past" || a.isDeed(t.Key(0), req.Verb))
	case "done":
		refs, ok := a.names(a.withoutTail(t, "softtail"))
		req.Refs, req.explicit = refs, false
		return ok
	case "order":
		return a.order(req, t)
	case "command":
		return a.command(req, t)
	case "duty":
		return a.duty(req, t)
	case "title":
		a.fillTitle(req, t)
	case "plain": // "make task 3 …" is not a new task
		a.fillTitle(req, t)
		return !numberForm.MatchString(t.Key(0))
	case "titles":
		req.titles = t
	case "list": // the name of another list than the task list is a label
		f.Labels = append(f.Labels, t.Key(0))
	case "place":
		req.Place, req.Offer = t.String(), true
	case "values":
		return a.values(req, t)
	case "labels", "hashtags":
		return a.labels(req, t)
	case "text", "note":
		f.Description, req.free = tasktext.Plain(t), true
		return f.Description != ""
	case "name", "quoted":
		f.Title, req.free = tasktext.Unchanged(t.Trim()), true
		return f.Title != ""
	case "old":
		f.OldText, req.free = tasktext.Plain(t), true
	case "new":
		f.NewText = tasktext.Plain(t)
	case "span":
		f.Shift = t.String()
	case "back":
		f.Shift = t.String() + " earlier"
	case "filter":
		return a.list(req, t)
	case "query":
		return a.find(req, t)
	case "when", "period":
		return a.days(req, t)
	case "field":
		req.Asked = a.lang.Value("field", strings.Join(t.Keys(), " "))
	}
	return true
}

// ref sets the tasks.
func (a *attempt) ref(req *Request, t text.Text) bool {
	if req.Kind == Say {
		return true
	}
	refs, ok := a.names(t)
	req.Refs, req.explicit = refs, firm(refs)
	return ok && (req.explicit || !a.lang.Is("endeavour", a.Text.Key(0)) || !a.hasDeadline(t))
}

// hasDeadline reports whether a text ends in a date: "finish the slides by 4pm" is a new task.
func (p *clauseParser) hasDeadline(t text.Text) bool {
	for i := 1; i < t.Len()-1; i++ {
		if p.lang.Is("deadline", t.Key(i)) && p.startsValue(t.Key(i+1)) {
			return true
		}
	}
	return false
}

// single sets a single task. It returns false for a question about the list: "what is the most urgent thing".
func (a *attempt) single(req *Request, t text.Text) bool {
	if !a.ref(req, t) {
		return false
	}
	f, _, isFilter := a.filter(t, true)
	return !isFilter || f.Word != "" || req.Refs[0].Kind != BySearch || req.Refs[0].Exact
}

// isDeed reports whether a word is the past form of a verb in "bought the groceries".
func (p *clauseParser) isDeed(past, base string) bool {
	return base != past && !p.lang.Is("subject", past) && !strings.HasSuffix(past, "eed") &&
		strings.ContainsAny(base, "aeiou")
}

// baseForm returns the beginning of a past form's base form: "bought" → "buy", "cleaned" → "clean", "tried" → "tr".
// The result is a stem for the search in titles, not always a word.
func (p *clauseParser) baseForm(past string) string {
	if base := p.lang.Value("past", past); base != "" {
		return base
	}
	stem, ok := strings.CutSuffix(past, "ed")
	n := len(stem)
	switch {
	case !ok || n < 3 || past == "need" || past == "added":
		return ""
	case stem[n-1] == 'i':
		return stem[:n-1]
	case n > 3 && stem[n-1] == stem[n-2] && stem[n-1] != 'l' && stem[n-1] != 's':
		return stem[:n-1] // planned
	}
	return stem
}

// order sets a command about "it" after its task: "task 1 is done, so delete it".
func (a *attempt) order(req *Request, t text.Text) bool {
	order, ok := a.clause(t)
	if !ok || len(order.Refs) != 1 || order.Refs[0].Kind != It && order.Refs[0].Kind != Shown {
		return false
	}
	order.Refs = req.Refs
	*req = order
	return true
}

// command sets a whole request: "I want to see my tasks". A wish completes no task.
func (a *attempt) command(req *Request, t text.Text) bool {
	inner, ok := a.clause(t)
	*req = inner
	return ok && (req.Kind != Complete || a.lang.Is("marking", t.Key(0)))
}

// duty sets a task to add, "I need to pay bills", or a command, "I need to delete task 3".
func (a *attempt) duty(req *Request, t text.Text) bool {
	command := Request{}
	switch isCommand := a.command(&command, t); {
	case isCommand && command.Kind != Say:
		*req = command
		return req.explicit || req.Kind == Add
	case command.Kind == Complete || a.isFirm(t) || a.Text.Key(0) == "you":
		return false
	}
	a.fillTitle(req, t)
	return true
}

// values sets priority, labels and due date, or a repetition, which is declined.
func (a *attempt) values(req *Request, t text.Text) bool {
	if req.Kind == Say {
		return true
	}
	f, rejection, ok := onlyValues(t, a.now)
	if !ok && req.Kind == Update {
		start, end := due.Recurring(t.Keys())
		*req = Request{Kind: Say, Topic: NoRepeat, Rhythm: t.Slice(start, end).String(), explicit: true}
		return end > start
	}
	req.Fields.Merge(f)
	req.Rejection = rejection
	return ok && !a.continued(a.Get("ref"))
}

// continued reports whether the name of a task runs into the values after it: "the meeting to high priority and".
func (p *clauseParser) continued(ref text.Text) bool {
	return slices.ContainsFunc(ref.Tokens, func(tok text.Token) bool {
		return p.lang.Is("priority", tok.Key) || p.lang.Is("due", tok.Key) || tok.Key == "to" || tok.Key == "until"
	})
}

// labels sets labels to add or to remove; hashtags are each written as "#label". Other values may follow.
func (a *attempt) labels(req *Request, t text.Text) bool {
	var labels []string
	for n, piece := range a.split(t, "pieces") {
		if f, _, ok := onlyValues(piece, a.now); ok && n > 0 && len(f.Labels) == 0 {
			req.Fields.Merge(f)
			continue
		}
		for i, tok := range piece.Tokens {
			if tok.Kind != text.Punct && !a.lang.Is("joins", tok.Key) {
				label := cmp.Or(tok.Literal, strings.TrimPrefix(piece.Raw(i), "#"))
				if !slices.Contains(labels, label) {
					labels = append(labels, label)
				}
			}
		}
	}
	if req.removes {
		req.Fields.DropLabels = labels
	} else {
		req.Fields.Labels = labels
	}
	return len(labels) > 0
}

// list sets the filter of a question about the list.
func (a *attempt) list(req *Request, t text.Text) bool {
	f, rejection, ok := a.filter(t, true)
	f.Count = f.Count || a.lang.PhraseAt("howmany", a.Text, 0) > 0
	req.Filter, req.Rejection = f, rejection
	return ok
}

// find sets the words of a search, or a filter: "find overdue tasks".
func (a *attempt) find(req *Request, t text.Text) bool {
	if a.list(req, t) && req.Filter.Word == "" && req.Filter.Search == "" {
		return true
	}
	t = a.lang.TrimLeading(t, "determiner", "about", "searchlead", "noun")
	req.Filter, req.Rejection = Filter{Search: tasktext.Plain(t), Status: "all"}, ""
	return t.Len() <= maxTopicWords
}

// days sets the days of a question: those named, those of "my week", or none for "lately".
func (a *attempt) days(req *Request, t text.Text) bool {
	t = t.Trim()
	words := t.Keys()
	if t.Len() == 0 || a.lang.Is("lately", strings.Join(words, " ")) {
		return true
	}
	when := named(t)
	if period := a.lang.Value("period", strings.Join(words, " ")); period != "" {
		when = strings.ReplaceAll(period, "-", " ")
		words = strings.Fields(when)
	}
	days, end, invalid, ok := due.RangeAt(words, 0, a.now)
	if !req.Filter.Trashed {
		req.Filter.Days, req.Filter.When = days, when
	}
	if req.Kind == List && req.Filter.Status == "" {
		req.Filter.Status = "pending"
	}
	return ok && end == len(words) && invalid == ""
}
