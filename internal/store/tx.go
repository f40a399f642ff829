package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"errand/ent"
)

// WithTx runs fn in one transaction: committed when fn returns nil, undone when
// it returns an error or panics. fn must write through tx alone: on SQLite the
// root client waits for the very connection that tx holds. Nothing is retried.
func WithTx(ctx context.Context, client *ent.Client, fn func(tx *ent.Tx) error) error {
	tx, err := client.Tx(ctx)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	kept := false
	defer func() {
		if !kept {
			// A rollback that fails leaves a broken connection, whose work the server undoes.
			_ = tx.Rollback()
		}
	}()
	if err := fn(tx); err != nil {
		return sayWhy(ctx, err)
	}
	kept = true
	if err := tx.Commit(); err != nil {
		return sayWhy(ctx, fmt.Errorf("committing a transaction: %w", err))
	}
	return nil
}

// sayWhy adds the context's end to the error of a transaction that it undid,
// which otherwise says no more than that the transaction is over.
func sayWhy(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, sql.ErrTxDone) {
		return fmt.Errorf("%w: %w", err, ctx.Err())
	}
	return err
}
