package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// fileLock keeps two programs from migrating one SQLite file at once. The lock
// is the write lock of an empty database beside it, which ends with its process.
type fileLock struct {
	file string // the database that is migrated
	pool *sql.DB
	held *sql.Tx
}

// Lock implements goose's lock.Locker; it waits for up to a minute.
func (l *fileLock) Lock(ctx context.Context, _ *sql.DB) error {
	pool, err := sqlitePool(l.file+"-migration", "_pragma=busy_timeout(60000)&_txlock=immediate", 1)
	if err != nil {
		return err
	}
	held, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return errors.Join(fmt.Errorf("waiting for another program to migrate the SQLite file: %w", err), pool.Close())
	}
	l.pool, l.held = pool, held
	return nil
}

// Unlock implements goose's lock.Locker.
func (l *fileLock) Unlock(context.Context, *sql.DB) error {
	// Goose unlocks even when the context ended, which has ended the transaction already.
	err := l.held.Rollback()
	if errors.Is(err, sql.ErrTxDone) {
		err = nil
	}
	return errors.Join(err, l.pool.Close())
}
