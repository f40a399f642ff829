package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"time"

	"errand/migrations"

	"entgo.io/ent/dialect"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// Migration is one versioned change of the schema.
type Migration struct {
	// Version is the time at which it was created, YYYYMMDDhhmmss.
	Version int64
	// Name is the file name.
	Name string
	// AppliedAt is when it was applied; zero means pending.
	AppliedAt time.Time
}

// SQLiteMigrations returns the migrations of this program for a SQLite file that does not exist yet, oldest first.
func SQLiteMigrations() ([]Migration, error) {
	files, err := migrations.Files(dialect.SQLite)
	if err != nil {
		return nil, fmt.Errorf("finding the migrations: %w", err)
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("finding the migrations: %w", err)
	}
	list := make([]Migration, len(names))
	for i, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return nil, fmt.Errorf("reading the migrations: %w", err)
		}
		list[i] = Migration{Version: version, Name: name}
	}
	return list, nil
}

// Migrator applies and reverts migrations. It must be closed after use.
type Migrator struct {
	// NoCopy skips the copy of a SQLite file before its schema changes.
	NoCopy bool

	db       *DB
	provider *goose.Provider
	pool     *sql.DB
	ownsPool bool // the migrator closes pool
	dialect  string
}

// Migrator returns a migrator for the migrations embedded in the program.
func (db *DB) Migrator() (*Migrator, error) {
	files, err := migrations.Files(db.dialect)
	if err != nil {
		return nil, fmt.Errorf("finding the migrations: %w", err)
	}
	return db.MigratorFor(files)
}

// MigratorFor returns a migrator for the given migrations, of which there must be at least one. They must match their
// checksum file.
func (db *DB) MigratorFor(files fs.FS) (*Migrator, error) {
	if err := migrations.Verify(files); err != nil {
		return nil, err
	}
	m := &Migrator{db: db, pool: db.writer, dialect: db.dialect}
	name, options, err := m.open(db)
	if err != nil {
		return nil, err
	}
	m.provider, err = goose.NewProvider(name, m.pool, files, options...)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading the migrations: %w", err), m.Close())
	}
	return m, nil
}

// open opens the connection pool for migrations, and returns goose's dialect and options.
func (m *Migrator) open(db *DB) (goose.Dialect, []goose.ProviderOption, error) {
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if db.dialect == dialect.SQLite {
		pool, err := openSQLitePool(db.file, sqliteMigrator, 1)
		m.pool, m.ownsPool = pool, true
		return goose.DialectSQLite3, append(options, goose.WithLocker(&sqliteFileLock{file: db.file})), err
	}
	// Migrations run as the login: row-level security and its role are for the statements of requests.
	m.pool, m.ownsPool = stdlib.OpenDB(*db.postgres), true
	m.pool.SetMaxOpenConns(2)
	// Of several replicas that migrate at once, one does the work while the others wait.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300), lock.WithUnlockTimeout(1, 60))
	if err != nil {
		return "", nil, fmt.Errorf("creating the migration lock: %w", err)
	}
	return goose.DialectPostgres, append(options, goose.WithSessionLocker(locker)), nil
}

// Up applies all pending migrations, each in its own transaction, and returns them.
func (m *Migrator) Up(ctx context.Context) ([]Migration, error) {
	if err := m.checkNotNewer(ctx); err != nil {
		return nil, err
	}
	if pending, err := m.provider.HasPending(ctx); err == nil && pending {
		if err := m.checkSession(); err != nil {
			return nil, err
		}
		if err := m.copyBefore(ctx); err != nil {
			return nil, err
		}
	}
	done, err := m.provider.Up(ctx)
	list, err := m.results(ctx, done, err)
	if err == nil && m.dialect == dialect.Postgres {
		if _, err = m.pool.ExecContext(ctx, grantAppRole); err != nil {
			err = fmt.Errorf("granting access to %s: %w", appRole, err)
		}
	}
	return list, err
}

// Down reverts the newest migration and returns it; there may be none.
func (m *Migrator) Down(ctx context.Context) ([]Migration, error) {
	if err := m.checkNotNewer(ctx); err != nil {
		return nil, err
	}
	if err := m.checkSession(); err != nil {
		return nil, err
	}
	if err := m.copyBefore(ctx); err != nil {
		return nil, err
	}
	done, err := m.provider.Down(ctx)
	if errors.Is(err, goose.ErrNoNextVersion) {
		return nil, nil
	}
	return m.results(ctx, []*goose.MigrationResult{done}, err)
}

// copyBefore copies a SQLite file that has a schema to a file beside it, named by version and time, which is kept.
func (m *Migrator) copyBefore(ctx context.Context) error {
	version, err := m.provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("reading the database's version: %w", err)
	}
	if m.db.file == "" || m.NoCopy || version == 0 {
		return nil
	}
	file := fmt.Sprintf("%s-%d-%s.backup", m.db.file, version, time.Now().UTC().Format("20060102T150405.000000Z"))
	if err := Backup(ctx, m.db, file); err != nil {
		return fmt.Errorf("the database was not migrated, because copying it first failed; "+
			"\"errand migrate\" with --no-copy makes no copy: %w", err)
	}
	m.db.log.InfoContext(ctx, "copied the database before its migration", slog.String("file", file))
	return nil
}

