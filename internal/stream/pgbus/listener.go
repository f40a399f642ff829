package pgbus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"errand/internal/stream/relay"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// minDelay and maxDelay bound the exponential backoff between attempts to reconnect.
	minDelay = 50 * time.Millisecond
	maxDelay = 2 * time.Second
	// responseTimeout bounds an attempt to connect, and the response to a ping.
	responseTimeout = 5 * time.Second
)

// listener receives the notifications of all replicas.
type listener struct {
	config  *pgx.ConnConfig
	channel string
	relay   *relay.Relay
	// idleTimeout is the time without a notification, own ones included, after which the server is pinged.
	idleTimeout time.Duration
	// pingTimeout bounds the response to a ping or check.
	pingTimeout time.Duration
	// checkInterval is how often the server is asked whether it accepts writes.
	checkInterval time.Duration
	log           *slog.Logger
}

func (l *listener) connect(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, responseTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, l.config)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{l.channel}.Sanitize()); err != nil {
		disconnect(conn)
		return nil, err
	}
	return conn, nil
}

// run listens until ctx ends, and reconnects when a connection breaks.
func (l *listener) run(ctx context.Context, conn *pgx.Conn) {
	for {
		err := l.listen(ctx, conn)
		disconnect(conn)
		if ctx.Err() != nil {
			return
		}
		l.log.Warn("the connection that listens for the other replicas broke", "error", err)
		if conn = l.reconnect(ctx); conn == nil {
			return
		}
		// Rows that were read before LISTEN may lack changes whose notifications were lost.
		l.relay.Reconnected()
	}
}

// listen passes notifications to the relay until the connection breaks, its server accepts no writes, or ctx ends.
func (l *listener) listen(ctx context.Context, conn *pgx.Conn) error {
	nextCheck := time.Now().Add(l.checkInterval)
	for {
		// A former primary still delivers the notifications that are sent to it, so it is checked under traffic too.
		until := time.Now().Add(l.idleTimeout)
		if nextCheck.Before(until) {
			until = nextCheck
		}
		n, err := waitNotification(ctx, conn, until)
		switch {
		case err == nil:
			l.relay.Receive([]byte(n.Payload))
		case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
			return err
		}
		if err != nil || !time.Now().Before(nextCheck) {
			if err := l.check(ctx, conn); err != nil {
				return err
			}
			nextCheck = time.Now().Add(l.checkInterval)
		}
	}
}

func waitNotification(ctx context.Context, conn *pgx.Conn, until time.Time) (*pgconn.Notification, error) {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	return conn.WaitForNotification(ctx)
}

// errReadOnly is returned for a server that became a standby, or was switched to read-only: the other replicas use
// another one.
var errReadOnly = errors.New("the server is read-only")

// readOnly is an SQL expression for whether the server accepts no writes.
const readOnly = "(pg_is_in_recovery() OR current_setting('transaction_read_only')::bool)"

// check distinguishes an idle server from a broken connection, because without traffic TCP does not detect that the
// peer is gone, and from one that is not the primary any more.
func (l *listener) check(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, l.pingTimeout)
	defer cancel()
	var former bool
	switch err := conn.QueryRow(ctx, "SELECT "+readOnly).Scan(&former); {
	case err != nil:
		return fmt.Errorf("ping: %w", err)
	case former:
		return errReadOnly
	default:
		return nil
	}
}

// reconnect retries until it listens again. It returns nil when ctx ends.
func (l *listener) reconnect(ctx context.Context) *pgx.Conn {
	delays := &backoff.ExponentialBackOff{
		InitialInterval:     minDelay,
		MaxInterval:         maxDelay,
		Multiplier:          2,
		RandomizationFactor: 0.5,
	}
	delays.Reset()
	for {
		// A random delay also before the first attempt: replicas that were disconnected together then reconnect spread
		// out.
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(delays.NextBackOff()):
		}
		conn, err := l.connect(ctx)
		if err == nil {
			return conn
		}
		l.log.Warn("the connection that listens for the other replicas cannot be established yet", "error", err)
	}
}
