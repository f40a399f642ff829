package offline

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"errand/internal/offline/intent"
)

const examples = "You can say things like “Add a task to buy groceries tomorrow at 5pm”, “Show my tasks”, “Mark " +
	"task 3 as done”, “Move task 2 to friday” or “Delete the meeting task”."

var talk = map[intent.Topic]string{
	intent.Greeting:  "Hello! I look after your task list. " + examples,
	intent.HowAreYou: "All is well, thank you. What can I do for your task list?",
	intent.Thanks:    "You are welcome.",
	intent.Help: "I look after your task list: I add, show, complete, reopen, change and delete tasks, " +
		"with due dates, priorities, notes and #labels. " + examples,
	intent.Farewell:     "Goodbye!",
	intent.Acknowledged: "Okay.",
	intent.LeftAlone:    "Okay, I left everything as it is.",
	intent.NoUndo: "I cannot undo things by myself. I can reopen a task (“reopen task 3”) or change it back " +
		"if you tell me how it was.",
}

// courtesy topics are dropped when the message also contains a request.
var courtesy = map[intent.Topic]bool{
	intent.Greeting: true, intent.HowAreYou: true, intent.Thanks: true, intent.Farewell: true, intent.Acknowledged: true,
	intent.Help: false,
}

// compose writes the reply: the outcome of each request in order, then the parts that were not understood.
func compose(requests []intent.Request, outcomes []outcome) string {
	var lines, unknown []string
	small := ""
	for i, r := range requests {
		switch {
		case len(outcomes[i].lines) > 0:
			lines = append(lines, outcomes[i].lines...)
		case r.Kind == intent.Unknown:
			unknown = append(unknown, quote(r.Said))
		case r.Kind == intent.Say && courtesy[r.Topic]:
			small = better(small, talk[r.Topic])
		case r.Kind == intent.Say:
			lines = append(lines, remark(r))
		}
	}
	if len(unknown) > 0 {
		lines = append(lines, notUnderstood(unknown))
	}
	switch {
	case len(lines) > 0:
		return strings.Join(lines, "\n")
	case small != "":
		return small
	}
	return "I did not understand that. " + examples
}

// better returns one of two courtesies; any other one takes precedence over "Okay.".
func better(had, next string) string {
	if had == "" || had == talk[intent.Acknowledged] {
		return next
	}
	return had
}

// remark returns the reply to small talk that is not dropped beside requests.
func remark(r intent.Request) string {
	switch r.Topic {
	case intent.NoRepeat:
		return "I cannot repeat tasks (" + quote(
			r.Rhythm,
		) + "), so I did nothing for " + quote(
			r.Said,
		) + ". Give me a single date instead, for example “next monday”."
	case intent.NoCondition:
		return "I cannot act on conditions, so I did nothing for " + quote(r.Said) + ". Tell me when it is time."
	}
	return talk[r.Topic]
}

func notUnderstood(parts []string) string {
	const most = 3
	list := strings.Join(parts[:min(len(parts), most)], ", ")
	if len(parts) > most {
		list += fmt.Sprintf(" and %d more parts", len(parts)-most)
	}
	return "I did not understand " + list + ". " + examples
}

// listing returns tasks under a heading that describes the filter.
func listing(f intent.Filter, r toolResult, now time.Time) []string {
	note := ""
	if f.ByCompletion {
		note = "I cannot tell when tasks were completed. "
	}
	if r.Total == 0 || len(r.Tasks) == 0 && r.more() == 0 {
		return []string{note + nothing(f)}
	}
	if len(r.Tasks) == 0 {
		return []string{"None of the tasks that I could look through are among those."}
	}
	heading := note + "You have " + count(r.Total, f) + ":"
	if r.Total == 1 {
		heading = strings.Replace(heading, " that match ", " that matches ", 1)
	}
	return append([]string{heading}, rows(r.Tasks, r.more(), now, f.Status == "all")...)
}

// nothing returns the reply when no task matches the filter.
func nothing(f intent.Filter) string {
	what := kindOf(f)
	if what == "" && describe(f) == "" {
		return "You have no tasks."
	}
	return "You have no " + what + "tasks" + describe(f) + "."
}

