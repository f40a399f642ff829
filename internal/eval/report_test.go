package eval

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"errand/internal/price"

	"github.com/stretchr/testify/require"
)

func mustLocation(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	require.NoError(t, err)
	return zone
}

func testResults() []Result {
	cost := int64(1_500_000)
	used := Usage{Steps: 2, Tokens: price.Tokens{Input: 8, Output: 2, Cached: 6}, CostNanos: &cost}
	return []Result{
		{Case: Case{Kind: "a", Name: "x"}, Outcome: Right, Usage: used, Duration: time.Millisecond},
		{
			Case:     Case{Kind: "b", Name: "y"},
			Outcome:  Wrong,
			Deletes:  true,
			Replies:  []string{"Deleted."},
			Usage:    Usage{Steps: 1},
			Duration: 3 * time.Millisecond,
			Reason:   "tasks were changed",
		},
		{Case: Case{Kind: "b", Name: "z", HeldOut: true}, Outcome: Declined, Reason: "secret"},
	}
}

func TestWriteText_Results_TablesAndFindings(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, NewReport("one", testResults(), false).WriteText(&out))
	require.Equal(t, `model: one

kind         cases  right  declined  wrong  steps  tokens  cached  cost    median  slowest
a            1      1      0         0      2      10      75%     0.0015  1ms     1ms
b            1      0      0         1      1      0       -       -       3ms     3ms
all          2      1      0         1      3      10      75%     0.0015  3ms     3ms
deletes      1      0      0         1      1      0       -       -       3ms     3ms
completions  0      0      0         0      0      0       -       -       0s      0s

held out     cases  right  declined  wrong  steps  tokens  cached  cost  median  slowest
b            1      0      1         0      0      0       -       -     0s      0s
all          1      0      1         0      0      0       -       -     0s      0s
deletes      0      0      0         0      0      0       -       -     0s      0s
completions  0      0      0         0      0      0       -       -     0s      0s

wrong b: "y": tasks were changed
  "Deleted."
`, out.String())
}

func TestWriteJSON_HeldOutFindings_OnlyOnRequest(t *testing.T) {
	for _, named := range []bool{false, true} {
		var out bytes.Buffer
		require.NoError(t, NewReport("one", testResults(), named).WriteJSON(&out))
		require.Equal(t, named, bytes.Contains(out.Bytes(), []byte("secret")))
		var report Report
		require.NoError(t, json.Unmarshal(out.Bytes(), &report))
		require.Equal(t, 1, report.HeldOut.All.Declined)
		require.Equal(t, 1, report.Deletes.Wrong)
	}
}

func TestCheck_Thresholds_EachApplies(t *testing.T) {
	report := NewReport("one", testResults(), false)
	require.NoError(t, report.Check(Thresholds{MaxWrong: 0.5, MaxWrongChanges: 1}))
	require.ErrorContains(t, report.Check(Thresholds{MaxWrong: 0.5}), "1 deletes and 0 completions are wrong")
	require.ErrorContains(t, report.Check(Thresholds{MaxWrong: 0.4, MaxWrongChanges: 1}), "1 of 2 cases are wrong")
	err := report.Check(Thresholds{MinRight: 0.5, MaxWrong: 1, MaxWrongChanges: 1})
	require.ErrorContains(t, err, "held-out cases: 0 of 1 cases are right")
	require.NoError(t, NewReport("none", nil, false).Check(Thresholds{MinRight: 1}))
}
