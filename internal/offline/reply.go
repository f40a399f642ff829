package offline

import (
	"slices"
	"strconv"
	"strings"

	"errand/internal/offline/intent"
)

// compose writes the reply: the outcome of each action in order, then the parts that were not understood.
func (e *turnRun) compose(m intent.Message, outcomes []outcome) string {
	var lines []string
	courtesy := ""
	for _, o := range outcomes {
		lines = append(lines, o.lines...)
		if courtesy == "" || courtesy == e.words.Say("okay") {
			courtesy = o.courtesy
		}
	}
	if len(m.Left) > 0 && (m.Foreign == "" || len(lines) > 0) {
		lines = append(lines, e.notUnderstood(m.Left, len(lines) > 0))
	}
	switch {
	case len(lines) > 0:
		return strings.Join(lines, "\n")
	case m.Foreign != "":
		return m.Foreign
	case courtesy != "":
		return courtesy
	case len(m.Retracted) > 0:
		return e.words.Say("left-alone")
	}
	return e.words.Say("not-understood")
}

func (e *turnRun) notUnderstood(parts []string, didMore bool) string {
	const most = 3
	quoted := make([]string, min(len(parts), most))
	for i := range quoted {
		quoted[i] = quote(parts[i])
	}
	list := strings.Join(quoted, ", ")
	if len(parts) > most {
		list = e.words.Say("more-parts", list, strconv.Itoa(len(parts)-most))
	}
	if didMore {
		return e.words.Say("left-out", list)
	}
	return e.words.Say("did-nothing", list)
}

func (v voice) verb(k intent.Kind) string { return v.words.Say("verb-" + string(k)) }

// nothingDone returns "deleted nothing".
func (c *change) nothingDone() string { return c.words.Say("nothing-" + string(c.req.Kind)) }

// heading returns the line before a list of n tasks, or states that there are none. Other languages have sentences for
// simple lists only; in English the sentence names all conditions.
func (v voice) heading(n int, f intent.Filter) string {
	prefix, count, noun, end := "list-", strconv.Itoa(n), "tasks", ":"
	kind, rest := kindOf(f), describe(f)
	switch n {
	case 0:
		prefix, count, end = "none-", "no", "."
	case 1:
		noun, rest = "task", strings.Replace(rest, " that match ", " that matches ", 1)
	}
	switch {
	case f.When != "" && v.words.Has(prefix+"due"):
		return v.words.Say(prefix+"due", count)
	case isSimple(f) && v.words.Has(prefix+f.Status):
		return v.words.Say(prefix+f.Status, count)
	}
	return oneLine("You have "+count+" "+kind+" "+noun+rest) + end
}

// isSimple reports whether a filter has no condition but the status.
func isSimple(f intent.Filter) bool {
	return describe(f) == "" && kindOf(f) == kindOf(intent.Filter{Status: f.Status})
}

// kindOf returns the words before "tasks": "overdue", "urgent open".
func kindOf(f intent.Filter) string {
	priorities := slices.Clone(f.Priorities)
	for i, p := range priorities {
		if p != "urgent" {
			priorities[i] = strings.Replace(p, "none", "no", 1) + "-priority"
		}
	}
	state := map[string]string{"pending": "open", "completed": "completed"}[f.Status]
	if f.Due == "overdue" {
		state = f.Due
	}
	if f.Trashed {
		state = "deleted"
	}
	return strings.TrimSpace(strings.Join(priorities, " and ") + " " + state)
}

// describe returns the words after "tasks": " due this week that match “milk”".
func describe(f intent.Filter) string {
	s := ""
	switch {
	case f.Due == "overdue":
	case f.Due == "none":
		s += " without a due date"
	case f.When != "" && f.ByCompletion:
		s += " from " + oneLine(strings.ToLower(f.When))
	case f.When != "":
		s += " due " + oneLine(strings.ToLower(f.When))
	case f.Due == "any":
		s += " with a due date"
	}
	if f.At != "" {
		s += " at " + f.At
	}
	if f.Label != "" {
		s += " with the label #" + oneLine(f.Label)
	}
	if search := f.Search + f.Word; search != "" {
		s += " that match " + quote(search)
	}
	return s
}

// whichOne asks the user to choose one of several tasks.
func (v voice) whichOne(k intent.Kind, phrase string, ts []task) string {
	const most = 20
	lead, question := v.words.Say("several"), v.words.Say("which-mean")
	if phrase != "" {
		lead = v.words.Say("may-be-meant", quote(phrase))
	}
	if k != intent.Show {
		question = v.words.Say("which-should", v.verb(k))
	}
	show := min(len(ts), most)
	return lead + "\n" + strings.Join(append(v.rows(ts[:show], len(ts)-show, true), question), "\n")
}
