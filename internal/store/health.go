package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"errand/ent"

	"github.com/jackc/pgx/v5/pgconn"
)

// probeBytes is how much CheckWrite writes. A full disk often has room for less: SQLite reuses free pages, and both
// engines write into space that their files already have.
const probeBytes = 1 << 20

// reportFault sends to faults for errors that come from the state of the database.
func reportFault(faults chan<- struct{}, err error) {
	if err == nil || errors.Is(err, context.Canceled) || FaultOf(err) == FaultNone && !isMissingTable(err) {
		return
	}
	select {
	case faults <- struct{}{}:
	default: // one is waiting
	}
}

// Faults returns a channel that receives a value after statements of the client have failed because of the state of
// the database: read with CheckRead and CheckWrite what it is. It has one receiver.
func (db *DB) Faults() <-chan struct{} { return db.faults }

// CheckRead returns an error when the database does not respond, lacks tables, or is known to reject writes. FaultOf
// classifies the error.
func CheckRead(ctx context.Context, db *DB) error {
	tables := postgresTables
	if db.file != "" {
		if err := checkSameFile(db); err != nil {
			return err
		}
		tables = sqliteTables
	}
	if err := CheckWritable(ctx, db); err != nil {
		return err
	}
	var rows int
	err := db.pools[0].QueryRowContext(ctx, tables).Scan(&rows)
	switch {
	case isMissingTable(err):
		return &faultError{FaultTables, err}
	case err != nil:
		return fmt.Errorf("reading the tables: %w", err)
	default:
		return nil
	}
}

// readEachTable selects from every table at most the given number of rows.
func readEachTable(limit int) string {
	tables := ent.Tables()
	reads := make([]string, len(tables))
	for i, table := range tables {
		reads[i] = fmt.Sprintf("(SELECT count(*) FROM (SELECT 1 FROM %s LIMIT %d) AS t)", table, limit)
	}
	return "SELECT " + strings.Join(reads, " + ")
}

// Under row-level security no row is visible to the check, so that PostgreSQL would search whole tables for one.
var sqliteTables, postgresTables = readEachTable(1), readEachTable(0)

// checkSameFile returns an error when the path leads to another file than the one that was opened. SQLite would go on
// writing to the removed file, and lose everything when it is closed.
func checkSameFile(db *DB) error {
	info, err := os.Stat(db.file)
	switch {
	case err != nil:
		return &faultError{FaultReplaced, err}
	case !os.SameFile(info, db.fileInfo):
		return &faultError{fault: FaultReplaced}
	default:
		return nil
	}
}

// CheckWrite writes probeBytes to the database's disk and rolls back. FaultOf classifies the error.
func CheckWrite(ctx context.Context, db *DB) error {
	check := checkPostgresWrite
	if db.file != "" {
		check = checkSQLiteWrite
	}
	if err := check(ctx, db); err != nil {
		return fmt.Errorf("checking writes to the database: %w", err)
	}
	return nil
}

// writerWait is how long CheckWrite waits for the writer's connection.
const writerWait = 500 * time.Millisecond

// sqliteProbe has a cache of few pages, so that the written ones go to the write-ahead log before the transaction
// ends.
const sqliteProbe = "_pragma=busy_timeout(1000)&_pragma=journal_mode(WAL)&_pragma=cache_size(-64)&_txlock=immediate"

func checkSQLiteWrite(ctx context.Context, db *DB) (err error) {
	// With the writer's connection the check does not compete with this process's own transactions. They are short:
	// when the connection does not become free, its user waits for the lock too.
	soon, cancel := context.WithTimeout(ctx, writerWait)
	defer cancel()
	if writer, err := db.writer.Conn(soon); err == nil {
		defer writer.Close() //nolint:errcheck // it returns the connection to the pool
	}
	probe, err := openSQLitePool(db.file, sqliteProbe, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, probe.Close()) }()
	const insert = "INSERT INTO goose_db_version (version_id, is_applied, tstamp) VALUES (-1, 0, zeroblob(?))"
	return rolledBack(ctx, probe, insert, probeBytes)
}

func checkPostgresWrite(ctx context.Context, db *DB) error {
	const (
		// Temporary tables are in the database's own tablespace unless it is set up otherwise.
		writeRows = "CREATE TEMPORARY TABLE errand_write_check ON COMMIT DROP AS " +
			"SELECT n, repeat(md5(n::text), 8) AS text FROM generate_series(1, $1 / 256) AS n"
		assignTransaction = "SELECT pg_current_xact_id()"
	)
	err := rolledBack(ctx, db.writer, strings.Replace(writeRows, "$1", fmt.Sprint(probeBytes), 1))
	var response *pgconn.PgError
	if errors.As(err, &response) && response.Code == "42501" { // the role may not create temporary tables
		return rolledBack(ctx, db.writer, assignTransaction)
	}
	return err
}

// rolledBack executes a statement in a transaction that it rolls back.
func rolledBack(ctx context.Context, pool *sql.DB, statement string, args ...any) error {
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, statement, args...)
	if rollback := tx.Rollback(); err == nil && !errors.Is(rollback, sql.ErrTxDone) {
		err = rollback
	}
	return err
}
