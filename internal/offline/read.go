package offline

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"errand/internal/offline/intent"
)

// list lists the tasks of a filter, and makes more calls in the same round, whose results it returns too. A word of the
// filter is a label if tasks have it, or else a part of titles: list returns the filter with that meaning.
func (c caller) list(f intent.Filter, limit int, more ...toolCall) (intent.Filter, toolResult, []toolResult) {
	calls, byWord := []toolCall{{listTasks, filterArgs(f, limit)}}, f
	if f.Word != "" {
		byWord.Word, byWord.Search = "", f.Word
		calls = append(calls, toolCall{listTasks, filterArgs(byWord, limit)})
		f.Label, f.Word = f.Word, ""
	}
	results := c(append(calls, more...)...)
	r, rest := results[0], results[len(calls):]
	if len(calls) > 1 && len(r.Tasks) == 0 && r.Error == nil {
		return byWord, results[1], rest
	}
	return f, r, rest
}

// list returns the action that shows tasks. It runs after all earlier ones, to show their effect.
func (p *planner) list(r intent.Request) *action {
	f := r.Filter
	if f.Status == "" && !f.Trashed && !f.ByCompletion {
		f.Status = "pending"
	}
	return &action{said: r.Said, exclusive: true, run: func(_ *memory, call caller) outcome {
		if f.Status != "pending" || !isSimple(f) {
			shown, r, _ := call.list(f, 0)
			return p.listing(shown, r, 0, false)
		}
		completed := filterArgs(intent.Filter{Status: "completed"}, 1)
		_, r, more := call.list(f, 0, toolCall{listTasks, completed})
		return p.listing(f, r, more[0].Total, more[0].Error == nil)
	}}
}

// listing reports a list of tasks; plain means all open ones, and done the number of the completed ones.
func (v voice) listing(f intent.Filter, r toolResult, done int, plain bool) outcome {
	if r.Error != nil {
		return outcome{lines: []string{v.words.Say("list-failed", r.Error.reason())}}
	}
	ts, rest := v.matching(f, r), r.more()
	if f.At != "" {
		rest = 0
	}
	o := outcome{touched: ts, listed: true, cut: r.Omitted > 0}
	n := len(ts) + rest
	switch {
	case plain && f.Count:
		o.lines = []string{v.words.Say("counts", strconv.Itoa(n+done), strconv.Itoa(n), strconv.Itoa(done))}
		return o
	case plain && n+done == 0:
		o.lines = []string{v.words.Say("list-empty")}
	case n == 0 || f.Count:
		o.lines = []string{strings.TrimRight(v.heading(n, f), ":.") + "."}
	default:
		o.lines = append([]string{v.heading(n, f)}, v.rows(ts, rest, f.Status == "all")...)
	}
	switch {
	case len(ts) == 0 && len(r.Near) > 0:
		o.lines = append(append(o.lines, v.words.Say("similar")), v.rows(r.Near, 0, true)...)
		o.touched, o.cut = r.Near, false
	case done == 1:
		o.lines = append(o.lines, v.words.Say("one-done"))
	case done > 1:
		o.lines = append(o.lines, v.words.Say("more-done", strconv.Itoa(done)))
	}
	return o
}

// matching returns the tasks of a list that meet the conditions that the tool has no argument for.
func (v voice) matching(f intent.Filter, r toolResult) []task {
	return slices.DeleteFunc(slices.Clone(r.Tasks), func(t task) bool {
		return t.Number < 1 || f.At != "" && t.due(v.now).At.Format("15:04") != f.At
	})
}

// recent returns the action that shows what was changed.
func (p *planner) recent(r intent.Request) *action {
	f := r.Filter
	return &action{said: r.Said, exclusive: true, run: func(_ *memory, call caller) outcome {
		args := map[string]any{}
		if !f.Days.From.IsZero() {
			args["from"] = f.Days.From.Format(time.DateOnly)
		}
		r := call.one(recentChanges, args)
		if r.Error != nil {
			return outcome{lines: []string{p.words.Say("recent-failed", r.Error.reason())}}
		}
		what := "changed"
		if f.Added {
			what = "created"
		}
		when := "today"
		if f.When != "" {
			when = oneLine(f.When)
		}
		o := outcome{listed: true, lines: []string{p.words.Say("recent-"+what, when)}}
		for _, c := range slices.Backward(r.Changes) {
			at, err := time.Parse(time.RFC3339, c.At)
			late := err == nil && !f.Days.To.IsZero() &&
				at.In(p.now.Location()).Format(time.DateOnly) > f.Days.To.Format(time.DateOnly)
			if late || what != "changed" && c.Kind != what {
				continue
			}
			o.lines = append(o.lines, changeLine(c, f.Added))
			o.touched = append(o.touched, missingFrom(o.touched, []task{{Number: c.Number, Title: c.Title}})...)
		}
		if len(o.touched) == 0 {
			o.lines = []string{p.words.Say("no-recent-"+what, when)}
		}
		return o
	}}
}

// changeLine describes a change in a list of changes.
func changeLine(c loggedChange, addedOnly bool) string {
	s := strconv.Itoa(c.Number) + ". " + oneLine(c.Title)
	if addedOnly {
		return s
	}
	parts := []string{c.Kind}
	for _, f := range c.Fields {
		if c.Kind == "updated" {
			parts = append(parts, f.Name+" "+quote(f.To))
		}
	}
	return s + " (" + strings.Join(parts, ", ") + ")"
}
