// Package quota limits what one user stores and how often the user changes it. All of it is counted in columns of the
// user's row, so the limits hold over all replicas.
//
// The counters change in the transaction that changes what they count, under the lock of the user's row. They are
// exact: Measure counts the rows themselves, and "errand doctor" compares the two.
//
// The size of a row is the number of bytes of its texts in UTF-8 plus RowBytes for everything else. The counted rows
// are tasks (title, description, labels, entries of the search index), task changes (old and new values), messages that
// are finished (content, entries of the search index), and their tool calls (arguments, proposal, result and provider
// data). A reply is counted in the transaction that finishes it, and is never refused: the quota is checked when a
// message is sent.
package quota

import (
	"context"
	stdsql "database/sql"
	"fmt"
	"strings"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/user"
	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/store"
	"errand/internal/viewer"
)

// RowBytes is the size of a row without its texts, and TermBytes that of an entry of the search index. Migrations use
// these values too.
const (
	RowBytes  = 200
	TermBytes = 100
)

// Limits bound one user. Zero means no limit.
type Limits struct {
	// Tasks is the number of tasks, those in the trash included.
	Tasks int
	// Conversations is the number of conversations.
	Conversations int
	// Bytes is the size of everything that the package comment lists.
	Bytes int64
	// MutationsPerMinute is the number of changes that the user makes through the API. Calls of the agent's tools are
	// part of a message, and calls over MCP have a limit of their own.
	MutationsPerMinute int
}

// BytesCheck says how a change is compared with Limits.Bytes.
type BytesCheck int

// The checks. A change that adds no text may use a reserve of a tenth beyond the limit, so that a user at the limit can
// still complete, reopen and restore tasks. Moving a task to the trash is always possible.
const (
	WithinLimit BytesCheck = iota
	WithinReserve
	Unchecked
)

// Delta is a change of a user's counters.
type Delta struct {
	// TaskNumbers and TaskChanges are the numbers of task numbers and of positions of task changes to assign.
	TaskNumbers, TaskChanges int
	// ConversationChanges is the number of positions of changes to conversations to assign.
	ConversationChanges int
	// Open, Completed and Trashed are the changes of the numbers of tasks in each state.
	Open, Completed, Trashed int
	Conversations            int
	Bytes                    int64
	BytesCheck               BytesCheck
	// Reply means that a reply will be stored later: the bytes are compared with the limit even if none are added yet.
	Reply bool
}

// Sequence holds the positions that Apply assigned last.
type Sequence struct {
	TaskNumber, TaskChange, ConversationChange int
}

// Querier is implemented by *ent.Client and *ent.Tx.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*stdsql.Rows, error)
}

// Lock locks the viewer's row until tx ends.
func Lock(ctx context.Context, tx *ent.Tx, userID string) error {
	_, err := tx.User.Query().Where(user.ID(userID), store.LockForNoKeyUpdate).OnlyID(ctx)
	if ent.IsNotFound(err) {
		return viewer.ErrAccountDeleted()
	}
	if err != nil {
		return fmt.Errorf("locking the user: %w", err)
	}
	return nil
}

// QueueLock locks the viewer's row until tx ends, as Lock does, together with the next statement of tx. It reports no
// error when the row does not exist.
func QueueLock(ctx context.Context, tx *ent.Tx, userID string) error {
	if err := store.QueueUserLock(ctx, tx, userID); err != nil {
		return fmt.Errorf("locking the user: %w", err)
	}
	return nil
}

// Apply changes the counters of the viewer v and counts one mutation, unless v is not the user in person. The update
// locks the user's row until the transaction ends. Beyond a limit Apply changes nothing and returns FORBIDDEN, with
// the limit's name and value, or RATE_LIMITED.
func (l Limits) Apply(ctx context.Context, tx Querier, v viewer.Viewer, d Delta) (Sequence, error) {
	u := &update{}
	u.add("last_task_number", d.TaskNumbers)
	u.add("last_change", d.TaskChanges)
	u.add("last_conversation_change", d.ConversationChanges)
	u.add("open_tasks", d.Open)
	u.add("completed_tasks", d.Completed)
	u.add("trashed_tasks", d.Trashed)
	u.add("conversation_count", d.Conversations)
	u.add("stored_bytes", d.Bytes)
	if tasks := d.Open + d.Completed + d.Trashed; tasks > 0 && l.Tasks > 0 {
		u.require("open_tasks + completed_tasks + trashed_tasks <= %s", l.Tasks-tasks)
	}
	if d.Conversations > 0 && l.Conversations > 0 {
		u.require("conversation_count <= %s", l.Conversations-d.Conversations)
	}
	if limit := l.bytesLimit(d.BytesCheck); (d.Bytes > 0 || d.Reply) && limit > 0 {
		u.require("stored_bytes <= %s", limit-d.Bytes)
	}
	now := ids.Now().UnixMicro()
	r := mutations(l, v)
	r.charge(u, now)
	if len(u.set) == 0 {
		return Sequence{}, nil
	}
	var seq Sequence
	applied, err := u.run(ctx, tx, v.UserID, &seq)
	if err != nil {
		return Sequence{}, fmt.Errorf("updating the user's counters: %w", err)
	}
	if !applied {
		return Sequence{}, l.explain(ctx, tx, v.UserID, d, r, now)
	}
	return seq, nil
}

