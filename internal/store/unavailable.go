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

// IsUnavailable reports whether err means that the database is down, unreachable,
// overloaded or busy: the same work may succeed a little later. It is false for
// a context that ended, which says nothing about the database.
func IsUnavailable(err error) bool {
	var refused *pgconn.ConnectError
	var answer *pgconn.PgError
	var network *net.OpError
	var lite *sqlite.Error
	switch {
	case errors.As(err, &answer):
		return isTransient(answer.Code)
	case errors.As(err, &lite):
		return isBusy(lite.Code())
	case errors.As(err, &refused), errors.As(err, &network), pgconn.SafeToRetry(err):
		return true
	default:
		return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
			errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
	}
}

// isTransient knows the classes of SQLSTATE that pass by themselves.
func isTransient(code string) bool {
	switch code {
	case "40001", "40P01", // serialization failure, deadlock: undone, may be done again
		"55P03",                                     // lock not available
		"57P01", "57P02", "57P03", "57P05", "25006": // shutting down, starting up, or standby after a switch
		return true
	}
	class := code[:min(2, len(code))]
	return class == "08" || class == "53" // connection trouble; out of connections, memory or disk
}

// isBusy knows SQLite's codes that pass by themselves; the low byte is the kind.
func isBusy(code int) bool {
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
		return true
	default:
		return false
	}
}

// IsInvalidText reports whether PostgreSQL refused a text for a character that it cannot
// keep, which is NUL; SQLite takes it, and finds nothing by it.
func IsInvalidText(err error) bool {
	const characterNotInRepertoire = "22021"
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.Code == characterNotInRepertoire
}
