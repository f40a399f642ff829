package integration

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheEightCommands is a person's day: each sentence, and the list after it.
func TestTheEightCommands(t *testing.T) {
	eachModel(t, func(t *testing.T, b *bench) {
		k := &talk{c: b.user(t, "alice")}
		list := func() map[string]bool {
			state := map[string]bool{}
			for _, one := range allTasks(t, k.c) {
				state[one.Title] = one.Completed
			}
			return state
		}

		reply := k.say(t, "Add a task to buy groceries")
		require.Contains(t, reply.Content, "Buy groceries")
		require.Equal(t, map[string]bool{"Buy groceries": false}, list())

		k.say(t, "I need to remember to pay bills")
		require.Equal(t, map[string]bool{"Buy groceries": false, "Pay bills": false}, list())

		createTask(t, k.c, vars{"title": "Prepare the meeting"})
		reply = k.say(t, "Show me all my tasks")
		require.Equal(t, "list_tasks", reply.ToolCalls[0].Name)
		for title := range list() {
			require.Contains(t, reply.Content, title)
		}

		k.say(t, "Mark task 2 as complete")
		require.Equal(t, map[string]bool{"Buy groceries": false, "Pay bills": true, "Prepare the meeting": false}, list())

		reply = k.say(t, "What's pending?")
		require.Contains(t, reply.Content, "Buy groceries")
		require.NotContains(t, reply.Content, "Pay bills")

		reply = k.say(t, "What have I completed?")
		require.Contains(t, reply.Content, "Pay bills")
		require.NotContains(t, reply.Content, "Buy groceries")

		k.say(t, "Delete the meeting task")
		require.Equal(t, map[string]bool{"Buy groceries": false, "Pay bills": true}, list())
		trash := listTasks(t, k.c, vars{"filter": vars{"trashed": true}}).tasks()
		require.Equal(t, []string{"Prepare the meeting"}, titles(trash))

		k.say(t, "Change task 1 to 'Call mom tonight'")
		require.Equal(t, map[string]bool{"Call mom tonight": false, "Pay bills": true}, list())
		changes := historyOf(t, k.c, 1).Changes.Nodes
		require.Equal(t, "UPDATED", changes[1].Kind)
		require.Equal(t, "title", changes[1].Fields[0].Name)
		require.Equal(t, "Buy groceries", *changes[1].Fields[0].From)
		require.Equal(t, "Call mom tonight", *changes[1].Fields[0].To)
		require.Equal(t, "update_task", changes[1].ToolCall.Name)
	})
}

func TestAnAmbiguousDeletionAsksAndChangesNothing(t *testing.T) {
	eachModel(t, func(t *testing.T, b *bench) {
		k := &talk{c: b.user(t, "alice")}
		createTask(t, k.c, vars{"title": "Meeting with Ann"})
		createTask(t, k.c, vars{"title": "Meeting with Bob"})
		reply := k.say(t, "Delete the meeting task")
		require.Contains(t, reply.Content, "Meeting with Ann")
		require.Contains(t, reply.Content, "Meeting with Bob")
		require.Len(t, allTasks(t, k.c), 2)

		k.say(t, "the second one")
		require.Equal(t, []string{"Meeting with Ann"}, titles(allTasks(t, k.c)))

		reply = k.say(t, "Delete the dentist task")
		require.Equal(t, "COMPLETED", reply.Status)
		require.Len(t, allTasks(t, k.c), 1)
	})
}

func TestDueDatesAreMeantInThePersonsZone(t *testing.T) {
	eachModel(t, func(t *testing.T, b *bench) {
		k := &talk{c: b.user(t, "alice")}
		k.c.Try(t, `mutation { updateViewer(input: {timeZone: "Asia/Tokyo"}) { viewer { timeZone } } }`, nil)
		k.say(t, "Add an urgent task to renew the passport on 2031-01-15 at 9am")
		task := allTasks(t, k.c)[0]
		require.Equal(t, "URGENT", task.Priority)
		require.NotNil(t, task.DueAt)
		require.Equal(t, "2031-01-15T00:00:00Z", *task.DueAt)
	})
}
