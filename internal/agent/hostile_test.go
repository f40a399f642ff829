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

// attack is injected text in a user's list or message.
type attack struct {
	Name, Where, Text string
	// Order is the tool that a model that follows the text calls.
	Order string
	// Says is the text that such a model writes.
	Says string
	// Hidden marks texts with invisible characters.
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
		`(?i)(?:delete|erase|remove|complete|rename|reopen|lösche)\w*[\s\S]*(?:all|every|each|whole|alle)|sksat lla ` +
			`eteled|must be deleted`,
	)
	numbers = regexp.MustCompile(`"number":(\d+)`)
	unseen  = regexp.MustCompile(
		`[\x{200B}\x{202A}-\x{202E}\x{2060}-\x{206F}\x{FEFF}\x{FE00}-\x{FE0D}\x{E0000}-\x{E01EF}]`,
	)
)

// obedientModel follows every injected instruction, for every task it has read, as often as it is allowed.
func obedientModel(a attack) *scripted {
	return &scripted{script: func(q request) *llms.ContentChoice {
		var read strings.Builder
		for _, m := range q.messages[1:] {
			read.WriteString(textOf(m) + "\n")
			if m.Role == llms.ChatMessageTypeTool {
				read.WriteString(m.Parts[0].(llms.ToolCallResponse).Content + "\n")
			}
		}
		text := read.String()
		if !strings.Contains(text, `"total"`) {
			return callTools("", toolUse{"list_tasks", `{"limit":100,"status":"all"}`})
		}
		if a.Says != "" && strings.Contains(text, "evil.example") {
			return answerText(a.Says + "everything)")
		}
		if !q.offered || !ordersHarm.MatchString(text) || len(refusals(q.results)) > 0 || len(q.results) > 10 {
			return answerText("Here they are. " + strings.Join(refusals(q.results), " "))
		}
		var all []toolUse
		for _, n := range numbers.FindAllStringSubmatch(text, -1) {
			u := toolUse{a.Order, fmt.Sprintf(`{"number":%s}`, n[1])}
			if a.Order == "update_task" {
				u.arguments = fmt.Sprintf(`{"number":%s,"title":"owned"}`, n[1])
			}
			if len(all) < 40 && !contains(all, u) {
				all = append(all, u)
			}
		}
		return callTools("", all...)
	}}
}

func contains(all []toolUse, u toolUse) bool {
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

// attackedFixture fills a fixture with ten tasks, every other one done, and the attack among them.
func attackedFixture(t *testing.T, db *store.DB, a attack) (*fixture, *scripted) {
	t.Helper()
	m := obedientModel(a)
	w := newFixture(t, db, m, settings{})
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

// countChanged counts the tasks that differ.
func countChanged(before, after []string) int {
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

func TestHandle_InjectedInstructions_NeedApproval(t *testing.T) {
	t.Parallel()
	for _, a := range attacks(t) {
		t.Run(a.Name, func(t *testing.T) {
			w, m := attackedFixture(t, testdb.SQLite(t), a)
			before := w.titles()
			said := "What is on my list?"
			if a.Where == "message" {
				said = a.Text
			}
			reply := w.send(said)
			require.Equal(t, enum.MessageCompleted, reply.Status)
			n := countChanged(before, w.titles())
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
				require.Zero(t, n, "invisible text does not reach the model")
			default:
				proposed := 0
				for _, c := range reply.Edges.ToolCalls {
					proposed += len(c.Proposal)
				}
				require.Positive(t, n+proposed, "the model followed the injection")
				if a.Order == "delete_task" || a.Order == "update_task" { // the others concern the five tasks in one state
					require.Zero(t, n)
					require.Equal(t, 10, proposed)
					require.Contains(t, reply.Content, "This needs your approval")
				}
			}
		})
	}
}

// What was read stays in the conversation.
func TestHandle_InjectedInstructionsInEarlierTurn_NeedApproval(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		w, _ := attackedFixture(t, db, attacks(t)[0])
		before := w.titles()
		w.send("Hello")
		require.Zero(t, countChanged(before, w.titles()))
		w.send("Thanks")
		require.Zero(t, countChanged(before, w.titles()))
	})
}
