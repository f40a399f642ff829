// Package plans checks that PostgreSQL answers the frequent questions from
// indexes: it records what the program sends over large tables, and reads the plans.
package plans_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/chat"
	"errand/internal/page"
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

func TestFrequentQueriesUseIndexes(t *testing.T) {
	db := testdb.Postgres(t)
	fill(t, db)
	client, sent := recorded(t, db)
	ctx := viewer.NewContext(context.Background(), viewer.Viewer{UserID: person})
	t.Run("tasks", func(t *testing.T) { taskLists(ctx, t, db, task.NewService(client, func(string) {}), sent) })
	t.Run("changes", func(t *testing.T) { changes(ctx, t, db, task.NewService(client, func(string) {}), sent) })
	t.Run("chat", func(t *testing.T) { conversations(ctx, t, db, client, sent) })
	t.Run("runs", func(t *testing.T) { claims(t, db, client, sent) })
}

// taskLists reads the first page and the one after it, in each order, from both ends.
func taskLists(ctx context.Context, t *testing.T, db *store.DB, s *task.Service, sent *recorder) {
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
					check = requireIndexed // sorting the few that are still to do is cheaper
				}
				for _, query := range sent.take(t, `FROM "tasks"`, "ORDER BY") {
					check(t, db, query, 500)
				}
			}
		}
	}
}

func changes(ctx context.Context, t *testing.T, db *store.DB, s *task.Service, sent *recorder) {
	found, err := s.ChangesAfter(ctx, 700, 50)
	require.NoError(t, err)
	require.Len(t, found, 50)
	for _, query := range sent.take(t, `FROM "task_changes"`) {
		requireOrdered(t, db, query, 100)
	}
}

// noRuns stands in for the engine, whose own statements are looked at by themselves.
type noRuns struct{}

func (noRuns) Enqueue(context.Context, *ent.Tx, string, string, int) (*ent.Run, error) {
	return &ent.Run{}, nil
}
func (noRuns) Wake()                                        {}
func (noRuns) Cancel(context.Context, string) (bool, error) { return false, nil }

func conversations(ctx context.Context, t *testing.T, db *store.DB, client *ent.Client, sent *recorder) {
	s := chat.NewService(client, stream.NewHub(), noRuns{}, chat.Limits{})
	list, err := s.ListConversations(ctx, page.Args{})
	require.NoError(t, err)
	require.Len(t, list.Edges, page.DefaultSize)
	for _, query := range sent.take(t, `FROM "conversations"`) {
		requireOrdered(t, db, query, 50)
	}

	// Positions bound what is read, so that a sort is of one page's rows at most.
	one, err := s.FindConversation(ctx, conversation)
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
	_, err = s.MessagesFrom(ctx, conversation, 0)
	require.NoError(t, err)
	for _, query := range sent.take(t, `FROM "messages"`) {
		requireIndexed(t, db, query, 50)
	}

	id, key := conversation, "a key"
	_, err = s.SendMessage(ctx, chat.SendMessageInput{ConversationID: &id, Content: "Add a task", IdempotencyKey: &key})
	require.NoError(t, err)
	// The person's own row is found by its id; of a table this small PostgreSQL reads the only pages instead.
	for _, query := range sent.take(t, `FROM "messages"`) {
		requireIndexed(t, db, query, 50)
	}
}

// claims runs the engine for a moment: it claims, and it sweeps up what nobody may claim.
func claims(t *testing.T, db *store.DB, client *ent.Client, sent *recorder) {
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
