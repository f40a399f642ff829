// Package testdb provides each test with a new, migrated database, on SQLite and on a real PostgreSQL server. It never
// skips: if a database cannot be created, the test fails.
//
// New databases are copies of a template, a file on SQLite and a template database on PostgreSQL, so that a test does
// not run the migrations. github.com/peterldowns/pgtestdb clones templates in the same way, but it needs a server that
// already runs. Most of the code here finds, installs, starts and stops that server (package cluster); the library
// would replace only the cloning, which is about 60 lines.
package testdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"errand/internal/store"

	"github.com/stretchr/testify/require"
)

// Each runs test on each engine, in a subtest with the engine's name.
func Each(t *testing.T, test func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t)) })
}

// EachURL is Each for tests that open the database themselves.
func EachURL(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLiteURL(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, PostgresURL(t)) })
}

// SQLite opens a new, migrated database file.
func SQLite(t testing.TB) *store.DB {
	t.Helper()
	return Open(t, SQLiteURL(t))
}

// Postgres opens a new, migrated database on the shared PostgreSQL server.
func Postgres(t testing.TB) *store.DB {
	t.Helper()
	return Open(t, PostgresURL(t))
}

// Open opens a database without logging and closes it at the end of the test.
func Open(t testing.TB, url string) *store.DB {
	t.Helper()
	db, err := open(url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func open(url string) (*store.DB, error) {
	return store.Open(context.Background(), store.Options{
		URL:            url,
		StatementCache: true,
		Logger:         slog.New(slog.DiscardHandler),
		StartupTimeout: -1,
	})
}

// migrate applies all migrations, as the server does when it starts.
func migrate(ctx context.Context, url string) error {
	db, err := open(url)
	if err != nil {
		return err
	}
	if err := db.EnsureSchema(ctx, true); err != nil {
		return errors.Join(fmt.Errorf("migrating: %w", err), db.Close())
	}
	return db.Close()
}
