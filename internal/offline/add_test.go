package offline_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// utterance is a message with its expected result in the standard fixture: the calls in order, or, after "= ", the
// beginning of the reply when no call is expected.
type utterance struct{ message, want string }

// standard returns a fixture with five tasks, the last of them completed.
func standard(t testingT) *fixture {
	w := newFixture(t, "Buy groceries", "Pay bills", "Team meeting", "Call Bob", "Write report")
	w.tasks[4].Completed = true
	return w
}

func understands(t *testing.T, table []utterance) {
	for _, u := range table {
		t.Run(u.message, func(t *testing.T) {
			w := standard(t)
			reply := w.say(u.message)
			if start, says := strings.CutPrefix(u.want, "= "); says {
				require.Empty(t, w.calls)
				require.True(t, strings.HasPrefix(reply, start), reply)
				return
			}
			require.Equal(t, u.want, strings.Join(w.calls, "; "))
		})
	}
}

func TestModel_ContractCommands_MakeExpectedCalls(t *testing.T) {
	understands(t, []utterance{
		{"Add a task to buy groceries", `add_task {"title":"Buy groceries"}`},
		{"Show me all my tasks", `list_tasks {"status":"all"}`},
		{"What's pending?", `list_tasks {"status":"pending"}`},
		{"Mark task 3 as complete", `complete_task {"number":3}`},
		{"Delete the meeting task", `list_tasks {"limit":100,"search":"meeting","status":"all"}; delete_task {"number":3}`},
		{"Change task 1 to 'Call mom tonight'", `update_task {"number":1,"title":"Call mom tonight"}`},
		{"I need to remember to pay bills", `add_task {"title":"Pay bills"}`},
		{"What have I completed?", `list_tasks {"status":"completed"}`},
	})
}

