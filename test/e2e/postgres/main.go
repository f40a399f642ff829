// Command postgres starts a PostgreSQL server for a suite, creates a database for each argument, writes their URLs to
// standard output, one a line, and stops the server when standard input ends, which also happens when the suite is
// killed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/jackc/pgx/v5"

	"errand/internal/testdb/cluster"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, databases []string) (err error) {
	c, err := cluster.New(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if err := create(ctx, c.URL("postgres"), databases); err != nil {
		return err
	}
	for _, name := range databases {
		fmt.Println(c.URL(name))
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	return nil
}

func create(ctx context.Context, url string, databases []string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, name := range databases {
		if _, err := conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
			return fmt.Errorf("create database %s: %w", name, err)
		}
	}
	return nil
}
