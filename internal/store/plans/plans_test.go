// Package plans checks that frequent queries use indexes on PostgreSQL: it records the statements that the program
// sends on large tables, and reads their plans.
package plans_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/chat"
	"errand/internal/page"
	"errand/internal/quota"
	"errand/internal/run"
	"errand/internal/store"
	"errand/internal/stream"
	"errand/internal/task"
	"errand/internal/testdb"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPlans_FrequentQueries_UseIndexes(t *testing.T) {
	owner := testdb.Postgres(t)
	loadData(t, owner, loadStatements...)
	client, sent := newRecordedClient(t, owner)
	db := openServed(t, owner)
	ctx := viewer.NewContext(context.Background(), viewer.Viewer{UserID: userID})
	t.Run("tasks", func(t *testing.T) {
		testTaskLists(ctx, t, db, task.NewService(client, quota.Limits{}, func(string) {}), sent)
	})
	t.Run("filters", func(t *testing.T) {
		testTaskFilters(ctx, t, db, task.NewService(client, quota.Limits{}, func(string) {}), sent)
	})
	t.Run("counts", func(t *testing.T) {
		testCounts(ctx, t, db, task.NewService(client, quota.Limits{}, func(string) {}), sent)
	})
	t.Run("references", func(t *testing.T) {
		testReferences(ctx, t, db, task.NewService(client, quota.Limits{}, func(string) {}), sent)
	})
	t.Run("changes", func(t *testing.T) {
		testChanges(ctx, t, db, task.NewService(client, quota.Limits{}, func(string) {}), sent)
	})
	t.Run("undos", func(t *testing.T) {
		testUndos(t, db, task.NewService(client, quota.Limits{}, func(string) {}), sent)
	})
	t.Run("search", func(t *testing.T) {
		s := task.NewService(client, quota.Limits{}, func(string) {})
		execute(t, owner, indexStatement)
		t.Run("before statistics", func(t *testing.T) { testSearches(ctx, t, db, s, sent) })
		execute(t, owner, "ANALYZE")
		t.Run("after statistics", func(t *testing.T) { testSearches(ctx, t, db, s, sent) })
		execute(t, owner, "VACUUM ANALYZE")
		t.Run("after vacuum", func(t *testing.T) { testSearches(ctx, t, db, s, sent) })
	})
	t.Run("chat", func(t *testing.T) { testConversations(ctx, t, db, client, sent) })
	t.Run("runs", func(t *testing.T) { testClaims(t, db, client, sent) })
}

// testTaskLists reads the first two pages in each order and direction.
func testTaskLists(ctx context.Context, t *testing.T, db *store.DB, s *task.Service, sent *recorder) {
	pending := enum.TaskPending
	for _, field := range []enum.TaskOrderField{
		enum.OrderNumber, enum.OrderUpdatedAt, enum.OrderDue, enum.OrderPriority, enum.OrderTitle,
	} {
		for _, direction := range []enum.Direction{enum.Ascending, enum.Descending} {
			for _, filter := range []*task.Filter{nil, {Status: &pending}} {
				order := task.Order{Field: field, Direction: direction}
				first, err := s.ListTasks(ctx, page.Args{}, &order, filter)
				require.NoError(t, err)
				require.Len(t, first.Edges, page.DefaultSize)
				next, err := s.ListTasks(ctx, page.Args{After: new(first.Edges[page.DefaultSize-1].Cursor())}, &order, filter)
				require.NoError(t, err)
				require.Len(t, next.Edges, page.DefaultSize)
				check := requireOrdered
				if filter != nil && field != enum.OrderNumber {
					check = requireIndexed // sorting the few pending tasks is cheaper
				}
				for _, query := range sent.take(t, `FROM "tasks"`, "ORDER BY") {
					check(t, db, query, 500)
				}
			}
		}
	}
}

// testTaskFilters reads a page, and its total, of each filter by due day, day of completion or labels. A filter may
// read all of the user's tasks, which are 1,000, but no other user's.
func testTaskFilters(ctx context.Context, t *testing.T, db *store.DB, s *task.Service, sent *recorder) {
	day := new(time.Now().UTC().Format(time.DateOnly))
	for name, filter := range map[string]*task.Filter{
		"overdue":       {Overdue: new(true)},
		"not overdue":   {Overdue: new(false)},
		"noDue":         {NoDue: new(true)},
		"due":           {NoDue: new(false)},
		"dueFrom":       {DueFrom: day},
		"dueTo":         {DueTo: day},
		"label":         {Label: new("home")},
		"labels":        {Labels: []string{"home", "work"}},
		"completedFrom": {CompletedFrom: day},
		"completedTo":   {CompletedTo: day},
		"completed on":  {CompletedFrom: day, CompletedTo: day},
	} {
		for _, field := range []enum.TaskOrderField{enum.OrderNumber, enum.OrderDue} {
			list, err := s.ListTasks(ctx, page.Args{}, &task.Order{Field: field}, filter)
			require.NoError(t, err, name)
			_, err = list.TotalCount(ctx)
			require.NoError(t, err, name)
			for _, query := range sent.take(t, `"tasks"`) {
				requireIndexed(t, db, query, 1500)
			}
		}
	}
}

