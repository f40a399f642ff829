package integration

import (
	"strings"
	"testing"
	"time"

	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestCommands_AllEight_ChangeTasks sends one sentence for each command and checks the task list after it.
func TestCommands_AllEight_ChangeTasks(t *testing.T) {
	eachModelProvider(t, func(t *testing.T, b *harness.Env) {
		conversation := &harness.Conversation{Client: b.Client(t, "alice")}
		list := func() map[string]bool {
			state := map[string]bool{}
			for _, one := range harness.AllTasks(t, conversation.Client) {
				state[one.Title] = one.Completed
			}
			return state
		}

		reply := conversation.SendAndWait(t, "Add a task to buy groceries")
		require.Contains(t, reply.Content, "Buy groceries")
		require.Equal(t, map[string]bool{"Buy groceries": false}, list())

		conversation.SendAndWait(t, "I need to remember to pay bills")
		require.Equal(t, map[string]bool{"Buy groceries": false, "Pay bills": false}, list())

		harness.CreateTask(t, conversation.Client, testclient.Vars{"title": "Prepare the meeting"})
		reply = conversation.SendAndWait(t, "Show me all my tasks")
		require.Equal(t, "list_tasks", reply.ToolCalls[0].Name)
		for title := range list() {
			require.Contains(t, reply.Content, title)
		}

		conversation.SendAndWait(t, "Mark task 2 as complete")
		require.Equal(t, map[string]bool{"Buy groceries": false, "Pay bills": true, "Prepare the meeting": false}, list())

		reply = conversation.SendAndWait(t, "What's pending?")
		require.Contains(t, reply.Content, "Buy groceries")
		require.NotContains(t, reply.Content, "Pay bills")

		reply = conversation.SendAndWait(t, "What have I completed?")
		require.Contains(t, reply.Content, "Pay bills")
		require.NotContains(t, reply.Content, "Buy groceries")

		conversation.SendAndWait(t, "Delete the meeting task")
		require.Equal(t, map[string]bool{"Buy groceries": false, "Pay bills": true}, list())
		trashed := testclient.Vars{"filter": testclient.Vars{"trashed": true}}
		trash := harness.ListTasks(t, conversation.Client, trashed).Tasks()
		require.Equal(t, []string{"Prepare the meeting"}, harness.Titles(trash))

		conversation.SendAndWait(t, "Change task 1 to 'Call mom tonight'")
		require.Equal(t, map[string]bool{"Call mom tonight": false, "Pay bills": true}, list())
		changes := harness.ListChanges(t, conversation.Client, 1).Changes.Nodes
		require.Equal(t, "UPDATED", changes[1].Kind)
		require.Equal(t, "title", changes[1].Fields[0].Name)
		require.Equal(t, "Buy groceries", *changes[1].Fields[0].From)
		require.Equal(t, "Call mom tonight", *changes[1].Fields[0].To)
		require.Equal(t, "update_task", changes[1].ToolCall.Name)
	})
}

func TestCommands_AmbiguousDeletion_AsksAndChangesNothing(t *testing.T) {
	eachModelProvider(t, func(t *testing.T, b *harness.Env) {
		conversation := &harness.Conversation{Client: b.Client(t, "alice")}
		harness.CreateTask(t, conversation.Client, testclient.Vars{"title": "Meeting with Ann"})
		harness.CreateTask(t, conversation.Client, testclient.Vars{"title": "Meeting with Bob"})
		reply := conversation.SendAndWait(t, "Delete the meeting task")
		require.Contains(t, reply.Content, "Meeting with Ann")
		require.Contains(t, reply.Content, "Meeting with Bob")
		require.Len(t, harness.AllTasks(t, conversation.Client), 2)

		conversation.SendAndWait(t, "the second one")
		require.Equal(t, []string{"Meeting with Ann"}, harness.Titles(harness.AllTasks(t, conversation.Client)))

		reply = conversation.SendAndWait(t, "Delete the dentist task")
		require.Equal(t, "COMPLETED", reply.Status)
		require.Len(t, harness.AllTasks(t, conversation.Client), 1)
	})
}

func TestCommands_DueDate_UsesUserTimeZone(t *testing.T) {
	eachModelProvider(t, func(t *testing.T, b *harness.Env) {
		conversation := &harness.Conversation{Client: b.Client(t, "alice")}
		conversation.Client.Try(t, `mutation { updateViewer(input: {timeZone: "Asia/Tokyo"}) { viewer { timeZone } } }`, nil)
		conversation.SendAndWait(t, "Add an urgent task to renew the passport on 2031-01-15 at 9am")
		task := harness.AllTasks(t, conversation.Client)[0]
		require.Equal(t, "URGENT", task.Priority)
		require.NotNil(t, task.DueAt)
		require.Equal(t, "2031-01-15T00:00:00Z", *task.DueAt)
	})
}

func TestCommands_WeekStart_DecidesThisAndNextWeek(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		today := time.Now().UTC().Truncate(24 * time.Hour)
		yesterday := strings.ToUpper(today.AddDate(0, 0, -1).Weekday().String())
		first := today.AddDate(0, 0, 6) // of the next week, when today is the second day of this week
		conversation := &harness.Conversation{Client: b.Client(t, "alice")}
		require.Empty(t, conversation.Client.Try(t,
			`mutation ($d: Weekday) { updateViewer(input: {weekStart: $d}) { viewer { id } } }`,
			testclient.Vars{"d": yesterday}).Errors)
		for title, day := range map[string]time.Time{"Quartz": first.AddDate(0, 0, -1), "Zebra": first} {
			harness.CreateTask(t, conversation.Client, testclient.Vars{"title": title, "dueOn": day.Format(time.DateOnly)})
		}
		reply := conversation.SendAndWait(t, "What is due this week?")
		require.Contains(t, reply.Content, "Quartz")
		require.NotContains(t, reply.Content, "Zebra")
		reply = conversation.SendAndWait(t, "What is due next week?")
		require.Contains(t, reply.Content, "Zebra")
		require.NotContains(t, reply.Content, "Quartz")
	})
}
