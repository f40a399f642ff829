package main

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"
)

// countStatements returns the number of statements that the replicas execute while fn runs, without the periodic ones.
// It makes the database log every statement.
func (b *bench) countStatements(ctx context.Context, fn func() error) (int, error) {
	conn, err := pgx.Connect(ctx, b.url)
	if err != nil {
		return 0, fmt.Errorf("connecting: %w", err)
	}
	defer conn.Close(ctx)
	for _, q := range []string{
		`ALTER SYSTEM SET log_statement = 'all'`,
		`SELECT pg_reload_conf()`,
		`SELECT pg_sleep(0.2)`,
	} {
		if _, err := conn.Exec(ctx, q); err != nil {
			return 0, err
		}
	}
	before, err := b.loggedStatements()
	if err != nil {
		return 0, err
	}
	if err := fn(); err != nil {
		return 0, err
	}
	after, err := b.loggedStatements()
	if err != nil {
		return 0, err
	}
	_, err = conn.Exec(ctx, `ALTER SYSTEM RESET log_statement`)
	return after - before, err
}

// loggedStatements counts the statements in the server's log, except for notifications and pings, which are independent
// of turns.
func (b *bench) loggedStatements() (int, error) {
	log, err := os.ReadFile(b.cluster.Log())
	if err != nil {
		return 0, err
	}
	n := 0
	for line := range bytes.Lines(log) {
		statement := bytes.Contains(line, []byte("LOG:  execute ")) || bytes.Contains(line, []byte("LOG:  statement: "))
		if statement && !bytes.Contains(line, []byte("pg_notify")) && !bytes.Contains(line, []byte("-- ping")) {
			n++
		}
	}
	return n, nil
}
