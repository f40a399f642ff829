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

	"errand/ent"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"modernc.org/sqlite" // The "sqlite" driver, in pure Go.
)

// SQLite's own lower knows A to Z alone, so that a search in any case would miss Äpfel.
func init() {
	sqlite.MustRegisterDeterministicScalarFunction("lower", 1, lower)
	sqlite.MustRegisterDeterministicScalarFunction("mentions", 3, mentions)
}

func lower(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
	if text, ok := args[0].(string); ok {
		return strings.ToLower(text), nil
	}
	return args[0], nil
}

// mentions(title, body, words) is 1 when each of the words stands in the title or the body,
// in any case.
func mentions(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
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

// What every SQLite connection needs. Times are written in UTC, so that they sort as text.
const sqliteCommon = "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)" +
	"&_time_format=sqlite&_timezone=UTC"

const (
	// Transactions take the write lock when they begin: one that reads first and
	// locks later fails when another wrote in between.
	sqliteWriter = sqliteCommon + "&_pragma=foreign_keys(1)&_txlock=immediate"
	sqliteReader = sqliteCommon + "&_pragma=query_only(1)"
	// Altering a table may mean building it anew and dropping the old one, which
	// would take all rows along that refer to it.
	sqliteMigrator = sqliteCommon + "&_pragma=foreign_keys(0)&_txlock=immediate"
)

// openSQLite opens the file with one connection that writes and several that
// read. SQLite has one writer at a time; queueing for it here is fair and fast,
// while connections that fight for its lock back off and starve.
func openSQLite(ctx context.Context, path string, o Options) (*DB, error) {
	file, err := sqliteFile(path)
	if err != nil {
		return nil, err
	}
	writer, err := sqlitePool(file, sqliteWriter, 1)
	if err != nil {
		return nil, err
	}
	reader, err := sqlitePool(file, sqliteReader, max(4, runtime.GOMAXPROCS(0)))
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	db := &DB{
		client: ent.NewClient(ent.Driver(&sqliteDriver{
			writer: entsql.OpenDB(dialect.SQLite, writer),
			reader: entsql.OpenDB(dialect.SQLite, reader),
		})),
		dialect: dialect.SQLite,
		main:    writer,
		// The writer closes last: its close folds the log into the file.
		pools: []*sql.DB{reader, writer},
		ping:  func(ctx context.Context) error { return readHeader(ctx, reader) },
		file:  file,
		log:   o.Logger,
	}
	// The writer goes first: it creates the file that readers may only read.
	if err := readHeader(ctx, writer); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the SQLite file %s: %w", file, err), db.Close())
	}
	return db, nil
}

// sqliteFile makes path absolute and creates the file and its folder, for their
// owner alone: they hold people's words. SQLite gives its log the same mode.
func sqliteFile(path string) (string, error) {
	if path == "" || strings.Contains(path, ":memory:") || strings.HasPrefix(path, "file:") ||
		strings.Contains(path, "?") {
		return "", errors.New("the database URL sqlite:PATH must name a file, without options and not in memory")
	}
	file, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("finding the SQLite file: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", fmt.Errorf("creating the SQLite file's folder: %w", err)
	}
	// Never open a file that is there: closing it would drop the locks that
	// SQLite holds on it anywhere in this process.
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return file, nil
	}
	if err != nil {
		return "", fmt.Errorf("creating the SQLite file: %w", err)
	}
	return file, f.Close()
}

func sqlitePool(file, settings string, size int) (*sql.DB, error) {
	dsn := url.URL{Scheme: "file", Path: filepath.ToSlash(file), RawQuery: settings}
	pool, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("opening SQLite: %w", err)
	}
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	return pool, nil
}

// readHeader reads the file's first page; a ping would not touch the file.
func readHeader(ctx context.Context, pool *sql.DB) error {
	var version int
	if err := pool.QueryRowContext(ctx, "PRAGMA schema_version").Scan(&version); err != nil {
		return fmt.Errorf("reading the SQLite file: %w", err)
	}
	return nil
}
