package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"
)

// The intervals of a session lock.
const (
	// lockCheckInterval is how often the lock's connection checks that it has the lock, on a server with writes.
	lockCheckInterval = time.Second
	// lockTimeout bounds the statements that take the lock, and those of a check.
	lockTimeout = 2 * time.Second
	// minLockDelay and maxLockDelay bound the backoff between attempts to take a lost lock again. They are short: the
	// other replicas see a free lock meanwhile.
	minLockDelay = 20 * time.Millisecond
	maxLockDelay = 500 * time.Millisecond
	// pooledLockDelay is the delay when the connection leads through a pooler.
	pooledLockDelay = 30 * time.Second
	// lockSettleTime is how long a lock that was lost must be held again before it counts as settled. A failover frees
	// the locks of all replicas at once, and each takes its own again within this time.
	lockSettleTime = 2 * time.Second
)

// ErrTransactionPooled is returned where a connection of its own server session is needed.
var ErrTransactionPooled = errors.New("the connection leads through a pooler in transaction mode; " +
	"set DATABASE_DIRECT_URL to a URL without the pooler")

// ErrOtherDatabase is returned when the direct URL leads to another database than the URL.
var ErrOtherDatabase = errors.New("it leads to another database than DATABASE_URL")

// lockKey is an SQL expression for the key of the advisory lock on a name. The number separates these locks from those
// of other uses.
func lockKey(name string) string { return "hashtextextended(" + name + ", 20261127)" }

// heldLocks selects the keys of all session locks of the database. Every role may read pg_locks.
const heldLocks = `SELECT (l.classid::bigint << 32) | l.objid::bigint FROM pg_locks l
	WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
		AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())`

// sessionLockName ends the application name of the connections that hold session locks.
const sessionLockName = " lock"

// SessionLock is a lock on a name that PostgreSQL releases as soon as this process ends, because it belongs to the
// session of a connection that serves no other purpose. A lost lock is taken again for as long as the process runs.
// It is safe for concurrent use.
type SessionLock struct {
	db     *DB
	name   string
	config *pgx.ConnConfig
	notify chan struct{}
	stop   context.CancelFunc
	loop   sync.WaitGroup

	// verified is set once the pool has seen the lock. Only take uses it.
	verified bool

	mu   sync.Mutex
	held bool
	// settledAt is when a held lock counts as settled.
	settledAt time.Time
}

// NewSessionLock returns a lock that is not held before Start. The database must be PostgreSQL.
func NewSessionLock(db *DB, name string) *SessionLock {
	config := db.PostgresConfig()
	config.RuntimeParams["application_name"] += sessionLockName
	return &SessionLock{db: db, name: name, config: config, notify: make(chan struct{}, 1)}
}

// Start takes the lock, and keeps it until Close. When it cannot be taken, Start returns the reason, and goes on trying
// in the background.
func (l *SessionLock) Start(ctx context.Context) error {
	conn, err := l.take(ctx)
	if err == nil {
		l.set(true, time.Time{})
	}
	ctx, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	l.loop.Go(func() { l.run(ctx, conn, err) })
	return err
}

// Held reports whether this process holds the lock, as far as it knows.
func (l *SessionLock) Held() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held
}

// Settled reports whether the lock is held, and free locks of others are not the trace of a failover.
func (l *SessionLock) Settled() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held && !time.Now().Before(l.settledAt)
}

// Changed returns a channel that receives after Held has changed.
func (l *SessionLock) Changed() <-chan struct{} { return l.notify }

// Close releases the lock. It does nothing before Start.
func (l *SessionLock) Close() {
	if l.stop != nil {
		l.stop()
	}
	l.loop.Wait()
}

func (l *SessionLock) set(held bool, settledAt time.Time) {
	l.mu.Lock()
	changed := l.held != held
	l.held, l.settledAt = held, settledAt
	l.mu.Unlock()
	if !changed {
		return
	}
	select {
	case l.notify <- struct{}{}:
	default: // one is waiting to be received
	}
}

// run keeps the lock until ctx ends. conn holds it, unless err is the reason why not.
func (l *SessionLock) run(ctx context.Context, conn *pgx.Conn, err error) {
	for {
		var former string
		var lost time.Time
		if err == nil {
			former = addressOf(conn)
			err = l.keep(ctx, conn)
			lost = time.Now()
			l.set(false, time.Time{})
			if ctx.Err() == nil {
				l.db.log.WarnContext(ctx, "the session lock of this replica was lost", slog.Any("error", err))
			}
			_ = conn.PgConn().Conn().Close() // its server may not respond any more
			disconnect(conn)
		}
		if conn = l.retake(ctx, err); conn == nil {
			return
		}
		err = nil
		if address := addressOf(conn); former != "" && address != former {
			l.db.primary.moved(address, lost)
		}
		l.set(true, time.Now().Add(lockSettleTime))
		l.db.log.InfoContext(ctx, "the session lock of this replica is held again")
	}
}

