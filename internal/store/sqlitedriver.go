package store

import (
	"context"
	"database/sql"
	"regexp"
	"strings"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
)

// sqliteDriver is Ent's driver over SQLite's two pools: what may write goes to
// the writer, what only reads to the readers.
//
// The writer has one connection: whoever holds a transaction must use that
// transaction's client for all writes, or waits for itself for ever.
type sqliteDriver struct {
	writer, reader *entsql.Driver
}

var _ dialect.Driver = (*sqliteDriver)(nil)

// Dialect implements dialect.Driver.
func (*sqliteDriver) Dialect() string { return dialect.SQLite }

// Exec implements dialect.ExecQuerier.
func (d *sqliteDriver) Exec(ctx context.Context, query string, args, v any) error {
	return d.writer.Exec(ctx, query, args, v)
}

// Query implements dialect.ExecQuerier.
func (d *sqliteDriver) Query(ctx context.Context, query string, args, v any) error {
	return d.route(query).Query(ctx, query, args, v)
}

// ExecContext runs raw SQL, as Ent's client offers it.
func (d *sqliteDriver) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return d.writer.ExecContext(ctx, query, args...)
}

// QueryContext runs raw SQL, as Ent's client offers it; UPDATE … RETURNING is a query that writes.
func (d *sqliteDriver) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return d.route(query).QueryContext(ctx, query, args...)
}

// Tx begins a transaction that may write.
func (d *sqliteDriver) Tx(ctx context.Context) (dialect.Tx, error) { return d.writer.Tx(ctx) }

// BeginTx begins a transaction; a read-only one is a snapshot that leaves the writer free.
func (d *sqliteDriver) BeginTx(ctx context.Context, o *sql.TxOptions) (dialect.Tx, error) {
	if o != nil && o.ReadOnly {
		return d.reader.BeginTx(ctx, o)
	}
	return d.writer.BeginTx(ctx, o)
}

// Close implements dialect.Driver. The pools are DB's to close.
func (*sqliteDriver) Close() error { return nil }

func (d *sqliteDriver) route(query string) *entsql.Driver {
	if readsOnly(query) {
		return d.reader
	}
	return d.writer
}

var writes = regexp.MustCompile(`(?i)\b(INSERT|UPDATE|DELETE|REPLACE)\b`)

// readsOnly errs towards the writer, which can do everything. A WITH may begin
// a query or a statement that writes.
func readsOnly(query string) bool {
	word, _, _ := strings.Cut(strings.TrimLeft(query, " \t\r\n("), " ")
	switch strings.ToUpper(strings.TrimSpace(word)) {
	case "SELECT", "VALUES":
		return true
	case "WITH":
		return !writes.MatchString(query)
	default:
		return false
	}
}
