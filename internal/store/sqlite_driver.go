package store

import (
	"context"
	"database/sql"
	"strings"
	"unicode"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
)

// sqliteDriver is an Ent driver over SQLite's two pools: it sends statements that only read to the readers and all
// others to the writer.
//
// The writer has one connection. A caller with an open transaction must use the transaction's client for
// all writes: a write through the root client would wait for that connection forever.
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

// ExecContext runs raw SQL for Ent's sql/execquery feature.
func (d *sqliteDriver) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return d.writer.ExecContext(ctx, query, args...)
}

// QueryContext runs raw SQL for Ent's sql/execquery feature. UPDATE … RETURNING is a query that writes.
func (d *sqliteDriver) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return d.route(query).QueryContext(ctx, query, args...)
}

// Tx begins a transaction that may write.
func (d *sqliteDriver) Tx(ctx context.Context) (dialect.Tx, error) { return d.writer.Tx(ctx) }

// BeginTx begins a transaction. A read-only one is a snapshot that does not use the writer.
func (d *sqliteDriver) BeginTx(ctx context.Context, o *sql.TxOptions) (dialect.Tx, error) {
	if o != nil && o.ReadOnly {
		return d.reader.BeginTx(ctx, o)
	}
	return d.writer.BeginTx(ctx, o)
}

// Close implements dialect.Driver. DB closes the pools.
func (*sqliteDriver) Close() error { return nil }

func (d *sqliteDriver) route(query string) *entsql.Driver {
	if isReadOnly(query) {
		return d.reader
	}
	return d.writer
}

// hasWriteKeyword reports whether a statement contains one of the words with which statements that write begin, in any
// case. It is called for every statement that begins with WITH.
func hasWriteKeyword(query string) bool {
	separates := func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	for word := range strings.FieldsFuncSeq(query, separates) {
		if len(word) == 6 && (strings.EqualFold(word, "INSERT") || strings.EqualFold(word, "UPDATE") ||
			strings.EqualFold(word, "DELETE")) || len(word) == 7 && strings.EqualFold(word, "REPLACE") {
			return true
		}
	}
	return false
}

// isReadOnly reports whether the statement certainly only reads. A WITH may precede a SELECT or a statement that
// writes.
func isReadOnly(query string) bool {
	word, _, _ := strings.Cut(strings.TrimLeft(query, " \t\r\n("), " ")
	switch strings.ToUpper(strings.TrimSpace(word)) {
	case "SELECT", "VALUES":
		return true
	case "WITH":
		return !hasWriteKeyword(query)
	default:
		return false
	}
}
