// Package testdb gives each test a database of its own, on SQLite and on a real
// PostgreSQL. It never skips: a test that cannot have its database fails.
package testdb

import (
	"context"
	"log/slog"
	"testing"

	"errand/internal/store"

	"github.com/stretchr/testify/require"
)

// Each runs test once on each engine, as a subtest named after it.
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

// SQLite opens a new database file with all tables.
func SQLite(t testing.TB) *store.DB {
	t.Helper()
	return Open(t, SQLiteURL(t))
}

// Postgres opens a new database with all tables on the shared test server.
func Postgres(t testing.TB) *store.DB {
	t.Helper()
	return Open(t, PostgresURL(t))
}

// Open opens a database quietly, until the end of the test.
func Open(t testing.TB, url string) *store.DB {
	t.Helper()
	db, err := open(url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func open(url string) (*store.DB, error) {
	return store.Open(context.Background(), store.Options{
		URL: url, StatementCache: true, Logger: slog.New(slog.DiscardHandler), StartupTimeout: -1,
	})
}
