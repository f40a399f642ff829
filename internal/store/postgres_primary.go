package store

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// primary follows the PostgreSQL server that accepts writes. After a failover, connections to the former primary may
// stay open and read outdated rows, so all connections of the pool are replaced once one of them finds its server
// read-only.
type primary struct {
	// generation counts the failovers. Connections of an older generation are not reused.
	generation atomic.Uint64
}

const generationKey = "errand generation"

// watch makes the connections of config report errors that mean a failover, and closes them.
func (p *primary) watch(config *pgx.ConnConfig) {
	validate := config.ValidateConnect
	config.ValidateConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		conn.CustomData()[generationKey] = p.generation.Load()
		return validate(ctx, conn)
	}
	config.OnPgError = func(conn *pgconn.PgConn, err *pgconn.PgError) bool {
		if err.Code == readOnlyTransaction {
			// Of many connections that find out at the same time, the first one ends the generation.
			if generation, ok := conn.CustomData()[generationKey].(uint64); ok {
				p.generation.CompareAndSwap(generation, generation+1)
			}
			return false
		}
		return !isSessionEnd(err)
	}
}

// replaceConns makes the pool replace all its connections, each when it is used next.
func (p *primary) replaceConns() { p.generation.Add(1) }

// readOnlyTransaction is the SQLSTATE of a write on a server that accepts none.
const readOnlyTransaction = "25006"

// isSessionEnd reports whether the server has ended the session, or is about to.
func isSessionEnd(err *pgconn.PgError) bool {
	return strings.EqualFold(err.Severity, "FATAL") || strings.EqualFold(err.Severity, "PANIC") ||
		strings.HasPrefix(err.Code, "57P0")
}

// CheckWritable returns an error when the database accepts no writes: ErrReadOnly, or the reason why it does not
// respond. It writes nothing. On SQLite, it only checks that the file is readable.
func CheckWritable(ctx context.Context, db *DB) error {
	if db.primary == nil {
		return db.Ping(ctx)
	}
	var readOnly bool
	if err := db.writer.QueryRowContext(ctx, readOnlyCheck).Scan(&readOnly); err != nil {
		return fmt.Errorf("checking that the database accepts writes: %w", err)
	}
	if readOnly {
		db.primary.replaceConns()
		return ErrReadOnly
	}
	return nil
}