// testCounts checks that the number of overdue tasks reads the pending tasks only, that the number of tasks completed
// on days reads those of the days, and that the labels are read once for each of the user's tasks.
func testCounts(ctx context.Context, t *testing.T, db *store.DB, s *task.Service, sent *recorder) {
	counts, err := s.CountTasks(ctx)
	require.NoError(t, err)
	_, err = counts.Overdue(ctx)
	require.NoError(t, err)
	for _, query := range sent.take(t, `"tasks"`) {
		requireIndexed(t, db, query, 150) // 100 of the 1,000 tasks are pending
	}
	tomorrow := new(time.Now().UTC().AddDate(0, 0, 1).Format(time.DateOnly))
	list, err := s.ListTasks(ctx, page.Args{}, nil, &task.Filter{CompletedFrom: tomorrow})
	require.NoError(t, err)
	_, err = list.TotalCount(ctx)
	require.NoError(t, err)
	for _, query := range sent.take(t, `"tasks"`, "COUNT") {
		requireIndexed(t, db, query, 20)
	}
	_, err = s.ListLabels(ctx, nil)
	require.NoError(t, err)
	for _, query := range sent.take(t, `"tasks"`) {
		requireIndexed(t, db, query, 1500)
	}
}

// testReferences checks that finding a task by words reads each of the user's tasks once, by an index.
func testReferences(ctx context.Context, t *testing.T, db *store.DB, s *task.Service, sent *recorder) {
	pending := enum.TaskPending
	for _, scope := range []task.Scope{{}, {Status: &pending}, {Trashed: new(true)}} {
		m, err := s.FindTaskByReference(ctx, "title nowhere", scope)
		require.NoError(t, err)
		require.Nil(t, m.Certain)
		for _, query := range sent.take(t, `"tasks"`, `"title"`, "ORDER BY") {
			requireIndexed(t, db, query, 1500)
		}
		_, err = s.FindTaskByReference(ctx, "17", scope)
		require.NoError(t, err)
		for _, query := range sent.take(t, `"tasks"`, `"number" =`) {
			requireIndexed(t, db, query, 50)
		}
	}
}

// testSearches checks that searches find their tasks by the search index, whatever PostgreSQL's statistics are.
func testSearches(ctx context.Context, t *testing.T, db *store.DB, s *task.Service, sent *recorder) {
	const all = 1000 - 1000/37 // without those in the trash
	for text, want := range map[string]int{
		"w": all, "word7": all, "word15": all, "rare": all, "rare7": 107, "rare77": 10, "rare77160": 1, "rare9 rare8": 0,
		"title word1": all, "title word15 rare77160": 1,
		"word10 word11 word12 word13 word14 word15 rare95 title": 11,
		"w wo wor word r ra rar rare t ti":                       all,
	} {
		list, err := s.ListTasks(ctx, page.Args{}, nil, &task.Filter{Search: &text})
		require.NoError(t, err)
		total, err := list.TotalCount(ctx)
		require.NoError(t, err)
		require.Equal(t, want, total, text)
		for _, query := range sent.take(t, `task_terms`) {
			plan, explained := explain(t, db, query)
			require.Empty(t, plan.find("Seq Scan", "Bitmap Heap Scan"), explained)
			require.NotEmpty(t, plan.on("task_terms"), explained)
			for _, index := range plan.on("task_terms") {
				require.Contains(t, index.Cond, "term", explained)
			}
			require.LessOrEqual(t, plan.Hit+plan.Read, 40_000, explained) // ten conditions for each of 1,000 tasks
		}
	}
}

func testChanges(ctx context.Context, t *testing.T, db *store.DB, s *task.Service, sent *recorder) {
	found, err := s.ChangesAfter(ctx, 700, 50)
	require.NoError(t, err)
	require.Len(t, found, 50)
	for _, query := range sent.take(t, `FROM "task_changes"`) {
		requireOrdered(t, db, query, 100)
	}
	byBatch, err := s.ChangesByBatch(ctx, []string{"msg_69_4602", "msg_69_4604", "msg_69_4606"}, nil)
	require.NoError(t, err)
	require.Len(t, byBatch, 3)
	for _, query := range sent.take(t, `FROM "task_changes"`) {
		requireIndexed(t, db, query, 100)
	}
	tasks, err := s.ListTasks(ctx, page.Args{}, nil, nil)
	require.NoError(t, err)
	histories, err := s.ChangesByTask(ctx, tasks.Nodes(), page.Args{})
	require.NoError(t, err)
	require.Len(t, histories, page.DefaultSize)
	for _, query := range sent.take(t, `FROM "task_changes"`, `"task_version"`) {
		requireIndexed(t, db, query, 250)
	}
	undone, err := s.UndoneChanges(ctx, found)
	require.NoError(t, err)
	require.Len(t, undone, 50)
	for _, query := range sent.take(t, `FROM "task_changes"`) {
		requireIndexed(t, db, query, 250)
	}
}