// addressOf returns the address of the connection's server.
func addressOf(conn *pgx.Conn) string {
	if c := serverConnOf(conn.PgConn()); c != nil {
		return c.address
	}
	return ""
}

// retake takes the lock with retries. It returns nil when ctx ends.
func (l *SessionLock) retake(ctx context.Context, err error) *pgx.Conn {
	delays := &backoff.ExponentialBackOff{
		InitialInterval:     minLockDelay,
		MaxInterval:         maxLockDelay,
		Multiplier:          2,
		RandomizationFactor: 0.5,
	}
	delays.Reset()
	for {
		delay := delays.NextBackOff()
		if errors.Is(err, ErrTransactionPooled) {
			delay = pooledLockDelay
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(delay):
		}
		var conn *pgx.Conn
		if conn, err = l.take(ctx); err == nil {
			return conn
		}
	}
}

// take connects to the primary and takes the lock. It fails while a former session of this process has it, whose end
// the server has not noticed.
func (l *SessionLock) take(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, l.config) // it has a timeout for each address
	if err != nil {
		return nil, fmt.Errorf("connecting for the session lock: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	if err := l.takeOn(ctx, conn); err != nil {
		disconnect(conn)
		return nil, err
	}
	return conn, nil
}

// endOfNetwork makes the server detect within about five seconds that the network to this process is gone. The
// settings have no effect on a Unix socket, and some systems lack them.
var endOfNetwork = []string{
	"SET tcp_keepalives_idle = 2", "SET tcp_keepalives_interval = 1", "SET tcp_keepalives_count = 3",
	"SET tcp_user_timeout = 5000", "SET idle_session_timeout = 0",
}

func (l *SessionLock) takeOn(ctx context.Context, conn *pgx.Conn) error {
	pooled, err := isTransactionPooled(ctx, conn)
	switch {
	case err != nil:
		return err
	case pooled:
		return ErrTransactionPooled
	}
	for _, setting := range endOfNetwork {
		if _, err := conn.Exec(ctx, setting); err != nil && conn.IsClosed() {
			return fmt.Errorf("setting up the session: %w", err)
		}
	}
	var taken bool
	err = conn.QueryRow(ctx, "SELECT pg_try_advisory_lock("+lockKey("$1::text")+")", l.name).Scan(&taken)
	switch {
	case err != nil:
		return fmt.Errorf("taking the session lock: %w", err)
	case !taken:
		return errors.New("another session has the session lock")
	case l.verified:
		return nil
	default:
		err := l.checkPool(ctx)
		l.verified = err == nil
		return err
	}
}

// checkPool checks that the pool sees the lock, so that it leads to the same database.
func (l *SessionLock) checkPool(ctx context.Context) error {
	var visible bool
	query := "SELECT " + lockKey("$1::text") + " IN (" + heldLocks + ")"
	if err := l.db.writer.QueryRowContext(ctx, query, l.name).Scan(&visible); err != nil {
		return fmt.Errorf("reading the session lock: %w", err)
	}
	if !visible {
		return ErrOtherDatabase
	}
	return nil
}

// keep returns when conn breaks, does not hold the lock any more, or its server accepts no writes; and when ctx ends.
func (l *SessionLock) keep(ctx context.Context, conn *pgx.Conn) error {
	for {
		// Waiting reads from the connection, and so notices its end at once.
		if err := waitReadable(ctx, conn); err != nil {
			return err
		}
		if err := l.check(ctx, conn); err != nil {
			return err
		}
	}
}

// waitReadable waits for lockCheckInterval. It fails earlier when the connection breaks or ctx ends.
func waitReadable(ctx context.Context, conn *pgx.Conn) error {
	interval, cancel := context.WithTimeout(ctx, lockCheckInterval)
	defer cancel()
	_, err := conn.WaitForNotification(interval)
	if err == nil || ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

func (l *SessionLock) check(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	var readOnly, held bool
	query := strings.Replace(readOnlyCheck, "SELECT ", "SELECT "+lockKey("$1::text")+" IN ("+
		heldLocks+" AND l.pid = pg_backend_pid()), ", 1)
	if err := conn.QueryRow(ctx, query, l.name).Scan(&held, &readOnly); err != nil {
		return fmt.Errorf("checking the session lock: %w", err)
	}
	switch {
	case readOnly:
		l.db.primary.replaceConns()
		return ErrReadOnly
	case !held:
		return errors.New("the session does not have the lock any more")
	default:
		return nil
	}
}

// CheckDirect checks that connections outside the pool have a server session of their own, in the same database as the
// pool: LISTEN and session locks need that. It returns ErrTransactionPooled or ErrOtherDatabase if not, and nil on
// SQLite.
func CheckDirect(ctx context.Context, db *DB) error {
	if db.postgres == nil {
		return nil
	}
	// A process may check while a server runs, so the name is unique.
	l := NewSessionLock(db, fmt.Sprintf("check %d", time.Now().UnixNano()))
	conn, err := l.take(ctx)
	if err != nil {
		return err
	}
	disconnect(conn)
	return nil
}
