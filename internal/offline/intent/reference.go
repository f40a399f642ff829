package intent

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"errand/internal/due"
	"errand/internal/offline/text"

	"github.com/olebedev/when/rules/en"
)

// maxSpan is the maximum number of tasks in "tasks 1 to 1000". A turn cannot change more.
const maxSpan = 50

var (
	numberForm = regexp.MustCompile(`^#?(\d+)s?$`)
	spanForm   = regexp.MustCompile(`^#?(\d{1,9})[-–](\d{1,9})$`)

	noun = words(
		"task tasks todo todos to-do to-dos item items reminder reminders entry entries errand errands taks chore " +
			"chores job jobs",
	)

	listSuffix = []text.Pattern{
		text.Compile(
			"<ref> from|off|off_of|on|in|of [my|the|our] [whole|entire] [todo|to-do|to_do|task|tasks] list|lists|tasks|todos",
		),
		text.Compile("<ref> [completely|entirely|altogether|too|as_well|instead|again|please|for_me]"),
	}
)

func words(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// references parses the tasks that a phrase names. The result is never empty: words that are neither number nor pronoun
// become search words.
func references(t text.Text, now due.Now) []Reference {
	t = t.Trim()
	for _, p := range listSuffix {
		if c, ok := p.Match(t); ok && !isAll(c["ref"]) {
			t = c["ref"].Trim()
		}
	}
	if r, ok := one(t); ok {
		return []Reference{r}
	}
	if refs, ok := several(t); ok {
		return refs
	}
	if r, ok := described(t, now); ok {
		return []Reference{r}
	}
	return []Reference{search(t)}
}

// described parses a listing as a reference: "all tasks due tomorrow", "my overdue tasks", "the meeting tasks".
func described(t text.Text, now due.Now) (Reference, bool) {
	if t.Len() > 15 || !slices.ContainsFunc(t.Keys(), func(k string) bool { return noun[k] && plural(k) }) {
		return Reference{}, false
	}
	l := listFilterParser{words: t, now: now, asked: true}
	ok := l.read() && l.rejection == "" && !l.filter.ByCompletion
	return Reference{Kind: Everything, Status: l.filter.Status, Filter: &l.filter}, ok
}

func isAll(t text.Text) bool { return t.Len() == 1 && (t.Key(0) == "all" || t.Key(0) == "everything") }

// firm reports whether all references are unambiguous.
func firm(refs []Reference) bool {
	for _, r := range refs {
		if !r.firm {
			return false
		}
	}
	return len(refs) > 0
}

// several parses "1, 2 and 3", "tasks 1-3", "task 3 and the meeting task". Words joined by "and" that are
// not firm by themselves are one title: "bread and butter".
func several(t text.Text) ([]Reference, bool) {
	var refs []Reference
	start := 0
	for i := 0; i <= t.Len(); i++ {
		if i < t.Len() && !joins[t.Key(i)] {
			continue
		}
		piece := t.Slice(start, i)
		start = i + 1
		if piece.Len() == 0 {
			continue
		}
		span, ok := spanOf(piece)
		if !ok {
			span, ok = placesOf(piece)
		}
		if ok {
			refs = append(refs, span...)
			continue
		}
		r, found := one(piece)
		if !found {
			r = search(piece)
		}
		if !r.firm {
			return nil, false
		}
		refs = append(refs, r)
	}
	return refs, len(refs) > 0
}

var joins = words(", and & plus or")

// spanOf parses "1-3" and "tasks 1 to 3".
func spanOf(t text.Text) ([]Reference, bool) {
	t = dropNouns(t)
	from, to := "", ""
	if m := spanForm.FindStringSubmatch(t.Key(0)); m != nil && t.Len() == 1 {
		from, to = m[1], m[2]
	} else if k := t.Key(1); t.Len() == 3 && (k == "to" || k == "through" || k == "thru" || k == "until" || k == "-") {
		from, to = t.Key(0), t.Key(2)
	}
	a, errA := strconv.Atoi(from)
	b, errB := strconv.Atoi(to)
	if errA != nil || errB != nil || a > b || b-a >= maxSpan {
		return nil, false
	}
	var refs []Reference
	for n := a; n <= b; n++ {
		refs = append(refs, Reference{Kind: ByNumber, Number: n, firm: true})
	}
	return refs, true
}

// placesOf parses "the first two" and "the last 3".
func placesOf(t text.Text) ([]Reference, bool) {
	if t.Key(0) == "the" {
		t = t.From(1)
	}
	if t.Len() == 3 && (noun[t.Key(2)] || t.Key(2) == "ones") {
		t = t.Slice(0, 2)
	}
	step := map[string]int{"first": 1, "top": 1, "last": -1, "bottom": -1}[t.Key(0)]
	n := en.INTEGER_WORDS[t.Key(1)]
	if n == 0 {
		n, _ = strconv.Atoi(t.Key(1)) // 0 when it is not a number
	}
	if t.Len() != 2 || step == 0 || n < 1 || n > maxSpan {
		return nil, false
	}
	var refs []Reference
	for i := 1; i <= n; i++ {
		refs = append(refs, Reference{Kind: ByPlace, Place: i * step, firm: true})
	}
	return refs, true
}

func dropNouns(t text.Text) text.Text {
	for t.Len() > 1 && (noun[t.Key(0)] || numberNoun[t.Key(0)] || t.Key(0) == "the" || t.Key(0) == "my") {
		t = t.From(1)
	}
	return t
}

var numberNoun = words("number numbers no nr num # . id nos")

// one parses a single unambiguous reference.
func one(t text.Text) (Reference, bool) {
	if s, ok := t.Literal(); ok {
		return Reference{Kind: BySearch, Phrase: strings.TrimSpace(s), Exact: true, firm: true}, true
	}
	for _, read := range []func(text.Text) (Reference, bool){byNumber, everything, pronoun, byPlace} {
		if r, ok := read(t); ok {
			r.firm = r.Kind != Unnamed
			return r, true
		}
	}
	return Reference{}, false
}

// byNumber parses "3", "#3", "task 3", "task number 3", "task three".
func byNumber(t text.Text) (Reference, bool) {
	core := dropNouns(t)
	if core.Len() == 2 && noun[core.Key(1)] && strings.HasPrefix(core.Key(0), "#") {
		core = core.Slice(0, 1)
	}
	if core.Len() != 1 {
		return Reference{}, false
	}
	w := core.Key(0)
	if m := numberForm.FindStringSubmatch(w); m != nil {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			n = math.MaxInt // more digits than any task number has
		}
		return Reference{Kind: ByNumber, Number: n}, true
	}
	if n := en.INTEGER_WORDS[w]; n > 0 && core.Len() < t.Len() {
		return Reference{Kind: ByNumber, Number: n}, true
	}
	return Reference{}, false
}

