package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"errand/internal/testclient"

	"github.com/jackc/pgx/v5"
)

// rules are what the database must never show: each query names the rows that break its rule.
var rules = []struct{ says, query string }{
	{"every turn ends", `SELECT id, state FROM runs WHERE state NOT IN ('DONE', 'FAILED', 'CANCELLED')`},
	{
		"a reply ends as its run does",
		`SELECT m.id, m.status || ' ' || r.state FROM messages m JOIN runs r ON r.message_id = m.id
		WHERE (m.status, r.state) NOT IN (('COMPLETED', 'DONE'), ('FAILED', 'FAILED'), ('CANCELLED', 'CANCELLED'))`,
	},
	{"faults that pass do not make a reply fail", `SELECT id, error_code FROM messages WHERE status = 'FAILED'`},
	{"turns do not overlap", `SELECT later.id, later.started_at || ' < ' || earlier.finished_at FROM runs earlier
		JOIN runs later ON later.conversation_id = earlier.conversation_id AND later.position > earlier.position
		WHERE later.started_at > 0 AND later.started_at < earlier.finished_at`},
	{"a task is added once", `SELECT max(id), title FROM tasks GROUP BY title HAVING count(*) > 1`},
	{
		"a call that succeeded has its task",
		`SELECT c.id, c.arguments FROM tool_calls c WHERE c.status = 'SUCCEEDED' AND NOT EXISTS (
		SELECT FROM tasks t JOIN task_changes g ON g.task_id = t.id WHERE g.tool_call_id = c.id AND t.title = c.arguments::json->>'title')`,
	},
	{"a task has the call that added it", `SELECT t.id, t.title FROM tasks t LEFT JOIN task_changes g ON g.task_id = t.id
		LEFT JOIN tool_calls c ON c.id = g.tool_call_id AND c.status = 'SUCCEEDED'
		GROUP BY t.id HAVING count(g.id) <> 1 OR count(c.id) <> 1`},
	{"every call is over", `SELECT id, status FROM tool_calls WHERE status = 'STARTED'`},
	{"numbers have no holes", `SELECT user_id, count(*)::text FROM tasks GROUP BY user_id HAVING max(number) <> count(*)`},
	{
		"positions have no holes",
		`SELECT conversation_id, count(*)::text FROM messages GROUP BY conversation_id HAVING max(position) <> count(*)`,
	},
}

// judge compares what clients saw and what people said with what is stored.
func (w *world) judge(ctx context.Context) {
	conn, err := pgx.Connect(ctx, w.databaseURL)
	if err != nil {
		w.trouble = err
		return
	}
	defer conn.Close(ctx)
	for _, rule := range rules {
		w.apply(ctx, conn, rule.says, rule.query)
	}
	for _, k := range w.talks {
		if err := k.judge(ctx, conn); err != nil {
			w.wrong.add("%s: reading what is stored: %v", k.name, err)
		}
	}
	w.judgeLogs()
}

func (w *world) apply(ctx context.Context, conn *pgx.Conn, says, query string) {
	rows, err := conn.Query(ctx, query)
	if err != nil {
		w.wrong.add("%s: %v", says, err)
		return
	}
	defer rows.Close()
	for rows.Next() {
		var id, what *string
		if err := rows.Scan(&id, &what); err != nil {
			w.wrong.add("%s: %v", says, err)
			return
		}
		w.wrong.add("%s, but not %s: %s", says, *id, text(what))
	}
	if err := rows.Err(); err != nil {
		w.wrong.add("%s: %v", says, err)
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// longestSilence is how late a client may be told of an end: while its replica is frozen, its
// database restarts or its own reading stalls. Whoever waits longer was forgotten. It must be less
// than testclient.Patience, after which a client asks again by itself.
const longestSilence = 25 * time.Second

// judge compares each turn with the stored one.
func (k *talk) judge(ctx context.Context, conn *pgx.Conn) error {
	for _, t := range k.turns {
		var content, status string
		var ended int64
		err := conn.QueryRow(ctx, `SELECT m.content, m.status, r.finished_at FROM messages m JOIN runs r ON r.message_id = m.id
			WHERE m.id = $1 AND m.conversation_id = $2 AND m.position = $3`, t.reply, k.id, t.position).
			Scan(&content, &status, &ended)
		if err != nil {
			return fmt.Errorf("turn %s: %w", t.turn, err)
		}
		k.count("turns " + status)
		if status == "CANCELLED" && !t.cancelled {
			k.wrong.add("turn %s was cancelled by nobody", t.turn)
		}
		for _, one := range k.watchers {
			seen := one.finished[t.reply]
			if seen.Content != content || seen.Status != status {
				k.wrong.add(
					"turn %s: client %d ended with %s %q, stored is %s %q",
					t.turn,
					one.number,
					seen.Status,
					seen.Content,
					status,
					content,
				)
			}
			k.judgeCalls(t, seen.Message)
			if late := seen.at.Sub(time.UnixMilli(ended)); late > longestSilence {
				k.wrong.add("turn %s: client %d saw its end %s late", t.turn, one.number, late)
			}
		}
		if status == "COMPLETED" {
			if err := k.judgeTasks(ctx, conn, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// judgeCalls checks that a client saw the planned calls and no others.
func (k *talk) judgeCalls(t turn, seen testclient.Message) {
	planned := len(t.titles())
	if n := len(seen.ToolCalls); n > planned || seen.Status == "COMPLETED" && n != planned {
		k.wrong.add("turn %s: %d calls were seen, %d were planned", t.turn, n, planned)
	}
}

// judgeTasks checks that every task of a completed turn is there, in the order of the plan.
func (k *talk) judgeTasks(ctx context.Context, conn *pgx.Conn, t turn) error {
	rows, err := conn.Query(ctx, `SELECT title FROM tasks WHERE title LIKE $1 ORDER BY number`, t.turn+"-%")
	if err != nil {
		return err
	}
	stored, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	k.count("turns whose tasks were compared")
	if want := t.titles(); fmt.Sprint(stored) != fmt.Sprint(want) {
		k.wrong.add("turn %s: the tasks are %v, planned were %v", t.turn, stored, want)
	}
	return nil
}

// judgeLogs looks for what no replica may do.
func (w *world) judgeLogs() {
	for _, r := range w.replicas {
		if r.crashes > 0 && w.Rolling {
			w.wrong.add("replica %s ended %d times although nobody asked", r.name, r.crashes)
		}
		log, err := os.ReadFile(filepath.Join(w.dir, r.name+".log"))
		if err != nil {
			w.trouble = err
			return
		}
		for _, mark := range []string{"panic:", "fatal error:", "WARNING: DATA RACE", "handler panicked", "INTERNAL_SERVER_ERROR"} {
			if n := bytes.Count(log, []byte(mark)); n > 0 {
				w.wrong.add("replica %s logged %q %d times", r.name, mark, n)
			}
		}
	}
}
