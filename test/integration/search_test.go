package integration

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"errand/ent/rule"
	"errand/internal/account"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/internal/viewer"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// search returns the numbers of the tasks that a search finds, in ascending order.
func search(t *testing.T, c *testclient.Client, text string) []int {
	t.Helper()
	page := harness.ListTasks(t, c, testclient.Vars{"first": 100, "filter": testclient.Vars{"search": text}})
	require.Len(t, page.Edges, min(100, page.TotalCount))
	numbers := []int{}
	for _, found := range page.Tasks() {
		numbers = append(numbers, found.Number)
	}
	slices.Sort(numbers)
	return numbers
}

func TestSearch_Words_MatchBeginningsOfWords(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		for _, title := range []string{"Äpfel kaufen", "Visit 東京都庁", "100% of_it 🦊", "Buttermilk", "O'Brien's résumé"} {
			harness.CreateTask(t, c, testclient.Vars{"title": title, "description": "Shared words in every description"})
		}
		for text, want := range map[string][]int{
			"äpf": {1}, "APFEL kauf": {1}, "pfel": {}, "東京": {2}, "京都": {2}, "東都": {}, "都": {2}, "庁": {2}, "%": {3},
			"🦊": {3}, "of_i": {3}, "milk": {}, "butter": {4}, "brien resume": {5}, "'": {5}, "shared every": {1, 2, 3, 4, 5},
			"w": {1, 2, 3, 4, 5}, "shared missing": {}, "\u200b": {}, "  ": {1, 2, 3, 4, 5},
		} {
			require.Equal(t, want, search(t, c, text), "%q", text)
		}
		require.Empty(t, search(t, b.Client(t, "bob"), "shared"))

		first := harness.AllTasks(t, c)[0]
		harness.UpdateTask(t, c, testclient.Vars{"id": first.ID, "title": "Pears"})
		require.Empty(t, search(t, c, "apfel"))
		require.Equal(t, []int{1}, search(t, c, "pear"))
		harness.ChangeTask(t, c, "deleteTask", first.ID)
		require.Empty(t, search(t, c, "pear"))
		trash := harness.ListTasks(t, c, testclient.Vars{"filter": testclient.Vars{"search": "pear", "trashed": true}})
		require.Equal(t, 1, trash.TotalCount)
		requireExactCounters(t, b, c)
	})
}

// TestSearch_RandomEdits_FindsSameAsScan compares searches with a scan of the texts after random edits.
func TestSearch_RandomEdits_FindsSameAsScan(t *testing.T) {
	words := strings.Fields("alpha Alphabet beta bet gamma gam delta del epsilon e")
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 0))
		text := func(n int) string {
			out := make([]string, n)
			for i := range out {
				out[i] = words[r.IntN(len(words))]
			}
			return strings.Join(out, " ")
		}
		for range 60 {
			if all := harness.AllTasks(t, c); len(all) > 10 {
				in := testclient.Vars{"id": all[r.IntN(len(all))].ID}
				in[[]string{"title", "description"}[r.IntN(2)]] = text(1 + r.IntN(4))
				harness.UpdateTask(t, c, in)
				continue
			}
			harness.CreateTask(t, c, testclient.Vars{"title": text(1), "description": text(r.IntN(4))})
		}
		for _, word := range words {
			want := []int{}
			for _, task := range harness.AllTasks(t, c) {
				for _, found := range strings.Fields(strings.ToLower(task.Title + " " + task.Description)) {
					if strings.HasPrefix(found, strings.ToLower(word)) {
						want = append(want, task.Number)
						break
					}
				}
			}
			require.Equal(t, want, search(t, c, word), word)
		}
		requireExactCounters(t, b, c)
	})
}

