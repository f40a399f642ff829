package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"errand/internal/testclient"
)

// invariants hold in the database after every run. Each query selects the rows that violate its invariant, as an ID
// and a detail.
var invariants = []struct{ description, query string }{
	{"every run is terminal", `SELECT id, state FROM runs WHERE state NOT IN ('DONE', 'FAILED', 'CANCELLED')`},
	{
		"a message's status matches its run's state",
		`SELECT m.id, m.status || ' ' || r.state FROM messages m JOIN runs r ON r.message_id = m.id
		WHERE (m.status, r.state) NOT IN (VALUES ('COMPLETED', 'DONE'), ('FAILED', 'FAILED'), ('CANCELLED', 'CANCELLED'))`,
	},
	{"no reply fails because of a transient fault", `SELECT id, error_code FROM messages WHERE status = 'FAILED'`},
	{
		"runs of a conversation do not overlap",
		`SELECT later.id, later.started_at || ' < ' || earlier.finished_at FROM runs earlier
		JOIN runs later ON later.conversation_id = earlier.conversation_id AND later.position > earlier.position
		WHERE later.started_at > 0 AND later.started_at < earlier.finished_at`,
	},
	{"each task is created once", `SELECT max(id), title FROM tasks GROUP BY title HAVING count(*) > 1`},
	{
		"each successful tool call has its task",
		`SELECT c.id, c.arguments FROM tool_calls c WHERE c.status = 'SUCCEEDED' AND c.name = 'add_task' AND NOT EXISTS (
		SELECT 1 FROM tasks t JOIN task_changes g ON g.task_id = t.id WHERE g.tool_call_id = c.id
			AND c.arguments = '{"title":"' || t.title || '"}')`,
	},
	{
		"each task of a conversation was created by exactly one successful tool call",
		`SELECT t.id, t.title FROM tasks t LEFT JOIN task_changes g ON g.task_id = t.id
		LEFT JOIN tool_calls c ON c.id = g.tool_call_id AND c.status = 'SUCCEEDED'
		WHERE t.title LIKE 'c%' GROUP BY t.id HAVING count(g.id) <> 1 OR count(c.id) <> 1`,
	},
	{"every tool call is terminal", `SELECT id, status FROM tool_calls WHERE status = 'STARTED'`},
	{
		"task numbers have no gaps",
		`SELECT user_id, CAST(count(*) AS TEXT) FROM tasks GROUP BY user_id HAVING max(number) <> count(*)`,
	},
	{
		"message positions have no gaps",
		`SELECT conversation_id, CAST(count(*) AS TEXT) FROM messages
		GROUP BY conversation_id HAVING max(position) <> count(*)`,
	},
}

// check compares the database with the invariants, the sent scripts and the subscribers' final states, and searches
// the replicas' logs for failures.
func (e *environment) check(ctx context.Context) {
	db, err := openDatabase(e)
	if err != nil {
		e.harnessErr = err
		return
	}
	defer func() { _ = db.Close() }()
	for _, invariant := range invariants {
		e.checkInvariant(ctx, db, invariant.description, invariant.query)
	}
	for _, c := range e.conversations {
		if err := c.check(ctx, db); err != nil {
			e.violations.add("%s: reading the stored turns: %v", c.name, err)
		}
	}
	e.checkLogs()
}

func (e *environment) checkInvariant(ctx context.Context, db *sql.DB, description, query string) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		e.violations.add("%s: %v", description, err)
		return
	}
	defer rows.Close()
	for rows.Next() {
		var id, detail *string
		if err := rows.Scan(&id, &detail); err != nil {
			e.violations.add("%s: %v", description, err)
			return
		}
		e.violations.add("%s: violated by %s: %s", description, *id, stringOrEmpty(detail))
	}
	if err := rows.Err(); err != nil {
		e.violations.add("%s: %v", description, err)
	}
}

func stringOrEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// maxNotificationDelay bounds the time from a run's end to the MessageFinished event at a subscriber. The bound covers
// a frozen replica, a restart of the database and a stalled connection. It must be less than testclient.Timeout,
// after which a subscriber reconnects and would hide a lost notification.
const maxNotificationDelay = 25 * time.Second

// check compares each turn with its stored rows.
func (c *conversation) check(ctx context.Context, db *sql.DB) error {
	for _, t := range c.turns {
		var content, status string
		var finishedAt int64
		err := db.QueryRowContext(ctx, `SELECT m.content, m.status, r.finished_at
			FROM messages m JOIN runs r ON r.message_id = m.id
			WHERE m.id = $1 AND m.conversation_id = $2 AND m.position = $3`, t.reply, c.id, t.position).
			Scan(&content, &status, &finishedAt)
		if err != nil {
			return fmt.Errorf("turn %s: %w", t.turn, err)
		}
		c.count("turns " + status)
		if status == "CANCELLED" && !t.cancelled {
			c.violations.add("turn %s is CANCELLED without a cancelReply", t.turn)
		}
		for _, s := range c.subscribers {
			received := s.finished[t.reply]
			if received.Content != content || received.Status != status {
				c.violations.add("turn %s: subscriber %d received %s %q, stored is %s %q",
					t.turn, s.number, received.Status, received.Content, status, content)
			}
			c.checkToolCalls(t, received.Message)
			if delay := received.at.Sub(time.UnixMilli(finishedAt)); delay > maxNotificationDelay {
				c.violations.add("turn %s: subscriber %d received the end after %s", t.turn, s.number, delay)
			}
		}
		if status == "COMPLETED" {
			if err := c.checkTasks(ctx, db, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkToolCalls checks that a subscriber received the script's tool calls and no others.
func (c *conversation) checkToolCalls(t turn, received testclient.Message) {
	want := len(t.titles())
	if n := len(received.ToolCalls); n > want || received.Status == "COMPLETED" && n != want {
		c.violations.add("turn %s: received %d tool calls, want %d", t.turn, n, want)
	}
}

// checkTasks checks that a completed turn created its script's tasks in order.
func (c *conversation) checkTasks(ctx context.Context, db *sql.DB, t turn) error {
	rows, err := db.QueryContext(ctx, `SELECT title FROM tasks WHERE title LIKE $1 ORDER BY number`, t.turn+"-%")
	if err != nil {
		return err
	}
	defer rows.Close()
	var stored []string
	for rows.Next() {
		var title string
		if err := rows.Scan(&title); err != nil {
			return err
		}
		stored = append(stored, title)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	c.count("turns whose tasks were compared")
	if want := t.titles(); fmt.Sprint(stored) != fmt.Sprint(want) {
		c.violations.add("turn %s: stored tasks are %v, want %v", t.turn, stored, want)
	}
	return nil
}

// checkLogs searches the replicas' logs for panics, data races and internal errors.
func (e *environment) checkLogs() {
	for _, r := range e.replicas {
		if r.unexpectedExits > 0 && e.Rolling {
			e.violations.add("replica %s exited %d times without a signal", r.name, r.unexpectedExits)
		}
		log, err := os.ReadFile(filepath.Join(e.dir, r.name+".log"))
		if err != nil {
			e.harnessErr = err
			return
		}
		for _, text := range []string{
			"panic:", "fatal error:", "WARNING: DATA RACE", "handler panicked", "INTERNAL_SERVER_ERROR",
		} {
			if n := bytes.Count(log, []byte(text)); n > 0 {
				e.violations.add("replica %s logged %q %d times", r.name, text, n)
			}
		}
	}
}
