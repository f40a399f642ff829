package plans_test

import (
	"context"
	"testing"

	"errand/internal/store"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// userID is one of 200 users, each with 1,000 tasks (90 % completed, some in the trash), as many changes, and 60
// conversations of 10 messages. This user's ten newest conversations have 5,000. The first 50 users have 1,487 further
// changes: three of each of 200 replies, which are the newest of conversationID for this user, then three of each call
// of an MCP client, then the undos of the newer half, of all calls but the first ones.
const (
	userID         = "user_7"
	conversationID = "conv_7_69"
)

// loadStatements fill the tables. 40 runs are queued, ten are running, all others are done.
var loadStatements = []string{
	`SET session_replication_role = replica`, // do not check foreign keys for each row

	`INSERT INTO users (id, created_at, updated_at, subject, last_task_number, last_change)
	SELECT 'user_' || u, now(), now(), 'subject ' || u, 1000, 3000 FROM generate_series(1, 200) u`,

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

	`INSERT INTO task_changes
		(id, user_id, task_id, seq, kind, actor, client, batch_id, task_version, fields, created_at)
	SELECT 'chg_' || u || '_' || n, 'user_' || u, 'task_' || u || '_' || n - 1000, n, 'COMPLETED',
		CASE WHEN n <= 1600 THEN 'AGENT' ELSE 'MCP' END, CASE WHEN n <= 1600 THEN '' ELSE 'client' END,
		CASE
			WHEN n > 1600 THEN 'batch_' || u || '_' || n / 3
			WHEN u = 7 THEN 'msg_69_' || 4602 + (n - 1001) / 3 * 2
			ELSE 'msg_' || u || '_' || 10 + (n - 1001) / 15 || '_' || 2 + (n - 1001) / 3 % 5 * 2
		END,
		2, '[]', now()
	FROM generate_series(1, 50) u, generate_series(1001, 1900) n`,

	`INSERT INTO task_changes
		(id, user_id, task_id, seq, kind, actor, batch_id, undoes, task_version, fields, created_at)
	SELECT 'chg_' || u || '_' || n + 1000, 'user_' || u, 'task_' || u || '_' || n - 1000, n + 1000, 'REOPENED', 'PERSON',
		'batch_' || u || '_undo_' || n / 3, 'chg_' || u || '_' || n, 3, '[]', now()
	FROM generate_series(1, 50) u, generate_series(1310, 1900) n WHERE n NOT BETWEEN 1601 AND 1604`,

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
	SELECT 'msg_' || c || '_' || p, now() - interval '1 hour', now(), '` + userID + `', 'conv_7_' || c, p,
		CASE p % 2 WHEN 1 THEN 'USER' ELSE 'ASSISTANT' END,
		repeat('word ', 40)
	FROM generate_series(60, 69) c, generate_series(11, 5000) p`,

	`UPDATE conversations SET message_count = 5000 WHERE id BETWEEN 'conv_7_60' AND 'conv_7_69'`,

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

	// 30,000 users with one row of each kind: on average, a user has a few.
	`INSERT INTO users (id, created_at, updated_at, subject, last_task_number, last_change)
	SELECT 'small_' || u, now(), now(), 'small ' || u, 1, 1 FROM generate_series(1, 30000) u`,

	`INSERT INTO tasks
		(id, created_at, updated_at, user_id, number, title, due_sort, labels, version, indexed_version)
	SELECT 'task_small_' || u, now(), now(), 'small_' || u, 1, 'title', u, '[]', 1, 1 FROM generate_series(1, 30000) u`,

	`INSERT INTO task_terms (user_id, term, task_number)
	SELECT 'small_' || u, convert_to('title', 'UTF8'), 1 FROM generate_series(1, 30000) u`,

	`INSERT INTO task_changes (id, user_id, task_id, seq, kind, actor, batch_id, task_version, fields, created_at)
	SELECT 'chg_small_' || u, 'small_' || u, 'task_small_' || u, 1, 'CREATED', 'AGENT', 'msg_small_' || u, 1, '[]', now()
	FROM generate_series(1, 30000) u`,

	`INSERT INTO conversations (id, created_at, updated_at, user_id, message_count)
	SELECT 'conv_small_' || u, now(), now(), 'small_' || u, 1 FROM generate_series(1, 30000) u`,

	`INSERT INTO messages (id, created_at, updated_at, user_id, conversation_id, position, role, content)
	SELECT 'msg_small_' || u, now() - interval '1 day', now(), 'small_' || u, 'conv_small_' || u, 1, 'ASSISTANT', 'word'
	FROM generate_series(1, 30000) u`,

	`INSERT INTO tool_calls
		(id, created_at, updated_at, user_id, message_id, seq, step, provider_id, name, arguments, text_offset)
	SELECT 'call_small_' || u, now(), now(), 'small_' || u, 'msg_small_' || u, 0, 0, 'call', 'add_task', '{}', 0
	FROM generate_series(1, 30000) u`,

	`INSERT INTO runs (id, user_id, conversation_id, message_id, position, state)
	SELECT 'run_small_' || u, 'small_' || u, 'conv_small_' || u, 'msg_small_' || u, 1, 'DONE'
	FROM generate_series(1, 30000) u`,

	`ANALYZE`,
}

// indexStatement adds 200 terms to each of the user's tasks: "word1" to "word150", which all tasks have, and 50 others.
const indexStatement = `INSERT INTO task_terms (user_id, term, task_number)
	SELECT '` + userID + `', convert_to(CASE WHEN w <= 150 THEN 'word' || w ELSE 'rare' || n * 1000 + w END, 'UTF8'), n
	FROM generate_series(1, 1000) n, generate_series(1, 200) w`

func loadData(t *testing.T, db *store.DB, statements ...string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.ConnectConfig(ctx, db.PostgresConfig())
	require.NoError(t, err)
	defer conn.Close(ctx)
	for _, statement := range statements {
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
