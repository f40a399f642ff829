package intent_test

import (
	"strings"
	"testing"
	"time"

	"errand/internal/due"
	"errand/internal/offline/intent"

	"github.com/stretchr/testify/require"
)

var now = due.At(time.Date(2026, 11, 25, 11, 35, 0, 0, time.UTC), time.Monday)

var names = map[intent.Kind]string{
	intent.Unknown: "?", intent.Say: "say", intent.Add: "add", intent.List: "list", intent.Show: "show",
	intent.Complete: "complete", intent.Reopen: "reopen", intent.Delete: "delete", intent.Update: "update",
}

func TestRead_Message_SplitsIntoRequests(t *testing.T) {
	for message, want := range map[string]string{
		"":                                      "",
		"add milk and eggs":                     "add",
		"add milk and show my list":             "add list",
		"Hi! Add milk, thanks.":                 "say add",
		"mark 1 done, 2 done and delete 3":      "complete complete delete",
		"delete 1 and 2 and reopen 3":           "delete reopen",
		"call Dr. Smith":                        "?",
		"add call Dr. Smith. Show my tasks.":    "add list",
		"if 1 is done, delete 2 and add milk":   "say",
		"don't delete 1 and add milk":           "say add",
		"I was out and delete task 3":           "?",
		"- add milk\n\n- what is due?":          "add list",
		"- [ ] add milk\n2) delete 2":           "add delete",
		"Add these:\n- milk\n- finish 2\nhello": "add add say",
		"add milk; bread; delete 2":             "add add delete",
		"show task 2 and make it urgent":        "show update",
	} {
		var kinds []string
		for _, r := range intent.Read(message, now) {
			kinds = append(kinds, names[r.Kind])
		}
		require.Equal(t, want, strings.Join(kinds, " "), message)
	}
}

func TestRead_Request_KeepsOriginalText(t *testing.T) {
	requests := intent.Read("Add milk on feb 30, then frobnicate. Please dance!", now)
	require.Len(t, requests, 2)
	require.Equal(t, "Add milk on feb 30, then frobnicate", requests[0].Said)
	require.Equal(t, "There is no 30 February.", requests[0].Rejection)
	require.Equal(t, "Please dance", requests[1].Said)
}

func TestRead_LongMessage_StaysWithinLimits(t *testing.T) {
	long := intent.Read("add "+strings.Repeat("é", 201), now)[0]
	require.Equal(t, "A title can have 200 characters at most.", long.Rejection)
	require.Equal(
		t,
		strings.Repeat("É", 1)+strings.Repeat("é", 199),
		intent.Read("add "+strings.Repeat("é", 200), now)[0].Fields.Title,
	)
	require.Equal(
		t,
		"A label can have 50 characters at most.",
		intent.Read("add milk #"+strings.Repeat("x", 51), now)[0].Rejection,
	)
	require.Equal(
		t,
		"A task can have 20 labels at most.",
		intent.Read("add milk"+strings.Repeat(" #a b", 1)+labels(21), now)[0].Rejection,
	)
	require.Equal(t, intent.Unknown, intent.Read("delete "+strings.Repeat("x", 101), now)[0].Kind)
	require.Equal(t, intent.Unknown, intent.Read("add "+strings.Repeat("a ", 400), now)[0].Kind)
	require.LessOrEqual(t, len(intent.Read(strings.Repeat("add milk.\n", 200), now)), 40)
}

func labels(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" #l" + string(rune('a'+i)))
	}
	return b.String()
}

func TestReadAnswer_ShortMessages_ParsesAnswer(t *testing.T) {
	for _, s := range []string{"yes", "Yes please!", "ok", "sure, do it", "go ahead", "yep"} {
		a, ok := intent.ReadAnswer(s, now)
		require.True(t, ok && a.Yes && !a.No, s)
	}
	for _, s := range []string{"no", "No thanks.", "never mind", "cancel", "none of them", "no, keep them"} {
		a, ok := intent.ReadAnswer(s, now)
		require.True(t, ok && a.No && !a.Yes, s)
	}
	for s, want := range map[string]intent.Reference{
		"4":                {Kind: intent.ByNumber, Number: 4},
		"number 4, please": {Kind: intent.ByNumber, Number: 4},
		"the first":        {Kind: intent.ByPlace, Place: 1},
		"the last one":     {Kind: intent.ByPlace, Place: -1},
		"both":             {Kind: intent.Shown, Count: 2},
		"all of them":      {Kind: intent.Shown},
		"I mean the third": {Kind: intent.ByPlace, Place: 3},
		"the one with Bob": {Kind: intent.BySearch, Phrase: "Bob"},
	} {
		a, ok := intent.ReadAnswer(s, now)
		require.True(t, ok, s)
		require.Len(t, a.Refs, 1, s)
		got := a.Refs[0]
		require.Equal(
			t,
			want,
			intent.Reference{Kind: got.Kind, Number: got.Number, Place: got.Place, Count: got.Count, Phrase: got.Phrase},
			s,
		)
	}
	for _, s := range []string{"", "delete task 4", "add milk", "show my tasks", "no, delete task 4", "no, delete it"} {
		_, ok := intent.ReadAnswer(s, now)
		require.False(t, ok, s)
	}
}
