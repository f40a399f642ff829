package intent_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"errand/internal/due"
	"errand/internal/offline/intent"

	"github.com/stretchr/testify/require"
)

var now = due.At(time.Date(2026, 11, 25, 11, 35, 0, 0, time.UTC), time.Monday)

func show(r intent.Reference) string {
	s := ""
	switch r.Kind {
	case intent.ByNumber:
		s = fmt.Sprint(r.Number)
	case intent.BySearch:
		s = "'" + r.Phrase + "'"
		if r.Exact {
			s = "=" + s
		}
	case intent.ByPlace:
		s = fmt.Sprintf("place%d", r.Place)
	case intent.It:
		s = "it"
	case intent.Shown:
		s = "them"
	case intent.Everything:
		s = "all{" + filter(r.Filter) + "}"
	case intent.Unnamed:
		s = "any"
	case intent.Other:
		s = "other"
	}
	if len(r.Except) > 0 {
		s += " except " + refs(r.Except)
	}
	return s
}

func refs(list []intent.Reference) string {
	var all []string
	for _, r := range list {
		all = append(all, show(r))
	}
	return strings.Join(all, ",")
}

func filter(f intent.Filter) string {
	var p []string
	add := func(ok bool, s string) {
		if ok {
			p = append(p, s)
		}
	}
	add(f.Status != "", f.Status)
	add(f.Search != "", "search="+f.Search)
	add(f.Label != "", "#"+f.Label)
	add(f.Word != "", "word="+f.Word)
	add(len(f.Priorities) > 0, strings.Join(f.Priorities, "+"))
	if !f.Days.From.IsZero() || !f.Days.To.IsZero() {
		day := func(t time.Time) string {
			if t.IsZero() {
				return ""
			}
			return t.Format("0102")
		}
		p = append(p, day(f.Days.From)+"-"+day(f.Days.To))
	}
	add(f.At != "", f.At)
	add(f.Due == "overdue", "overdue")
	add(f.Due == "any" && f.When == "", "dated")
	add(f.Due == "none", "undated")
	add(f.ByCompletion, "bycompletion")
	add(f.Sort != "", "sort="+f.Sort)
	add(f.Limit != 0, fmt.Sprint("limit=", f.Limit))
	add(f.Count, "count")
	add(f.Trashed, "trash")
	add(f.Added, "added")
	return strings.Join(p, " ")
}

func fields(f intent.Fields) string {
	var p []string
	add := func(ok bool, s string) {
		if ok {
			p = append(p, s)
		}
	}
	add(f.Title != "", "“"+f.Title+"”")
	add(f.Due != nil, "due")
	if f.Due != nil {
		p = append(p, strings.TrimSuffix(f.Due.On(), ""))
		if f.Due.Timed {
			p = append(p, f.Due.At.Format("15:04"))
		}
	}
	add(f.Shift != "", "shift="+f.Shift)
	add(f.Priority != "", f.Priority)
	for _, l := range f.Labels {
		p = append(p, "#"+l)
	}
	for _, l := range f.DropLabels {
		p = append(p, "-#"+l)
	}
	add(f.Description != "", "note="+f.Description)
	add(f.AppendNote, "append")
	for _, name := range f.Clear {
		p = append(p, "no "+name)
	}
	add(f.OldText != "", f.OldText+"→"+f.NewText)
	return strings.Join(p, " ")
}

func request(r intent.Request) string {
	p := []string{string(r.Kind)}
	add := func(ok bool, s string) {
		if ok {
			p = append(p, s)
		}
	}
	add(r.Kind == intent.Say, string(r.Topic))
	add(len(r.Refs) > 0, refs(r.Refs))
	add(len(r.Instead) > 0, "instead of "+refs(r.Instead))
	add(true, fields(r.Fields))
	add(true, filter(r.Filter))
	add(r.Verb != "", "verb="+r.Verb)
	add(r.Asked != "", "asked="+r.Asked)
	add(r.Rhythm != "", "rhythm="+r.Rhythm)
	add(r.Place != "", "place="+r.Place)
	add(r.Reminder, "reminder")
	add(r.Offer, "offer")
	add(r.DidYouMean != "", "mean="+r.DidYouMean)
	add(r.DateLeft != "", "left="+r.DateLeft)
	add(r.Rejection != "", "REJECT "+r.Rejection)
	return strings.Join(strings.Fields(strings.Join(p, " ")), " ")
}

func summary(m intent.Message) string {
	var p []string
	for _, r := range m.Requests {
		p = append(p, request(r))
	}
	for _, l := range m.Left {
		p = append(p, "LEFT "+l)
	}
	return strings.Join(p, "; ")
}

// answer returns what else a message may mean: an answer, one more task, and how many requests it takes back.
func answer(m intent.Message) string {
	var p []string
	if a := m.Answer; a != nil {
		words := map[bool]string{true: "yes", false: "no"}
		s := "answer"
		if a.Yes || a.No {
			s += " " + words[a.Yes]
		}
		if len(a.Refs) > 0 {
			s += " " + refs(a.Refs)
		}
		if len(a.Except) > 0 {
			s += " except " + refs(a.Except)
		}
		p = append(p, s)
	}
	if m.More != nil {
		p = append(p, "more "+fields(m.More.Fields))
	}
	if len(m.Retracted) > 0 {
		p = append(p, fmt.Sprint("takes back ", len(m.Retracted)))
	}
	return strings.Join(p, "; ")
}

var update = flag.Bool("update", false, "write the actual results to testdata/messages.txt")

// TestParse_Messages_GiveExpectedRequests compares messages with testdata/messages.txt: a line with the message (ends
// of lines are written \n), then an indented line with its requests, and one with what else it may mean.
func TestParse_Messages_GiveExpectedRequests(t *testing.T) {
	const path = "testdata/messages.txt"
	file, err := os.ReadFile(path)
	require.NoError(t, err)
	var out strings.Builder
	expected, message := map[string][]string{}, ""
	var messages []string
	for _, line := range strings.Split(strings.TrimRight(string(file), "\n"), "\n") {
		if result, ok := strings.CutPrefix(line, "\t"); ok {
			expected[message] = append(expected[message], result)
			continue
		}
		message = line
		messages = append(messages, message)
	}
	for _, message := range messages {
		if strings.HasPrefix(message, "# ") {
			out.WriteString(message + "\n")
			continue
		}
		m := intent.Parse(strings.ReplaceAll(message, "\\n", "\n"), now)
		got := []string{summary(m)}
		if more := answer(m); more != "" {
			got = append(got, more)
		}
		out.WriteString(message + "\n\t" + strings.Join(got, "\n\t") + "\n")
		if !*update {
			require.Equal(t, expected[message], got, message)
		}
	}
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(out.String()), 0o600))
	}
}
