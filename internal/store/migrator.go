package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"errand/migrations"

	"entgo.io/ent/dialect"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// Migration is one step of the schema's history.
type Migration struct {
	// Version is the time at which it was planned, YYYYMMDDhhmmss.
	Version int64
	// Name is its file.
	Name string
	// AppliedAt is when it was applied, zero while it is pending.
	AppliedAt time.Time
}

// Migrator moves a database along its schema's history. Close it after use.
type Migrator struct {
	provider *goose.Provider
	pool     *sql.DB
	own      bool // pool is the migrator's to close
	dialect  string
}

// Migrator works on the migrations that the program was built with.
func (db *DB) Migrator() (*Migrator, error) {
	files, err := migrations.Files(db.dialect)
	if err != nil {
		return nil, fmt.Errorf("finding the migrations: %w", err)
	}
	return db.MigratorFor(files)
}

// MigratorFor works on the given migrations. They must match their checksum, and be at least one.
func (db *DB) MigratorFor(files fs.FS) (*Migrator, error) {
	if err := migrations.Verify(files); err != nil {
		return nil, err
	}
	m := &Migrator{pool: db.main, dialect: db.dialect}
	name, options, err := m.settings(db)
	if err != nil {
		return nil, err
	}
	m.provider, err = goose.NewProvider(name, m.pool, files, options...)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading the migrations: %w", err), m.Close())
	}
	return m, nil
}

func (m *Migrator) settings(db *DB) (goose.Dialect, []goose.ProviderOption, error) {
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if db.dialect == dialect.SQLite {
		pool, err := sqlitePool(db.file, sqliteMigrator, 1)
		m.pool, m.own = pool, true
		return goose.DialectSQLite3, append(options, goose.WithLocker(&fileLock{file: db.file})), err
	}
	// Migrating is the login's own work: row security and its role are for the statements of requests.
	m.pool, m.own = stdlib.OpenDB(*db.postgres), true
	m.pool.SetMaxOpenConns(2)
	// Of several replicas that migrate at once one does the work, the others wait and find it done.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300), lock.WithUnlockTimeout(1, 60))
	if err != nil {
		return "", nil, fmt.Errorf("making the migration lock: %w", err)
	}
	return goose.DialectPostgres, append(options, goose.WithSessionLocker(locker)), nil
}

// Up applies what is pending, each migration in a transaction of its own.
func (m *Migrator) Up(ctx context.Context) ([]Migration, error) {
	if err := m.refuseNewer(ctx); err != nil {
		return nil, err
	}
	done, err := m.provider.Up(ctx)
	return m.finish(ctx, done, err)
}

// Down undoes the newest migration; it returns none when there is nothing to undo.
func (m *Migrator) Down(ctx context.Context) ([]Migration, error) {
	if err := m.refuseNewer(ctx); err != nil {
		return nil, err
	}
	done, err := m.provider.Down(ctx)
	if errors.Is(err, goose.ErrNoNextVersion) {
		return nil, nil
	}
	return m.finish(ctx, []*goose.MigrationResult{done}, err)
}

// DownTo undoes all migrations newer than version; 0 undoes everything.
func (m *Migrator) DownTo(ctx context.Context, version int64) ([]Migration, error) {
	if err := m.refuseNewer(ctx); err != nil {
		return nil, err
	}
	done, err := m.provider.DownTo(ctx, version)
	return m.finish(ctx, done, err)
}

// finish names what was done, and looks for what SQLite cannot watch while tables are rebuilt.
func (m *Migrator) finish(ctx context.Context, done []*goose.MigrationResult, err error) ([]Migration, error) {
	var stuck *goose.PartialError
	if errors.As(err, &stuck) {
		return nil, fmt.Errorf("the migration %s failed and was undone: %w", path.Base(stuck.Failed.Source.Path), stuck.Err)
	}
	if err != nil {
		return nil, fmt.Errorf("migrating the database: %w", err)
	}
	list := make([]Migration, len(done))
	for i, r := range done {
		list[i] = Migration{Version: r.Source.Version, Name: path.Base(r.Source.Path)}
	}
	if m.dialect == dialect.SQLite && len(done) > 0 {
		err = checkForeignKeys(ctx, m.pool)
	}
	return list, err
}

// Status lists all known migrations, oldest first.
func (m *Migrator) Status(ctx context.Context) ([]Migration, error) {
	status, err := m.provider.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the migrations' state: %w", err)
	}
	list := make([]Migration, len(status))
	for i, s := range status {
		list[i] = Migration{Version: s.Source.Version, Name: path.Base(s.Source.Path), AppliedAt: s.AppliedAt}
	}
	return list, nil
}

// Pending counts the migrations that are not applied yet. It fails on a
// database that a newer program has migrated.
func (m *Migrator) Pending(ctx context.Context) (int, error) {
	if err := m.refuseNewer(ctx); err != nil {
		return 0, err
	}
	status, err := m.Status(ctx)
	if err != nil {
		return 0, err
	}
	pending := 0
	for _, s := range status {
		if s.AppliedAt.IsZero() {
			pending++
		}
	}
	return pending, nil
}

// refuseNewer protects a database whose tables this program does not know.
func (m *Migrator) refuseNewer(ctx context.Context) error {
	current, known, err := m.provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("reading the database's version: %w", err)
	}
	if current > known {
		return fmt.Errorf("the database is at version %d, this program knows versions up to %d: "+
			"a newer release has migrated it; use that release, or undo its migrations with it", current, known)
	}
	return nil
}

// Close releases what the migrator holds; the database stays open.
func (m *Migrator) Close() error {
	if !m.own {
		return nil
	}
	return m.pool.Close()
}

// checkForeignKeys reports rows that refer to rows that are not there.
func checkForeignKeys(ctx context.Context, pool *sql.DB) error {
	var table, parent string
	var broken int
	err := pool.QueryRowContext(ctx, `SELECT "table", "parent", count(*) OVER () FROM pragma_foreign_key_check LIMIT 1`).
		Scan(&table, &parent, &broken)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("checking foreign keys: %w", err)
	}
	return fmt.Errorf("after the migration %d rows refer to missing ones, the first in %s to %s", broken, table, parent)
}