type fixed struct {
	pattern text.Pattern
	ref     Reference
}

func table(ref Reference, patterns ...string) []fixed {
	var rows []fixed
	for _, p := range patterns {
		rows = append(rows, fixed{text.Compile(p), ref})
	}
	return rows
}

func lookup(rows []fixed, t text.Text) (Reference, bool) {
	for _, row := range rows {
		if _, ok := row.pattern.Match(t); ok {
			return row.ref, true
		}
	}
	return Reference{}, false
}

var pronouns = append(
	append(
		append(append(
			table(Reference{Kind: It},
				"it|this|that|its", "this|that|the [one|task|todo|to-do|item|reminder|same|very] [one|task|todo|item|reminder]",
				"[the|my] last|latest|newest|new|previous [one|task|todo|item] i|you [just|have] added|created|made|mentioned",
				"[the] one|task|todo|item i|you|we [just|have|ve] added|created|made|mentioned|did|changed|updated"),
			table(
				Reference{Kind: Shown, Count: 2},
				"both [of] [them|these|those|the] [tasks|items|todos|ones]",
				"the two [of_them]",
				"them both",
				"all two [of_them]",
			)...),
			table(Reference{Kind: Shown, Count: 3}, "all three [of] [them|these|those] [tasks]", "the three [of_them]")...),
		table(
			Reference{Kind: Shown},
			"them|those|these [all|tasks|items|todos|ones]",
			"all_of|each_of|every_one_of them|those|these [tasks|items|todos|ones]",
			"all those|these [tasks|items|todos|ones]",
		)...),
	table(
		Reference{Kind: Unnamed},
		"a|an|some|one|any [of_my] task|todo|to-do|item|reminder|tasks|todos",
		"task|tasks|todo|todos|item|items|something|one_of_my_tasks",
	)...)

func pronoun(t text.Text) (Reference, bool) { return lookup(pronouns, t) }