// testUndos checks that the last reply or call to undo is found without reading more than the replies and changes it
// may be among, and that its undo reads its own tasks and changes only.
func testUndos(t *testing.T, db *store.DB, s *task.Service, sent *recorder) {
	type read struct {
		text, index string
		pages       int
	}
	common := []read{
		{`"undoes" IS NOT NULL`, "taskchange_undo", 1500}, // of at most 500 tasks, each found in the index
		{`"batch_id" = $1`, "taskchange_batch", 50},
		{`FROM "tasks"`, "tasks_pkey", 50},
	}
	for name, c := range map[string]struct {
		viewer viewer.Viewer
		undo   func(context.Context) (*task.Undo, error)
		newest int // number of the task of the newest change that is undone
		reads  []read
	}{
		"turn": {
			viewer: viewer.Viewer{UserID: userID, Actor: viewer.ActorAgent, BatchID: "msg_69_5000"},
			undo:   func(ctx context.Context) (*task.Undo, error) { return s.UndoLastTurn(ctx, conversationID) },
			newest: 309,
			reads: []read{
				{`FROM "messages"`, "message_conversation_id_position", 100},
				{`"batch_id" IN`, "taskchange_batch", 1000},
			},
		},
		"call": {
			viewer: viewer.Viewer{UserID: userID, Actor: viewer.ActorMCP, Client: "client", BatchID: "batch_7_new"},
			undo:   s.UndoLastCall,
			newest: 604,
			reads:  []read{{"LIMIT 1000", "taskchange_user_id_seq", 1000}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			undo, err := c.undo(viewer.NewContext(context.Background(), c.viewer))
			require.NoError(t, err)
			require.Len(t, undo.Tasks, 3)
			require.Equal(t, c.newest, undo.Tasks[0].Number)
			statements := sent.take(t, "SELECT")
			for _, r := range append(c.reads, common...) {
				found := 0
				for _, query := range statements {
					if !strings.Contains(query.sql, r.text) {
						continue
					}
					found++
					requireIndexed(t, db, query, r.pages)
					_, plan := explain(t, db, query)
					require.Contains(t, plan, r.index)
				}
				require.Positive(t, found, r.text)
			}
		})
	}
}

// noRuns replaces the engine, whose own statements testClaims checks.
type noRuns struct{}

func (noRuns) Enqueue(context.Context, *ent.Tx, string, string, int) (*ent.Run, error) {
	return &ent.Run{}, nil
}
func (noRuns) Wake()                                        {}
func (noRuns) Cancel(context.Context, string) (bool, error) { return false, nil }

func testConversations(ctx context.Context, t *testing.T, db *store.DB, client *ent.Client, sent *recorder) {
	s := chat.NewService(client, stream.NewHub(), noRuns{}, nil, chat.Limits{})
	list, err := s.ListConversations(ctx, page.Args{})
	require.NoError(t, err)
	require.Len(t, list.Edges, page.DefaultSize)
	for _, query := range sent.take(t, `FROM "conversations"`) {
		requireOrdered(t, db, query, 50)
	}

	// Positions limit the rows read, so at most one page is sorted.
	one, err := s.FindConversation(ctx, conversationID)
	require.NoError(t, err)
	_, err = s.MessagesByConversation(ctx, []*ent.Conversation{one}, page.Args{})
	require.NoError(t, err)
	for _, query := range sent.take(t, `FROM "messages"`) {
		requireIndexed(t, db, query, 50)
	}
	_, err = s.MessagesByConversation(ctx, list.Nodes(), page.Args{})
	require.NoError(t, err)
	for _, query := range sent.take(t, `FROM "messages"`) {
		requireIndexed(t, db, query, 500)
	}
	_, err = s.MessagesFrom(ctx, conversationID, 0, -1)
	require.NoError(t, err)
	for _, query := range sent.take(t, `FROM "messages"`) {
		requireIndexed(t, db, query, 50)
	}

	id, key := conversationID, "a key"
	_, err = s.SendMessage(ctx, chat.SendMessageInput{ConversationID: &id, Content: "Add a task", IdempotencyKey: &key})
	require.NoError(t, err)
	// The user's row is found by its ID, but PostgreSQL scans a table as small as this one.
	for _, query := range sent.take(t, `FROM "messages"`) {
		requireIndexed(t, db, query, 50)
	}
}

// testClaims runs the engine until it has claimed runs and looked for stale ones.
func testClaims(t *testing.T, db *store.DB, client *ent.Client, sent *recorder) {
	ctx := context.Background()
	engine, err := run.NewEngine(run.Options{
		Client:        client,
		SQL:           db.SQL(),
		Concurrency:   5,
		SweepInterval: time.Millisecond,
		Logger:        slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	require.NoError(t, engine.Start(ctx, func(ctx context.Context, _ run.Job) error {
		<-ctx.Done()
		return ctx.Err()
	}))
	sent.await("SKIP LOCKED")
	sent.await("FROM runs WHERE")
	require.NoError(t, engine.Stop(ctx))
	for _, query := range sent.take(t, "runs", "'QUEUED'") {
		requireIndexed(t, db, query, 2000)
	}
}
