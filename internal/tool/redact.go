package tool

import (
	"encoding/json"

	"errand/ent"
	"errand/internal/apperr"
	"errand/internal/viewer"
)

// redactedResult replaces the result of a call whose reader may not read tasks.
var redactedResult = FailedResult(
	apperr.New(apperr.Forbidden, "This result is hidden: the token lacks the scope %s.", viewer.TasksRead),
).JSON

// RedactCalls replaces the arguments, proposals, choices and results of stored calls, which hold tasks, unless the
// scopes allow to read tasks. The result of a call that lacked a scope itself stays: it holds no task and explains the
// reply.
func RedactCalls(scopes viewer.Scopes, calls []*ent.ToolCall) {
	if scopes.Allow(viewer.TasksRead) {
		return
	}
	for _, c := range calls {
		c.Arguments, c.Proposal, c.Choices = "{}", nil, nil
		if c.Result != nil && !isForbidden(*c.Result) {
			c.Result = &redactedResult
		}
	}
}

// isForbidden reports whether a result is the error FORBIDDEN.
func isForbidden(result string) bool {
	var view struct{ Error struct{ Code apperr.Code } }
	return json.Unmarshal([]byte(result), &view) == nil && view.Error.Code == apperr.Forbidden
}
