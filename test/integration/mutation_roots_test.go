package integration

import (
	"encoding/json"
	"testing"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestMutation_OneRootFails_KeepsOtherResults runs several root fields in one operation. A failed one is null, with its
// error; the results of the others stay.
func TestMutation_OneRootFails_KeepsOtherResults(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		response := c.Try(t, `mutation {
			first: createTask(input: {title: "Milk"}) { task { title } }
			bad: createTask(input: {title: ""}) { task { title } }
			missing: completeTask(id: "task_01jd0000000000000000000000") { task { title } }
			conversation: createConversation(input: {title: "Plans"}) { conversation { title } }
			none: deleteConversation(id: "x") { deletedId }
			last: createTask(input: {title: "Eggs"}) { task { title } } }`, nil)
		require.JSONEq(t, `{
			"first": {"task": {"title": "Milk"}},
			"bad": null,
			"missing": null,
			"conversation": {"conversation": {"title": "Plans"}},
			"none": null,
			"last": {"task": {"title": "Eggs"}}}`, string(response.Data))
		require.Equal(t, map[string]string{
			"bad":     "BAD_USER_INPUT",
			"missing": "NOT_FOUND",
			"none":    "NOT_FOUND",
		}, codesByPath(t, response))
		require.Equal(t, []string{"Milk", "Eggs"}, harness.Titles(harness.AllTasks(t, c)))
	})
}

// TestMutation_PayloadFieldLacksScope_NullsItsRootOnly selects the history of a task with a token that may only write
// tasks. The change is made and the error names the scope; only the root field of the selection is null.
func TestMutation_PayloadFieldLacksScope_NullsItsRootOnly(t *testing.T) {
	t.Parallel()
	b := harness.Start(t, testdb.SQLiteURL(t), harness.GenerousLimits)
	c := b.ClientWithScopes(t, "alice", "tasks:write")
	response := c.Try(t, `mutation {
		first: createTask(input: {title: "Milk"}) { task { title } }
		history: createTask(input: {title: "Eggs"}) { task { title changes { nodes { id } } } }
		chat: createConversation { conversation { id } }
		last: createTask(input: {title: "Bread"}) { task { title } } }`, nil)
	require.JSONEq(t, `{
		"first": {"task": {"title": "Milk"}},
		"history": null,
		"chat": null,
		"last": {"task": {"title": "Bread"}}}`, string(response.Data))
	require.Equal(t, map[string]string{"history": "FORBIDDEN", "chat": "FORBIDDEN"}, codesByPath(t, response))
	require.Equal(t, []string{"Milk", "Eggs", "Bread"}, harness.Titles(harness.AllTasks(t, b.Client(t, "alice"))))
}

// codesByPath returns the error codes of a response by the root field at which they occurred.
func codesByPath(t *testing.T, response testclient.Response) map[string]string {
	t.Helper()
	var body struct {
		Errors []struct {
			Path       []any
			Extensions struct{ Code string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(response.Raw), &body))
	codes := map[string]string{}
	for _, e := range body.Errors {
		require.NotEmpty(t, e.Path, "%s", response.Raw)
		codes[e.Path[0].(string)] = e.Extensions.Code
	}
	return codes
}
