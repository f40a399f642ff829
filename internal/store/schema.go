package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"entgo.io/ent/dialect"
)

// EnsureSchema makes sure that the tables are the ones this program knows. An
// SQLite file, which has one user, is brought up to date. A PostgreSQL database
// is only when allowMigrate says so, as other replicas may be at work on it.
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
		return db.raiseWall(ctx)
	}
	if db.dialect == dialect.Postgres && !allowMigrate {
		return fmt.Errorf(
			"the PostgreSQL database lacks %d migration(s): run \"errand migrate up\" first, or start with --migrate",
			pending,
		)
	}
	done, err := m.Up(ctx)
	if err != nil {
		return err
	}
	for _, migration := range done {
		db.log.InfoContext(ctx, "migrated the database", slog.String("migration", migration.Name))
	}
	return db.raiseWall(ctx)
}
