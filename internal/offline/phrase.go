package offline

import (
	"cmp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"errand/internal/due"
	"errand/internal/offline/intent"
	"errand/internal/offline/language"
	"errand/internal/truncate"
)

// voice describes tasks and dates in the language of the message.
type voice struct {
	now   due.Now
	words *language.Language
}

// quote returns text in quotation marks, truncated when it is long.
func quote(s string) string {
	return "“" + truncate.Ellipsis(oneLine(s), 80) + "”"
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// sentence returns s with a full stop at its end, unless it has one.
func (v voice) sentence(s string) string {
	last, _ := utf8.DecodeLastRuneInString(s)
	if strings.ContainsRune(".!?…。।۔", last) {
		return s
	}
	return s + v.words.Say("stop")
}

// reason returns the message of an error as a sentence, without the advice for models.
func (e *toolError) reason() string {
	if e == nil || e.Message == "" {
		return "Something went wrong."
	}
	s := oneLine(e.Message)
	for _, advice := range []string{" Send ", " Ask the user", " Let the user"} {
		s, _, _ = strings.Cut(s, advice)
	}
	if _, reason, ok := strings.Cut(s, "unclear: "); ok {
		s = reason
	}
	return voice{}.sentence(s)
}

// nameOf returns a task's number and title.
func nameOf(t task) string {
	if t.Title == "" {
		return strconv.Itoa(t.Number)
	}
	return strconv.Itoa(t.Number) + ": " + oneLine(t.Title)
}

// newTask reports a new task with all stored values.
func (v voice) newTask(t task) string {
	parts := append([]string{v.words.Say("added", nameOf(t))}, v.traits(t, true)...)
	if t.Description != "" {
		parts = append(parts, v.words.Say("with-note", quote(t.Description)))
	}
	return v.sentence(strings.Join(parts, ", "))
}

// traits returns due date, priority and labels; long ones are for sentences, short ones for lists.
func (v voice) traits(t task, long bool) []string {
	var parts []string
	if d := v.dueText(t, long); d != "" {
		parts = append(parts, v.words.Say("due", d))
	}
	if p := v.priority(t.Priority); p != "" {
		if long && t.Priority != "urgent" {
			p = v.words.Say("priority", p)
		}
		parts = append(parts, p)
	}
	for _, l := range t.Labels {
		parts = append(parts, "#"+oneLine(l))
	}
	return parts
}

func (v voice) priority(p string) string {
	if p == "" || p == "none" {
		return ""
	}
	return v.words.Say("priority-" + p)
}

// dueText returns a due date like "tomorrow (Fri 27 Nov 2026, 17:00)", or "tomorrow 17:00" if it is short.
func (v voice) dueText(t task, long bool) string {
	date := t.due(v.now)
	if date.Day.IsZero() {
		return oneLine(t.DueOn + t.DueAt) // no date that can be read
	}
	return v.dateText(date, long)
}

func (v voice) dateText(date due.Date, long bool) string {
	day, clock := date.Day.Format(v.words.Say("date-layout")), ""
	if date.Timed {
		clock = date.At.Format("15:04")
	}
	near := ""
	for i, name := range []string{"yesterday", "today", "tomorrow"} {
		if !v.now.IsZero() && v.now.AddDate(0, 0, i-1).Format(time.DateOnly) == date.On() {
			near = v.words.Say(name)
		}
	}
	switch {
	case near != "" && long:
		return near + " (" + joinParts(", ", day, clock) + ")"
	case near != "":
		return joinParts(" ", near, clock)
	}
	return joinParts(", ", day, clock)
}

// joinParts joins the parts that are not empty.
func joinParts(separator string, parts ...string) string {
	return strings.Trim(strings.Join(parts, separator), separator)
}

// rows returns the lines of a list: "3. Buy milk (due tomorrow 17:00, high)". mark tells which tasks are done, and more
// is how many the list leaves out.
func (v voice) rows(ts []task, more int, mark bool) (lines []string) {
	for _, t := range ts {
		parts := v.traits(t, false)
		if mark && t.Completed {
			parts = append(parts, v.words.Say("done"))
		}
		line := strconv.Itoa(t.Number) + ". " + oneLine(t.Title)
		if len(parts) > 0 {
			line += " (" + strings.Join(parts, ", ") + ")"
		}
		lines = append(lines, line)
	}
	if more > 0 {
		lines = append(lines, v.words.Say("more", strconv.Itoa(more)))
	}
	return lines
}

// answer returns all values of a task, the one that was asked for first.
func (v voice) answer(t task, asked string) string {
	missing := map[string]bool{
		"due": t.DueOn+t.DueAt == "", "priority": v.priority(t.Priority) == "", "labels": len(t.Labels) == 0,
		"description": t.Description == "",
	}
	s := ""
	if missing[asked] {
		s = v.words.Say("has-no-"+asked) + " "
	}
	s += v.sentence(strings.Join(append([]string{v.words.Say("task-long", nameOf(t))}, v.traits(t, true)...), ", ")) + " "
	if t.Completed {
		s += v.words.Say("is-done")
	} else {
		s += v.words.Say("is-open")
	}
	if t.Description != "" {
		s += " " + v.words.Say("note", v.sentence(oneLine(t.Description)))
	}
	return s
}

// updated reports an update: what each field was, if that is known, and is now.
func (v voice) updated(was *task, t task) string {
	lead := v.words.Say("done-update", nameOf(t))
	if was == nil || was.Title == "" {
		return v.sentence(strings.Join(append([]string{lead}, v.traits(t, true)...), ", "))
	}
	if was.Title != t.Title {
		lead = v.words.Say("renamed", nameOf(t), quote(was.Title))
	}
	parts := []string{lead}
	field := func(name, before, after string) {
		switch {
		case before == after:
			return
		case after == "":
			after = v.words.Say("field-none-" + name)
		default:
			after = v.words.Say("field-"+name, after)
		}
		if before != "" {
			after += " " + v.words.Say("was", before)
		}
		parts = append(parts, after)
	}
	labels := func(t task) string {
		if len(t.Labels) == 0 {
			return ""
		}
		return "#" + oneLine(strings.Join(t.Labels, " #"))
	}
	if was.DueOn != t.DueOn || was.DueAt != t.DueAt {
		field("due", v.dueText(*was, false), v.dueText(t, true))
	}
	field("priority", v.priority(was.Priority), v.priority(t.Priority))
	field("labels", labels(*was), labels(t))
	switch {
	case was.Description == t.Description:
	case t.Description == "":
		parts = append(parts, v.words.Say("field-none-description"))
	default:
		field("note", "", quote(t.Description))
	}
	return v.sentence(strings.Join(parts, ", "))
}

// describeChange returns what a change would set, for a question: " (due Fri 4 Dec 2026, high priority)".
func (v voice) describeChange(f intent.Fields) string {
	var parts []string
	add := func(is bool, key string, values ...string) {
		if is {
			parts = append(parts, v.words.Say(key, values...))
		}
	}
	add(f.Title != "", "field-title", quote(f.Title))
	add(f.Shift != "" && f.Due == nil, "field-shift", quote(f.Shift))
	if f.Due != nil {
		add(true, "due", v.dateText(*f.Due, false))
	}
	add(f.Priority != "", "priority", v.words.Say("priority-"+cmp.Or(f.Priority, "none")))
	add(f.Description != "", "field-note", quote(f.Description))
	for _, l := range f.Labels {
		parts = append(parts, "#"+oneLine(l))
	}
	add(len(f.DropLabels) > 0, "field-without", "#"+strings.Join(f.DropLabels, " #"))
	for _, name := range f.Clear {
		add(true, "field-none-"+name)
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}
