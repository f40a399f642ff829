package main

import (
	"context"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"errand/internal/store"
	"errand/migrations"

	"ariga.io/atlas/sql/schema"
	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"
)

// Two versions of a small schema. SQLite cannot alter the table parents from one to the other and has to rebuild it.
const (
	before = `CREATE TABLE parents (id varchar NOT NULL PRIMARY KEY, name varchar NULL, gone varchar NULL);
CREATE UNIQUE INDEX parents_name ON parents (name);
CREATE TABLE children (id varchar NOT NULL PRIMARY KEY, parent_id varchar NOT NULL,
  CONSTRAINT children_parent FOREIGN KEY (parent_id) REFERENCES parents (id) ON DELETE CASCADE);
`
	after = `CREATE TABLE parents (id varchar NOT NULL PRIMARY KEY, name varchar NOT NULL DEFAULT 'none',
  color varchar NOT NULL DEFAULT 'red');
CREATE INDEX parents_color ON parents (color);
CREATE TABLE children (id varchar NOT NULL PRIMARY KEY, parent_id varchar NOT NULL,
  CONSTRAINT children_parent FOREIGN KEY (parent_id) REFERENCES parents (id) ON DELETE CASCADE);
CREATE TABLE toys (id varchar NOT NULL PRIMARY KEY, child_id varchar NOT NULL,
  CONSTRAINT toys_child FOREIGN KEY (child_id) REFERENCES children (id) ON DELETE CASCADE);
`
)

func execute(ctx context.Context, db *store.DB, script string) error {
	for _, statement := range splitStatements(script) {
		if _, err := db.Client().ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// schemaOf returns the schema that a script creates.
func schemaOf(t *testing.T, dialectName, script string) *schema.Schema {
	t.Helper()
	ctx := context.Background()
	s, err := inspectScratch(ctx, dialectName, func(db *store.DB) error { return execute(ctx, db, script) })
	require.NoError(t, err)
	return s
}

// twoMigrations returns a migration to before, and the planned one from there to after.
func twoMigrations(t *testing.T, dialectName string) fs.FS {
	t.Helper()
	d, err := compare(context.Background(), dialectName, schemaOf(t, dialectName, before), schemaOf(t, dialectName, after))
	require.NoError(t, err)
	dir := fstest.MapFS{
		"1_before.sql": &fstest.MapFile{
			Data: []byte("-- +goose Up\n" + before + "-- +goose Down\nDROP TABLE children;\nDROP TABLE parents;\n"),
		},
		"2_after.sql": &fstest.MapFile{Data: d.script()},
	}
	text, err := migrations.Checksum(dir)
	require.NoError(t, err)
	dir[migrations.ChecksumFile] = &fstest.MapFile{Data: text}
	return dir
}

// requireTables asserts that the database has the tables that a script creates.
func requireTables(t *testing.T, db *store.DB, script string) {
	t.Helper()
	driver, err := atlasDriver(db)
	require.NoError(t, err)
	got, err := driver.InspectSchema(
		context.Background(),
		"",
		&schema.InspectOptions{Exclude: []string{"goose_db_version"}},
	)
	require.NoError(t, err)
	changes, err := driver.SchemaDiff(got, schemaOf(t, db.Dialect(), script))
	require.NoError(t, err)
	require.Empty(t, changes)
}

// requireRow asserts the first row of a query with one column.
func requireRow(t *testing.T, db *store.DB, query, want string) {
	t.Helper()
	rows, err := db.Client().QueryContext(context.Background(), query)
	require.NoError(t, err)
	defer rows.Close()
	require.True(t, rows.Next(), query)
	var got string
	require.NoError(t, rows.Scan(&got))
	require.Equal(t, want, got, query)
}

func TestDifference_MigrationUpAndDown_KeepsRows(t *testing.T) {
	for _, dialectName := range []string{dialect.SQLite, dialect.Postgres} {
		t.Run(dialectName, func(t *testing.T) {
			ctx := context.Background()
			files := twoMigrations(t, dialectName)
			_, err := inspectScratch(ctx, dialectName, func(db *store.DB) error {
				m, err := db.MigratorFor(files)
				require.NoError(t, err)
				defer m.Close()
				_, err = m.Up(ctx)
				require.NoError(t, err)
				requireTables(t, db, after)
				_, err = m.Down(ctx)
				require.NoError(t, err)
				requireTables(t, db, before)
				require.NoError(
					t,
					execute(ctx, db, "INSERT INTO parents (id, name) VALUES ('p', 'Ann');INSERT INTO children VALUES ('c', 'p');"),
				)

				_, err = m.Up(ctx)
				require.NoError(t, err)
				requireTables(t, db, after)
				requireRow(
					t,
					db,
					"SELECT p.name || ' ' || p.color || ' ' || c.id FROM parents p JOIN children c ON c.parent_id = p.id",
					"Ann red c",
				)

				_, err = m.Down(ctx)
				require.NoError(t, err)
				requireTables(t, db, before)
				requireRow(t, db, "SELECT p.name || ' ' || c.id FROM parents p JOIN children c ON c.parent_id = p.id", "Ann c")
				require.NoError(t, execute(ctx, db, "DELETE FROM parents"))
				requireRow(t, db, "SELECT CAST(count(*) AS varchar) FROM children", "0")

				reverted, err := m.Down(ctx)
				require.NoError(t, err)
				require.Len(t, reverted, 1)
				requireTables(t, db, "")
				return nil
			})
			require.NoError(t, err)
		})
	}
}

// splitStatements splits a script at semicolons; none of the scripts has one inside a statement.
func splitStatements(script string) []string {
	var list []string
	for statement := range strings.SplitSeq(script, ";") {
		if strings.TrimSpace(statement) != "" {
			list = append(list, statement)
		}
	}
	return list
}
