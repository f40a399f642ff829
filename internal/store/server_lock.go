package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

const (
	// serverLockSuffix is appended to the path of the SQLite file. The lock file is never removed: a process that
	// waits for the lock may have it open.
	serverLockSuffix = "-lock"
	// serverLockWait is how long to wait for the lock, because a killed process releases it only once the system
	// has freed its memory, and a check by another command holds it for a moment.
	serverLockWait  = 2 * time.Second
	serverLockRetry = 20 * time.Millisecond
)

// ServerLockHolder is the process that holds the server lock of a SQLite file, as the lock file names it.
type ServerLockHolder struct {
	// PID is the process id; 0 means that the file does not name the process.
	PID  int    `json:"pid"`
	Host string `json:"host"`
	// Command is the command that the process runs, such as "serve".
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
}

// String names the process in messages.
func (h ServerLockHolder) String() string {
	if h.PID == 0 {
		return "another process"
	}
	return fmt.Sprintf(`"errand %s" (process %d on host %s, since %s)`,
		h.Command, h.PID, h.Host, h.Since.UTC().Format(time.RFC3339))
}

// ErrDatabaseInUse is wrapped by the error for a SQLite file whose server lock another process holds.
var ErrDatabaseInUse = errors.New("the database is in use")

// serverLock is the lock of the only process that runs the engine on a SQLite file. It is a lock of the operating
// system on a file beside the database, so that it ends with the process.
type serverLock struct{ file *os.File }

// LockServer makes this process the only one that runs the engine on the SQLite file, until Close. The error wraps
// ErrDatabaseInUse and names the process that holds the lock. It does nothing on PostgreSQL, where any number of
// replicas share the database, and when this DB holds the lock already. command names the caller to others.
func LockServer(ctx context.Context, db *DB, command string) error {
	if db.file == "" || db.lock != nil {
		return nil
	}
	if links, err := hardLinks(db.file); err != nil || links > 1 {
		return errors.Join(err, fmt.Errorf("the SQLite file %s has %d hard links: under another name it would have another "+
			"lock and another write-ahead log; keep one name, or use a symbolic link", db.file, links))
	}
	lock, holder, err := lockServer(ctx, db.file, command)
	switch {
	case err != nil:
		return err
	case holder != nil:
		return inUse(db, holder)
	}
	db.lock = lock
	return nil
}

// CheckNotServed returns an error that wraps ErrDatabaseInUse while a server uses the database. On PostgreSQL it finds
// the servers that hold a SessionLock, which those behind a pooler in transaction mode do not.
func CheckNotServed(ctx context.Context, db *DB) error {
	if db.file == "" {
		return checkNoReplicas(ctx, db)
	}
	if db.lock != nil {
		return nil
	}
	holder, err := findServerLockHolder(db.file)
	if err != nil || holder == nil {
		return err
	}
	return inUse(db, holder)
}

func checkNoReplicas(ctx context.Context, db *DB) error {
	const replicas = `SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
		WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database()
			AND a.application_name LIKE '%' || $1`
	var n int
	if err := db.writer.QueryRowContext(ctx, replicas, sessionLockName).Scan(&n); err != nil {
		return fmt.Errorf("looking for servers that use the database: %w", err)
	}
	if n > 0 {
		return fmt.Errorf("%w: %d server(s) use it; stop them first", ErrDatabaseInUse, n)
	}
	return nil
}

func inUse(db *DB, holder *ServerLockHolder) error {
	return fmt.Errorf("%w: %s uses the SQLite file %s, which only one server may use at a time; "+
		"stop that process first, or use PostgreSQL for several servers", ErrDatabaseInUse, holder, db.file)
}

// lockServer takes the lock beside the SQLite file. It returns the process that holds it if that does not end within
// serverLockWait.
func lockServer(ctx context.Context, database, command string) (*serverLock, *ServerLockHolder, error) {
	path := database + serverLockSuffix
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the lock file of the SQLite file: %w", err)
	}
	for deadline := time.Now().Add(serverLockWait); ; {
		locked, err := tryLockFile(file, true)
		switch {
		case err != nil:
			return nil, nil, errors.Join(unlockable(path, err), file.Close())
		case locked:
			writeHolder(file, command)
			return &serverLock{file}, nil, nil
		case time.Now().After(deadline):
			return nil, readHolder(path), file.Close()
		}
		select {
		case <-ctx.Done():
			return nil, nil, errors.Join(context.Cause(ctx), file.Close())
		case <-time.After(serverLockRetry):
		}
	}
}

// findServerLockHolder returns the process that holds the server lock of the SQLite file, or nil. It holds a shared
// lock for a moment, which does not disturb other checks.
func findServerLockHolder(database string) (*ServerLockHolder, error) {
	path := database + serverLockSuffix
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the lock file of the SQLite file: %w", err)
	}
	defer file.Close()
	free, err := tryLockFile(file, false)
	if err != nil {
		return nil, unlockable(path, err)
	}
	if free {
		return nil, nil
	}
	return readHolder(path), nil
}

// unlockable explains the error of a file system without locks, on which SQLite would damage the database.
func unlockable(path string, err error) error {
	return fmt.Errorf("locking %s: %w; keep the SQLite file on a local disk, or use PostgreSQL", path, err)
}

// writeHolder replaces the file's content by the name of this process. It ignores errors, such as a full disk: the
// lock holds without the name.
func writeHolder(file *os.File, command string) {
	host, _ := os.Hostname()
	holder := ServerLockHolder{PID: os.Getpid(), Host: host, Command: command, Since: time.Now().UTC()}
	content, err := json.Marshal(holder)
	if err == nil && file.Truncate(0) == nil {
		_, _ = file.WriteAt(append(content, '\n'), 0)
	}
}

// readHolder returns the process that the lock file names; its PID is 0 when the file names none.
func readHolder(path string) *ServerLockHolder {
	holder := &ServerLockHolder{}
	content, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(content, holder) != nil {
		return &ServerLockHolder{}
	}
	return holder
}

func (l *serverLock) release() error {
	if l == nil {
		return nil
	}
	if err := l.file.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}
