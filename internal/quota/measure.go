package quota

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"errand/internal/store"
)

// Usage is what a user stores.
type Usage struct {
	OpenTasks, CompletedTasks, TrashedTasks, Conversations int
	Bytes                                                  int64
}

// callBytes is the size of the tool call c, messageBytes that of the message m with its tool calls.
const (
	callBytes = `200 + octet_length(c.arguments) + COALESCE(octet_length(c.result), 0) + octet_length(c.provider_extra)
		+ COALESCE(octet_length(CAST(c.proposal AS TEXT)), 0)
		+ COALESCE(octet_length(CAST(c.choices AS TEXT)), 0)`

	messageBytes = `200 + octet_length(m.content) + 100 * COALESCE(m.term_count, 0)
		+ COALESCE((SELECT SUM(` + callBytes + `) FROM tool_calls c WHERE c.message_id = m.id), 0)`

	finished = `m.status IN ('COMPLETED', 'FAILED', 'CANCELLED')`
)

// AddMessage adds the size of a message that the transaction has just finished, with its tool calls, and assigns the
// position of the change to its conversation. The position is 0 when the account is being deleted.
func AddMessage(ctx context.Context, tx Querier, userID, messageID string) (conversationChange int, err error) {
	const q = `UPDATE users SET last_conversation_change = last_conversation_change + 1, stored_bytes = stored_bytes +
			COALESCE((SELECT ` + messageBytes + ` FROM messages m WHERE m.id = $1 AND m.user_id = users.id), 0)
		WHERE id = $2 RETURNING last_conversation_change`
	if _, err := queryRow(ctx, tx, q, []any{messageID, userID}, &conversationChange); err != nil {
		return 0, fmt.Errorf("counting the size of a message: %w", err)
	}
	return conversationChange, nil
}

// AddBytes adds to the size of what a user stores.
func AddBytes(ctx context.Context, tx Querier, userID string, bytes int64) error {
	const q = `UPDATE users SET stored_bytes = stored_bytes + CAST($1 AS BIGINT) WHERE id = $2 RETURNING stored_bytes`
	var stored int64
	if _, err := queryRow(ctx, tx, q, []any{bytes, userID}, &stored); err != nil {
		return fmt.Errorf("counting bytes: %w", err)
	}
	return nil
}

// ConversationBytes returns the size of a conversation's finished messages.
func ConversationBytes(ctx context.Context, tx Querier, userID, conversationID string) (int64, error) {
	const q = `SELECT CAST(COALESCE(SUM(` + messageBytes + `), 0) AS BIGINT) FROM messages m
		WHERE m.conversation_id = $1 AND m.user_id = $2 AND ` + finished
	var bytes int64
	if _, err := queryRow(ctx, tx, q, []any{conversationID, userID}, &bytes); err != nil {
		return 0, fmt.Errorf("reading the size of a conversation: %w", err)
	}
	return bytes, nil
}

// measured are the values of the counters, computed from the rows of the user $1, in the order of Usage's fields.
const measured = `
	(SELECT COUNT(*) FROM tasks t WHERE t.user_id = $1 AND t.deleted_at IS NULL AND t.completed_at IS NULL),
	(SELECT COUNT(*) FROM tasks t WHERE t.user_id = $1 AND t.deleted_at IS NULL AND t.completed_at IS NOT NULL),
	(SELECT COUNT(*) FROM tasks t WHERE t.user_id = $1 AND t.deleted_at IS NOT NULL),
	(SELECT COUNT(*) FROM conversations c WHERE c.user_id = $1),
	CAST((SELECT COALESCE(SUM(200 + octet_length(t.title) + octet_length(t.description) + 100 * t.term_count
			+ {labels}), 0) FROM tasks t WHERE t.user_id = $1)
		+ (SELECT COALESCE(SUM(200 + {fields}), 0) FROM task_changes h WHERE h.user_id = $1)
		+ (SELECT COALESCE(SUM(` + messageBytes + `), 0) FROM messages m WHERE m.user_id = $1 AND ` + finished + `)
	AS BIGINT)`

// Measure counts what the user stores, without use of the counters.
func Measure(ctx context.Context, tx Querier, sql store.SQL, userID string) (u Usage, err error) {
	found, err := queryRow(ctx, tx, "SELECT "+expand(sql), []any{userID},
		&u.OpenTasks, &u.CompletedTasks, &u.TrashedTasks, &u.Conversations, &u.Bytes)
	if err == nil && !found {
		err = errors.New("no row")
	}
	if err != nil {
		return u, fmt.Errorf("measuring what the user stores: %w", err)
	}
	return u, nil
}

func expand(sql store.SQL) string {
	return strings.NewReplacer(
		"{labels}", sql.JSONBytes("t.labels", ""),
		"{fields}", sql.JSONBytes("h.fields", "from")+" + "+sql.JSONBytes("h.fields", "to")+
			" + "+sql.JSONListBytes("h.fields", "fromLabels")+" + "+sql.JSONListBytes("h.fields", "toLabels"),
	).Replace(measured)
}

// Stored returns the user's counters, and false when the user does not exist.
func Stored(ctx context.Context, tx Querier, userID string) (u Usage, found bool, err error) {
	const q = `SELECT open_tasks, completed_tasks, trashed_tasks, conversation_count, stored_bytes
		FROM users WHERE id = $1`
	found, err = queryRow(ctx, tx, q, []any{userID},
		&u.OpenTasks, &u.CompletedTasks, &u.TrashedTasks, &u.Conversations, &u.Bytes)
	if err != nil {
		err = fmt.Errorf("reading the user's counters: %w", err)
	}
	return u, found, err
}

// Repair sets the user's counters to what Measure returns. The caller holds the lock of the user's row.
func Repair(ctx context.Context, tx Querier, userID string, u Usage) error {
	const q = `UPDATE users SET open_tasks = $1, completed_tasks = $2, trashed_tasks = $3, conversation_count = $4,
		stored_bytes = $5 WHERE id = $6 RETURNING stored_bytes`
	var bytes int64
	_, err := queryRow(ctx, tx, q,
		[]any{u.OpenTasks, u.CompletedTasks, u.TrashedTasks, u.Conversations, u.Bytes, userID}, &bytes)
	if err != nil {
		return fmt.Errorf("repairing the user's counters: %w", err)
	}
	return nil
}
