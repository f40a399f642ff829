// Package migrations embeds the versioned, reversible SQL migrations of both database engines, in goose's format. Each
// engine has a folder with a checksum over its files.
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

// Folder returns the name of the folder of a dialect: dialect.SQLite or dialect.Postgres.
func Folder(dialectName string) string {
	if dialectName == dialect.SQLite {
		return "sqlite"
	}
	return "postgres"
}

// Files returns the migrations of a dialect that are embedded in this program.
func Files(dialectName string) (fs.FS, error) { return fs.Sub(embedded, Folder(dialectName)) }

// Verify returns an error unless the files of a folder match its checksum. Released migrations must not change:
// otherwise databases of the same version would differ.
func Verify(files fs.FS) error {
	sum, err := Checksum(files)
	if err != nil {
		return err
	}
	want, err := sum.MarshalText()
	if err != nil {
		return fmt.Errorf("encoding the checksum: %w", err)
	}
	got, err := fs.ReadFile(files, migrate.HashFileName)
	if err != nil {
		return fmt.Errorf("reading the checksum of the migrations: %w", err)
	}
	if string(got) != string(want) {
		return fmt.Errorf("the migrations do not match their checksum in %s: a file was changed, added or removed "+
			"(if this is intended, update the checksum with \"go run ./migrations/plan -rehash\")", migrate.HashFileName)
	}
	return nil
}

// Checksum computes the checksum of a folder from the names and contents of its SQL files.
func Checksum(files fs.FS) (migrate.HashFile, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("listing migrations: %w", err)
	}
	list := make([]migrate.File, len(names))
	for i, name := range names { // sorted by fs.Glob, hence by version
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("reading migration %s: %w", name, err)
		}
		list[i] = migrate.NewLocalFile(name, text)
	}
	sum, err := migrate.NewHashFile(list)
	if err != nil {
		return nil, fmt.Errorf("computing the migrations' checksum: %w", err)
	}
	return sum, nil
}
