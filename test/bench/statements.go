package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// measureStatements counts the SQL statements of a turn with a tool call by the number of its subscribers.
func measureStatements(ctx context.Context, b *bench, out io.Writer) error {
	s, err := b.startErrand(ctx, append(hs256(), "RUN_SWEEP=14s")...)
	if err != nil {
		return err
	}
	user, err := b.newClient(s, userSubject(1))
	if err != nil {
		return err
	}
	t := newTable("SQL statements of a turn with one tool call, from sendMessage to the end of the reply",
		"subscribers", "statements", "of which BEGIN and COMMIT")
	for _, n := range b.size.subscribers {
		total, transactions, err := b.countTurn(ctx, user, n)
		if err != nil {
			return err
		}
		t.add(n, total, transactions)
	}
	return t.write(out)
}

// uncounted are texts of statements that are not counted: notifications and pings, which are independent of turns, and
// settings of the user, which are sent together with a statement.
var uncounted = []string{"pg_notify", "-- ping", "SELECT set_config("}

// countTurn returns the mean of some turns.
func (b *bench) countTurn(ctx context.Context, user *client, subscribers int) (total, transactions float64, err error) {
	const turns = 3
	for range turns {
		conversation, err := user.createConversation(ctx)
		if err != nil {
			return 0, 0, err
		}
		var all []*subscriber
		for range subscribers {
			s, err := user.subscribe(ctx, conversation)
			if err != nil {
				return 0, 0, err
			}
			all = append(all, s)
		}
		log, err := b.logged(ctx, "log_statement = 'all'", func() error {
			if err := user.send(ctx, conversation, askTool); err != nil {
				return err
			}
			return readAllReplies(all)
		})
		if err != nil {
			return 0, 0, err
		}
		for _, entry := range log {
			statement := strings.Contains(entry, "LOG:  execute ") || strings.Contains(entry, "LOG:  statement: ")
			if !statement || slices.ContainsFunc(uncounted, func(text string) bool { return strings.Contains(entry, text) }) {
				continue
			}
			total++
			if lower := strings.ToLower(entry); strings.Contains(lower, ": begin") || strings.Contains(lower, ": commit") {
				transactions++
			}
		}
	}
	return total / turns, transactions / turns, nil
}

// logged returns the entries that the database server logs while fn runs, with a setting of what it logs.
func (b *bench) logged(ctx context.Context, setting string, fn func() error) ([]string, error) {
	conn, err := pgx.Connect(ctx, b.url)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	defer conn.Close(ctx)
	configure := func(statement string) error {
		for _, q := range []string{statement, `SELECT pg_reload_conf()`, `SELECT pg_sleep(0.3)`} {
			if _, err := conn.Exec(ctx, q); err != nil {
				return err
			}
		}
		return nil
	}
	if err := configure("ALTER SYSTEM SET " + setting); err != nil {
		return nil, err
	}
	before, err := os.Stat(b.cluster.Log())
	if err != nil {
		return nil, err
	}
	if err := fn(); err != nil {
		return nil, err
	}
	log, err := os.ReadFile(b.cluster.Log())
	if err != nil {
		return nil, err
	}
	name, _, _ := strings.Cut(setting, " ")
	return logEntries(log[before.Size():]), configure("ALTER SYSTEM RESET " + name)
}

// logEntries splits a log. Further lines of an entry begin with a tab.
func logEntries(log []byte) (entries []string) {
	for line := range bytes.Lines(log) {
		if line[0] == '\t' && len(entries) > 0 {
			entries[len(entries)-1] += string(line)
		} else {
			entries = append(entries, string(line))
		}
	}
	return entries
}
