package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"errand/internal/store"
	"errand/migrations"

	"ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"
	"entgo.io/ent/dialect"
)

// difference holds the statements of a migration.
type difference struct {
	up, down []*migrate.Change
}

func (d difference) isEmpty() bool { return len(d.up) == 0 }

// difference compares two real databases: one made by the migrations, one by
// Ent. Both directions are planned, as the reverse of each single statement
// would not bring back a table that was built anew.
func (p planner) difference(ctx context.Context, dialectName string) (difference, error) {
	files := os.DirFS(p.folder(dialectName))
	if err := migrations.Verify(files); err != nil {
		return difference{}, err
	}
	replayed, err := inScratch(ctx, dialectName, func(db *store.DB) error { return replay(ctx, db, files) })
	if err != nil {
		return difference{}, fmt.Errorf("replaying the migrations: %w", err)
	}
	wanted, err := inScratch(ctx, dialectName, func(db *store.DB) error { return db.Client().Schema.Create(ctx) })
	if err != nil {
		return difference{}, fmt.Errorf("making the tables of ent/schema: %w", err)
	}
	return compare(ctx, dialectName, replayed, wanted)
}

// compare plans in a third database: planning asks for the engine's version.
func compare(ctx context.Context, dialectName string, from, to *schema.Schema) (d difference, err error) {
	_, err = inScratch(ctx, dialectName, func(db *store.DB) error {
		driver, err := atlas(db)
		if err != nil {
			return err
		}
		if d.up, err = plan(ctx, driver, from, to); err != nil {
			return err
		}
		d.down, err = plan(ctx, driver, to, from)
		return err
	})
	return d, err
}

func plan(ctx context.Context, driver migrate.Driver, from, to *schema.Schema) ([]*migrate.Change, error) {
	changes, err := driver.SchemaDiff(from, to)
	if err != nil || len(changes) == 0 {
		return nil, err
	}
	made, err := driver.PlanChanges(ctx, "migration", changes, func(o *migrate.PlanOptions) {
		o.SchemaQualifier = new(string) // table names without a schema: whatever the connection uses
		o.Indent = "  "
	})
	if err != nil {
		return nil, err
	}
	return withoutPragmas(made.Changes), nil
}

// withoutPragmas drops what switches foreign keys: it has no effect in a
// transaction, and the migrator's connection has them switched off.
func withoutPragmas(changes []*migrate.Change) []*migrate.Change {
	var kept []*migrate.Change
	for _, c := range changes {
		if !strings.HasPrefix(c.Cmd, "PRAGMA foreign_keys") {
			kept = append(kept, c)
		}
	}
	return kept
}

func replay(ctx context.Context, db *store.DB, files fs.FS) (err error) {
	if names, err := fs.Glob(files, "*.sql"); err != nil || len(names) == 0 {
		return err
	}
	m, err := db.MigratorFor(files)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	_, err = m.Up(ctx)
	return err
}

// inScratch fills an empty database and reads its tables.
func inScratch(ctx context.Context, dialectName string, fill func(*store.DB) error) (s *schema.Schema, err error) {
	url, remove, err := scratch(ctx, dialectName)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	db, err := store.Open(ctx, store.Options{URL: url, MaxConns: 2, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := fill(db); err != nil {
		return nil, err
	}
	driver, err := atlas(db)
	if err != nil {
		return nil, err
	}
	return driver.InspectSchema(ctx, "", &schema.InspectOptions{Exclude: []string{"goose_db_version"}})
}

func atlas(db *store.DB) (migrate.Driver, error) {
	if db.Dialect() == dialect.SQLite {
		return sqlite.Open(db.Client())
	}
	return postgres.Open(db.Client())
}

// script is the migration's file.
func (d difference) script() []byte {
	var b bytes.Buffer
	b.WriteString("-- +goose Up\n")
	statements(&b, d.up)
	b.WriteString("\n-- +goose Down\n")
	statements(&b, d.down)
	return b.Bytes()
}

func statements(b *bytes.Buffer, changes []*migrate.Change) {
	for _, c := range changes {
		if c.Comment != "" {
			fmt.Fprintf(b, "-- %s\n", c.Comment)
		}
		fmt.Fprintf(b, "%s;\n", c.Cmd)
	}
}
