package plans_test

import (
	"context"
	"testing"

	"errand/internal/store"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// userID is one of 200 users, each with 1,000 tasks (90 % completed, some in the trash), as many changes, and 60
// conversations of 10 messages. This user's newest conversation is long.
const (
	userID         = "user_7"
	conversationID = "conv_7_69"
)

// loadStatements fill the tables. 40 runs are queued, ten are running, all others are done.
var loadStatements = []string{
	`SET session_replication_role = replica`, // do not check foreign keys for each row

	`INSERT INTO users (id, created_at, updated_at, subject, last_task_number, last_change)
	SELECT 'user_' || u, now(), now(), 'subject ' || u, 1000, 1000 FROM generate_series(1, 200) u`,

	`INSERT INTO tasks
		(id, created_at, updated_at, user_id, number, title, completed_at, deleted_at, priority, due_sort, labels,
		version, indexed_version)
	SELECT 'task_' || u || '_' || n, now(), now() - (hashint4(u * 1000 + n) % 1000000) * interval '1 second',
		'user_' || u, n,
		'title ' || hashint4(n * 200 + u), CASE WHEN n % 10 <> 0 THEN now() END, CASE WHEN n % 37 = 0 THEN now() END,
		abs(hashint4(n)) % 5, abs(hashint4(u + n)::bigint), '[]', 1, 1
	FROM generate_series(1, 200) u, generate_series(1, 1000) n`,

	`INSERT INTO task_changes (id, user_id, task_id, seq, kind, actor, task_version, fields, created_at)
	SELECT 'chg_' || u || '_' || n, 'user_' || u, 'task_' || u || '_' || n, n, 'CREATED', 'PERSON', 1, '[]', now()
	FROM generate_series(1, 200) u, generate_series(1, 1000) n`,

	`INSERT INTO conversations (id, created_at, updated_at, user_id, message_count)
	SELECT 'conv_' || u || '_' || c, now(), now(), 'user_' || u, 10
	FROM generate_series(1, 200) u, generate_series(10, 69) c`,

	`INSERT INTO messages (id, created_at, updated_at, user_id, conversation_id, position, role, status, content)
	SELECT 'msg_' || u || '_' || c || '_' || p, now() - (70 - c) * interval '1 day', now(), 'user_' || u,
		'conv_' || u || '_' || c, p,
		CASE p % 2 WHEN 1 THEN 'USER' ELSE 'ASSISTANT' END,
		CASE WHEN p = 10 AND c = 69 AND u <= 50 THEN 'PENDING' ELSE 'COMPLETED' END, repeat('word ', 40)
	FROM generate_series(1, 200) u, generate_series(10, 69) c, generate_series(1, 10) p`,

	`INSERT INTO messages (id, created_at, updated_at, user_id, conversation_id, position, role, content)
	SELECT 'msg_' || p, now() - interval '1 hour', now(), '` + userID + `', '` + conversationID + `', p,
		CASE p % 2 WHEN 1 THEN 'USER' ELSE 'ASSISTANT' END,
		repeat('word ', 40)
	FROM generate_series(11, 5000) p`,

	`UPDATE conversations SET message_count = 5000 WHERE id = '` + conversationID + `'`,

	`INSERT INTO tool_calls
		(id, created_at, updated_at, user_id, message_id, seq, step, provider_id, name, arguments, text_offset)
	SELECT 'call_' || id, now(), now(), user_id, id, 0, 0, 'call', 'add_task', '{}', 0
	FROM messages WHERE role = 'ASSISTANT'`,

	`INSERT INTO runs (id, user_id, conversation_id, message_id, position, state, worker, lease_until)
	SELECT 'run_' || id, user_id, conversation_id, id, position,
		CASE WHEN status = 'COMPLETED' THEN 'DONE' WHEN user_id < 'user_2' THEN 'RUNNING' ELSE 'QUEUED' END,
		CASE WHEN status = 'PENDING' AND user_id < 'user_2' THEN 'other' ELSE '' END,
		CASE WHEN status = 'PENDING' AND user_id < 'user_2' THEN 32503680000000 ELSE 0 END
	FROM messages WHERE role = 'ASSISTANT'`,

	`INSERT INTO task_terms (user_id, term, task_number)
	SELECT user_id, convert_to('title', 'UTF8'), number FROM tasks`,

	`ANALYZE`,
}

// indexStatement adds 200 terms to each of the user's tasks: "word1" to "word150", which all tasks have, and 50 others.
const indexStatement = `INSERT INTO task_terms (user_id, term, task_number)
	SELECT '` + userID + `', convert_to(CASE WHEN w <= 150 THEN 'word' || w ELSE 'rare' || n * 1000 + w END, 'UTF8'), n
	FROM generate_series(1, 1000) n, generate_series(1, 200) w`

func loadData(t *testing.T, db *store.DB) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.ConnectConfig(ctx, db.PostgresConfig())
	require.NoError(t, err)
	defer conn.Close(ctx)
	for _, statement := range loadStatements {
		_, err := conn.Exec(ctx, statement)
		require.NoError(t, err, statement)
	}
}

// execute executes a statement as the owner of the tables.
func execute(t *testing.T, db *store.DB, statement string) {
	t.Helper()
	_, err := db.Client().ExecContext(context.Background(), statement)
	require.NoError(t, err, statement)
}
