package store_test

import (
	"context"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"

	"errand/internal/store"
	"errand/internal/testdb"
	"errand/migrations"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// forEachEmptyDatabase runs test on an empty database of each engine.
func forEachEmptyDatabase(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, testdb.EmptySQLiteURL(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, testdb.EmptyPostgresURL(t)) })
}

func newMigrator(t *testing.T, db *store.DB) *store.Migrator {
	t.Helper()
	m, err := db.Migrator()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

func tables(t *testing.T, db *store.DB) []string {
	t.Helper()
	query := "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
	if db.Dialect() == dialect.SQLite {
		query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1"
	}
	rows, err := db.Client().QueryContext(context.Background(), query)
	require.NoError(t, err)
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		names = append(names, name)
	}
	require.NoError(t, rows.Err())
	return names
}

func TestMigrator_UpDownUp_RestoresTheSchema(t *testing.T) {
	forEachEmptyDatabase(t, func(t *testing.T, url string) {
		ctx := context.Background()
		db := testdb.Open(t, url)
		m := newMigrator(t, db)
		pending, err := m.Pending(ctx)
		require.NoError(t, err)
		require.Positive(t, pending)

		done, err := m.Up(ctx)
		require.NoError(t, err)
		require.Len(t, done, pending)
		created := tables(t, db)
		require.Contains(t, created, "tasks")
		addUser(t, db.Client(), "alice")
		status, err := m.Status(ctx)
		require.NoError(t, err)
		require.Equal(t, done[0].Name, status[0].Name)
		require.False(t, status[0].AppliedAt.IsZero())

		again, err := m.Up(ctx)
		require.NoError(t, err)
		require.Empty(t, again)

		for reverted := 0; ; reverted++ {
			down, err := m.Down(ctx)
			require.NoError(t, err)
			if len(down) == 0 {
				require.Equal(t, pending, reverted)
				break
			}
		}
		require.Equal(t, []string{"goose_db_version"}, tables(t, db))

		_, err = m.Up(ctx)
		require.NoError(t, err)
		require.Equal(t, created, tables(t, db))
		addUser(t, db.Client(), "alice")
	})
}

func TestEnsureSchema_Postgres_MigratesOnlyWhenAllowed(t *testing.T) {
	forEachEmptyDatabase(t, func(t *testing.T, url string) {
		ctx := context.Background()
		var log strings.Builder
		db, err := store.Open(ctx, store.Options{URL: url, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		require.NoError(t, err)
		defer db.Close()
		err = db.EnsureSchema(ctx, false)
		if db.Dialect() == dialect.Postgres {
			require.ErrorContains(t, err, "errand migrate up")
			err = db.EnsureSchema(ctx, true)
		}
		require.NoError(t, err)
		require.Contains(t, log.String(), "initial.sql")
		require.NoError(t, db.EnsureSchema(ctx, false), "up to date")
		addUser(t, db.Client(), "alice")
	})
}

func TestEnsureSchema_ConcurrentProcesses_MigrateOnce(t *testing.T) {
	forEachEmptyDatabase(t, func(t *testing.T, url string) {
		var g errgroup.Group
		dbs := make([]*store.DB, 4)
		for i := range dbs {
			dbs[i] = testdb.Open(t, url)
		}
		for _, db := range dbs {
			g.Go(func() error { return db.EnsureSchema(context.Background(), true) })
		}
		require.NoError(t, g.Wait())
		rows, err := dbs[0].Client().
			QueryContext(context.Background(), "SELECT count(*), count(DISTINCT version_id) FROM goose_db_version")
		require.NoError(t, err)
		defer rows.Close()
		require.True(t, rows.Next())
		var all, distinct int
		require.NoError(t, rows.Scan(&all, &distinct))
		require.Equal(t, distinct, all, "each migration ran once")
	})
}

// newMigrationsDir returns a folder of migrations with a valid checksum.
func newMigrationsDir(t *testing.T, files map[string]string) fstest.MapFS {
	t.Helper()
	dir := fstest.MapFS{}
	for name, text := range files {
		dir[name] = &fstest.MapFile{Data: []byte(text)}
	}
	text, err := migrations.Checksum(dir)
	require.NoError(t, err)
	dir[migrations.ChecksumFile] = &fstest.MapFile{Data: text}
	return dir
}

func TestMigrator_DatabaseOfNewerRelease_Fails(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		_, err := db.Client().
			ExecContext(ctx, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (29990101000000, true)")
		require.NoError(t, err)
		require.ErrorContains(t, db.EnsureSchema(ctx, true), "a newer release has migrated it")
		m := newMigrator(t, db)
		_, err = m.Up(ctx)
		require.ErrorContains(t, err, "a newer release")
		_, err = m.Down(ctx)
		require.ErrorContains(t, err, "a newer release")
	})
}

func TestMigratorFor_ChangedMigration_Fails(t *testing.T) {
	db := testdb.SQLite(t)
	files := newMigrationsDir(
		t,
		map[string]string{"1_a.sql": "-- +goose Up\nCREATE TABLE a (id text);\n-- +goose Down\nDROP TABLE a;\n"},
	)
	require.NoError(t, migrations.Verify(files))
	files["1_a.sql"].Data = append(files["1_a.sql"].Data, ' ')
	_, err := db.MigratorFor(files)
	require.ErrorContains(t, err, "do not match their checksum")
	delete(files, "atlas.sum")
	_, err = db.MigratorFor(files)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestMigrator_FailingMigration_IsRolledBack(t *testing.T) {
	forEachEmptyDatabase(t, func(t *testing.T, url string) {
		ctx := context.Background()
		db := testdb.Open(t, url)
		m, err := db.MigratorFor(newMigrationsDir(t, map[string]string{
			"1_a.sql": "-- +goose Up\nCREATE TABLE a (id text);\n-- +goose Down\nDROP TABLE a;\n",
			"2_b.sql": "-- +goose Up\nCREATE TABLE b (id text);\nINSERT INTO missing VALUES (1);\n" +
				"-- +goose Down\nDROP TABLE b;\n",
		}))
		require.NoError(t, err)
		defer m.Close()
		_, err = m.Up(ctx)
		require.ErrorContains(t, err, "2_b.sql")
		require.Equal(t, []string{"a", "goose_db_version"}, tables(t, db))
		pending, err := m.Pending(ctx)
		require.NoError(t, err)
		require.Equal(t, 1, pending)
	})
}

func TestMigrator_SQLiteBrokenForeignKeys_AreReported(t *testing.T) {
	db := testdb.Open(t, testdb.EmptySQLiteURL(t))
	m, err := db.MigratorFor(newMigrationsDir(t, map[string]string{
		"1_a.sql": `-- +goose Up
CREATE TABLE a (id text PRIMARY KEY);
CREATE TABLE b (a_id text REFERENCES a (id));
INSERT INTO b VALUES ('lost');
-- +goose Down
DROP TABLE b;
`,
	}))
	require.NoError(t, err)
	defer m.Close()
	_, err = m.Up(context.Background())
	require.EqualError(t, err, "after the migration, 1 rows reference missing rows, the first from b to a")
}