var wholes = append(append(
	table(
		Reference{Kind: Everything, Status: "all"},
		"everything|all",
		"all|every [of] [my|the] [task|tasks|todo|todos|to-dos|items|reminders]",
		"[my|the] whole|entire|complete [todo|to-do|task|tasks] list",
		"[my|the] [todo|to-do|task] list",
		"my|the tasks|todos|to-dos|reminders",
		"everything on|in my|the [todo|to-do|task] list",
	),
	table(
		Reference{Kind: Everything, Status: "completed"},
		"[all|every|everything|any] [of] [my|the] [thats|that_is|that_are] completed|finished|done|closed "+
			"[task|tasks|todos|items|ones|things]",
		"[all] [my|the] tasks that_are|which_are|thats|i completed|finished|done|have_completed|have_finished",
	)...),
	table(
		Reference{Kind: Everything, Status: "pending"},
		"[all|every|everything|any] [of] [my|the] [thats|that_is|that_are] "+
			"pending|open|remaining|unfinished|incomplete|outstanding|left [task|tasks|todos|items|ones|things]",
		"all|everything [thats] left|pending|open",
	)...)

func everything(t text.Text) (Reference, bool) {
	if k := t.Key(
		0,
	); t.Len() == 1 &&
		(k == "done" || k == "finished" || k == "completed" || k == "open" || k == "left" || k == "closed" || k == "pending") {
		return Reference{}, false
	}
	return lookup(wholes, t)
}

// byPlace parses "the second one", "the last task", "the 3rd".
func byPlace(t text.Text) (Reference, bool) {
	the := t.Key(0) == "the" || t.Key(0) == "my"
	if the {
		t = t.From(1)
	}
	tail := t.Len() == 2 && (t.Key(1) == "one" || noun[t.Key(1)])
	if !tail && (t.Len() != 1 || !the && !isOrdinal(t.Key(0))) {
		return Reference{}, false
	}
	switch n := en.ORDINAL_WORDS[t.Key(0)]; {
	case n > 0:
		return Reference{Kind: ByPlace, Place: n}, true
	case t.Key(0) == "last" || t.Key(0) == "latter" || t.Key(0) == "bottom":
		return Reference{Kind: ByPlace, Place: -1}, true
	case t.Key(0) == "top" || t.Key(0) == "former":
		return Reference{Kind: ByPlace, Place: 1}, true
	}
	return Reference{}, false
}

func isOrdinal(w string) bool { return en.ORDINAL_WORDS[w] > 0 }

var (
	searchLead = words("the my a an that this our")
	searchPrep = words("about called named titled for to regarding containing with mentioning saying on of")
)

// search parses words of a title: "the meeting task", "the one about milk". The reference is firm when the words state
// that they mean one existing task.
func search(t text.Text) Reference {
	t, led := withoutLead(t.Trim())
	t, named := withoutNounBefore(t)
	t, nouned := withoutNounBehind(t)
	r := Reference{Kind: BySearch, firm: named || nouned && led}
	if n, ok := byNumber(t); ok && named {
		n.firm = true // "the reminder for task 1"
		return n
	}
	if s, ok := t.Literal(); ok {
		r.Exact, r.firm, r.Phrase = true, true, strings.TrimSpace(s)
		return r
	}
	r.Phrase = strings.TrimSpace(strings.NewReplacer("'s ", " ", "’s ", " ").Replace(t.String() + " "))
	if r.Phrase == "" {
		return Reference{Kind: Unnamed}
	}
	return r
}

// withoutLead removes a leading determiner such as "the" or "my". certain is false for "a" and when there is none.
func withoutLead(t text.Text) (rest text.Text, certain bool) {
	for t.Len() > 1 && searchLead[t.Key(0)] {
		certain = certain || t.Key(0) != "a" && t.Key(0) != "an"
		t = t.From(1)
	}
	return t, certain
}

// withoutNounBefore removes "task about"; named is set when the noun was singular.
func withoutNounBefore(t text.Text) (rest text.Text, named bool) {
	if t.Len() < 2 || !noun[t.Key(0)] && t.Key(0) != "one" {
		return t, false
	}
	single := !plural(t.Key(0))
	t = t.From(1)
	for t.Len() > 1 && (searchPrep[t.Key(0)] || t.Key(0) == ":") {
		named = single
		t = t.From(1)
	}
	if named {
		t, _ = withoutLead(t)
	}
	return t, named
}

// withoutNounBehind removes the noun of "meeting task"; single is set when the noun was singular.
func withoutNounBehind(t text.Text) (rest text.Text, single bool) {
	for t.Len() > 1 {
		k := t.Key(t.Len() - 1)
		if !noun[k] && k != "one" && k != "ones" {
			break
		}
		single = single || !plural(k)
		t = t.Slice(0, t.Len()-1)
	}
	return t, single
}

func plural(noun string) bool { return strings.HasSuffix(noun, "s") }
