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

// judge returns what is wrong with a conversation, "" when it passes.
func (c Case) judge(before, after []Task, replies []Reply, now time.Time) string {
	for i, reply := range replies {
		if reply.Fault != "" {
			return fmt.Sprintf("reply %d %s", i+1, reply.Fault)
		}
		for _, pattern := range c.Silent {
			if matches(pattern, reply.Text) {
				return fmt.Sprintf("reply %d matches %q", i+1, pattern)
			}
		}
	}
	last := replies[len(replies)-1].Text
	for _, pattern := range c.Reply {
		if !matches(pattern, last) {
			return fmt.Sprintf("the last reply does not match %q", pattern)
		}
	}
	if c.Want == nil {
		if !reflect.DeepEqual(before, after) {
			return "tasks were changed"
		}
		return ""
	}
	return compare(*c.Want, after, now)
}

func matches(pattern, text string) bool {
	expression, err := regexp.Compile("(?is)" + pattern)
	return err == nil && expression.MatchString(text)
}

func compare(want, got []Task, now time.Time) string {
	if len(want) != len(got) {
		return fmt.Sprintf("there are %d tasks, not %d", len(got), len(want))
	}
	number := 0
	for i, w := range want {
		number++
		if w.Number > 0 {
			number = w.Number
		}
		if fault := w.differs(got[i], number, now); fault != "" {
			return fmt.Sprintf("task %d: %s", number, fault)
		}
	}
	return ""
}

func (t Task) differs(got Task, number int, now time.Time) string {
	switch {
	case got.Number != number:
		return fmt.Sprintf("the number is %d", got.Number)
	case !matches("^(?:"+t.Title+")$", strings.TrimRight(got.Title, ".!")):
		return "the title is another"
	case t.Completed != got.Completed:
		return fmt.Sprintf("completed is %v", got.Completed)
	case t.Priority != "" && t.Priority != got.Priority:
		return "the priority is " + got.Priority
	case t.Description != "" && !matches(t.Description, got.Description):
		return "the description is another"
	case t.Labels != nil && !sameLabels(t.Labels, got.Labels):
		return fmt.Sprintf("the labels are %v", got.Labels)
	case t.DueOn == "none" && got.DueOn+got.DueAt != "":
		return "it is due " + got.DueOn + got.DueAt
	case t.DueOn != "" && t.DueOn != "none" && !slices.Contains(days(t.DueOn, now), got.DueOn):
		return "it is due " + got.DueOn + got.DueAt
	case t.DueAt != "" && !slices.Contains(instants(t.DueAt, now), got.DueAt):
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

// days are the dates that a word may mean. A weekday's name said on that day may mean
// today or a week from now.
func days(word string, now time.Time) []string {
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

func instants(words string, now time.Time) []string {
	word, clock, _ := strings.Cut(words, " ")
	var out []string
	for _, day := range days(word, now) {
		out = append(out, day+" "+clock)
	}
	return out
}

// dated is a task before, with its due date in figures.
func (t Task) dated(now time.Time) Task {
	if t.DueOn != "" {
		t.DueOn = days(t.DueOn, now)[0]
	}
	if t.DueAt != "" {
		t.DueAt = instants(t.DueAt, now)[0]
	}
	return t
}