// Newer returns the applied migrations that this program does not have, oldest first.
func (m *Migrator) Newer(ctx context.Context) (list []Migration, err error) {
	rows, err := m.pool.QueryContext(ctx, "SELECT version_id, tstamp FROM goose_db_version "+
		"WHERE is_applied AND version_id > $1 ORDER BY version_id", m.newest())
	if err != nil {
		return nil, fmt.Errorf("reading the applied migrations: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var one Migration
		if err := rows.Scan(&one.Version, &one.AppliedAt); err != nil {
			return nil, fmt.Errorf("reading the applied migrations: %w", err)
		}
		list = append(list, one)
	}
	return list, rows.Err()
}

// results converts goose's results. On SQLite it then checks foreign keys, which are not enforced while tables are
// rebuilt.
func (m *Migrator) results(ctx context.Context, done []*goose.MigrationResult, err error) ([]Migration, error) {
	var partial *goose.PartialError
	if errors.As(err, &partial) {
		return nil, fmt.Errorf(
			"the migration %s failed and was rolled back: %w",
			path.Base(partial.Failed.Source.Path),
			partial.Err,
		)
	}
	if err != nil {
		return nil, fmt.Errorf("migrating the database: %w", err)
	}
	list := make([]Migration, len(done))
	for i, r := range done {
		list[i] = Migration{Version: r.Source.Version, Name: path.Base(r.Source.Path)}
	}
	if m.dialect == dialect.SQLite && len(done) > 0 {
		if err = checkForeignKeys(ctx, m.pool); err != nil {
			err = fmt.Errorf("after the migration, %w", err)
		}
	}
	return list, err
}

// Status returns all migrations of this program, oldest first.
func (m *Migrator) Status(ctx context.Context) ([]Migration, error) {
	status, err := m.provider.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the state of the migrations: %w", err)
	}
	list := make([]Migration, len(status))
	for i, s := range status {
		list[i] = Migration{Version: s.Source.Version, Name: path.Base(s.Source.Path), AppliedAt: s.AppliedAt}
	}
	return list, nil
}

// Pending returns the number of pending migrations. It fails on a database that a newer release has migrated.
func (m *Migrator) Pending(ctx context.Context) (int, error) {
	if err := m.checkNotNewer(ctx); err != nil {
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

// checkSession returns an error where the lock of the migrations could stay on a session that a pooler gives to others.
func (m *Migrator) checkSession() error {
	if m.db.pooled {
		return fmt.Errorf("migrations need a lock: %w", ErrTransactionPooled)
	}
	return nil
}

// checkNotNewer returns an error for a database that a newer release has migrated.
func (m *Migrator) checkNotNewer(ctx context.Context) error {
	current, known, err := m.provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("reading the database's version: %w", err)
	}
	if current > known {
		return newerError("the database", current, known)
	}
	return nil
}

// newerError describes a database or a backup that a newer release has migrated.
func newerError(what string, version, known int64) error {
	return fmt.Errorf("%s is at version %d, but this release has migrations up to %d: a newer release has migrated "+
		"it; a release with the migration %d is needed", what, version, known, version)
}

// newest returns the version of the newest migration of this program.
func (m *Migrator) newest() (version int64) {
	for _, source := range m.provider.ListSources() {
		version = max(version, source.Version)
	}
	return version
}

// Close closes the migrator's own connections. The database stays open.
func (m *Migrator) Close() error {
	if !m.ownsPool {
		return nil
	}
	return m.pool.Close()
}

// checkForeignKeys returns an error when SQLite rows reference missing rows.
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
	return fmt.Errorf(
		"%d rows reference missing rows, the first from %s to %s",
		broken,
		table,
		parent,
	)
}

// EnsureSchema checks that the schema is that of this release, and enables row-level security. It migrates
// a SQLite file, unless another process serves it. It migrates a PostgreSQL database only with allowMigrate, because
// other replicas may be using it; otherwise pending migrations are an error.
func (db *DB) EnsureSchema(ctx context.Context, allowMigrate bool) (err error) {
	m, err := db.Migrator()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	pending, err := m.Pending(ctx)
	if err != nil {
		return err
	}
	if pending == 0 {
		return db.enableRLS(ctx)
	}
	if db.dialect == dialect.Postgres && !allowMigrate {
		return fmt.Errorf(
			"the PostgreSQL database lacks %d migration(s): run \"errand migrate up\" first, or start with --migrate",
			pending,
		)
	}
	if db.file != "" {
		if err := CheckNotServed(ctx, db); err != nil {
			return fmt.Errorf("the SQLite database lacks %d migration(s): %w", pending, err)
		}
	}
	applied, err := m.Up(ctx)
	if err != nil {
		return err
	}
	for _, migration := range applied {
		db.log.InfoContext(ctx, "migrated the database", slog.String("migration", migration.Name))
	}
	return db.enableRLS(ctx)
}
