package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"errand/ent"
)

// WithTx runs fn in one transaction, which it commits when fn returns nil and rolls back when fn returns an
// error or panics. It does not retry.
//
// fn must write through tx only: SQLite has one writing connection, which tx holds, so a write through the
// root client would wait for it forever.
func WithTx(ctx context.Context, client *ent.Client, fn func(tx *ent.Tx) error) error {
	tx, err := client.Tx(ctx)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	return inTx(ctx, tx, fn)
}

// WithSnapshot runs fn in a read-only transaction at the isolation level REPEATABLE READ: fn reads one
// state of the database, and blocks no writers.
func WithSnapshot(ctx context.Context, client *ent.Client, fn func(tx *ent.Tx) error) error {
	tx, err := client.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
	if err != nil {
		return fmt.Errorf("beginning a snapshot: %w", err)
	}
	return inTx(ctx, tx, fn)
}

func inTx(ctx context.Context, tx *ent.Tx, fn func(tx *ent.Tx) error) error {
	committing := false
	defer func() {
		if !committing {
			// When the rollback fails, the connection is broken and the server rolls back itself.
			_ = tx.Rollback()
		}
	}()
	if err := fn(tx); err != nil {
		return withContextError(ctx, err)
	}
	committing = true
	if err := tx.Commit(); err != nil {
		return withContextError(ctx, fmt.Errorf("committing a transaction: %w", err))
	}
	return nil
}

// withContextError adds the context's error to sql.ErrTxDone, which is all that database/sql reports
// for a transaction that it rolled back because the context ended.
func withContextError(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, sql.ErrTxDone) {
		return fmt.Errorf("%w: %w", err, ctx.Err())
	}
	return err
}
