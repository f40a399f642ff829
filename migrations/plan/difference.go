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

	entmigrate "errand/ent/migrate"
	"errand/internal/store"
	"errand/migrations"

	"ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
)

// difference holds the statements of a migration. It is empty if no migration is needed.
type difference struct {
	up, down []*migrate.Change
}

func (d difference) isEmpty() bool { return len(d.up) == 0 }

// difference compares two databases: one created by the migrations and one by Ent. It plans both directions, because
// SQLite rebuilds tables, which reversing the single statements would not revert.
func (p planner) difference(ctx context.Context, dialectName string) (difference, error) {
	files := os.DirFS(p.folder(dialectName))
	if err := migrations.Verify(files); err != nil {
		return difference{}, err
	}
	current, err := inspectScratch(ctx, dialectName, func(db *store.DB) error { return applyAll(ctx, db, files) })
	if err != nil {
		return difference{}, fmt.Errorf("applying the migrations: %w", err)
	}
	wanted, err := inspectScratch(ctx, dialectName, func(db *store.DB) error { return createTables(ctx, db) })
	if err != nil {
		return difference{}, fmt.Errorf("creating the tables of ent/schema: %w", err)
	}
	return compare(ctx, dialectName, current, wanted)
}

// compare plans the statements between two schemas. It needs a third database, since planning depends on the engine's
// version.
func compare(ctx context.Context, dialectName string, from, to *schema.Schema) (d difference, err error) {
	_, err = inspectScratch(ctx, dialectName, func(db *store.DB) error {
		driver, err := atlasDriver(db)
		if err != nil {
			return err
		}
		if d.up, err = planChanges(ctx, driver, from, to); err != nil {
			return err
		}
		d.down, err = planChanges(ctx, driver, to, from)
		return err
	})
	return d, err
}

// planChanges returns the statements that change one schema into another.
func planChanges(ctx context.Context, driver migrate.Driver, from, to *schema.Schema) ([]*migrate.Change, error) {
	changes, err := driver.SchemaDiff(from, to)
	if err != nil || len(changes) == 0 {
		return nil, err
	}
	planned, err := driver.PlanChanges(ctx, "migration", changes, func(o *migrate.PlanOptions) {
		o.SchemaQualifier = new(string) // unqualified table names, which the search path resolves
		o.Indent = "  "
	})
	if err != nil {
		return nil, err
	}
	return withoutPragmas(planned.Changes), nil
}

// withoutPragmas removes the statements that disable foreign keys. They have no effect in a transaction; the migrator
// disables foreign keys on its connection.
func withoutPragmas(changes []*migrate.Change) []*migrate.Change {
	var kept []*migrate.Change
	for _, c := range changes {
		if !strings.HasPrefix(c.Cmd, "PRAGMA foreign_keys") {
			kept = append(kept, c)
		}
	}
	return kept
}

// applyAll applies all migrations. It does nothing if there are none.
func applyAll(ctx context.Context, db *store.DB, files fs.FS) (err error) {
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

// inspectScratch fills a new scratch database and returns its schema.
func inspectScratch(ctx context.Context, dialectName string, fill func(*store.DB) error) (s *schema.Schema, err error) {
	url, remove, err := createScratch(ctx, dialectName)
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
	driver, err := atlasDriver(db)
	if err != nil {
		return nil, err
	}
	return driver.InspectSchema(ctx, "", &schema.InspectOptions{Exclude: []string{"goose_db_version"}})
}

// createTables creates the tables of ent/schema in an empty database.
func createTables(ctx context.Context, db *store.DB) error {
	conn := entsql.NewDriver(db.Dialect(), entsql.Conn{ExecQuerier: db.Client()})
	return entmigrate.NewSchema(noTxDriver{conn}).Create(ctx)
}

// noTxDriver is a driver whose statements commit at once: a scratch database needs no transactions.
type noTxDriver struct{ *entsql.Driver }

// Tx implements dialect.Driver.
func (d noTxDriver) Tx(context.Context) (dialect.Tx, error) { return dialect.NopTx(d), nil }

func atlasDriver(db *store.DB) (migrate.Driver, error) {
	if db.Dialect() == dialect.SQLite {
		return sqlite.Open(db.Client())
	}
	return postgres.Open(db.Client())
}

// script returns the content of the migration's file.
func (d difference) script() []byte {
	var b bytes.Buffer
	b.WriteString("-- +goose Up\n")
	writeStatements(&b, d.up)
	b.WriteString("\n-- +goose Down\n")
	writeStatements(&b, d.down)
	return b.Bytes()
}

func writeStatements(b *bytes.Buffer, changes []*migrate.Change) {
	for _, c := range changes {
		if c.Comment != "" {
			fmt.Fprintf(b, "-- %s\n", c.Comment)
		}
		fmt.Fprintf(b, "%s;\n", c.Cmd)
	}
}
