package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Size of the data: the number of users, and the rows per user and per conversation.
const (
	users         = 50
	tasksEach     = 400
	conversations = 40
	messagesEach  = 60
)

// seed inserts the data of about a year of use. The IDs only have the format of IDs.
func seed(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer conn.Close(ctx)
	for _, q := range []string{
		fmt.Sprintf(`INSERT INTO users (id, created_at, updated_at, issuer, subject, name, email, time_zone,
				last_task_number, last_change, name_chosen)
			SELECT 'user_' || lpad(u::text, 26, '0'), now(), now(), 'bench', 'person' || u,
				'Person ' || u, '', 'UTC', %d, %d, false
			FROM generate_series(1, %d) u`, tasksEach, tasksEach, users),
		fmt.Sprintf(`INSERT INTO tasks (id, user_id, created_at, updated_at, number, title, description,
				completed_at, priority, due_sort, labels, version)
			SELECT 'task_' || lpad((u * 100000 + n)::text, 26, '0'), 'user_' || lpad(u::text, 26, '0'), now(), now(), n,
				'Task number ' || n || ' of this user', 'A line of description', CASE WHEN n %% 3 = 0 THEN now() END,
				n %% 5, 253402300799999, '["home"]', 1
			FROM generate_series(1, %d) u, generate_series(1, %d) n`, users, tasksEach),
		fmt.Sprintf(`INSERT INTO conversations (id, user_id, created_at, updated_at, title, title_source, message_count)
			SELECT 'conv_' || lpad((u * 100000 + c)::text, 26, '0'), 'user_' || lpad(u::text, 26, '0'), now(), now(),
				'Conversation ' || c, 'AUTO', %d
			FROM generate_series(1, %d) u, generate_series(1, %d) c`, messagesEach, users, conversations),
		fmt.Sprintf(`INSERT INTO messages (id, user_id, created_at, updated_at, conversation_id, position, role, content,
				status, attempt, input_tokens, output_tokens, cached_tokens, model)
			SELECT 'msg_' || lpad((u * 10000000 + c * 1000 + p)::text, 26, '0'), 'user_' || lpad(u::text, 26, '0'), now(), now(),
				'conv_' || lpad((u * 100000 + c)::text, 26, '0'), p, CASE WHEN p %% 2 = 1 THEN 'USER' ELSE 'ASSISTANT' END,
				'This is the text of the message at position ' || p || ', about as long as usual.', 'COMPLETED', 1, 0, 0, 0, ''
			FROM generate_series(1, %d) u, generate_series(1, %d) c, generate_series(1, %d) p`,
			users, conversations, messagesEach),
		`ANALYZE`,
	} {
		if _, err := conn.Exec(ctx, q); err != nil {
			return fmt.Errorf("seeding: %w", err)
		}
	}
	return nil
}
