package plans_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"errand/ent/enum"
	"errand/internal/page"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/task"
	"errand/internal/testdb"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
)

// largeUserID is a user with 100,000 tasks.
const (
	largeUserID = "user_large"
	largeTasks  = 100_000
	instant     = "2006-01-02 15:04:05+00:00"
)

// largeTitle returns the title of a task. Every title has "project"; half have "report" and half "meeting", none both;
// a tenth have "invoice", and one "zeppelin". "item7" to "item100000" are in one each.
func largeTitle(n int) string {
	verbs := []string{"review", "call", "write", "check", "buy", "plan", "send"}
	words := []string{"Project", verbs[n%len(verbs)], fmt.Sprintf("name%d", n%997)}
	if n%2 == 0 {
		words = append(words, "report")
	} else {
		words = append(words, "meeting")
	}
	if n%10 == 3 {
		words = append(words, "invoice")
	}
	if n == 4711 {
		words = append(words, "zeppelin")
	}
	return strings.Join(append(words, fmt.Sprintf("item%d", n)), " ")
}

// loadLargeUser adds the user with all terms of the tasks. 2 % of the tasks are in the trash, 60 % of the others are
// completed, 30 % have labels, and 20 % are due.
func loadLargeUser(t *testing.T, db *store.DB) {
	t.Helper()
	ctx := viewer.NewContext(context.Background(), viewer.Viewer{UserID: largeUserID})
	now := time.Now().UTC()
	c := db.Client()
	tx, err := c.Tx(ctx)
	require.NoError(t, err)
	exec := func(q string, args ...any) {
		_, err := tx.ExecContext(ctx, q, args...)
		require.NoError(t, err)
	}
	exec(
		`INSERT INTO users (id, created_at, updated_at, subject, last_task_number, open_tasks,
			completed_tasks, trashed_tasks)
		VALUES ($1, $2, $2, 'large', $3, 38000, 60000, 2000)`,
		largeUserID,
		now,
		largeTasks,
	)
	sqlite := !strings.HasPrefix(tx.Client().Dialect(), "postgres")
	const chunk = 500
	for from := 1; from <= largeTasks; from += chunk {
		var rows, terms strings.Builder
		for n := from; n < from+chunk; n++ {
			title := largeTitle(n)
			completed, deleted, labels := "NULL", "NULL", "[]"
			if n%50 == 7 {
				deleted = "'" + now.Add(-time.Duration(n)*time.Second).Format(instant) + "'"
			}
			if n%5 < 3 {
				completed = "'" + now.Add(-time.Duration(n)*time.Second).Format(instant) + "'"
			}
			due, dueOn := int64(253402300799999), "NULL"
			if n%5 == 4 {
				day := now.AddDate(0, 0, n%400-200)
				due, dueOn = day.UnixMilli(), "'"+day.Format(time.DateOnly)+"'"
			}
			if n%10 < 3 {
				labels = fmt.Sprintf(`["home","label%d"]`, n%301)
			}
			if n == 777 || n == 50001 {
				labels = `["rare"]`
			}
			fmt.Fprintf(
				&rows,
				",('task_%06d','%s','%s','%s',%d,'%s',%s,%s,%d,%d,%s,'%s',1,1,%d)",
				n,
				now.Format(
					instant,
				),
				now.Add(-time.Duration(n*7919%largeTasks)*time.Second).Format(instant),
				largeUserID,
				n,
				title,
				completed,
				deleted,
				n%5,
				due,
				dueOn,
				labels,
				len(strings.Fields(title)),
			)
			var list []string
			if err := json.Unmarshal([]byte(labels), &list); err != nil {
				panic(err)
			}
			entries := strings.Fields(strings.ToLower(title))
			for _, label := range list {
				entries = append(entries, "\x01"+label)
			}
			for _, term := range entries {
				literal := `'\x%x'`
				if sqlite {
					literal = "x'%x'"
				}
				fmt.Fprintf(&terms, ",('%s',"+literal+",%d)", largeUserID, term, n)
			}
		}
		exec(
			`INSERT INTO tasks (id, created_at, updated_at, user_id, number, title, completed_at, deleted_at, priority,
			due_sort, due_on, labels, version, indexed_version, term_count) VALUES ` + rows.String()[1:],
		)
		exec(`INSERT INTO task_terms (user_id, term, task_number) VALUES ` + terms.String()[1:])
	}
	require.NoError(t, tx.Commit())
}

