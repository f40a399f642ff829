package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Fault is why the database cannot be used, as a text that is safe to show to anyone.
type Fault string

// The faults. FaultNone means that an error does not come from the state of the database.
const (
	FaultNone      Fault = ""
	FaultDown      Fault = "the database does not respond"
	FaultFull      Fault = "the disk of the database is full"
	FaultReadOnly  Fault = "the database is read-only"
	FaultLocked    Fault = "the database is locked"
	FaultTables    Fault = "tables are missing"
	FaultReplaced  Fault = "the database file was removed or replaced"
	FaultDamaged   Fault = "the database is damaged"
	FaultDisk      Fault = "the disk of the database reports errors"
	FaultForbidden Fault = "access to the database is denied"
)

// faultError is an error with a known fault.
type faultError struct {
	fault Fault
	cause error // may be nil
}

func (e *faultError) Error() string {
	if e.cause == nil {
		return string(e.fault)
	}
	return string(e.fault) + ": " + e.cause.Error()
}

func (e *faultError) Unwrap() error { return e.cause }

// FaultOf returns the fault of the database that an error reports. Errors of a statement or of its data, such as a
// violated constraint, have none.
func FaultOf(err error) Fault {
	var known *faultError
	var response *pgconn.PgError
	var lite *sqlite.Error
	switch {
	case err == nil:
		return FaultNone
	case errors.As(err, &known):
		return known.fault
	case errors.Is(err, ErrReadOnly):
		return FaultReadOnly
	case errors.As(err, &response):
		return faultOfSQLState(response.Code)
	case errors.As(err, &lite):
		return faultOfSQLiteCode(lite.Code())
	case errors.Is(err, syscall.ENOSPC):
		return FaultFull
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, driver.ErrBadConn), IsUnavailable(err):
		return FaultDown
	default:
		return FaultNone
	}
}

func faultOfSQLState(code string) Fault {
	switch code {
	case "53100":
		return FaultFull
	case readOnlyTransaction:
		return FaultReadOnly
	case "42P01", "3F000": // undefined table, invalid schema
		return FaultTables
	case "42501":
		return FaultForbidden
	case "58030":
		return FaultDisk
	case "XX001", "XX002":
		return FaultDamaged
	case "57P01", "57P02", "57P03", "57P05":
		return FaultDown
	}
	// Connection trouble, out of connections or memory, rejected login, no such database.
	if class := code[:min(2, len(code))]; class == "08" || class == "53" || class == "28" || code == "3D000" {
		return FaultDown
	}
	return FaultNone
}

func faultOfSQLiteCode(code int) Fault {
	switch code & 0xff {
	case sqlite3.SQLITE_FULL:
		return FaultFull
	case sqlite3.SQLITE_READONLY:
		return FaultReadOnly
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return FaultLocked
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return FaultDamaged
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
		return FaultDisk
	case sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return FaultForbidden
	default:
		return FaultNone
	}
}

// isMissingTable reports whether a SQLite error, which has no code of its own for it, means a missing table.
func isMissingTable(err error) bool {
	var lite *sqlite.Error
	return errors.As(err, &lite) && strings.Contains(lite.Error(), "no such table")
}
