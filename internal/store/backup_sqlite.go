package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"errand/ent"
)

// copySQLite copies a SQLite file into an empty file with VACUUM INTO, which reads one state of it and blocks no
// writer. It verifies the copy.
func copySQLite(ctx context.Context, from, into string) error {
	source, err := openSQLitePool(from, "mode=ro&_pragma=busy_timeout(5000)", 1)
	if err != nil {
		return err
	}
	_, err = source.ExecContext(ctx, "VACUUM INTO ?", into)
	if err := errors.Join(err, source.Close()); err != nil {
		return fmt.Errorf("copying %s: %w", from, err)
	}
	_, err = verifySQLite(ctx, into)
	return err
}

// verifySQLite checks the structure of a SQLite file and its references, and returns the version of its newest
// migration, 0 for none.
func verifySQLite(ctx context.Context, file string) (version int64, err error) {
	pool, err := openSQLitePool(file, "mode=ro&_pragma=query_only(1)", 1)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	var result string
	if err := pool.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&result); err != nil {
		return 0, fmt.Errorf("checking the structure of %s: %w", file, err)
	}
	if result != "ok" {
		return 0, fmt.Errorf("%s is damaged: %s", file, result)
	}
	if err := checkForeignKeys(ctx, pool); err != nil {
		return 0, fmt.Errorf("checking %s: %w", file, err)
	}
	return sqliteVersion(ctx, pool)
}

// sqliteVersion returns the version of the newest applied migration, 0 for none.
func sqliteVersion(ctx context.Context, pool *sql.DB) (version int64, err error) {
	err = pool.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied").
		Scan(&version)
	if isMissingTable(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the version of the database: %w", err)
	}
	return version, nil
}

// restoreSQLite replaces the empty database file by a copy of the backup. db holds the server lock.
func restoreSQLite(ctx context.Context, db *DB, file string, known int64) (version int64, err error) {
	if err := checkEmptySQLite(ctx, db); err != nil {
		return 0, err
	}
	if version, err = verifySQLite(ctx, file); err != nil {
		return 0, err
	}
	if err := checkBackupVersion(file, version, known); err != nil {
		return 0, err
	}
	partial := db.file + ".restore"
	if err := errors.Join(removeIfExists(partial), createPrivateFile(partial)); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, removeIfExists(partial)) }()
	if err := copySQLite(ctx, file, partial); err != nil {
		return 0, explainFull(err)
	}
	if err := syncFile(partial); err != nil {
		return 0, explainFull(err)
	}
	// The connections close before the file is replaced; the lock is released after that.
	lock := db.lock
	db.lock = nil
	defer func() { err = errors.Join(err, lock.release()) }()
	if err := db.Close(); err != nil {
		return 0, err
	}
	// A write-ahead log of the replaced file would be applied to the new one.
	return version, errors.Join(removeIfExists(db.file+"-wal"), removeIfExists(db.file+"-shm"),
		os.Rename(partial, db.file))
}

// checkEmptySQLite returns an error unless the database has no tables or no rows.
func checkEmptySQLite(ctx context.Context, db *DB) error {
	for _, table := range ent.Tables() {
		var filled bool
		err := db.writer.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM "+table+")").Scan(&filled)
		switch {
		case isMissingTable(err):
		case err != nil:
			return fmt.Errorf("reading table %s: %w", table, err)
		case filled:
			return fmt.Errorf("the database %s is not empty: table %s has rows; nothing is overwritten, so move the "+
				"file away with its -wal and -shm files, or set another DATABASE_URL", db.file, table)
		}
	}
	return nil
}
