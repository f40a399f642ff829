package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// size is the amount of data.
type size struct {
	users         int
	tasks         int // of each user
	conversations int // of each user
	messages      int // of each conversation
	longMessages  int // of each of the large user's 10 conversations
	searched      []int
	idle          int // subscriptions in the memory table
	followers     int // subscribers of one conversation in the table of streams
	subscribers   []int
	queued        int // runs in the burst of the table of claims
	running       int
}

var (
	fullSize = size{
		users: 1000, tasks: 100, conversations: 20, messages: 50, longMessages: 5000,
		searched: []int{1_000, 10_000, 100_000}, idle: 5000, followers: 1000, subscribers: []int{1, 10, 50},
		queued: 5000, running: 500,
	}
	quickSize = size{
		users: 50, tasks: 60, conversations: 20, messages: 20, longMessages: 200,
		searched: []int{100, 1_000}, idle: 200, followers: 20, subscribers: []int{1, 5},
		queued: 100, running: 10,
	}
)

const (
	largeConversations = 10
	// largeUser is the subject of the user with the long conversations.
	largeUser = "large"
)

// userSubject returns the subject of a user, numbered from 1 to size.users.
func userSubject(n int) string { return fmt.Sprintf("person%d", n) }

// The SQL expressions of the IDs, which have the format of IDs only.
const (
	userID         = `'user_' || lpad((%s)::text, 26, '0')`
	conversationID = `'conv_' || lpad((%s)::text, 26, '0')`
)

// seedUsers adds users with the numbers from..to, whose subject is an expression of their number u. All their counters
// are those of tasksEach and conversationsEach.
func seedUsers(from, to int, subject string, tasksEach, conversationsEach int) string {
	return fmt.Sprintf(`INSERT INTO users (id, created_at, updated_at, issuer, subject, name, email, last_task_number,
			last_change, last_conversation_change, open_tasks, completed_tasks, conversation_count)
		SELECT `+fmt.Sprintf(userID, "u")+`, now(), now(), 'bench', %s, 'Person ' || u, 'person' || u || '@example.com',
			%d, %d, %d, %d - %d / 3, %d / 3, %d
		FROM generate_series(%d, %d) u`,
		subject, tasksEach, tasksEach, conversationsEach, tasksEach, tasksEach, tasksEach, conversationsEach, from, to)
}

// seedTasks adds tasks with their search terms and labels to users. A third of them is completed. A few titles have the
// word "dentist", a tenth has "report".
func seedTasks(from, to, each int) []string {
	owner := fmt.Sprintf(userID, "u")
	return []string{
		fmt.Sprintf(`INSERT INTO tasks (id, user_id, created_at, updated_at, number, title, description,
				completed_at, priority, due_sort, labels, version, indexed_version, term_count)
			SELECT 'task_' || lpad((u * 1000000 + n)::text, 26, '0'), %s, now(), now(), n,
				(ARRAY['Call','Write','Buy','Read','Book','Pay','Plan','Send'])[1 + (hashint4(n) & 7)] ||
				CASE WHEN n %% 997 = 7 THEN ' the dentist' WHEN n %% 10 = 3 THEN ' the report' ELSE ' the thing' END ||
				' of week ' || n %% 53 || ' again',
				'Details are in folder ' || n, CASE WHEN n %% 3 = 0 THEN now() END,
				n %% 5, 253402300799999,
				CASE n %% 20 WHEN 0 THEN '["work"]' WHEN 1 THEN '["home"]' ELSE '[]' END::jsonb, 1, 1, 11
			FROM generate_series(%d, %d) u, generate_series(1, %d) n`, owner, from, to, each),
		fmt.Sprintf(
			`INSERT INTO task_changes (id, user_id, task_id, seq, kind, actor, client, task_version, fields, created_at)
			SELECT 'chg_' || lpad((u * 1000000 + n)::text, 26, '0'), %s, 'task_' || lpad((u * 1000000 + n)::text, 26, '0'), n,
				'CREATED', 'PERSON', '', 1, '[{"name":"title","to":"Call the thing of week again"}]', now()
			FROM generate_series(%d, %d) u, generate_series(1, %d) n`,
			owner,
			from,
			to,
			each,
		),
		fmt.Sprintf(`INSERT INTO task_terms (user_id, term, task_number)
			SELECT DISTINCT t.user_id, convert_to(w, 'UTF8'), t.number
			FROM generate_series(%d, %d) u JOIN tasks t ON t.user_id = %s,
				unnest(string_to_array(lower(t.title || ' ' || t.description), ' ') ||
					ARRAY(SELECT E'\x01' || l FROM jsonb_array_elements_text(t.labels) l)) w`, from, to, owner),
	}
}

