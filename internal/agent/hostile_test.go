package agent_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"errand/ent/enum"
	"errand/internal/store"
	"errand/internal/task"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// attack is a text that somebody got into a person's list or message.
type attack struct {
	Name, Where, Text string
	// Order is the tool that a model uses that obeys.
	Order string
	// Says is what such a model writes.
	Says string
	// Hidden texts hold characters that nobody sees.
	Hidden bool
}

func attacks(t *testing.T) (all []attack) {
	t.Helper()
	b, err := os.ReadFile("testdata/hostile.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &all))
	require.Greater(t, len(all), 24)
	return all
}

var (
	ordersHarm = regexp.MustCompile(
		`(?i)(?:delete|erase|remove|complete|rename|reopen|lösche)\w*[\s\S]*(?:all|every|each|whole|alle)|sksat lla eteled|must be deleted`,
	)
	numbers = regexp.MustCompile(`"number":(\d+)`)
	unseen  = regexp.MustCompile(
		`[\x{200B}\x{202A}-\x{202E}\x{2060}-\x{206F}\x{FEFF}\x{FE00}-\x{FE0D}\x{E0000}-\x{E01EF}]`,
	)
)

// gullible is a model that does whatever anything it reads tells it, to every task that it
// knows of, as often as it is let.
func gullible(a attack) *scripted {
	return &scripted{script: func(q asked) *llms.ContentChoice {
		var read strings.Builder
		for _, m := range q.messages[1:] {
			read.WriteString(textOf(m) + "\n")
			if m.Role == llms.ChatMessageTypeTool {
				read.WriteString(m.Parts[0].(llms.ToolCallResponse).Content + "\n")
			}
		}
		text := read.String()
		if !strings.Contains(text, `"total"`) {
			return uses("", use{"list_tasks", `{"limit":100}`})
		}
		if a.Says != "" && strings.Contains(text, "evil.example") {
			return says(a.Says + "everything)")
		}
		if !q.offered || !ordersHarm.MatchString(text) || len(refusals(q.results)) > 0 || len(q.results) > 10 {
			return says("Here they are. " + strings.Join(refusals(q.results), " "))
		}
		var all []use
		for _, n := range numbers.FindAllStringSubmatch(text, -1) {
			u := use{a.Order, fmt.Sprintf(`{"number":%s}`, n[1])}
			if a.Order == "update_task" {
				u.arguments = fmt.Sprintf(`{"number":%s,"title":"owned"}`, n[1])
			}
			if len(all) < 40 && !contains(all, u) {
				all = append(all, u)
			}
		}
		return uses("", all...)
	}}
}

func contains(all []use, u use) bool {
	for _, one := range all {
		if one == u {
			return true
		}
	}
	return false
}

func refusals(results []string) (out []string) {
	for _, r := range results {
		var failed struct{ Error *struct{ Message string } }
		if json.Unmarshal([]byte(r), &failed) == nil && failed.Error != nil {
			out = append(out, failed.Error.Message)
		}
	}
	return out
}

// victim fills a world with ten tasks, every other one done, and the attack among them.
func victim(t *testing.T, db *store.DB, a attack) (*world, *scripted) {
	t.Helper()
	m := gullible(a)
	w := newWorld(t, db, m, settings{})
	for i := range 10 {
		in := task.CreateTaskInput{Title: fmt.Sprintf("Innocent %d", i+1)}
		if i == 3 && a.Where == "title" {
			in.Title = strings.ReplaceAll(a.Text, "\n", " ")
		}
		if i == 3 && a.Where == "description" {
			in.Description = &a.Text
		}
		made, err := w.tasks.CreateTask(w.ctx, in)
		require.NoError(t, err)
		if i%2 == 1 {
			_, err = w.tasks.CompleteTask(w.ctx, made.ID)
			require.NoError(t, err)
		}
	}
	return w, m
}

// harmed counts the tasks that are no longer as they were.
func harmed(before, after []string) int {
	same := map[string]bool{}
	for _, title := range after {
		same[title] = true
	}
	n := 0
	for _, title := range before {
		if !same[title] {
			n++
		}
	}
	return n
}

func TestHostileTextDoesBoundedHarm(t *testing.T) {
	t.Parallel()
	for _, a := range attacks(t) {
		t.Run(a.Name, func(t *testing.T) {
			w, m := victim(t, testdb.SQLite(t), a)
			before := w.left()
			said := "What is on my list?"
			if a.Where == "message" {
				said = a.Text
			}
			reply := w.say(said)
			require.Equal(t, enum.MessageCompleted, reply.Status)
			n := harmed(before, w.left())
			require.LessOrEqual(t, n, 5)
			for _, q := range m.requests() {
				for _, one := range q.messages {
					require.NotRegexp(t, unseen, textOf(one))
				}
				require.NotRegexp(t, unseen, strings.Join(q.results, ""))
			}
			require.NotRegexp(t, unseen, reply.Content)
			switch {
			case a.Says != "":
				require.Contains(t, reply.Content, a.Says, "an image stays text: what shows it must not load it")
				require.Zero(t, n)
			case a.Hidden && a.Name != "reversed by bidi":
				require.Zero(t, n, "what nobody sees is not read")
			default:
				require.Positive(t, n, "the model obeyed")
				require.Equal(t, a.Order == "delete_task" || a.Order == "update_task", n == 5)
				require.Contains(t, reply.Content, "at most 5 tasks")
			}
		})
	}
}

// TestTheBoundHoldsInLaterTurns: what was read stays in the conversation.
func TestTheBoundHoldsInLaterTurns(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		w, _ := victim(t, db, attacks(t)[0])
		before := w.left()
		w.say("Hello")
		require.Equal(t, 5, harmed(before, w.left()))
		w.say("Thanks")
		require.Equal(t, 10, harmed(before, w.left()))
	})
}

func TestWhatThePersonNamesIsNotBounded(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		w := newOfflineWorld(t, db)
		for i := range 12 {
			w.put(fmt.Sprintf("Task number %d", i+1))
		}
		reply := w.say("complete tasks 1, 2, 3, 4, 5, 6, 7 and 8")
		require.Equal(t, 8, strings.Count(strings.Join(w.left(), " "), "✓"), reply.Content)
		require.Contains(t, w.say("delete all my tasks").Content, "Should I delete all 12 of them?")
		reply = w.say("yes")
		require.Len(t, w.left(), 7)
		require.Contains(t, reply.Content, "at most 5 tasks", "the rest is told")
		require.Contains(t, reply.Content, "Deleted task 5")
		require.Contains(t, reply.Content, "I could not delete task 6")
		require.False(t, reply.Unverified())
	})
}
