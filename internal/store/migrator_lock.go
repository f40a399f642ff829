package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
)

// migrationLockSuffix is appended to the path of the SQLite file.
const migrationLockSuffix = "-migration"

// sqliteFileLock keeps two processes from migrating one SQLite file at once. It is the write lock of an empty
// database next to the file, which the operating system releases when the process ends.
type sqliteFileLock struct {
	file string // the database to migrate
	pool *sql.DB
	held *sql.Tx
}

// Lock implements goose's lock.Locker. It waits for at most a minute.
func (l *sqliteFileLock) Lock(ctx context.Context, _ *sql.DB) error {
	if err := createPrivateFile(l.file + migrationLockSuffix); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("creating the lock file of migrations: %w", err)
	}
	pool, err := openSQLitePool(l.file+migrationLockSuffix, "_pragma=busy_timeout(60000)&_txlock=immediate", 1)
	if err != nil {
		return err
	}
	held, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return errors.Join(fmt.Errorf("waiting for another process that migrates the SQLite file: %w", err), pool.Close())
	}
	l.pool, l.held = pool, held
	return nil
}

// Unlock implements goose's lock.Locker.
func (l *sqliteFileLock) Unlock(context.Context, *sql.DB) error {
	// Goose also unlocks when the context has ended, which has rolled back the transaction already.
	err := l.held.Rollback()
	if errors.Is(err, sql.ErrTxDone) {
		err = nil
	}
	return errors.Join(err, l.pool.Close())
}