// TestPlans_UserWithManyTasks_ReadsFewPages checks the pages that finding tasks reads for a user with 100,000 tasks: by
// frequent, rare and unknown words and labels, and by reference. Other users' tasks are far fewer, so that the
// statistics are those of this user.
func TestPlans_UserWithManyTasks_ReadsFewPages(t *testing.T) {
	owner := testdb.Postgres(t)
	loadLargeUser(t, owner)
	execute(t, owner, "VACUUM ANALYZE")
	client, sent := newRecordedClient(t, owner)
	db := openServed(t, owner)
	ctx := viewer.NewContext(context.Background(), viewer.Viewer{UserID: largeUserID})
	s := task.NewService(client, quota.Limits{}, func(string) {})
	pages := func() (read int, plans string) {
		for _, query := range sent.take(t, "SELECT") {
			plan, text := explain(t, db, query)
			require.Empty(t, plan.find("Seq Scan", "Bitmap Heap Scan"), text)
			read += plan.Hit + plan.Read
			plans += text
		}
		return read, plans
	}
	pending, home := enum.TaskPending, "home"
	for name, c := range map[string]struct {
		filter      task.Filter
		found, most int
	}{
		"word in every task":       {task.Filter{Search: new("project")}, 20, 2000},
		"beginning in every task":  {task.Filter{Search: new("P")}, 20, 2000},
		"beginning of many words":  {task.Filter{Search: new("item")}, 20, 2000},
		"word in one task":         {task.Filter{Search: new("Zeppelin")}, 1, 50},
		"frequent and rare word":   {task.Filter{Search: new("project zepp")}, 1, 100},
		"unknown word":             {task.Filter{Search: new("project nowhere")}, 0, 50},
		"two frequent words":       {task.Filter{Search: new("proj rep")}, 20, 4000},
		"frequent words, none has": {task.Filter{Search: new("report meeting")}, 0, 4000},
		"pending":                  {task.Filter{Search: new("project"), Status: &pending}, 20, 2000},
		"frequent label":           {task.Filter{Label: &home}, 20, 2500},
		"rare label":               {task.Filter{Label: new("rare")}, 2, 50},
		"unknown label":            {task.Filter{Labels: []string{"Home"}}, 0, 50},
		"label and word":           {task.Filter{Label: &home, Search: new("zeppelin")}, 1, 100},
		"trash":                    {task.Filter{Trashed: new(true)}, 20, 100},
	} {
		list, err := s.ListTasks(ctx, page.Args{}, nil, &c.filter)
		require.NoError(t, err, name)
		require.Len(t, list.Edges, c.found, name)
		read, plans := pages()
		require.LessOrEqual(t, read, c.most, "%s\n%s", name, plans)
	}
	for reference, c := range map[string]struct{ certain, most int }{
		"zeppelin": {4711, 200}, "the project zeppelin": {4711, 500}, "item99999": {99999, 200},
		"report item88888": {88888, 500}, "zeppelins meeting": {4711, 500}, "project": {0, 6000},
		"zepelin": {0, 500}, "nowhere": {0, 2500},
	} {
		m, err := s.FindTaskByReference(ctx, reference, task.Scope{})
		require.NoError(t, err, reference)
		number := 0
		if m.Certain != nil {
			number = m.Certain.Number
		}
		require.Equal(t, c.certain, number, reference)
		read, plans := pages()
		require.LessOrEqual(t, read, c.most, "%s\n%s", reference, plans)
	}
}
