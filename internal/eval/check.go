package eval

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// check returns why a conversation fails the case, "" when it passes.
func (c Case) check(before, after []Task, replies []Reply, now time.Time) string {
	for i, reply := range replies {
		if reply.Failure != "" {
			return fmt.Sprintf("reply %d %s", i+1, reply.Failure)
		}
		for _, pattern := range c.ForbiddenPatterns {
			if matchesPattern(pattern, reply.Text) {
				return fmt.Sprintf("reply %d matches %q", i+1, pattern)
			}
		}
	}
	last := replies[len(replies)-1].Text
	for _, pattern := range c.ReplyPatterns {
		if !matchesPattern(pattern, last) {
			return fmt.Sprintf("the last reply does not match %q", pattern)
		}
	}
	if c.Want == nil {
		if !reflect.DeepEqual(before, after) {
			return "tasks were changed"
		}
		return ""
	}
	return compareTasks(*c.Want, after, now)
}

func matchesPattern(pattern, text string) bool {
	expression, err := regexp.Compile("(?is)" + pattern)
	return err == nil && expression.MatchString(text)
}

// compareTasks returns the first difference between the tasks, "" when there is none.
func compareTasks(want, got []Task, now time.Time) string {
	if len(want) != len(got) {
		return fmt.Sprintf("%d tasks instead of %d", len(got), len(want))
	}
	number := 0
	for i, w := range want {
		number++
		if w.Number > 0 {
			number = w.Number
		}
		if difference := w.diff(got[i], number, now); difference != "" {
			return fmt.Sprintf("task %d: %s", number, difference)
		}
	}
	return ""
}

func (t Task) diff(got Task, number int, now time.Time) string {
	switch {
	case got.Number != number:
		return fmt.Sprintf("the number is %d", got.Number)
	case !matchesPattern("^(?:"+t.Title+")$", strings.TrimRight(got.Title, ".!")):
		return "the title differs"
	case t.Completed != got.Completed:
		return fmt.Sprintf("completed is %v", got.Completed)
	case t.Priority != "" && t.Priority != got.Priority:
		return "the priority is " + got.Priority
	case t.Description != "" && !matchesPattern(t.Description, got.Description):
		return "the description differs"
	case t.Labels != nil && !sameLabels(t.Labels, got.Labels):
		return fmt.Sprintf("the labels are %v", got.Labels)
	case t.DueOn == "none" && got.DueOn+got.DueAt != "":
		return "it is due " + got.DueOn + got.DueAt
	case t.DueOn != "" && t.DueOn != "none" && !slices.Contains(datesOf(t.DueOn, now), got.DueOn):
		return "it is due " + got.DueOn + got.DueAt
	case t.DueAt != "" && !slices.Contains(timesOf(t.DueAt, now), got.DueAt):
		return "it is due " + got.DueOn + got.DueAt
	}
	return ""
}

func sameLabels(a, b []string) bool {
	lower := func(labels []string) []string {
		out := make([]string, len(labels))
		for i, l := range labels {
			out[i] = strings.ToLower(l)
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(lower(a), lower(b))
}

// datesOf returns the dates that a word may mean. The name of today's weekday may mean today or a week from now.
func datesOf(word string, now time.Time) []string {
	day := func(n int) string { return now.AddDate(0, 0, n).Format(time.DateOnly) }
	switch word {
	case "today":
		return []string{day(0)}
	case "tomorrow":
		return []string{day(1)}
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(word, "+")); err == nil && strings.HasPrefix(word, "+") {
		return []string{day(n)}
	}
	for n := range 7 {
		if strings.EqualFold(now.AddDate(0, 0, n).Weekday().String(), word) {
			if n == 0 {
				return []string{day(0), day(7)}
			}
			return []string{day(n)}
		}
	}
	return []string{word}
}

func timesOf(words string, now time.Time) []string {
	word, clock, _ := strings.Cut(words, " ")
	var out []string
	for _, day := range datesOf(word, now) {
		out = append(out, day+" "+clock)
	}
	return out
}

// withDates returns a task with its due date resolved, for Target.CreateTask.
func (t Task) withDates(now time.Time) Task {
	if t.DueOn != "" {
		t.DueOn = datesOf(t.DueOn, now)[0]
	}
	if t.DueAt != "" {
		t.DueAt = timesOf(t.DueAt, now)[0]
	}
	return t
}
