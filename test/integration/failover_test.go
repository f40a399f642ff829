package integration

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// failovers are the ways in which a primary ends before its standby is promoted.
var failovers = map[string]func(t *testing.T, pair *testdb.Pair){
	"crash":      func(t *testing.T, pair *testdb.Pair) { require.NoError(t, pair.Primary.Stop(t.Context(), true)) },
	"read-only":  func(t *testing.T, pair *testdb.Pair) { pair.Demote(t); pair.AwaitStandby(t) },
	"clean stop": func(t *testing.T, pair *testdb.Pair) { require.NoError(t, pair.Primary.Stop(t.Context(), false)) },
}

const createTaskDoc = `mutation ($title: String!) { createTask(input: { title: $title }) { task { id } } }`

// tryCreate creates a task, and reports whether that succeeded. Any error must be a retryable one.
func tryCreate(t *testing.T, c *testclient.Client, title string) bool {
	t.Helper()
	response, err := c.Do(context.Background(), createTaskDoc, testclient.Vars{"title": title})
	require.NoError(t, err)
	if len(response.Errors) == 0 {
		return true
	}
	require.Equal(t, "SERVICE_UNAVAILABLE", response.ErrorCode(), "%s", response.Raw)
	return false
}

func TestFailover_StandbyPromoted_WritesAndStreamsContinue(t *testing.T) {
	t.Parallel()
	for name, end := range failovers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pair := testdb.NewPair(t)
			// A sweep and a lease of minutes: what one replica learns of another, it learns from the bus.
			all := startReplicas(t, pair.URL, 2)
			for i, replica := range all {
				for n := range 20 { // fills the pools
					harness.CreateTask(t, replica.Client("alice"), testclient.Vars{"title": fmt.Sprint("before ", i, n)})
				}
			}
			a, b := all[0].Client("alice"), all[1].Client("alice")
			turn := harness.Send(t, a, "", "hello")
			stream := b.Dial(t).Follow(t, turn.Conversation.ID, "")
			stream.AwaitFinished(t, turn.AssistantMessage.ID)
			pair.AwaitStandby(t)
			end(t, pair)
			pair.Promote(t)
			promoted := time.Now()
			for i, c := range []*testclient.Client{a, b} {
				require.Eventually(t, func() bool { return tryCreate(t, c, "first") }, testclient.Timeout, 20*time.Millisecond)
				t.Logf("replica %d wrote again %s after the promotion", i, time.Since(promoted))
			}
			// No connection to the former primary is left: not one request fails from here.
			for i := range 60 {
				require.True(t, tryCreate(t, []*testclient.Client{a, b}[i%2], fmt.Sprint("after ", i)))
			}
			turn = harness.Send(t, a, turn.Conversation.ID, "hello again")
			stream.AwaitFinished(t, turn.AssistantMessage.ID)
			requireHealthy(t, all[0].URL)
		})
	}
}

func requireHealthy(t *testing.T, url string) {
	t.Helper()
	require.Eventually(t, func() bool {
		response, err := http.Get(url + "/health")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK
	}, testclient.Timeout, 50*time.Millisecond)
}

func TestMetrics_SessionLock_IsReportedOnPostgres(t *testing.T) {
	t.Parallel()
	testdb.EachURL(t, func(t *testing.T, url string) {
		t.Parallel()
		env := harness.Start(t, url)
		w := httptest.NewRecorder()
		env.Metrics.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		if env.DB.SingleServer() {
			require.NotContains(t, w.Body.String(), "errand_session_lock_held")
			return
		}
		require.Contains(t, w.Body.String(), "\nerrand_session_lock_held 1\n")
	})
}
