// Package migrations embeds the versioned, reversible SQL migrations of both database engines, in goose's format. Each
// engine has a folder with a checksum over its files.
package migrations

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"

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
	want, err := Checksum(files)
	if err != nil {
		return err
	}
	got, err := fs.ReadFile(files, ChecksumFile)
	if err != nil {
		return fmt.Errorf("reading the checksum of the migrations: %w", err)
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("the migrations do not match their checksum in %s: a file was changed, added or removed "+
			"(if this is intended, update the checksum with \"go run ./migrations/plan -rehash\")", ChecksumFile)
	}
	return nil
}

// ChecksumFile is the name of the file with the checksum of a folder.
const ChecksumFile = "atlas.sum"

// Checksum returns the checksum of a folder, computed from the names and contents of its SQL files. It has the format
// of Atlas: a line for each file with the hash of all files up to it, and before them the hash of these lines. The
// server does not link Atlas for it.
func Checksum(files fs.FS) ([]byte, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("listing migrations: %w", err)
	}
	var lines bytes.Buffer
	total, running := sha256.New(), sha256.New()
	encode := base64.StdEncoding.EncodeToString
	for _, name := range names { // sorted by fs.Glob, hence by version
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("reading migration %s: %w", name, err)
		}
		running.Write([]byte(name))
		running.Write(text)
		sum := encode(running.Sum(nil))
		total.Write([]byte(name + sum))
		fmt.Fprintf(&lines, "%s h1:%s\n", name, sum)
	}
	return append([]byte("h1:"+encode(total.Sum(nil))+"\n"), lines.Bytes()...), nil
}
