package offline_test

import "testing"

func TestModel_WordingVariations_MakeSameCalls(t *testing.T) {
	understands(t, []utterance{
		{"Could you create a task for me to buy groceries?", `add_task {"title":"Buy groceries"}`},
		{"I want to add a task", `= What should the task be called?`},
		{"Add groceries to my to-do list", `add_task {"title":"Groceries"}`},
		{"Add \"buy groceries\" to the list", `add_task {"title":"buy groceries"}`},
		{
			"Add task Buy groceries with description Get milk, eggs and bread",
			`add_task {"description":"Get milk, eggs and bread","title":"Buy groceries"}`,
		},
		{
			"Add a task titled \"Read book\" with description \"Finish chapter 3\"",
			`add_task {"description":"Finish chapter 3","title":"Read book"}`,
		},
		{
			"Create a task \"Review PR\" with high priority and due date tomorrow",
			`add_task {"due_on":"2026-11-26","priority":"high","title":"Review PR"}`,
		},
		{
			"Create task: Review PR, priority: high, due: tomorrow",
			`add_task {"due_on":"2026-11-26","priority":"high","title":"Review PR"}`,
		},
		{"Add a new task called 'Submit taxes' due April 15", `add_task {"due_on":"2027-04-15","title":"Submit taxes"}`},
		{"Remind me to submit taxes by April 15th, 2027", `add_task {"due_on":"2027-04-15","title":"Submit taxes"}`},
		{
			"Add a task to submit taxes on the 15th of April at 9am",
			`add_task {"due_at":"2027-04-15T09:00:00+02:00","title":"Submit taxes"}`,
		},
		{
			"Create a task to call the plumber tomorrow morning",
			`add_task {"due_at":"2026-11-26T09:00:00+01:00","title":"Call the plumber"}`,
		},
		{"add a task to buy groceries next week", `add_task {"due_on":"2026-11-30","title":"Buy groceries"}`},
		{
			"Add buy groceries. It's urgent.",
			`add_task {"title":"Buy groceries"}; update_task {"number":6,"priority":"urgent"}`,
		},
		{"add write a note with details about the trip", `add_task {"title":"Write a note with details about the trip"}`},
		{"what are my tasks for tomorrow?", `list_tasks {"due_from":"2026-11-26","due_to":"2026-11-26","status":"pending"}`},
		{"Do I have anything to do today?", `list_tasks {"due_from":"2026-11-25","due_to":"2026-11-25","status":"pending"}`},
		{
			"What do I have going on this week?",
			`list_tasks {"due_from":"2026-11-23","due_to":"2026-11-29","status":"pending"}`,
		},
		{"Give me my to do list", `list_tasks {"status":"all"}`},
		{"what have I done so far?", `list_tasks {"status":"completed"}`},
		{"what's not done yet?", `list_tasks {"status":"pending"}`},
		{"What haven't I done?", `list_tasks {"status":"pending"}`},
		{"today's tasks", `list_tasks {"due_from":"2026-11-25","due_to":"2026-11-25","status":"pending"}`},
		{"show me today's tasks", `list_tasks {"due_from":"2026-11-25","due_to":"2026-11-25","status":"pending"}`},
		{"are there any urgent tasks", `list_tasks {"priority":"urgent","status":"pending"}`},
		{"Mark task 1 and 2 as complete", `complete_task {"number":1}; complete_task {"number":2}`},
		{"mark 1, 2, and 3 complete", `complete_task {"number":1}; complete_task {"number":2}; complete_task {"number":3}`},
		{"Mark the first task as complete", `= Which task do you mean? Please tell me its num`},
		{
			"I completed \"Pay bills\"",
			`list_tasks {"limit":100,"search":"Pay bills","status":"all"}; complete_task {"number":2}`,
		},
		{
			"I don't need the meeting task anymore",
			`list_tasks {"limit":100,"search":"meeting","status":"all"}; delete_task {"number":3}`,
		},
		{"clear completed tasks", `list_tasks {"limit":100,"status":"completed"}; delete_task {"number":5}`},
		{"delete call bob", `list_tasks {"limit":100,"search":"call bob","status":"all"}; delete_task {"number":4}`},
		{"Change task 1's title to Buy food", `update_task {"number":1,"title":"Buy food"}`},
		{"Change the description of task 1 to \"Milk\"", `update_task {"description":"Milk","number":1}`},
		{
			"Rename \"Buy groceries\" to \"Buy fruits\"",
			`list_tasks {"limit":100,"search":"Buy groceries","status":"all"}; update_task {"number":1,"title":"Buy fruits"}`,
		},
		{
			"Change buy groceries to buy fruits",
			`list_tasks {"limit":100,"search":"buy groceries","status":"all"}; update_task {"number":1,"title":"Buy fruits"}`,
		},
		{
			"add a deadline of friday to the bills task",
			`list_tasks {"limit":100,"search":"bills","status":"all"}; update_task {"due_on":"2026-11-27","number":2}`,
		},
		{"Move the due date of task 1 to next Monday", `update_task {"due_on":"2026-11-30","number":1}`},
		{"Task 1 is due on Friday at 3pm", `update_task {"due_at":"2026-11-27T15:00:00+01:00","number":1}`},
		{"Set a reminder for task 1 tomorrow at 9", `update_task {"due_at":"2026-11-26T09:00:00+01:00","number":1}`},
		{
			"remind me of task 1 at 5pm",
			`list_tasks {"limit":100,"status":"all"}; update_task {"due_at":"2026-11-25T17:00:00+01:00","number":1}`,
		},
		{"put task 1 on friday", `update_task {"due_on":"2026-11-27","number":1}`},
		{"remove urgent from task 1", `update_task {"number":1,"priority":"none"}`},
		{"task 1 isn't urgent anymore", `update_task {"number":1,"priority":"none"}`},
		{
			"add a comment to task 1: milk",
			`list_tasks {"limit":100,"status":"all"}; update_task {"description":"milk","number":1}`,
		},
		{
			"label task 1 with errands",
			`list_tasks {"limit":100,"status":"all"}; update_task {"labels":["errands"],"number":1}`,
		},
		{"what labels does task 1 have", `list_tasks {"limit":100,"status":"all"}`},
		{
			"delete all tasks due tomorrow",
			`list_tasks {"due_from":"2026-11-26","due_to":"2026-11-26","limit":100,"status":"all"}`,
		},
		{"delete tasks tagged home", `list_tasks {"label":"home","limit":100,"status":"all"}`},
		{"delete the done ones", `list_tasks {"limit":100,"status":"completed"}; delete_task {"number":5}`},
		{"delete the meeting tasks", `list_tasks {"limit":100,"search":"meeting","status":"all"}; delete_task {"number":3}`},
		{"complete all my overdue tasks", `list_tasks {"due_to":"2026-11-25","limit":100,"status":"pending"}`},
		{
			"mark all meeting tasks as done",
			`list_tasks {"limit":100,"search":"meeting","status":"pending"}; complete_task {"number":3}`,
		},
		{"which of my tasks are due friday", `list_tasks {"due_from":"2026-11-27","due_to":"2026-11-27","status":"pending"}`},
		{"delete tasks", `= Which task do you mean? Please tell me its num`},
		{"assign task 1 to Bob", `= I did not understand “assign task 1 to Bob”. Y`},
		{"sort my tasks by due date", `= I did not understand “sort my tasks by due dat`},
		{"tell me a joke", `= I did not understand “tell me a joke”.`},
	})
}
