package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"errand/internal/quota"
	"errand/internal/testclient"
	"errand/internal/viewer"
	"errand/test/harness"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// requireExactCounters requires that the user's counters equal what the user's rows add up to, and returns them. It
// repeats the two reads, because a reply that is still being written may change rows between them.
func requireExactCounters(t *testing.T, b *harness.Env, c *testclient.Client) (stored quota.Usage) {
	t.Helper()
	id := testclient.Run[struct{ Viewer struct{ ID string } }](t, c, `{ viewer { id } }`, nil).Viewer.ID
	ctx := viewer.NewContext(context.Background(), viewer.Viewer{UserID: id})
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		var found bool
		var err error
		stored, found, err = quota.Stored(ctx, b.DB.Client(), id)
		require.NoError(t, err)
		require.True(t, found)
		measured, err := quota.Measure(ctx, b.DB.Client(), b.DB.SQL(), id)
		require.NoError(t, err)
		require.Equal(t, measured, stored)
	}, testclient.Timeout, harness.PollInterval)
	return stored
}

// operation is one random request of a user. Errors of the API are expected: another worker may have deleted the
// object.
func operation(r *rand.Rand, c *testclient.Client, worker int) error {
	ctx := context.Background()
	do := func(document string, v testclient.Vars) (out struct {
		Tasks         struct{ Nodes []struct{ ID string } }
		Conversations struct{ Nodes []struct{ ID string } }
	}, err error,
	) {
		response, err := c.Do(ctx, document, v)
		if err != nil {
			return out, err
		}
		for _, e := range response.Errors {
			if e.Extensions.Code == "INTERNAL_SERVER_ERROR" {
				return out, fmt.Errorf("%s", response.Raw)
			}
		}
		if len(response.Data) > 0 {
			_ = json.Unmarshal(response.Data, &out) // mutations have other data
		}
		return out, nil
	}
	text := strings.Repeat("ä", r.IntN(300))
	found, err := do(`query ($trash: Boolean!) { tasks(first: 20, filter: { trashed: $trash }) { nodes { id } }
		conversations(first: 5) { nodes { id } } }`, testclient.Vars{"trash": r.IntN(3) == 0})
	if err != nil {
		return err
	}
	task, conversation := "task_none", "conv_none"
	if n := len(found.Tasks.Nodes); n > 0 {
		task = found.Tasks.Nodes[r.IntN(n)].ID
	}
	if n := len(found.Conversations.Nodes); n > 0 {
		conversation = found.Conversations.Nodes[r.IntN(n)].ID
	}
	message := testclient.Vars{"content": fmt.Sprintf("add a task to call %d %s", worker, text)}
	if r.IntN(2) == 0 {
		message["conversationId"] = conversation
	}
	byID := testclient.Vars{"id": task}
	switch r.IntN(10) {
	case 0, 1:
		_, err = do(harness.CreateTaskDoc, testclient.Vars{"in": testclient.Vars{
			"title": fmt.Sprint("w", worker), "description": text, "labels": []string{"ü", "label"},
		}})
	case 2:
		_, err = do(harness.UpdateTaskDoc, testclient.Vars{"in": testclient.Vars{
			"id": task, "description": text, "labels": []string{}, "completed": r.IntN(2) == 0,
		}})
	case 3:
		_, err = do(`mutation ($id: ID!) { completeTask(id: $id) { task { id } } }`, byID)
	case 4:
		_, err = do(`mutation ($id: ID!) { reopenTask(id: $id) { task { id } } }`, byID)
	case 5:
		_, err = do(`mutation ($id: ID!) { deleteTask(id: $id) { task { id } } }`, byID)
	case 6:
		_, err = do(`mutation ($id: ID!) { restoreTask(id: $id) { task { id } } }`, byID)
	case 7:
		_, err = do(`mutation { createConversation { conversation { id } } }`, nil)
	case 8:
		_, err = do(harness.SendDoc, testclient.Vars{"in": message})
	default:
		_, err = do(`mutation ($id: ID!) { deleteConversation(id: $id) { deletedId } }`, testclient.Vars{"id": conversation})
	}
	return err
}

// TestCounters_RandomConcurrentOperations_EqualRows changes one user's tasks and conversations from several clients at
// once, with replies that create tasks, and checks that the counters are exact.
func TestCounters_RandomConcurrentOperations_EqualRows(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		for _, err := range harness.Concurrently(4, func(worker int) error {
			r := rand.New(rand.NewPCG(seed, uint64(worker)))
			for range 60 {
				if err := operation(r, c, worker); err != nil {
					return err
				}
			}
			return nil
		}) {
			require.NoError(t, err)
		}
		require.Eventually(t, func() bool {
			return unfinishedReplies(t, b, c) == 0
		}, testclient.Timeout, harness.PollInterval)
		used := requireExactCounters(t, b, c)
		page := harness.ListTasks(t, c, testclient.Vars{})
		require.Equal(t, used.OpenTasks+used.CompletedTasks, page.TotalCount)
	})
}

