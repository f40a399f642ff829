package integration

import (
	"testing"

	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

const findTaskDoc = `query ($r: String!, $status: TaskStatus, $trashed: Boolean) {
	findTask(reference: $r, status: $status, trashed: $trashed) {
		certain { number } candidates { task { number title } reason } } }`

// foundTask is a result of findTask.
type foundTask struct {
	Certain    *struct{ Number int }
	Candidates []struct {
		Task   struct{ Number int }
		Reason string
	}
}

func findTask(t *testing.T, c *testclient.Client, vars testclient.Vars) foundTask {
	t.Helper()
	return testclient.Run[struct{ FindTask foundTask }](t, c, findTaskDoc, vars).FindTask
}

func TestFindTask_References_CertainOrCandidatesWithReasons(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		for _, title := range []string{"Chapter 7", "Catering order", "Buy milk", "Buy milk", "Walk the dog"} {
			harness.CreateTask(t, c, testclient.Vars{"title": title, "description": "Cats and chapter 8"})
		}
		for reference, want := range map[string]int{"#2": 2, "chapter 7": 1, "walking dogs, please": 5, "the order task": 2} {
			found := findTask(t, c, testclient.Vars{"r": reference})
			require.NotNil(t, found.Certain, reference)
			require.Equal(t, want, found.Certain.Number, reference)
			require.Empty(t, found.Candidates)
		}
		for reference, reasons := range map[string][]string{
			"buy milk": {"TITLE", "TITLE"}, "milk": {"ALL_WORDS", "ALL_WORDS"}, "the cat task": {"PREFIXES"},
			"chapter 8": {"SOME_WORDS"}, "catrering": {"SPELLING"},
			"#2 milk": {"NUMBER", "SOME_WORDS", "SOME_WORDS"}, "zebra": nil,
		} {
			found := findTask(t, c, testclient.Vars{"r": reference})
			require.Nil(t, found.Certain, reference)
			var got []string
			for _, candidate := range found.Candidates {
				got = append(got, candidate.Reason)
			}
			require.Equal(t, reasons, got, reference)
		}
		first := harness.AllTasks(t, c)[0]
		harness.ChangeTask(t, c, "deleteTask", first.ID)
		require.Nil(t, findTask(t, c, testclient.Vars{"r": first.ID}).Certain)
		require.NotNil(t, findTask(t, c, testclient.Vars{"r": first.ID, "trashed": true}).Certain)
		require.NotNil(t, findTask(t, c, testclient.Vars{"r": "order", "status": "PENDING"}).Certain)
		require.Nil(t, findTask(t, c, testclient.Vars{"r": "order", "status": "COMPLETED"}).Certain)
		require.NotNil(t, findTask(t, c, testclient.Vars{"r": "order", "status": nil, "trashed": nil}).Certain)
		require.Empty(t, findTask(t, b.Client(t, "bob"), testclient.Vars{"r": "order"}).Candidates)
		require.Nil(t, findTask(t, b.Client(t, "bob"), testclient.Vars{"r": "2"}).Certain)
	})
}

func TestFindTask_TwoAliases_BothAnswerAndThirdExceedsCost(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		harness.CreateTask(t, c, testclient.Vars{"title": "Pay invoice 6"})
		harness.CreateTask(t, c, testclient.Vars{"title": "Vitamin D"})
		const two = `a: findTask(reference: "invoice 6") { certain { number } }
			b: findTask(reference: "the vitamin D task") { certain { number } }`
		found := testclient.Run[map[string]foundTask](t, c, "{ "+two+" }", nil)
		require.Equal(t, 1, found["a"].Certain.Number)
		require.Equal(t, 2, found["b"].Certain.Number)
		three := c.Try(t, `{ `+two+` c: findTask(reference: "3") { certain { number } } }`, nil)
		harness.RequireErrorCode(t, "COMPLEXITY_LIMIT_EXCEEDED", three)
	})
}
