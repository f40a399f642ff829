package eval

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLoad_BuiltinCases_Valid(t *testing.T) {
	cases, err := Load(nil)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(cases), 60)
	kinds := map[string]int{}
	for _, c := range cases {
		kinds[c.Kind]++
		require.Empty(t, compareTasks(nil, nil, time.Now()))
		for _, pattern := range append(c.ReplyPatterns, c.ForbiddenPatterns...) {
			require.NotPanics(t, func() { matchesPattern(pattern, "") })
			require.False(
				t,
				matchesPattern(pattern, "\x00"),
				"%s: %q matches any text or is not a valid expression",
				c.Name,
				pattern,
			)
		}
	}
	require.GreaterOrEqual(t, len(kinds), 10)
}

func TestLoad_InvalidFiles_Error(t *testing.T) {
	for _, bad := range []string{
		"x", `[{"kind":"a","name":"b"}]`, `[{"kind":"a","name":"b","say":["c"],"wont":[]}]`,
		`[{"kind":"a","name":"b","say":["c"]},{"kind":"a","name":"b","say":["c"]}]`,
	} {
		_, err := Load([]byte(bad))
		require.Error(t, err, bad)
	}
}

// testNow is a Sunday.
var testNow = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestCompareTasks_EachDifference_Reported(t *testing.T) {
	got := []Task{
		{Number: 1, Title: "Buy Milk.", Priority: "none", DueOn: "2026-11-23"},
		{
			Number:    3,
			Title:     "Call Ann",
			Priority:  "high",
			DueAt:     "2026-11-27 17:00",
			Labels:    []string{"home", "b"},
			Completed: true,
		},
	}
	want := func(change func(tasks []Task)) string {
		tasks := []Task{
			{Title: "(buy )?milk", DueOn: "tomorrow"},
			{
				Number:    3,
				Title:     "call ann",
				Priority:  "high",
				DueAt:     "friday 17:00",
				Labels:    []string{"B", "Home"},
				Completed: true,
			},
		}
		change(tasks)
		return compareTasks(tasks, got, testNow)
	}
	require.Empty(t, want(func([]Task) {}))
	for name, change := range map[string]func(tasks []Task){
		"number":      func(ts []Task) { ts[1].Number = 0 },
		"title":       func(ts []Task) { ts[0].Title = "mil" },
		"completed":   func(ts []Task) { ts[1].Completed = false },
		"priority":    func(ts []Task) { ts[0].Priority = "low" },
		"description": func(ts []Task) { ts[0].Description = "x" },
		"labels":      func(ts []Task) { ts[1].Labels = []string{} },
		"undated":     func(ts []Task) { ts[0].DueOn = "none" },
		"day":         func(ts []Task) { ts[0].DueOn = "+2" },
		"instant":     func(ts []Task) { ts[1].DueAt = "friday 18:00" },
	} {
		require.NotEmpty(t, want(change), name)
	}
	require.NotEmpty(t, compareTasks(got[:1], got, testNow))
	require.Equal(t, []string{"2026-11-22", "2026-11-29"}, datesOf("sunday", testNow))
	require.Equal(t, []string{"2031-03-01"}, datesOf("2031-03-01", testNow))
}

// fakeTarget is a Target with a fixed reply.
type fakeTarget struct {
	reply Reply
	err   error
	tasks []Task
	after []Task
}

func (p *fakeTarget) CreateTask(_ context.Context, t Task) error {
	p.tasks = append(p.tasks, t)
	return p.err
}

func (p *fakeTarget) SendMessage(context.Context, string) (Reply, error) {
	if p.after != nil {
		p.tasks = p.after
	}
	return p.reply, p.err
}

func (p *fakeTarget) ListTasks(context.Context) ([]Task, error) { return p.tasks, nil }

func TestRun_Replies_PassOrFail(t *testing.T) {
	c := Case{
		Kind:              "k",
		Name:              "n",
		Tasks:             []Task{{Number: 1, Title: "a", DueOn: "today"}},
		Messages:          []string{"x", "y"},
		ReplyPatterns:     []string{"^fine$"},
		ForbiddenPatterns: []string{"bad"},
	}
	good := Reply{Text: "Fine", Steps: 2, Tokens: 10}
	r, err := Run(context.Background(), c, &fakeTarget{reply: good})
	require.NoError(t, err)
	require.Empty(t, r.Failure)
	require.Equal(t, []int{4, 20}, []int{r.Steps, r.Tokens})
	for _, p := range []*fakeTarget{
		{reply: Reply{Text: "Fine", Failure: "failed"}},
		{reply: Reply{Text: "Other"}},
		{reply: Reply{Text: "fine, bad"}},
		{reply: good, after: []Task{}},
	} {
		r, err := Run(context.Background(), c, p)
		require.NoError(t, err)
		require.NotEmpty(t, r.Failure)
	}
	_, err = Run(context.Background(), c, &fakeTarget{err: errors.New("away")})
	require.Error(t, err)
}

func TestWrite_Results_Table(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, Write(&out, "one", []Result{
		{Case: Case{Kind: "a", Name: "x"}, Steps: 2, Tokens: 7, Duration: time.Millisecond},
		{
			Case:     Case{Kind: "b", Name: "y"},
			Steps:    1,
			Tokens:   5,
			Duration: 3 * time.Millisecond,
			Failure:  "tasks were changed",
		},
	}))
	require.Equal(t, "model: one\n\n"+
		"kind  passed  steps  tokens  median  slowest\n"+
		"a     1/1     2      7       1ms     1ms\n"+
		"b     0/1     1      5       3ms     3ms\n"+
		"all   1/2     3      12      3ms     3ms\n\n"+
		"FAIL b: y: tasks were changed\n", out.String())
}
