// Package migrations holds the versioned schema of both engines, in goose's
// format with both directions, each folder under a checksum.
package migrations

import (
	"embed"
	"fmt"
	"io/fs"

	"ariga.io/atlas/sql/migrate"
	"entgo.io/ent/dialect"
)

//go:embed sqlite postgres
var embedded embed.FS

// Folder is the name of a dialect's folder; dialect is dialect.SQLite or dialect.Postgres.
func Folder(dialectName string) string {
	if dialectName == dialect.SQLite {
		return "sqlite"
	}
	return "postgres"
}

// Files are the migrations of one dialect that this program was built with.
func Files(dialectName string) (fs.FS, error) { return fs.Sub(embedded, Folder(dialectName)) }

// Verify refuses a folder whose files are not the ones its checksum was made
// from: applied migrations never change, or databases with the same version would differ.
func Verify(files fs.FS) error {
	sum, err := Checksum(files)
	if err != nil {
		return err
	}
	want, err := sum.MarshalText()
	if err != nil {
		return fmt.Errorf("writing the checksum: %w", err)
	}
	got, err := fs.ReadFile(files, migrate.HashFileName)
	if err != nil {
		return fmt.Errorf("reading the migrations' checksum: %w", err)
	}
	if string(got) != string(want) {
		return fmt.Errorf("the migrations do not match their checksum in %s: a file was changed, added or removed by hand "+
			"(if that was on purpose, renew it with \"go run ./migrations/plan -rehash\")", migrate.HashFileName)
	}
	return nil
}

// Checksum is computed from the names and contents of the folder's SQL files.
func Checksum(files fs.FS) (migrate.HashFile, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("listing migrations: %w", err)
	}
	list := make([]migrate.File, len(names))
	for i, name := range names { // fs.Glob sorts, so the versions ascend.
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("reading a migration: %w", err)
		}
		list[i] = migrate.NewLocalFile(name, text)
	}
	sum, err := migrate.NewHashFile(list)
	if err != nil {
		return nil, fmt.Errorf("computing the migrations' checksum: %w", err)
	}
	return sum, nil
}
