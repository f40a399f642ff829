package agent

import (
	"regexp"
	"slices"
	"strconv"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/tool"
)

// maxRange bounds "tasks 3 to 40".
const maxRange = 100

var numberPattern = regexp.MustCompile(`(\d{1,9})(?:\s*(?:-|–|to|through|until|bis)\s*(?:task\s*)?#?(\d{1,9})\b)?`)

// mentionedNumbers returns the numbers in a message, ranges included: the tasks that the user names.
// Text from other sources cannot add to them.
func mentionedNumbers(message string) map[int]bool {
	numbers := map[int]bool{}
	for _, m := range numberPattern.FindAllStringSubmatch(message, -1) {
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

// checkChangeLimit rejects a call that would exceed Limits.Changes. A number that the user did not name comes
// from text the model has read, which may hold injected instructions; the limit bounds their damage.
func (t *turn) checkChangeLimit(c *ent.ToolCall) (refused tool.Result, ok bool) {
	number, changes := t.Tools.TargetTask(c.Name, c.Arguments)
	if !changes {
		return tool.Result{}, true
	}
	numbers := mentionedNumbers(t.userMessage)
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
		"One message may change at most %d tasks that it does not name by number. This one is unchanged; to change "+
			"it, name its number.",
		t.Limits.Changes,
	)), false
}

// changedTasks returns the numbers of the tasks that this turn has changed or deleted.
func (t *turn) changedTasks() map[int]bool {
	touched := map[int]bool{}
	for _, s := range slices.Concat(t.earlierSteps, t.steps) {
		for _, c := range s.calls {
			if number, changes := t.Tools.TargetTask(c.Name, c.Arguments); changes && c.Status == enum.ToolCallSucceeded {
				touched[number] = true
			}
		}
	}
	return touched
}