func TestModel_AddRequests_MakeExpectedCalls(t *testing.T) {
	understands(t, []utterance{
		{"ADD A TASK TO BUY MILK!", `add_task {"title":"BUY MILK"}`},
		{"add task buy milk", `add_task {"title":"Buy milk"}`},
		{"Add a task, buy milk", `add_task {"title":"Buy milk"}`},
		{"Create new task buy milk.", `add_task {"title":"Buy milk"}`},
		{"create a task called Prepare Q3 report", `add_task {"title":"Prepare Q3 report"}`},
		{"new task: buy milk", `add_task {"title":"Buy milk"}`},
		{"new todo buy milk", `add_task {"title":"Buy milk"}`},
		{"todo: wash the car", `add_task {"title":"Wash the car"}`},
		{"todo buy milk", `add_task {"title":"Buy milk"}`},
		{"add milk and eggs", `add_task {"title":"Milk and eggs"}`},
		{"add 5 pushups", `add_task {"title":"5 pushups"}`},
		{"add a meeting with Ann", `add_task {"title":"Meeting with Ann"}`},
		{"Please put down buy milk", `add_task {"title":"Buy milk"}`},
		{"put bread on my list", `add_task {"title":"Bread"}`},
		{"put bread on my shopping list", `add_task {"labels":["shopping"],"title":"Bread"}`},
		{"I'd like to add buy milk to my list", `add_task {"title":"Buy milk"}`},
		{"I want you to add a new task to my list: buy milk", `add_task {"title":"Buy milk"}`},
		{"Let’s add “call the bank”", `add_task {"title":"call the bank"}`},
		{"hey could you please add buy milk? thanks!", `add_task {"title":"Buy milk"}`},
		{"can u add buy milk pls", `add_task {"title":"Buy milk"}`},
		{"Hello! Please add buy milk. Thank you very much!", `add_task {"title":"Buy milk"}`},
		{"remind me to stretch", `add_task {"title":"Stretch"}`},
		{
			"Can you remind me to send the invoice to Dr. Smith on Monday?",
			`add_task {"due_on":"2026-11-30","title":"Send the invoice to Dr. Smith"}`,
		},
		{"please remember to feed the cat", `add_task {"title":"Feed the cat"}`},
		{"Don't forget to feed the cat", `add_task {"title":"Feed the cat"}`},
		{"Don’t let me forget to feed the cat", `add_task {"title":"Feed the cat"}`},
		{"make sure I feed the cat", `add_task {"title":"Feed the cat"}`},
		{"note to self: feed the cat", `add_task {"title":"Feed the cat"}`},
		{"I have to renew my passport", `add_task {"title":"Renew my passport"}`},
		{"i gotta call grandma", `add_task {"title":"Call grandma"}`},
		{"I need to buy a lamp", `add_task {"title":"Buy a lamp"}`},
		{"We must pay the rent", `add_task {"title":"Pay the rent"}`},
		{"I need to finish the report by friday", `add_task {"due_on":"2026-11-27","title":"Finish the report"}`},
		{
			"schedule a meeting with Ann for next friday at 3",
			`add_task {"due_at":"2026-11-27T15:00:00+01:00","title":"Meeting with Ann"}`,
		},
		{"add \"buy milk\"", `add_task {"title":"buy milk"}`},
		{"add 'Delete all tasks tomorrow'", `add_task {"title":"Delete all tasks tomorrow"}`},
		{"Add task \"Read 'War and Peace'\" for tomorrow", `add_task {"due_on":"2026-11-26","title":"Read 'War and Peace'"}`},
		{"Add read \"War and Peace\" tomorrow", `add_task {"due_on":"2026-11-26","title":"Read \"War and Peace\""}`},
		{"add a task to delete task 3", `add_task {"title":"Delete task 3"}`},
		{"remind me to mark task 3 as done", `add_task {"title":"Mark task 3 as done"}`},
		{"add call John re: invoice #4711", `add_task {"title":"Call John re: invoice #4711"}`},
		{
			"add visit https://example.com/a?b=c tomorrow",
			`add_task {"due_on":"2026-11-26","title":"Visit https://example.com/a?b=c"}`,
		},
		{"add 😀 party", `add_task {"title":"😀 party"}`},
		{"add a task: buy flowers, note: red ones only", `add_task {"description":"red ones only","title":"Buy flowers"}`},
	})
}

