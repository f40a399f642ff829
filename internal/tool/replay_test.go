package tool

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func listOf(n int) string {
	var items []string
	for i := range n {
		items = append(items, fmt.Sprintf(`{"number":%d,"title":"Task %d","completed":false,"priority":"none",`+
			`"description":"Long.","labels":["a"],"created_at":"2026-11-27T10:00:00Z"}`, i+1, i+1))
	}
	return fmt.Sprintf(`{"tasks":[%s],"total":%d}`, strings.Join(items, ","), n)
}

func TestReplay_Finished_KeepsNumbersTitlesAndOutcome(t *testing.T) {
	t.Parallel()
	r := Replay{Finished: true, MaxBytes: 400}
	for result, want := range map[string]string{
		listOf(2): `{"total":2,"tasks":[{"number":1,"title":"Task 1"},{"number":2,"title":"Task 2"}]}`,
		`{"tasks":[],"total":0,"near":[{"number":7,"title":"Milk","completed":true,"priority":"high",` +
			`"due_on":"2026-12-04"}]}`: `{
			"total":0,"near":[{"number":7,"title":"Milk","completed":true,"priority":"high","due_on":"2026-12-04"}]}`,
		`{"task":{"number":1,"title":"A","completed":true,"priority":"none","description":"B"},"changed":false}`: `{
			"task":{"number":1,"title":"A","completed":true},"changed":false}`,
		`{"error":{"code":"NOT_FOUND","message":"No.","field":"task"},"reference":"x",` +
			`"choices":[{"number":1,"title":"A"}]}`: `{
			"error":{"code":"NOT_FOUND","message":"No."},"choices":[{"number":1,"title":"A"}]}`,
		`{"results":[{"reference":"milk","changed":true,"task":{"number":1,"title":"Milk","completed":true,"priority":"low"}},
			{"reference":"x","error":{"code":"NOT_FOUND","message":"No."}}]}`: `{"results":[
			{"task":{"number":1,"title":"Milk","completed":true,"priority":"low"},"changed":true},
			{"reference":"x","error":{"code":"NOT_FOUND","message":"No."}}]}`,
		`{"changes":[{"id":"c","at":"x","kind":"created","number":1,"title":"A","by":"user"}]}`: `{"changes":[
			{"id":"c","kind":"created","number":1,"title":"A"}]}`,
		`{"batch":"b","count":1,"undone":[{"kind":"deleted","number":1,"title":"A"}]}`: `{
			"batch":"b","count":1,"undone":[{"kind":"deleted","number":1,"title":"A"}]}`,
		`{"time_zone":"Europe/Berlin","previous":"UTC","now":"x"}`: `{
			"time_zone":"Europe/Berlin","previous":"UTC","now":"x"}`,
		`not JSON`: `{"omitted":1}`,
	} {
		require.JSONEq(t, want, r.Result(result))
	}
}

// TestReplay_LongLists_AreCutAtTheirEnd: the number of tasks left out is told, and the order stays.
func TestReplay_LongLists_AreCutAtTheirEnd(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n, most := rapid.IntRange(0, 100).Draw(t, "tasks"), rapid.IntRange(60, 5000).Draw(t, "bytes")
		r := Replay{Finished: rapid.Bool().Draw(t, "finished"), MaxBytes: most}
		result := r.Result(listOf(n))
		var v struct {
			Tasks          []struct{ Number int }
			Total, Omitted int
		}
		require.NoError(t, json.Unmarshal([]byte(result), &v))
		require.LessOrEqual(t, len(result), most)
		require.Equal(t, n, v.Total)
		require.Equal(t, n, len(v.Tasks)+v.Omitted)
		for i, task := range v.Tasks {
			require.Equal(t, i+1, task.Number)
		}
	})
}

func TestReplay_PresentTurn_RepeatsShortResultsWhole(t *testing.T) {
	t.Parallel()
	require.Equal(t, listOf(5), Replay{}.Result(listOf(5)))
	require.Less(t, len(Replay{}.Result(listOf(50))), len(listOf(50))*3/4)
	require.Contains(t, Replay{}.Result(listOf(50)), `"number":50,`)
}

func TestReplay_LongArguments_AreShortened(t *testing.T) {
	t.Parallel()
	titles, _ := json.Marshal(map[string]any{"tasks": strings.Split(strings.Repeat("Buy milk,", 200), ",")})
	require.JSONEq(t, `{"tasks":["Buy milk","Buy milk","Buy milk","Buy milk","Buy milk"]}`,
		Replay{Finished: true}.Arguments(string(titles)))
	require.Equal(t, string(titles), Replay{}.Arguments(string(titles)))
	require.Equal(t, "{}", Replay{Finished: true}.Arguments(strings.Repeat("x", 1000)))
}