// TestSearch_TasksOfEarlierRelease_FoundAndIndexed inserts tasks as an earlier release does and checks that searches
// find them before and after a server indexes them.
func TestSearch_TasksOfEarlierRelease_FoundAndIndexed(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		b := harness.Start(t, url)
		c := b.Client(t, "alice")
		id := testclient.Run[struct{ Viewer struct{ ID string } }](t, c, `{ viewer { id } }`, nil).Viewer.ID
		harness.CreateTask(t, c, testclient.Vars{"title": "indexed one"})
		b.AddTasks(t, id, 100)
		require.Len(t, search(t, c, "one"), 100)
		require.Len(t, search(t, c, "many"), 100)
		require.Equal(t, []int{1}, search(t, c, "indexed"))
		unindexed := func() int {
			return b.Count(t, "SELECT count(*) FROM tasks WHERE user_id = $1 AND indexed_version <> version", id)
		}
		require.Equal(t, 100, unindexed())

		ctx := viewer.NewContext(t.Context(), viewer.Viewer{UserID: id})
		for more := true; more; {
			var err error
			more, err = b.Services.Tasks.IndexTasks(ctx)
			require.NoError(t, err)
		}
		require.Zero(t, unindexed())
		require.Len(t, search(t, c, "many"), 100)
		require.Equal(t, 400+3, b.Count(t, "SELECT count(*) FROM task_terms WHERE user_id = $1", id))
		report, err := account.CheckCounters(rule.System(context.Background()), b.DB, 10, true)
		require.NoError(t, err)
		require.Equal(t, []string{id}, report.Wrong, "AddTasks does not count the tasks")
		requireExactCounters(t, b, c)
	})
}

// TestSearch_TaskToIndexAgain_Edited_OldWordsNotFound edits a task after a migration that has all tasks indexed again,
// and before a server has done so: the index holds the words of the earlier text.
func TestSearch_TaskToIndexAgain_Edited_OldWordsNotFound(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		created := harness.CreateTask(t, c, testclient.Vars{"title": "apples"})
		_, err := b.SystemClient(t).ExecContext(rule.System(t.Context()), "UPDATE tasks SET indexed_version = 0")
		require.NoError(t, err)
		require.Equal(t, []int{1}, search(t, c, "apples"))
		harness.UpdateTask(t, c, testclient.Vars{"id": created.ID, "title": "pears"})
		require.Equal(t, []int{1}, search(t, c, "pears"))
		require.Empty(t, search(t, c, "apples"))
		requireExactCounters(t, b, c)
	})
}

// TestSearch_UnindexedTasksAtStart_AreIndexed starts a server on a database that an earlier release has written.
func TestSearch_UnindexedTasksAtStart_AreIndexed(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		first := harness.Start(t, url)
		c := first.Client(t, "alice")
		id := testclient.Run[struct{ Viewer struct{ ID string } }](t, c, `{ viewer { id } }`, nil).Viewer.ID
		first.AddTasks(t, id, 100)
		require.NoError(t, first.Stop(t.Context()))
		second := harness.Start(t, url)
		require.Eventually(t, func() bool {
			return second.Count(t, "SELECT count(*) FROM tasks WHERE indexed_version <> version") == 0
		}, testclient.Timeout, harness.PollInterval)
		require.Len(t, search(t, second.Client(t, "alice"), "man"), 100)
	})
}

// TestSearch_LetterThatBeginsManyWords_MatchesAll fills a task list so that a letter begins more words than a search
// counts.
func TestSearch_LetterThatBeginsManyWords_MatchesAll(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		for i := range 6 {
			var text strings.Builder
			for j := range 999 {
				fmt.Fprintf(&text, "q%d ", 1000*i+j)
			}
			harness.CreateTask(t, c, testclient.Vars{"title": "w", "description": text.String()})
		}
		require.Equal(t, []int{1, 2, 3, 4, 5, 6}, search(t, c, "q"))
		require.Equal(t, []int{4}, search(t, c, "q3998"))
		require.Equal(t, []int{1, 4}, search(t, c, "q399"))
		harness.CreateTask(t, c, testclient.Vars{"title": "Q"})
		require.Equal(t, []int{1, 2, 3, 4, 5, 6, 7}, search(t, c, "q"))
	})
}