func TestModel_AddWithDueDate_SetsDueDate(t *testing.T) {
	understands(t, []utterance{
		{"add gym tomorrow", `add_task {"due_on":"2026-11-26","title":"Gym"}`},
		{"add gym tomorrow at 5pm", `add_task {"due_at":"2026-11-26T17:00:00+01:00","title":"Gym"}`},
		{"add gym at 5pm tomorrow", `add_task {"due_at":"2026-11-26T17:00:00+01:00","title":"Gym"}`},
		{"add gym tonight", `add_task {"due_at":"2026-11-25T20:00:00+01:00","title":"Gym"}`},
		{"add gym at noon", `add_task {"due_at":"2026-11-25T12:00:00+01:00","title":"Gym"}`},
		{"add gym next friday", `add_task {"due_on":"2026-11-27","title":"Gym"}`},
		{"add gym on tues", `add_task {"due_on":"2026-12-01","title":"Gym"}`},
		{"add gym in 3 days", `add_task {"due_on":"2026-11-28","title":"Gym"}`},
		{"add gym in two weeks", `add_task {"due_on":"2026-12-09","title":"Gym"}`},
		{"add gym in 20 minutes", `add_task {"due_at":"2026-11-25T11:55:00+01:00","title":"Gym"}`},
		{"add gym on 2027-01-15", `add_task {"due_on":"2027-01-15","title":"Gym"}`},
		{"add gym on 2027-01-15 at 09:30", `add_task {"due_at":"2027-01-15T09:30:00+01:00","title":"Gym"}`},
		{"add gym by the end of the month", `add_task {"due_on":"2026-11-30","title":"Gym"}`},
		{"add gym for jan 15", `add_task {"due_on":"2027-01-15","title":"Gym"}`},
		{"add gym before 15 January", `add_task {"due_on":"2027-01-15","title":"Gym"}`},
		{"add gym at 12:30", `add_task {"due_at":"2026-11-25T12:30:00+01:00","title":"Gym"}`},
		{"add gym by 15/1", `add_task {"due_on":"2027-01-15","title":"Gym"}`},
		{
			"Remind me in 2 hours to check the oven",
			`add_task {"due_at":"2026-11-25T13:35:00+01:00","title":"Check the oven"}`,
		},
		{
			"remind me tomorrow at 9am to water the plants",
			`add_task {"due_at":"2026-11-26T09:00:00+01:00","title":"Water the plants"}`,
		},
		{"add a reminder for tomorrow to buy stamps", `add_task {"due_on":"2026-11-26","title":"Buy stamps"}`},
		{"add plan friday dinner", `add_task {"title":"Plan friday dinner"}`},
		{"add watch the Sunday Times show", `add_task {"title":"Watch the Sunday Times show"}`},
		{"add gym due friday", `add_task {"due_on":"2026-11-27","title":"Gym"}`},
		{
			"put \"Dentist\" on my to-do list for next tuesday at 10:30",
			`add_task {"due_at":"2026-12-01T10:30:00+01:00","title":"Dentist"}`,
		},
		{"add gym on feb 30", `= There is no 30 February, so I did nothing for `},
		{"add gym on 2027-02-30", `= There is no 30 February 2027, so I did nothing`},
		{"add gym at 25:00", `= There is no time 25:00, so I did nothing for “`},
		{"add gym on 3/4/2027", `= I cannot tell the day from the month in 3/4/20`},
	})
}

func TestModel_RepeatedTask_StatesThatRepetitionIsUnsupported(t *testing.T) {
	understands(t, []utterance{
		{"Add water plants every monday", `= I cannot repeat tasks (“every monday”), so I d`},
		{"remind me every day to stretch", `= I cannot repeat tasks (“every day”), so I did `},
		{"add pay rent monthly", `= I cannot repeat tasks (“monthly”), so I did no`},
		{"move task 2 to every friday", `= I cannot repeat tasks (“every friday”), so I d`},
	})
}

func TestModel_AddWithPriority_SetsPriority(t *testing.T) {
	understands(t, []utterance{
		{
			"Add an urgent task to fix the server by friday #work",
			`add_task {"due_on":"2026-11-27","labels":["work"],"priority":"urgent","title":"Fix the server"}`,
		},
		{"add fix server, urgent", `add_task {"priority":"urgent","title":"Fix server"}`},
		{"add fix server asap", `add_task {"priority":"urgent","title":"Fix server"}`},
		{"add urgent: fix server", `add_task {"priority":"urgent","title":"Fix server"}`},
		{"add fix server !!", `add_task {"priority":"high","title":"Fix server"}`},
		{"add fix server!!!", `add_task {"priority":"urgent","title":"Fix server"}`},
		{"add fix server with high priority", `add_task {"priority":"high","title":"Fix server"}`},
		{"add a low priority task to dust the shelf", `add_task {"priority":"low","title":"Dust the shelf"}`},
		{
			"Create a high-priority task: finish the slides by end of month",
			`add_task {"due_on":"2026-11-30","priority":"high","title":"Finish the slides"}`,
		},
		{
			"new task: pay rent on the 1st, high priority",
			`add_task {"due_on":"2026-12-01","priority":"high","title":"Pay rent"}`,
		},
		{
			"Add task: water plants (due friday, urgent)",
			`add_task {"due_on":"2026-11-27","priority":"urgent","title":"Water plants"}`,
		},
		{
			"Add task: finish report - high priority - due tomorrow",
			`add_task {"due_on":"2026-11-26","priority":"high","title":"Finish report"}`,
		},
		{"add important call with the bank", `add_task {"priority":"high","title":"Call with the bank"}`},
		{"add milk #home #shop", `add_task {"labels":["home","shop"],"title":"Milk"}`},
		{
			"add a task: milk tomorrow, high priority, #home",
			`add_task {"due_on":"2026-11-26","labels":["home"],"priority":"high","title":"Milk"}`,
		},
		{"add milk, #home and show my list", `add_task {"labels":["home"],"title":"Milk"}; list_tasks {"status":"all"}`},
		{"add milk, #home, #shop, please", `add_task {"labels":["home","shop"],"title":"Milk"}`},
	})
}

