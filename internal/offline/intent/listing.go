package intent

import (
	"strings"

	"errand/internal/due"
	"errand/internal/offline/text"
)

// heads begin a question about the list. After an asking head, the question must also mention tasks, a status or a due
// date; after a searching head it need not.
var (
	asking = patterns(
		"show|list|display|view|see|print|give|get|read|tell|fetch|check|open|review [me|us] [out] <rest>",
		"what|whats|which|whatre|whens|hows|where|wheres <rest>",
		"do|did|have|had i|we|you <rest>",
		"is|are|was|were there <rest>",
		"how many|much <rest>",
		"any|anything <rest>",
		"pull_up|bring_up|look_at|go_through|go_over|run_through|take_a_look_at <rest>",
		"am i <rest>",
		"got <rest>",
		"is|are <rest>",
		"i see <rest>",
		"remind me what <rest>",
	)
	searching = patterns(
		"find|search|look_for|look_up|search_for|filter [me] [for|by] [my|the|all|any] [tasks|task|todos|list] " +
			"[about|with|for|containing|matching|named|called|by] <rest>",
	)
)

// listRequest parses a question about the list.
func listRequest(t text.Text, now due.Now) (Request, bool) {
	for _, p := range searching {
		if c, ok := p.Match(t); ok {
			return searchRequest(c["rest"], now)
		}
	}
	asked, rest := false, t
	for _, p := range asking {
		if c, ok := p.Match(t); ok {
			rest, asked = c["rest"], true
			break
		}
	}
	l := listFilterParser{words: rest, now: now, asked: asked}
	if !l.read() {
		return Request{}, false
	}
	return Request{
		Kind:      List,
		Filter:    l.filter,
		Rejection: l.rejection,
		explicit:  asked && l.named || l.named && l.filter.Search == "",
	}, true
}

func searchRequest(t text.Text, now due.Now) (Request, bool) {
	l := listFilterParser{words: t, now: now, asked: true, named: true}
	if !l.read() {
		return Request{}, false
	}
	return Request{Kind: List, Filter: l.filter, Rejection: l.rejection, explicit: true}, true
}

// listFilterParser parses a filter word by word.
type listFilterParser struct {
	words     text.Text
	now       due.Now
	asked     bool
	filter    Filter
	rejection string
	// named is set when tasks, a status or a due date are mentioned.
	named bool
	loose []int // indices of unknown words
}

var (
	listNouns = words(
		"task tasks todo todos to-do to-dos list lists item items reminder reminders errand errands tasklist todolist " +
			"agenda plate chores taks deadlines deadline duties assignments",
	)
	fillers = words(
		"i my me we us our you the a an of do does did have has had got is are be was were been there that which what " +
			"whats thats on in to for at please still so far yet right now any some all up every everything " +
			"anything something else things thing stuff currently need needs should must gotta going happening planned " +
			"scheduled can see show tell due already only just both entire whole full complete? and ? . ! , ) ( : ive " +
			"im with by more one ones next assigned overview of how many much left? today's as it them these those " +
			"current exactly status look looking like get go again supposed want know out",
	)
	statuses = map[string]string{
		"pending": "pending", "open": "pending", "left": "pending", "remaining": "pending", "outstanding": "pending",
		"unfinished": "pending", "incomplete": "pending", "uncompleted": "pending", "undone": "pending",
		"active": "pending", "remain": "pending", "unchecked": "pending",
		"completed": "completed", "complete": "completed", "done": "completed", "finished": "completed",
		"finish": "completed", "accomplished": "completed", "closed": "completed", "achieved": "completed",
		"accomplish": "completed", "achieve": "completed", "checked": "completed",
	}
	searchLeads = words(
		"about containing contain contains mentioning mention mentions matching regarding concerning named called " +
			"titled including include like labelled labeled tagged",
	)
)

func (l *listFilterParser) read() bool {
	for i := 0; i < l.words.Len(); {
		next := l.step(i)
		if next < 0 {
			return false
		}
		i = next
	}
	if l.asked && len(l.loose) == 0 && l.filter.Status == "all" {
		l.named = true // "show everything"
	}
	if len(l.loose) > 0 && !l.searchLoose() {
		return false
	}
	l.defaults()
	return l.named && (l.asked || l.short())
}

// short reports whether words without a verb are a question: "my tasks", "overdue?".
func (l *listFilterParser) short() bool { return l.words.Len() <= 6 }

