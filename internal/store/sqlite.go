package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"modernc.org/sqlite" // the database/sql driver "sqlite", in pure Go
)

// init registers SQL functions: SQLite's own lower folds only A to Z, so a search for äpfel would miss Äpfel.
func init() {
	sqlite.MustRegisterDeterministicScalarFunction("lower", 1, lowerUnicode)
	sqlite.MustRegisterDeterministicScalarFunction("mentions", 3, containsAllWords)
}

func lowerUnicode(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
	if text, ok := args[0].(string); ok {
		return strings.ToLower(text), nil
	}
	return args[0], nil
}

// containsAllWords implements the SQL function mentions(title, body, words): 1 when each of the words occurs in the
// title or the body, in any case.
func containsAllWords(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
	title, _ := args[0].(string)
	body, _ := args[1].(string)
	words, _ := args[2].(string)
	title, body = strings.ToLower(title), strings.ToLower(body)
	for _, word := range strings.Fields(strings.ToLower(words)) {
		if !strings.Contains(title, word) && !strings.Contains(body, word) {
			return int64(0), nil
		}
	}
	return int64(1), nil
}

// sqliteCommon holds the settings of all SQLite connections. Times are written in UTC, so that they sort as text.
const sqliteCommon = "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)" +
	"&_time_format=sqlite&_timezone=UTC"

const (
	// Transactions take the write lock when they begin: one that reads first and locks later fails when
	// another one has written in between.
	sqliteWriter = sqliteCommon + "&_pragma=foreign_keys(1)&_txlock=immediate"
	sqliteReader = sqliteCommon + "&_pragma=query_only(1)"
	// Altering a table may mean copying it to a new one and dropping the old one. With foreign keys
	// enforced, the drop would cascade to all rows that reference it.
	sqliteMigrator = sqliteCommon + "&_pragma=foreign_keys(0)&_txlock=immediate"
)

// openSQLite opens the file with one connection for writing and several for reading. SQLite has one writer at a
// time. Waiting for the connection in database/sql's queue is fair and fast, while connections that
// compete for SQLite's lock back off and starve.
func openSQLite(ctx context.Context, path string, o Options) (*DB, error) {
	file, err := createSQLiteFile(path)
	if err != nil {
		return nil, err
	}
	writer, err := openSQLitePool(file, sqliteWriter, 1)
	if err != nil {
		return nil, err
	}
	reader, err := openSQLitePool(file, sqliteReader, max(4, runtime.GOMAXPROCS(0)))
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	db := &DB{
		dialect: dialect.SQLite,
		writer:  writer,
		// The writer closes last: its close checkpoints the write-ahead log.
		pools: []*sql.DB{reader, writer},
		ping:  func(ctx context.Context) error { return pingSQLite(ctx, reader, file) },
		file:  file,
		log:   o.Logger,
	}
	useDriver(db, &sqliteDriver{
		writer: entsql.OpenDB(dialect.SQLite, writer),
		reader: entsql.OpenDB(dialect.SQLite, reader),
	})
	// The writer connects first: it creates the database, which the readers cannot.
	if err := pingSQLite(ctx, writer, file); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the SQLite file %s: %w", file, err), db.Close())
	}
	if db.fileInfo, err = os.Stat(file); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the SQLite file: %w", err), db.Close())
	}
	return db, nil
}

// createSQLiteFile returns the absolute path without symbolic links, after creating the file and its folder if they are
// missing, readable by the owner only: they hold user content. SQLite gives its log files the same mode.
func createSQLiteFile(path string) (string, error) {
	if path == "" || strings.Contains(path, ":memory:") || strings.HasPrefix(path, "file:") ||
		strings.Contains(path, "?") {
		return "", errors.New("the database URL sqlite:PATH must name a file, without options and not in memory")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("creating the SQLite file's folder: %w", err)
	}
	file, err := resolveSQLitePath(path)
	if err != nil {
		return "", fmt.Errorf("resolving the path of the SQLite file: %w", err)
	}
	// Never open an existing file here: closing it would release the POSIX locks that SQLite holds on it
	// anywhere in this process.
	if err := createPrivateFile(file); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("creating the SQLite file: %w", err)
	}
	return file, nil
}

// resolveSQLitePath returns the absolute path of the file that a path means, without symbolic links, so that one file
// has one lock and one write-ahead log. The file may be missing, its folder may not.
func resolveSQLitePath(path string) (string, error) {
	const maxLinks = 40 // as Linux allows
	file, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	for range maxLinks {
		folder, err := filepath.EvalSymlinks(filepath.Dir(file))
		if err != nil {
			return "", err
		}
		file = filepath.Join(folder, filepath.Base(file))
		info, err := os.Lstat(file)
		if errors.Is(err, os.ErrNotExist) || err == nil && info.Mode()&os.ModeSymlink == 0 {
			return file, nil
		}
		if err != nil {
			return "", err
		}
		target, err := os.Readlink(file)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(folder, target)
		}
		file = target
	}
	return "", fmt.Errorf("%s has too many symbolic links", path)
}

func openSQLitePool(file, settings string, size int) (*sql.DB, error) {
	dsn := url.URL{Scheme: "file", Path: filepath.ToSlash(file), RawQuery: settings}
	pool, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("opening SQLite: %w", err)
	}
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	return pool, nil
}

// pingSQLite reads the file's first page; the driver's Ping does not access the file.
func pingSQLite(ctx context.Context, pool *sql.DB, file string) error {
	var version int
	err := pool.QueryRowContext(ctx, "PRAGMA schema_version").Scan(&version)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("reading the SQLite file: %w", err)
	// SQLite reports only that it cannot open a file: it creates others beside the database.
	f, openErr := os.OpenFile(file, os.O_RDWR, 0) //nolint:gosec // the path is an operator's setting
	if errors.Is(openErr, syscall.EROFS) {
		return &faultError{FaultReadOnly, errors.Join(err, openErr)}
	}
	if openErr == nil {
		_ = f.Close()
	}
	return err
}