// unfinishedReplies returns the number of the user's replies without a final status.
func unfinishedReplies(t *testing.T, b *harness.Env, c *testclient.Client) int {
	t.Helper()
	id := testclient.Run[struct{ Viewer struct{ ID string } }](t, c, `{ viewer { id } }`, nil).Viewer.ID
	ctx := viewer.NewContext(context.Background(), viewer.Viewer{UserID: id})
	all, err := b.DB.Client().Message.Query().All(ctx)
	require.NoError(t, err)
	n := 0
	for _, m := range all {
		if !m.Status.Terminal() {
			n++
		}
	}
	return n
}

// TestQuotas_Reached_ForbiddenWithLimitAndMax fills each quota through the API, the agent and MCP's tools.
func TestQuotas_Reached_ForbiddenWithLimitAndMax(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		requireOver := func(limit string, maximum int, document string, v testclient.Vars) {
			t.Helper()
			response := c.Try(t, document, v)
			harness.RequireErrorCode(t, "FORBIDDEN", response)
			require.Contains(t, response.Raw, fmt.Sprintf(`"limit":%q,"max":%d`, limit, maximum))
		}
		create := testclient.Vars{"in": testclient.Vars{"title": "one more"}}
		first := harness.CreateTask(t, c, testclient.Vars{"title": "first"})
		second := harness.CreateTask(t, c, testclient.Vars{"title": "second"})
		harness.ChangeTask(t, c, "deleteTask", second.ID)
		harness.CreateTask(t, c, testclient.Vars{"title": "third"})
		requireOver("tasks", 3, harness.CreateTaskDoc, create)

		conversation := &harness.Conversation{Client: c}
		reply := conversation.SendAndWait(t, "Add a task to call Bob")
		require.Equal(t, "COMPLETED", reply.Status, "a reply is never refused")
		require.Len(t, reply.ToolCalls, 1)
		require.Equal(t, "FAILED", reply.ToolCalls[0].Status)
		require.Contains(t, string(reply.ToolCalls[0].Result), "FORBIDDEN")
		requireExactCounters(t, b, c)

		testclient.Run[any](t, c, `mutation { createConversation { conversation { id } } }`, nil)
		requireOver("conversations", 2, `mutation { createConversation { conversation { id } } }`, nil)
		requireOver("conversations", 2, harness.SendDoc, testclient.Vars{"in": testclient.Vars{"content": "Hello"}})

		long := strings.Repeat("x", 9000)
		in := testclient.Vars{"id": first.ID, "description": long}
		harness.UpdateTask(t, c, in)
		in["description"] = long + "y"
		requireOver("bytes", 25_000, harness.UpdateTaskDoc, testclient.Vars{"in": in})
		requireOver("bytes", 25_000, harness.SendDoc, testclient.Vars{"in": testclient.Vars{
			"conversationId": conversation.ID, "content": strings.Repeat("z", 8000),
		}})
		harness.ChangeTask(t, c, "completeTask", first.ID)
		harness.ChangeTask(t, c, "deleteTask", first.ID)
		used := requireExactCounters(t, b, c)
		require.Equal(t, 2, used.TrashedTasks)
		require.Equal(t, 1, used.OpenTasks)
	}, harness.Settings{
		"MAX_TASKS_PER_USER": "3", "MAX_CONVERSATIONS_PER_USER": "2", "MAX_BYTES_PER_USER": "25000",
	})
}

// TestMutationRate_Exceeded_RateLimited checks that changes are counted once each, that repeats with an idempotency key
// and the agent's tool calls are not, and that a rejected change does not count.
func TestMutationRate_Exceeded_RateLimited(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		in := testclient.Vars{"in": testclient.Vars{"content": "Add a task to call Bob", "idempotencyKey": "k"}}
		for range 5 {
			testclient.Run[any](t, c, harness.SendDoc, in)
		}
		require.Eventually(t, func() bool { return unfinishedReplies(t, b, c) == 0 },
			testclient.Timeout, harness.PollInterval)
		require.Len(t, harness.AllTasks(t, c), 1)
		for range 2 {
			harness.CreateTask(t, c, testclient.Vars{"title": "one more"})
		}
		response := c.Try(t, harness.CreateTaskDoc, testclient.Vars{"in": testclient.Vars{"title": "too many"}})
		requireRateLimited(t, []testclient.Response{response}, time.Minute)
		require.Len(t, harness.AllTasks(t, c), 3)
		requireExactCounters(t, b, c)
	}, harness.Settings{"MUTATIONS_PER_MINUTE": "3"})
}