func count(n int, f intent.Filter) string {
	noun := "tasks"
	if n == 1 {
		noun = "task"
	}
	return strconv.Itoa(n) + " " + kindOf(f) + noun + describe(f)
}

// kindOf returns the words before "tasks": "overdue ", "urgent pending ".
func kindOf(f intent.Filter) string {
	s := ""
	switch f.Priority {
	case "":
	case "none":
		s = "no-priority "
	case "urgent":
		s = "urgent "
	default:
		s = f.Priority + "-priority "
	}
	if f.Overdue {
		return s + "overdue "
	}
	return s + adjective(f.Status)
}

// describe returns the words after "tasks": " due this week that match “milk”".
func describe(f intent.Filter) string {
	s := ""
	switch {
	case f.Overdue:
	case f.ByCompletion:
	case f.Undated:
		s += " without a due date"
	case f.When != "":
		s += " due " + oneLine(strings.ToLower(f.When))
	case f.Dated:
		s += " with a due date"
	}
	if f.Label != "" {
		s += " with the label #" + oneLine(f.Label)
	}
	if f.Search != "" {
		s += " that match " + quote(f.Search)
	}
	return s
}

// several returns the tasks that a phrase may mean, as a list.
func several(phrase string, ts []task, more int, now time.Time) string {
	lead := "There are several tasks:"
	if phrase != "" {
		lead = fmt.Sprintf("I found %d tasks that match %s:", len(ts)+more, quote(phrase))
		if len(ts)+more == 1 {
			lead = "I found one task that matches " + quote(phrase) + ":"
		}
	}
	const most = 20
	show := min(len(ts), most)
	return strings.Join(append([]string{lead}, rows(ts[:show], more+len(ts)-show, now, true)...), "\n")
}

// whichOne returns the question that asks the user to choose one of several tasks.
func whichOne(k intent.Kind, phrase string, ts []task, more int, now time.Time) string {
	return several(phrase, ts, more, now) + "\nWhich one should I " + verbs[k] + "?"
}

// confirmAll returns the question before a change of many tasks.
func confirmAll(k intent.Kind, r toolResult, now time.Time) string {
	list := several("", r.Tasks, r.more(), now)
	return fmt.Sprintf("%s\nShould I %s all %d of them?", list, verbs[k], r.Total)
}

// notReached returns the report of requests that were not executed because of the limits of a turn.
func notReached(req intent.Request, names []string) string {
	what := "I did not get to " + quote(req.Said)
	if len(names) > 0 {
		const most = 10
		list := strings.Join(names[:min(len(names), most)], ", ")
		if len(names) > most {
			list += fmt.Sprintf(" and %d more", len(names)-most)
		}
		what = "I did not get to " + list
	}
	return what + ": one message has room for 16 steps. Please send that again."
}

// summarizeRecorded returns the report of a turn whose recorded calls are another model's.
func summarizeRecorded(t turn, now time.Time) string {
	kinds := map[string]intent.Kind{
		completeTask: intent.Complete,
		reopenTask:   intent.Reopen,
		deleteTask:   intent.Delete,
		updateTask:   intent.Update,
	}
	var lines []string
	for _, calls := range t.rounds {
		for _, d := range calls {
			k, change := kinds[d.name]
			switch {
			case d.result == nil:
			case d.result.Error != nil:
				lines = append(lines, "One step failed: "+d.result.reason())
			case d.result.Task != nil && d.name == addTask:
				lines = append(lines, added(*d.result.Task, now))
			case d.result.Task != nil && change:
				line, _ := changed(intent.Request{Kind: k}, d.result.Task.Number, *d.result, now)
				lines = append(lines, line)
			case d.name == listTasks:
				lines = append(lines, listing(intent.Filter{Status: "all"}, *d.result, now)...)
			}
		}
	}
	if len(lines) == 0 {
		return "I could not finish that. " + examples
	}
	return strings.Join(lines, "\n")
}