// bytesLimit returns the limit for a check; 0 means none.
func (l Limits) bytesLimit(c BytesCheck) int64 {
	switch c {
	case WithinLimit:
		return l.Bytes
	case WithinReserve:
		return l.Bytes + l.Bytes/10
	default:
		return 0
	}
}

// explain returns the error for an update that changed no row.
func (l Limits) explain(ctx context.Context, tx Querier, userID string, d Delta, r rate, now int64) error {
	const q = `SELECT open_tasks + completed_tasks + trashed_tasks, conversation_count, stored_bytes, mutations_until
		FROM users WHERE id = $1`
	var tasks, conversations int
	var bytes, until int64
	found, err := queryRow(ctx, tx, q, []any{userID}, &tasks, &conversations, &bytes, &until)
	switch {
	case err != nil:
		return fmt.Errorf("reading the user's counters: %w", err)
	case !found:
		return viewer.ErrAccountDeleted()
	}
	added := d.Open + d.Completed + d.Trashed
	limit := l.bytesLimit(d.BytesCheck)
	switch {
	case l.Tasks > 0 && added > 0 && tasks+added > l.Tasks:
		return apperr.OverQuota("tasks", int64(l.Tasks), "At most %d tasks can be stored, including those in the trash.",
			l.Tasks)
	case l.Conversations > 0 && d.Conversations > 0 && conversations+d.Conversations > l.Conversations:
		return apperr.OverQuota("conversations", int64(l.Conversations), "At most %d conversations can be stored.",
			l.Conversations)
	case limit > 0 && (d.Bytes > 0 || d.Reply) && bytes+d.Bytes > limit:
		return apperr.OverQuota("bytes", l.Bytes, "At most %d bytes can be stored; %d are used. "+
			"Tasks in the trash and the history of tasks count too; deleting conversations frees space.", l.Bytes, bytes)
	default:
		return r.exceeded(until, now)
	}
}

// TaskBytes returns the size of a task.
func TaskBytes(t *ent.Task) int64 {
	n := RowBytes + len(t.Title) + len(t.Description) + TermBytes*t.TermCount
	for _, label := range t.Labels {
		n += len(label)
	}
	return int64(n)
}

// ChangeBytes returns the size of a task change with the given fields.
func ChangeBytes(fields []enum.FieldChange) int64 {
	n := RowBytes
	for _, f := range fields {
		for _, value := range []*string{f.From, f.To} {
			if value != nil {
				n += len(*value)
			}
		}
		for _, labels := range [][]string{f.FromLabels, f.ToLabels} {
			for _, label := range labels {
				n += len(label)
			}
		}
	}
	return int64(n)
}

// MessageBytes returns the size of a message without tool calls. terms is the number of its entries in the search
// index.
func MessageBytes(content string, terms int) int64 {
	return int64(RowBytes + len(content) + TermBytes*terms)
}

// update builds a conditional update of a user's row.
type update struct {
	set, where []string
	args       []any
}

// param adds an argument and returns its placeholder.
func (u *update) param(value any) string {
	u.args = append(u.args, value)
	return fmt.Sprintf("CAST($%d AS BIGINT)", len(u.args))
}

func (u *update) add(column string, n any) {
	if n == 0 || n == int64(0) {
		return
	}
	u.set = append(u.set, column+" = "+column+" + "+u.param(n))
}

// require adds a condition with one %s for the value.
func (u *update) require(condition string, value any) {
	u.where = append(u.where, fmt.Sprintf(condition, u.param(value)))
}

// run executes the update, and reports whether it changed the row. It stores the row's sequence numbers in seq.
func (u *update) run(ctx context.Context, tx Querier, userID string, seq *Sequence) (bool, error) {
	u.args = append(u.args, userID)
	conditions := append([]string{fmt.Sprintf("id = $%d", len(u.args))}, u.where...)
	q := "UPDATE users SET " + strings.Join(u.set, ", ") + " WHERE " + strings.Join(conditions, " AND ") +
		" RETURNING last_task_number, last_change, last_conversation_change"
	return queryRow(ctx, tx, q, u.args, &seq.TaskNumber, &seq.TaskChange, &seq.ConversationChange)
}

// queryRow scans the only row of a query, and reports whether there was one.
func queryRow(ctx context.Context, q Querier, query string, args []any, dst ...any) (found bool, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if !rows.Next() {
		return false, rows.Err()
	}
	if err := rows.Scan(dst...); err != nil {
		return false, err
	}
	return true, rows.Err()
}
