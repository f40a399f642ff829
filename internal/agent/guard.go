package agent

import (
	"regexp"
	"strconv"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/tool"
)

// maxRange bounds "tasks 3 to 40".
const maxRange = 100

var namedNumbers = regexp.MustCompile(`(\d{1,9})(?:\s*(?:-|–|to|through|until|bis)\s*(?:task\s*)?#?(\d{1,9})\b)?`)

// named are the numbers that stand in a message, ranges included: tasks that the person
// speaks of in so many words. Nothing that somebody else wrote can add to them.
func named(message string) map[int]bool {
	numbers := map[int]bool{}
	for _, m := range namedNumbers.FindAllStringSubmatch(message, -1) {
		from, _ := strconv.Atoi(m[1])
		to, err := strconv.Atoi(m[2])
		if err != nil || to < from || to-from > maxRange {
			numbers[from], numbers[to] = true, true
			continue
		}
		for n := from; n <= to; n++ {
			numbers[n] = true
		}
	}
	return numbers
}

// guard refuses a change that exceeds what a turn may do to tasks that the person did
// not name. Whoever knows a task's number without the person's naming it has read it, in this turn or an
// earlier one, and what was read may hold orders of others: the bound is what they can do at most.
func (t *turn) guard(c *ent.ToolCall) (refused tool.Result, ok bool) {
	number, changes := t.Tools.TargetTask(c.Name, c.Arguments)
	if !changes {
		return tool.Result{}, true
	}
	numbers := named(t.asked)
	touched := t.changedTasks()
	for n := range touched {
		if numbers[n] {
			delete(touched, n)
		}
	}
	if numbers[number] || touched[number] || len(touched) < t.Limits.Changes {
		return tool.Result{}, true
	}
	return tool.FailedResult(apperr.New(
		apperr.Forbidden,
		"One message may change at most %d tasks that it does not name by number. This one is unchanged; to change it, name its number.",
		t.Limits.Changes,
	)), false
}

// changedTasks are the numbers of the tasks that this reply has changed or deleted.
func (t *turn) changedTasks() map[int]bool {
	touched := map[int]bool{}
	for _, s := range t.steps {
		for _, c := range s.calls {
			if number, changes := t.Tools.TargetTask(c.Name, c.Arguments); changes && c.Status == enum.ToolCallSucceeded {
				touched[number] = true
			}
		}
	}
	return touched
}
