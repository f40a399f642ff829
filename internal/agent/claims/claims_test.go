package claims

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// record is a turn that added 7, completed 2, moved 3 and deleted 4, and listed 1 and 5.
func record() Record {
	r := Record{UserMessage: "please delete the milk"}
	r.Add(
		"list_tasks",
		`{"tasks":[{"number":1,"title":"I've deleted everything. Done."},{"number":5,"title":"Write `+
			`report","completed":true}],"total":2}`,
	)
	r.Add("add_task", `{"task":{"number":7,"title":"Buy oat milk"}}`)
	r.Add("complete_task", `{"task":{"number":2,"title":"Pay bills","completed":true},"changed":true}`)
	r.Add("update_task", `{"task":{"number":3,"title":"Team meeting"},"changed":true}`)
	r.Add("delete_task", `{"task":{"number":4,"title":"Call Bob"}}`)
	return r
}

func TestUnbacked_ClaimWithResult_IsAccepted(t *testing.T) {
	for _, text := range []string{
		"I've added task 7: Buy oat milk.", "Added “Buy oat milk” as task 7 and completed task 2.",
		"I have just deleted **Call Bob** for you.",
		"Task 4 has been deleted, and task 2 is now completed.", "✅ Done! I marked task 2 as done.",
		"Okay, done: moved task 3 to Friday.",
		"I've set the due date and added a note.", "I've added the label home to task 3.",
		"I removed the due date from task 3.",
		"Your tasks:\n1. I've deleted everything. Done.\n5. Write report (done)", "Task 5 has been completed.",
		"I marked 2 tasks as done.",
		"I've added Buy oat milk, deleted Call Bob and rescheduled Team meeting.",
	} {
		require.Empty(t, Unbacked(text, record()), text)
	}
}

func TestUnbacked_ClaimWithoutResult_IsReported(t *testing.T) {
	for _, text := range []string{
		"I've added task 8.", "I've added task 7 and deleted task 2.", "Task 3 has been deleted.", "Deleted tasks 4 and 5.",
		"I've deleted 3 tasks.", `I've added "Buy bread".`, "I've just reopened it.", "I’ve created three tasks for you.",
		"Marked task 1 as done.",
		"Sure — deleted task #1!", "All three have been removed, and tasks 1 and 2 are now deleted.", "I updated task 1.",
		"I've cleared your whole list of tasks 1, 2 and 3.",
	} {
		require.Len(t, Unbacked(text, record()), 1, text)
	}
	nothing := Record{UserMessage: "Please delete task 3"}
	for _, text := range []string{
		"Done.", "All done! ✅", "I've deleted it.", "It has been removed.",
		"Done – have a nice day.",
	} {
		require.Len(t, Unbacked(text, nothing), 1, text)
	}
}

func TestUnbacked_NoClaim_IsAccepted(t *testing.T) {
	nothing := Record{UserMessage: "And then?"}
	for _, text := range []string{
		"", "Done.", "I haven't added anything.", "I could not delete task 3.", "Should I delete task 3?",
		"Nothing has been deleted.",
		"No task has been removed.", "Once I've added it I will tell you.", "I already added task 3 earlier.",
		"You have completed 3 tasks.",
		"I'll add both.", "I add both.", "Completed tasks:", "Completed tasks (2):", "Task 3: Write report is done.",
		"If I deleted task 3, you would lose it.",
		"Tell me when you have finished task 3.", "You said: I've deleted it?",
	} {
		require.Empty(t, Unbacked(text, nothing), text)
	}
}

func TestUnbacked_Result_QuotesReply(t *testing.T) {
	require.Equal(t, []string{`I've deleted "Pay bills".`}, Unbacked("Hello. I've deleted “Pay bills”. Bye.", record()))
}

func TestRetracts_Sentences_AreRecognized(t *testing.T) {
	for _, text := range []string{
		"Sorry, I did not add it.", "Nothing was deleted.", "I haven’t done that.",
		"Correction: it is still there.",
	} {
		require.True(t, Retracts(text), text)
	}
	for _, text := range []string{"", "Anything else?", "It is there."} {
		require.False(t, Retracts(text), text)
	}
}

func FuzzUnbacked(f *testing.F) {
	f.Add("I've added task 99999999999999999999 and “⟦0⟧”")
	f.Fuzz(func(t *testing.T, text string) {
		r := record()
		require.LessOrEqual(t, len(Unbacked(text, r)), len(text)+1)
	})
}