// seedConversations adds conversations with messages, and a finished run for each reply, to users. The messages count
// as indexed, without any term: Errand would otherwise index them, at full speed, during all measurements.
func seedConversations(from, to, each, messages int) []string {
	owner, conversation := fmt.Sprintf(userID, "u"), fmt.Sprintf(conversationID, "u * 100000 + c")
	message := `'msg_' || lpad((u::bigint * 10000000000 + c * 100000 + p)::text, 26, '0')`
	series := fmt.Sprintf(`generate_series(%d, %d) u, generate_series(1, %d) c, generate_series(1, %d) p`,
		from, to, each, messages)
	return []string{
		fmt.Sprintf(`INSERT INTO conversations (id, user_id, created_at, updated_at, title, title_source,
				message_count, seq)
			SELECT %s, %s, now(), now(), 'Conversation ' || c, 'AUTO', %d, c
			FROM generate_series(%d, %d) u, generate_series(1, %d) c`, conversation, owner, messages, from, to, each),
		fmt.Sprintf(`INSERT INTO messages (id, user_id, created_at, updated_at, conversation_id, position, role, content,
				status, attempt, finished_at, term_count)
			SELECT %s, %s, now() - interval '1 day', now(), %s, p, CASE WHEN p %% 2 = 1 THEN 'USER' ELSE 'ASSISTANT' END,
				'This is the text of the message at position ' || p || ', which is about as long as the messages are that' ||
				' people send to an assistant, and that the assistant replies with.', 'COMPLETED', 1 - p %% 2, now(), 0
			FROM %s`, message, owner, conversation, series),
		fmt.Sprintf(`INSERT INTO runs (id, user_id, conversation_id, message_id, position, state, attempt, created_at,
				started_at, finished_at)
			SELECT 'run_' || lpad((u::bigint * 10000000000 + c * 100000 + p)::text, 26, '0'), %s, %s, %s, p, 'DONE', 1,
				1790000000000, 1790000000000, 1790000000000
			FROM %s WHERE p %% 2 = 0`, owner, conversation, message, series),
	}
}

// seedMessageTerms adds the words of the messages of users to the search index. All messages have "message" and "send";
// a number is in one message of each conversation.
func seedMessageTerms(from, to int) string {
	return fmt.Sprintf(`INSERT INTO message_terms (user_id, term, message_id)
		SELECT DISTINCT m.user_id, convert_to(w, 'UTF8'), m.id
		FROM generate_series(%d, %d) u JOIN messages m ON m.user_id = %s,
			regexp_split_to_table(lower(m.content), '\W+') w
		WHERE w <> ''`, from, to, fmt.Sprintf(userID, "u"))
}

// seed fills the tables of Errand, copies the rows that the requests read to the tables of the minimal server, and
// collects statistics, as autovacuum does.
func seed(ctx context.Context, url string, s size) error {
	large := s.users + 1
	statements := []string{
		seedUsers(1, s.users, `'person' || u`, s.tasks, s.conversations),
		seedUsers(large, large, `'`+largeUser+`'`, s.tasks, largeConversations),
	}
	statements = append(statements, seedTasks(1, large, s.tasks)...)
	statements = append(statements, seedConversations(1, s.users, s.conversations, s.messages)...)
	statements = append(statements, seedConversations(large, large, largeConversations, s.longMessages)...)
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer conn.Close(ctx)
	drop, create, err := indexes(ctx, conn) // adding them at the end takes half the time
	if err != nil {
		return err
	}
	return execute(
		ctx,
		conn,
		slices.Concat(drop, statements, create, minimalTables, []string{`VACUUM ANALYZE`, `CHECKPOINT`}),
	)
}

// indexes returns the statements that drop and create the indexes, except for primary keys, of the largest tables.
func indexes(ctx context.Context, conn *pgx.Conn) (drop, create []string, err error) {
	rows, err := conn.Query(ctx, `SELECT 'DROP INDEX ' || quote_ident(indexname), indexdef FROM pg_indexes i
		WHERE schemaname = 'public' AND tablename IN ('tasks', 'task_changes', 'task_terms', 'messages', 'runs')
			AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = indexname)`)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the indexes: %w", err)
	}
	for rows.Next() {
		var d, c string
		if err := rows.Scan(&d, &c); err != nil {
			return nil, nil, fmt.Errorf("reading the indexes: %w", err)
		}
		drop, create = append(drop, d), append(create, c)
	}
	return drop, create, rows.Err()
}

// execute executes the statements without checks of foreign keys.
func execute(ctx context.Context, conn *pgx.Conn, statements []string) error {
	settings := []string{
		`SET session_replication_role = replica`, `SET synchronous_commit = off`,
		`SET maintenance_work_mem = '256MB'`, `SET work_mem = '256MB'`,
	}
	for _, statement := range append(settings, statements...) {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("executing %s: %w", statement, err)
		}
	}
	return nil
}
