package integration

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"errand/internal/llm/providertest"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// sendConcurrently sends n messages concurrently, distributed over the replicas, and returns the number
// accepted and the rejections.
func sendConcurrently(t *testing.T, all []*harness.Process, user string, n int) (accepted int,
	rejected []testclient.Response,
) {
	t.Helper()
	var mu sync.Mutex
	var sending sync.WaitGroup
	for i := range n {
		c := all[i%len(all)].Client(user)
		sending.Go(func() {
			a, err := c.Do(t.Context(), harness.SendDoc, testclient.Vars{"in": testclient.Vars{"content": "Hello"}})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				t.Error(err)
			case len(a.Errors) == 0:
				accepted++
			default:
				rejected = append(rejected, a)
			}
		})
	}
	sending.Wait()
	return accepted, rejected
}

// requireRateLimited checks that all responses are RATE_LIMITED with a retry delay of at most longest.
func requireRateLimited(t *testing.T, rejected []testclient.Response, longest time.Duration) {
	t.Helper()
	for _, a := range rejected {
		harness.RequireErrorCode(t, "RATE_LIMITED", a)
		wait := a.Errors[0].Extensions.RetryAfterMs
		require.Positive(t, wait)
		require.LessOrEqual(t, wait, longest.Milliseconds())
	}
}

func TestMessageRate_ThreeReplicas_IsShared(t *testing.T) {
	t.Parallel()
	m := harness.StartModel(t, func(harness.ModelRequest) providertest.Step { return harness.TextResponse("Done.") })
	all := startReplicas(t, testdb.PostgresURL(t), 3, m.Settings(), harness.Settings{"MESSAGES_PER_MINUTE": "5"})
	accepted, rejected := sendConcurrently(t, all, "alice", 24)
	require.Equal(t, 5, accepted)
	requireRateLimited(t, rejected, time.Minute)
	accepted, _ = sendConcurrently(t, all, "bob", 5)
	require.Equal(t, 5, accepted, "limits must be per user")
}

func TestUnfinishedReplies_ThreeReplicas_LimitIsShared(t *testing.T) {
	t.Parallel()
	m := harness.StartModel(t, func(harness.ModelRequest) providertest.Step { return providertest.Hang() })
	all := startReplicas(t, testdb.PostgresURL(t), 3, m.Settings(), harness.Settings{"MAX_REPLIES_PER_USER": "4"})
	accepted, rejected := sendConcurrently(t, all, "alice", 18)
	require.Equal(t, 4, accepted)
	requireRateLimited(t, rejected, 10*time.Second)
}

// TestDailyTokens_ThreeReplicas_ReservationIsShared starts replies concurrently on three replicas and checks
// that only as many call the model as the shared daily limit allows.
func TestDailyTokens_ThreeReplicas_ReservationIsShared(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	m := harness.StartModel(t, func(harness.ModelRequest) providertest.Step {
		return func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
				harness.TextResponse("So be it.")(w, r)
			case <-r.Context().Done():
			}
		}
	})
	all := startReplicas(
		t,
		testdb.PostgresURL(t),
		3,
		m.Settings(),
		harness.Settings{"TOKENS_PER_DAY": "4000"},
	) // a call reserves about 2500
	alice := all[0].Client("alice")
	socket := alice.Dial(t)
	turns := map[string]testclient.Turn{}
	for i := range 6 {
		content := fmt.Sprint("Hello ", i)
		turns[content] = harness.Send(t, all[i%len(all)].Client("alice"), "", content)
	}
	m.WaitForRequest(t, func(harness.ModelRequest) bool { return true })
	winner := m.Requests()[0].UserMessage
	for content, turn := range turns {
		if content == winner {
			continue
		}
		reply := socket.Follow(t, turn.Conversation.ID, "").AwaitFinished(t, turn.AssistantMessage.ID)
		require.Equal(t, "FAILED", reply.Status)
		require.Equal(t, "RATE_LIMITED", reply.Error.Code)
	}
	require.Len(t, m.Requests(), 1)
	close(release)
	turn := turns[winner]
	require.Equal(t, "COMPLETED", socket.Follow(t, turn.Conversation.ID, "").AwaitFinished(t,
		turn.AssistantMessage.ID).Status)
	require.Equal(t, 1, usageReportOf(t, alice, "DAY").Calls)
}

func TestMCPCallRate_ThreeReplicas_IsShared(t *testing.T) {
	t.Parallel()
	const perMinute = 8
	all := startReplicas(t, testdb.PostgresURL(t), 3, harness.Settings{"MCP_CALLS_PER_MINUTE": strconv.Itoa(perMinute)})
	sessions := make([]*sdk.ClientSession, len(all))
	for i, replica := range all {
		sessions[i] = connectOverHTTP(t, replica.Client("alice"), "2026-07-28")
	}
	began := time.Now()
	var accepted atomic.Int64
	var calling sync.WaitGroup
	for i := range 24 {
		calling.Go(func() {
			result, err := sessions[i%len(sessions)].CallTool(
				t.Context(),
				&sdk.CallToolParams{Name: "add_task", Arguments: map[string]any{"title": "Hello"}},
			)
			switch {
			case err != nil:
				t.Error(err)
			case !result.IsError:
				accepted.Add(1)
			case result.Meta["errand/code"] != "RATE_LIMITED":
				t.Error(result.Meta)
			}
		})
	}
	calling.Wait()
	room := int(time.Since(began)/(time.Minute/perMinute)) + 1 // for as long as they took
	require.GreaterOrEqual(t, int(accepted.Load()), perMinute-len(all), "each handshake counts too")
	require.LessOrEqual(t, int(accepted.Load()), perMinute-len(all)+room)
	require.Len(t, harness.AllTasks(t, all[0].Client("alice")), int(accepted.Load()))
	callTool(t, connectOverHTTP(t, all[0].Client("bob"), "2025-11-25"), "list_tasks", nil)
}
