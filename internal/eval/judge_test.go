package eval

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCompareTasks_EachDifference_Reported(t *testing.T) {
	at, err := dueDates("fri 17:00", testNow)
	require.NoError(t, err)
	run := conversation{
		now:    testNow,
		before: []State{{Number: 3, Title: "Call", Priority: "high", Labels: []string{"home", "b"}, DueAt: at[0].at}},
		after: []State{
			{Number: 3, Title: "Call Ann", Priority: "high", Labels: []string{"home", "b"}, DueAt: at[0].at, Completed: true},
			{Number: 4, Title: "Buy Milk.", Priority: "none", DueOn: "2026-11-23", Description: "2 l"},
		},
	}
	want := func(change func(tasks []Task)) string {
		tasks := []Task{{Title: "call ann", Done: true}, {Title: "(buy )?milk", Due: words{"+1"}}}
		change(tasks)
		return run.compareTasks(tasks)
	}
	require.Empty(t, want(func([]Task) {}))
	require.Empty(t, want(func(ts []Task) {
		ts[0].Priority, ts[0].Labels, ts[0].Due = words{"low", "high"}, &[]string{"B", "Home"}, words{"fri 17:00"}
	}))
	for name, change := range map[string]func(tasks []Task){
		"title":                 func(ts []Task) { ts[1].Title = "mil" },
		"completed":             func(ts []Task) { ts[0].Done = false },
		"priority":              func(ts []Task) { ts[0].Priority = words{"low"} },
		"description":           func(ts []Task) { ts[1].Description = "^2$" },
		"labels":                func(ts []Task) { ts[0].Labels = &[]string{} },
		"day":                   func(ts []Task) { ts[1].Due = words{"+2"} },
		"a date of a new task":  func(ts []Task) { ts[1].Due = nil },
		"time":                  func(ts []Task) { ts[0].Due = words{"fri 18:00"} },
		"the date is now unset": func(ts []Task) { ts[0].Due = words{"none"} },
	} {
		require.NotEmpty(t, want(change), name)
	}
	require.NotEmpty(t, run.compareTasks(nil))
	run.before[0].Priority = "low"
	require.NotEmpty(t, want(func([]Task) {}), "an unnamed field may not change")
}

func TestJudge_Outcomes_RightDeclinedWrong(t *testing.T) {
	milk, eggs := []State{
		{Number: 1, Title: "Milk", Priority: "none"},
	}, []State{
		{Number: 1, Title: "Eggs", Priority: "none"},
	}
	renamed := Want{Tasks: &[]Task{{Title: "eggs"}}}
	answer := Want{Same: true, Says: []string{"milk"}, SaysNot: []string{"eggs"}}
	for _, test := range []struct {
		name  string
		want  Want
		alts  []Want
		after []State
		reply string
		out   Outcome
	}{
		{"done", renamed, nil, eggs, "Renamed.", Right},
		{"asked", renamed, nil, milk, "Which task do you mean?", Declined},
		{"declined", renamed, nil, milk, "I did not find it.", Declined},
		{"claimed", renamed, nil, milk, "Renamed.", Wrong},
		{"another state", renamed, nil, nil, "I did not do it.", Wrong},
		{"an alternative", renamed, []Want{{Tasks: &[]Task{}}}, []State{}, "Deleted.", Right},
		{"an accepted question", renamed, []Want{{Same: true}}, milk, "Well.", Declined},
		{"kept", Want{Same: true}, nil, milk, "Hello.", Right},
		{"not kept", Want{Same: true}, nil, eggs, "Hello.", Wrong},
		{"honest", Want{Same: true, Honest: true}, nil, milk, "I cannot do that.", Right},
		{"silent", Want{Same: true, Honest: true}, nil, milk, "Okay.", Wrong},
		{"answered", answer, nil, milk, "1. Milk", Right},
		{"not understood", answer, nil, milk, "I did not understand that.", Declined},
		{"an untrue answer", answer, nil, milk, "You have no tasks.", Wrong},
		{"too much", answer, nil, milk, "1. Milk 2. Eggs", Wrong},
	} {
		run := conversation{before: milk, after: test.after, replies: []Reply{{Text: test.reply}}, now: testNow}
		got, reason := run.judge(Case{Want: test.want, Alts: test.alts})
		require.Equal(t, test.out, got, "%s: %s", test.name, reason)
		require.Equal(t, got == Right, reason == "", test.name)
	}
	run := conversation{before: milk, after: milk, replies: []Reply{{Failure: "failed: away"}}, now: testNow}
	got, reason := run.judge(Case{Want: Want{Same: true}})
	require.Equal(t, Wrong, got)
	require.Equal(t, "reply 1 failed: away", reason)
}

func TestEffects_DeletesAndCompletions_WantedOrMade(t *testing.T) {
	two := []State{{Number: 1, Title: "a"}, {Number: 2, Title: "b"}}
	have := []Task{{Title: "a"}, {Title: "b"}}
	for _, test := range []struct {
		name               string
		want               Want
		after              []State
		deletes, completes bool
	}{
		{"wanted deletion", Want{Tasks: &[]Task{{Title: "a"}}}, two, true, false},
		{"made deletion", Want{Same: true}, two[:1], true, false},
		{"wanted completion", Want{Tasks: &[]Task{{Title: "a"}, {Title: "b", Done: true}}}, two, false, true},
		{"made completion", Want{Same: true}, []State{two[0], {Number: 2, Completed: true}}, false, true},
		{"neither", Want{Same: true}, append(two, State{Number: 3}), false, false},
	} {
		deletes, completes := conversation{before: two, after: test.after}.effects(Case{Have: have, Want: test.want})
		require.Equal(t, []bool{test.deletes, test.completes}, []bool{deletes, completes}, test.name)
	}
}
