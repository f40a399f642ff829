package store

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// IsUnavailable reports whether err means that the database is down, unreachable, overloaded or busy, so that
// a retry may succeed. It is false for the end of a context.
func IsUnavailable(err error) bool {
	var connect *pgconn.ConnectError
	var response *pgconn.PgError
	var network *net.OpError
	var lite *sqlite.Error
	switch {
	case errors.As(err, &response):
		return isTransientSQLState(response.Code)
	case errors.As(err, &lite):
		return isTransientSQLiteCode(lite.Code())
	case errors.As(err, &connect), errors.As(err, &network), pgconn.SafeToRetry(err):
		return true
	default:
		return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
			errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
	}
}

// isTransientSQLState reports whether a PostgreSQL error code is temporary.
func isTransientSQLState(code string) bool {
	switch code {
	case "40001", "40P01", // serialization failure, deadlock: rolled back, can be retried
		"55P03",                                     // lock not available
		"57P01", "57P02", "57P03", "57P05", "25006": // shutting down, starting up, or standby after a switch
		return true
	}
	class := code[:min(2, len(code))]
	return class == "08" || class == "53" // connection trouble; out of connections, memory or disk
}

// isTransientSQLiteCode reports whether a SQLite result code is temporary. The low byte is the primary code.
func isTransientSQLiteCode(code int) bool {
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
		sqlite3.SQLITE_READONLY:
		return true
	default:
		return false
	}
}

// IsInvalidText reports whether PostgreSQL rejected a text with a character that it cannot store, which is
// NUL. SQLite accepts it as an argument.
func IsInvalidText(err error) bool {
	const characterNotInRepertoire = "22021"
	var response *pgconn.PgError
	return errors.As(err, &response) && response.Code == characterNotInRepertoire
}