// step parses at i and returns the next index, or -1 when the text is not a listing.
func (l *listFilterParser) step(i int) int {
	k := l.words.Key(i)
	if next, ok := l.phrase(i); ok {
		return next
	}
	if next, ok := l.days(i); ok {
		return next
	}
	switch {
	case statuses[k] != "":
		return l.status(i, statuses[k])
	case listNouns[k]:
		l.named = true
	case labelForm.MatchString(k):
		l.filter.Label, l.named = strings.TrimPrefix(l.words.Raw(i), "#"), true
	case searchLeads[k]:
		return l.search(i)
	case levels[k] != "" && k != "no" && k != "none":
		return l.level(i)
	case k == "priority" || fillers[k] || l.words.Tokens[i].Kind == text.Punct:
	default:
		l.loose = append(l.loose, i)
	}
	return i + 1
}

// idiom is a fixed expression and its meaning for the filter.
type idiom struct {
	wordings []string
	apply    func(l *listFilterParser)
}

var idioms = []idiom{
	{
		wordings("do next", "do first", "do now", "work on", "start with", "focus on"),
		func(l *listFilterParser) { l.filter.Status, l.named = "pending", l.asked },
	},
	{
		wordings("past due", "overdue", "late", "behind"),
		func(l *listFilterParser) { l.filter.Overdue, l.filter.Status, l.named = true, "pending", true },
	},
	{
		wordings(
			"not done",
			"not completed",
			"not finished",
			"not complete",
			"not yet",
			"havent done",
			"havent finished",
			"havent completed",
			"havent i done",
			"havent i finished",
			"havent i completed",
		),
		func(l *listFilterParser) { l.filter.Status, l.named = "pending", true },
	},
	{wordings("to do list", "to do lists"), func(l *listFilterParser) { l.named = true }},
	{wordings("to do"), func(l *listFilterParser) {
		l.named = true
		if l.filter.Status == "" {
			l.filter.Status = "pending"
		}
	}},
	{
		wordings(
			"no due date",
			"without due date",
			"without a due date",
			"without any due date",
			"no deadline",
			"no date",
			"undated",
		),
		func(l *listFilterParser) { l.filter.Undated, l.filter.Status, l.named = true, "pending", true },
	},
	{
		wordings("due", "deadline", "deadlines", "coming due"),
		func(l *listFilterParser) { l.filter.Dated, l.named = true, true },
	},
	{wordings("no priority"), func(l *listFilterParser) { l.filter.Priority, l.named = "none", true }},
	{wordings("all", "every", "everything"), func(l *listFilterParser) {
		if l.filter.Status == "" {
			l.filter.Status = "all"
		}
	}},
}

func wordings(s ...string) []string { return s }

// phrase parses an idiom at i.
func (l *listFilterParser) phrase(i int) (next int, ok bool) {
	if l.asked && l.words.Key(i) == "next" && i+1 == l.words.Len() {
		l.filter.Status, l.named = "pending", true // "what's next"
		return i + 1, true
	}
	for _, d := range idioms {
		for _, w := range d.wordings {
			if end, ok := l.at(i, w); ok {
				d.apply(l)
				return end, true
			}
		}
	}
	return i, false
}

// at reports whether an expression is at i, and returns its end.
func (l *listFilterParser) at(i int, wording string) (end int, ok bool) {
	for _, w := range strings.Fields(wording) {
		if l.words.Key(i) != w {
			return 0, false
		}
		i++
	}
	return i, true
}

func (l *listFilterParser) status(i int, s string) int {
	if had := l.filter.Status; had != "" && had != s && l.named {
		s = "all" // "pending and completed"
	}
	l.filter.Status, l.named = s, true
	return i + 1
}

func (l *listFilterParser) days(i int) (int, bool) {
	k := l.words.Key(i)
	if l.filter.When != "" {
		return l.moreDays(i)
	}
	if k == "may" || k == "march" || k == "next" && listNouns[l.words.Key(i+1)] {
		return i, false
	}
	words := l.words.Keys()
	for n, w := range words {
		if w == "todays" || w == "tomorrows" {
			words[n] = strings.TrimSuffix(w, "s")
		}
	}
	r, end, rejection, ok := due.RangeAt(words, i, l.now)
	if !ok {
		return i, false
	}
	l.filter.Days, l.rejection = r, rejection
	l.filter.When = named(l.words.Slice(i, end))
	return end, true
}

