package eval

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// conversation is what happened when a case was run.
type conversation struct {
	before, after []State
	replies       []Reply
	// now is the start of the conversation, in the user's time zone.
	now time.Time
}

var (
	// honest matches replies that ask, decline or say that something was not done. In languages without patterns, replies
	// of the built-in model name a setting.
	honest = regexp.MustCompile(`(?i)[?？؟]|n['’]t\b|\b(not|no|none|nothing|cannot|unable|sorry|only|left|without)\b|` +
		`\b(nicht|kein\w*|nur|pas|aucun\w*|sans|ningun\w*|nada|não|nenhum\w*|nahi+n?|sirf)\b|` +
		`नहीं|केवल|نہیں|صرف|不|没|沒|无|只|OPENAI_API_KEY`)
	// notUnderstood matches replies that do not claim to answer a question about the tasks.
	notUnderstood = regexp.MustCompile(
		`(?i)(did|do|does)(n['’]t| not) (quite |fully |yet )?(understand|know|support|read|see what)|` +
			`\b(cannot|can['’]t|could not|couldn['’]t|unable to|not sure|not able)\b|` +
			`(do|did) you mean|which (one|task|of)|\bonly understand|OPENAI_API_KEY`,
	)
)

// judge returns the outcome, and the reason when it is not Right.
func (r conversation) judge(c Case) (Outcome, string) {
	for i, reply := range r.replies {
		if reply.Failure != "" {
			return Wrong, fmt.Sprintf("reply %d %s", i+1, reply.Failure)
		}
	}
	reason := r.unmet(c.Want)
	if reason == "" {
		return Right, ""
	}
	for _, alternative := range c.Alts {
		if r.unmet(alternative) != "" {
			continue
		}
		if alternative.Same || alternative.Honest {
			return Declined, reason
		}
		return Right, ""
	}
	if r.declines(c.Want) {
		return Declined, reason
	}
	return Wrong, reason
}

func (r conversation) lastReply() string { return r.replies[len(r.replies)-1].Text }

func (r conversation) same() bool { return reflect.DeepEqual(r.before, r.after) }

// declines reports whether nothing was changed and the last reply says so or asks. Where the wanted result is an
// answer, the reply must not pass for one.
func (r conversation) declines(w Want) bool {
	text := r.lastReply()
	if !r.same() || !honest.MatchString(text) {
		return false
	}
	for _, pattern := range w.SaysNot {
		if matchesPattern(pattern, text) {
			return false
		}
	}
	return !w.Same || len(w.Says) == 0 || notUnderstood.MatchString(text)
}

// unmet returns the first requirement that the conversation does not meet, "" when it meets all.
func (r conversation) unmet(w Want) string {
	if w.Same && !r.same() {
		return "tasks were changed"
	}
	if w.Tasks != nil {
		if difference := r.compareTasks(*w.Tasks); difference != "" {
			return difference
		}
	}
	text := r.lastReply()
	if w.Honest && !honest.MatchString(text) {
		return "the last reply neither asks nor says what was not done"
	}
	for _, pattern := range w.Says {
		if !matchesPattern(pattern, text) {
			return fmt.Sprintf("the last reply does not match %q", pattern)
		}
	}
	for _, pattern := range w.SaysNot {
		if matchesPattern(pattern, text) {
			return fmt.Sprintf("the last reply matches %q", pattern)
		}
	}
	return ""
}

func matchesPattern(pattern, text string) bool {
	expression, err := compile(pattern)
	return err == nil && expression.MatchString(text)
}

// compareTasks returns the first difference between the wanted tasks and those after the conversation.
func (r conversation) compareTasks(want []Task) string {
	if len(want) != len(r.after) {
		return fmt.Sprintf("%d tasks instead of %d", len(r.after), len(want))
	}
	for i, w := range want {
		got := r.after[i]
		at := slices.IndexFunc(r.before, func(b State) bool { return b.Number == got.Number })
		var before *State
		if at >= 0 {
			before = &r.before[at]
		}
		if difference := w.diff(got, before, r.now); difference != "" {
			return fmt.Sprintf("task %d: %s", got.Number, difference)
		}
	}
	return ""
}

// diff compares a task with the wanted one. before is nil for a new task.
func (t Task) diff(got State, before *State, now time.Time) string {
	old := State{Priority: "none"}
	if before != nil {
		old = *before
	}
	switch {
	case !matchesPattern("^(?:"+t.Title+")$", strings.TrimRight(got.Title, ".!")):
		return fmt.Sprintf("the title is %q", got.Title)
	case t.Done != got.Completed:
		return fmt.Sprintf("completed is %v", got.Completed)
	case t.Description != "" && !matchesPattern(t.Description, got.Description):
		return fmt.Sprintf("the description is %q", got.Description)
	case t.Description == "" && before != nil && got.Description != old.Description:
		return "the description was changed"
	case len(t.Priority) > 0 && !slices.Contains(t.Priority, got.Priority),
		len(t.Priority) == 0 && got.Priority != old.Priority:
		return "the priority is " + got.Priority
	case t.Labels != nil && !sameLabels(*t.Labels, got.Labels), t.Labels == nil && !sameLabels(old.Labels, got.Labels):
		return fmt.Sprintf("the labels are %q", got.Labels)
	case len(t.Due) > 0 && !matchesDue(t.Due, got, now), len(t.Due) == 0 && dueText(old, now) != dueText(got, now):
		return "it is due " + dueText(got, now)
	}
	return ""
}

func dueText(t State, now time.Time) string {
	switch {
	case t.DueAt != nil:
		return t.DueAt.In(now.Location()).Format("Mon 2006-01-02 15:04")
	case t.DueOn != "":
		return t.DueOn
	}
	return "never"
}

func sameLabels(a, b []string) bool {
	normalise := func(labels []string) []string {
		out := make([]string, len(labels))
		for i, l := range labels {
			out[i] = strings.ToLower(l)
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(normalise(a), normalise(b))
}

// effects reports whether an existing task was, or should have been, deleted or completed.
func (r conversation) effects(c Case) (deletes, completes bool) {
	if c.Want.Tasks != nil {
		deletes = len(*c.Want.Tasks) < len(r.before)
		completes = countDone(*c.Want.Tasks) > countDone(c.Have)
	}
	for _, b := range r.before {
		i := slices.IndexFunc(r.after, func(a State) bool { return a.Number == b.Number })
		deletes = deletes || i < 0
		completes = completes || i >= 0 && r.after[i].Completed && !b.Completed
	}
	return deletes, completes
}

func countDone(tasks []Task) (n int) {
	for _, t := range tasks {
		if t.Done {
			n++
		}
	}
	return n
}
