package offline_test

import (
	"fmt"
	"strings"
	"testing"

	"errand/internal/offline"

	"github.com/stretchr/testify/require"
)

// TestModel_StepsOfTurn_ParseEachMessageOnce: a turn parses its message and the recent ones, once for all its steps.
func TestModel_StepsOfTurn_ParseEachMessageOnce(t *testing.T) {
	w := standard(t)
	for i := range 20 {
		w.say(fmt.Sprintf("add item %d", i))
	}
	w.model = offline.New(offline.Options{})
	parsed := offline.RecordParses(w.model)
	w.say("add milk, complete task 1, delete task 2 and show my tasks")
	require.Greater(t, w.steps, 2)
	require.Equal(t, 9, parsed.Count)
	w.say("show my tasks")
	require.Equal(t, 10, parsed.Count, "the time is the same, so earlier messages are known")
}

// TestModel_LongHistory_IsNotParsed: the bytes that a turn parses of earlier messages are bounded.
func TestModel_LongHistory_IsNotParsed(t *testing.T) {
	w := standard(t)
	for range 8 {
		w.say("add " + strings.Repeat("long ", 180))
	}
	w.model = offline.New(offline.Options{})
	parsed := offline.RecordParses(w.model)
	w.say("ok")
	require.LessOrEqual(t, parsed.Bytes, offline.ReplayedBytes+len("ok"))
	require.Greater(t, parsed.Count, 1)
}

// TestModel_FollowUps_LeaveParsedMessagesUnchanged: parsed messages are shared by the steps of all turns.
func TestModel_FollowUps_LeaveParsedMessagesUnchanged(t *testing.T) {
	w := standard(t)
	parsed := offline.RecordParses(w.model)
	for _, message := range []string{
		"delete all but the report", "yes, except the bills", "complete pay bill", "yes", "add a task #home", "milk #shop",
		"and eggs", "not that, complete 1", "undo", "move it to friday", "delete call and pay", "1", "the first one",
		"delete all tasks", "no", "make that 6", "tag task 1 as a", "add a, b and c for friday", "lösche Aufgabe 1",
	} {
		w.say(message)
		require.True(t, parsed.Unchanged(), message)
	}
}
