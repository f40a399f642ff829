package store

import (
	"context"
	stdsql "database/sql"

	"errand/ent"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
)

// engineDriver is what Ent's client and its extension for raw SQL use of a driver.
type engineDriver interface {
	dialect.Driver
	ExecContext(ctx context.Context, query string, args ...any) (stdsql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*stdsql.Rows, error)
	BeginTx(ctx context.Context, o *stdsql.TxOptions) (dialect.Tx, error)
}

// observedDriver reports the errors of all statements and transactions to observe, which ignores nil.
type observedDriver struct {
	engineDriver
	observe func(error)
}

// useDriver creates the client, whose errors are reported to Faults.
func useDriver(db *DB, d engineDriver) {
	db.faults = make(chan struct{}, 1)
	report := func(err error) { reportFault(db.faults, err) }
	db.client = ent.NewClient(ent.Driver(&observedDriver{d, report}))
}

// Exec implements dialect.ExecQuerier.
func (d *observedDriver) Exec(ctx context.Context, query string, args, v any) error {
	err := d.engineDriver.Exec(ctx, query, args, v)
	d.observe(err)
	return err
}

// Query implements dialect.ExecQuerier.
func (d *observedDriver) Query(ctx context.Context, query string, args, v any) error {
	err := d.engineDriver.Query(ctx, query, args, v)
	d.observe(err)
	if rows, ok := v.(*entsql.Rows); ok && err == nil && !isReadOnly(query) {
		// INSERT … RETURNING commits when its rows have been read.
		rows.ColumnScanner = observedRows{rows.ColumnScanner, d.observe}
	}
	return err
}

// ExecContext runs raw SQL for Ent's sql/execquery feature.
func (d *observedDriver) ExecContext(ctx context.Context, query string, args ...any) (stdsql.Result, error) {
	result, err := d.engineDriver.ExecContext(ctx, query, args...)
	d.observe(err)
	return result, err
}

// QueryContext runs raw SQL for Ent's sql/execquery feature.
func (d *observedDriver) QueryContext(ctx context.Context, query string, args ...any) (*stdsql.Rows, error) {
	rows, err := d.engineDriver.QueryContext(ctx, query, args...)
	d.observe(err)
	return rows, err
}

// Tx begins a transaction that may write.
func (d *observedDriver) Tx(ctx context.Context) (dialect.Tx, error) { return d.BeginTx(ctx, nil) }

// BeginTx begins a transaction.
func (d *observedDriver) BeginTx(ctx context.Context, o *stdsql.TxOptions) (dialect.Tx, error) {
	tx, err := d.engineDriver.BeginTx(ctx, o)
	d.observe(err)
	if err != nil {
		return nil, err
	}
	return &observedTx{tx.(engineTx), d.observe}, nil
}

// engineTx is what Ent's client and its extension for raw SQL use of a transaction.
type engineTx interface {
	dialect.Tx
	ExecContext(ctx context.Context, query string, args ...any) (stdsql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*stdsql.Rows, error)
}

// observedTx reports the errors of a transaction's statements and of its commit.
type observedTx struct {
	engineTx
	observe func(error)
}

// Exec implements dialect.ExecQuerier.
func (t *observedTx) Exec(ctx context.Context, query string, args, v any) error {
	err := t.engineTx.Exec(ctx, query, args, v)
	t.observe(err)
	return err
}

// Query implements dialect.ExecQuerier.
func (t *observedTx) Query(ctx context.Context, query string, args, v any) error {
	err := t.engineTx.Query(ctx, query, args, v)
	t.observe(err)
	return err
}

// ExecContext runs raw SQL for Ent's sql/execquery feature.
func (t *observedTx) ExecContext(ctx context.Context, query string, args ...any) (stdsql.Result, error) {
	result, err := t.engineTx.ExecContext(ctx, query, args...)
	t.observe(err)
	return result, err
}

// QueryContext runs raw SQL for Ent's sql/execquery feature.
func (t *observedTx) QueryContext(ctx context.Context, query string, args ...any) (*stdsql.Rows, error) {
	rows, err := t.engineTx.QueryContext(ctx, query, args...)
	t.observe(err)
	return rows, err
}

// Commit implements driver.Tx.
func (t *observedTx) Commit() error {
	err := t.engineTx.Commit()
	t.observe(err)
	return err
}

// observedRows reports the error of reading rows.
type observedRows struct {
	entsql.ColumnScanner
	observe func(error)
}

// Err returns the error of reading the rows.
func (r observedRows) Err() error {
	err := r.ColumnScanner.Err()
	r.observe(err)
	return err
}