// moreDays parses "or tomorrow" after a day.
func (l *listFilterParser) moreDays(i int) (int, bool) {
	f := &l.filter
	if k := l.words.Key(i); k != "or" && k != "and" {
		return i, false
	}
	r, end, _, ok := due.RangeAt(l.words.Keys(), i+1, l.now)
	if !ok || f.Days.From.IsZero() || f.Days.To.IsZero() || r.From.Before(f.Days.From) || r.To.Before(f.Days.To) {
		return i, false
	}
	f.Days.To = r.To
	f.When += " " + l.words.Slice(i, end).String()
	return end, true
}

// named returns the words by which a reply mentions the days.
func named(t text.Text) string {
	for t.Len() > 1 && (t.Key(0) == "due" || t.Key(0) == "for" || t.Key(0) == "deadline" || t.Key(0) == "on" && (t.Key(1) == "this" || t.Key(1) == "next")) {
		t = t.From(1)
	}
	if k := t.Key(0); k == "soon" || k == "upcoming" || k == "coming" && t.Key(1) == "up" {
		return "in the next 7 days"
	}
	return strings.NewReplacer("'s", "", "’s", "").Replace(t.String())
}

func (l *listFilterParser) level(i int) int {
	l.filter.Priority, l.named = levels[l.words.Key(i)], l.named || l.words.Key(i+1) == "priority" || alone[l.words.Key(i)]
	if l.words.Key(i+1) == "priority" {
		return i + 2
	}
	return i + 1
}

// search uses the rest of the question as search words.
func (l *listFilterParser) search(i int) int {
	label := strings.HasPrefix(l.words.Key(i), "label") || l.words.Key(i) == "tagged"
	rest := l.words.From(i + 1)
	for rest.Len() > 1 && (searchLeads[rest.Key(0)] || searchLead[rest.Key(0)] || rest.Key(0) == "with" || rest.Key(0) == "as") {
		rest = rest.From(1)
	}
	s := strings.TrimPrefix(plain(rest), "#")
	if s == "" || len(s) > maxPhrase {
		return -1
	}
	if label {
		l.filter.Label = s
	} else {
		l.filter.Search = s
	}
	l.named = l.named || l.asked
	return l.words.Len()
}

// searchLoose uses adjacent unknown words as search words: "show my grocery tasks".
func (l *listFilterParser) searchLoose() bool {
	first, last := l.loose[0], l.loose[len(l.loose)-1]
	if !l.asked || !l.named || l.filter.Search != "" || last-first != len(l.loose)-1 || len(l.loose) > 4 {
		return false
	}
	s := plain(l.words.Slice(first, last+1))
	l.filter.Search = s
	return s != "" && len(s) <= maxPhrase
}

// defaults sets the status when none is mentioned: pending for questions about due dates, urgency or "when", otherwise
// all.
func (l *listFilterParser) defaults() {
	f := &l.filter
	if f.When != "" {
		l.named = l.named || l.asked && l.words.Len() > 1
		if f.Status == "completed" {
			f.ByCompletion, f.Days = true, due.Range{}
		}
	}
	if f.Status == "" && (f.Dated || f.When != "" || f.Priority != "") {
		f.Status = "pending"
	}
	if f.Status == "" {
		f.Status = "all"
	}
}

// showRules match questions about single tasks.
var showRules = on(
	showTarget,
	"show|view|open|display|see|get|read|check|describe|print|list [me] [the] "+
		"[details|detail|status|info|information] [of|for|on|about] <ref>",
	"tell me [more] about <ref>",
	"what labels|tags|notes|note|priority|deadline|due_date does|do|is|are <ref> have|has|got",
	"details|status|info [of|for|on|about] <ref>",
	"what|whats|what_about|how_about|hows is|are|about|the_status_of|with|in [the] [status|details|state] [of] <ref>",
	"whats|what_about|how_about <ref>",
	"what is|are|was|does <ref> [about|for|say]",
	"what_is|whats the|its priority|due_date|deadline|status|title|description|note|notes of|for|on <ref>",
	"is|are|was|were <ref> [already|still|now] done|complete|completed|finished|open|pending|due|urgent|overdue|important",
	"did|have i [already] finish|finished|complete|completed|do|done|mark|marked <ref> [yet|already|done]",
	"how is|are <ref> [doing]",
	"is|are <ref>",
)

var whenRules = on(
	describedTarget,
	"when is|are|was <ref> due|scheduled|planned",
	"when is|are|was <ref>",
	"whens <ref> due|scheduled",
	"whens <ref>",
	"when do|does <ref> have_to_be_done",
	"when do i have|need to <ref>",
)
