package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ManualBackupError means that this login or this machine cannot make the backup. Command can, elsewhere or with
// another login.
type ManualBackupError struct {
	Reason, Command string
}

// Error returns the reason.
func (e *ManualBackupError) Error() string { return e.Reason }

// Backup writes a consistent copy of the database to a new file with mode 0600, and verifies it. A server may use the
// database meanwhile. On PostgreSQL it runs pg_dump; the error is a ManualBackupError when that would be incomplete.
func Backup(ctx context.Context, db *DB, file string) error {
	err := writeNewFile(file, func(partial string) error {
		if db.file != "" {
			return copySQLite(ctx, db.file, partial)
		}
		return dumpPostgres(ctx, db, file, partial)
	})
	if err != nil {
		return fmt.Errorf("writing the backup %s: %w", file, err)
	}
	return nil
}

// Restore fills an empty database from a backup, and returns the version of its newest migration. It refuses a database
// with content, one that a server uses, and a backup that is damaged or of a newer release. It closes db.
func Restore(ctx context.Context, db *DB, file string) (version int64, err error) {
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := checkBackupKind(db, file); err != nil {
		return 0, err
	}
	if err := LockServer(ctx, db, "restore"); err != nil {
		return 0, err
	}
	m, err := db.Migrator()
	if err != nil {
		return 0, err
	}
	known := m.newest()
	if err := m.Close(); err != nil {
		return 0, err
	}
	if db.file != "" {
		return restoreSQLite(ctx, db, file, known)
	}
	return restorePostgres(ctx, db, file, known)
}

// checkBackupKind returns an error unless the file is readable and begins like a backup of the database's engine.
func checkBackupKind(db *DB, file string) error {
	const sqliteMagic, postgresMagic = "SQLite format 3\x00", "PGDMP"
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("reading the backup: %w", err)
	}
	defer f.Close()
	head := make([]byte, len(sqliteMagic))
	n, _ := f.Read(head)
	isSQLite, isPostgres := string(head[:n]) == sqliteMagic, strings.HasPrefix(string(head[:n]), postgresMagic)
	switch {
	case !isSQLite && !isPostgres:
		return fmt.Errorf("%s is not a backup: it is neither a SQLite file nor an archive of pg_dump", file)
	case isSQLite && db.file == "":
		return fmt.Errorf("%s is a backup of SQLite, but DATABASE_URL is a PostgreSQL database", file)
	case isPostgres && db.file != "":
		return fmt.Errorf("%s is a backup of PostgreSQL, but DATABASE_URL is a SQLite file", file)
	default:
		return nil
	}
}

// checkBackupVersion returns an error for a backup that this release cannot use.
func checkBackupVersion(file string, version, known int64) error {
	switch {
	case version == 0:
		return fmt.Errorf("%s is not a backup of Errand: it has no applied migrations", file)
	case version > known:
		return newerError("the backup "+file, version, known)
	default:
		return nil
	}
}

// writeNewFile creates a file with mode 0600 by write, which gets the path of an empty file in the same folder. It
// overwrites nothing, and leaves no file behind when write fails.
func writeNewFile(file string, write func(partial string) error) (err error) {
	// The name is taken first, so that two writers do not overwrite each other.
	if err := createPrivateFile(file); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return errors.New("the file exists; choose another name, because nothing is overwritten")
		}
		return err
	}
	partial := file + ".partial"
	defer func() {
		if err != nil {
			err = errors.Join(err, removeIfExists(partial), removeIfExists(file))
		}
	}()
	if err := createPrivateFile(partial); err != nil {
		return err
	}
	if err := write(partial); err != nil {
		return explainFull(err)
	}
	if err := syncFile(partial); err != nil {
		return explainFull(err)
	}
	if err := os.Rename(partial, file); err != nil {
		return err
	}
	syncFolder(filepath.Dir(file))
	return nil
}

// syncFolder writes the entries of a folder to the disk, on systems that can.
func syncFolder(path string) {
	if f, err := os.Open(path); err == nil {
		_ = f.Sync()
		_ = f.Close()
	}
}

func removeIfExists(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// explainFull adds to an error of a full disk what the user can do.
func explainFull(err error) error {
	if FaultOf(err) == FaultFull {
		return fmt.Errorf("the disk is full; free space, or write to another disk: %w", err)
	}
	return err
}

// syncFile writes a file to the disk.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0) // Windows syncs only files that are open for writing
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