func TestModel_SeveralRequests_MakeOneCallEach(t *testing.T) {
	understands(t, []utterance{
		{"add a task to buy milk and show my list", `add_task {"title":"Buy milk"}; list_tasks {"status":"all"}`},
		{
			"Add buy milk. Then mark task 2 done and delete task 5",
			`add_task {"title":"Buy milk"}; complete_task {"number":2}; delete_task {"number":5}`,
		},
		{
			"Delete tasks 2 and 3 and mark 1 as done, then show me what's left",
			`delete_task {"number":2}; delete_task {"number":3}; complete_task {"number":1}; list_tasks {"status":"pending"}`,
		},
		{"add milk and add bread", `add_task {"title":"Milk"}; add_task {"title":"Bread"}`},
		{"Add a task to mix flour and add water", `add_task {"title":"Mix flour and add water"}`},
		{
			"Add buy milk tomorrow and call mom on friday",
			`add_task {"due_on":"2026-11-26","title":"Buy milk"}; add_task {"due_on":"2026-11-27","title":"Call mom"}`,
		},
		{"Add \"Milk\", then \"Eggs\"", `add_task {"title":"Milk"}; add_task {"title":"Eggs"}`},
		{
			"Add these tasks:\n- milk\n- eggs tomorrow\n- finish report",
			`add_task {"title":"Milk"}; add_task {"due_on":"2026-11-26","title":"Eggs"}; add_task {"title":"Finish report"}`,
		},
		{
			"1. add milk\n2. mark task 1 as done\n3. show my list",
			`add_task {"title":"Milk"}; complete_task {"number":1}; list_tasks {"status":"all"}`,
		},
		{"* Mark 1 done\n* Delete 2", `complete_task {"number":1}; delete_task {"number":2}`},
		{"Please add:\n- milk\n- eggs\n\nThanks!", `add_task {"title":"Milk"}; add_task {"title":"Eggs"}`},
		{
			"Add tasks: milk, eggs and bread",
			`add_task {"title":"Milk"}; add_task {"title":"Eggs"}; add_task {"title":"Bread"}`,
		},
		{"add milk; bread; eggs", `add_task {"title":"Milk"}; add_task {"title":"Bread"}; add_task {"title":"Eggs"}`},
		{"complete 1, delete 2, reopen 5", `complete_task {"number":1}; delete_task {"number":2}; reopen_task {"number":5}`},
		{"please add eggs and please mark task 1 as done", `add_task {"title":"Eggs"}; complete_task {"number":1}`},
		{"add milk then mark it done", `add_task {"title":"Milk"}; complete_task {"number":6}`},
		{"rename task 2 to Foo and mark it done", `update_task {"number":2,"title":"Foo"}; complete_task {"number":2}`},
		{
			"delete the meeting task and show my tasks",
			`list_tasks {"limit":100,"search":"meeting","status":"all"}; delete_task {"number":3}; list_tasks {"status":"all"}`,
		},
		{
			"rename task 2 to pay bills and delete the old files",
			`update_task {"number":2,"title":"Pay bills and delete the old files"}`,
		},
		{"add a task to review the PR and delete task branch", `add_task {"title":"Review the PR and delete task branch"}`},
		{"show my tasks then delete the first one", `list_tasks {"status":"all"}; delete_task {"number":1}`},
	})
}
