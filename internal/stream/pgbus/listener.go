package pgbus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"errand/internal/stream/relay"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	minDelay = 50 * time.Millisecond
	maxDelay = 2 * time.Second
	// responseTimeout is the most that a server may take to connect us or to give a sign of life.
	responseTimeout = 5 * time.Second
)

// listener hears the notifications of all replicas.
type listener struct {
	config  *pgx.ConnConfig
	channel string
	relay   *relay.Relay
	// idleTimeout is how long nothing may be heard, not even ourselves, until the connection is doubted.
	idleTimeout time.Duration
	// pingTimeout is how long the server may then take for a sign of life.
	pingTimeout time.Duration
	log         *slog.Logger
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

// run listens until ctx ends, on one connection after the other.
func (l *listener) run(ctx context.Context, conn *pgx.Conn) {
	for {
		err := l.listen(ctx, conn)
		disconnect(conn)
		if ctx.Err() != nil {
			return
		}
		l.log.Warn("the connection that hears the other replicas broke", "error", err)
		if conn = l.reconnect(ctx); conn == nil {
			return
		}
		// Only now, when nothing more can be missed, may the rows be read.
		l.relay.Reconnected()
	}
}

// listen passes on notifications until the connection breaks or ctx ends.
func (l *listener) listen(ctx context.Context, conn *pgx.Conn) error {
	for {
		n, err := l.waitNotification(ctx, conn)
		switch {
		case err == nil:
			l.relay.Receive([]byte(n.Payload))
		case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
			return err
		default:
			if err := l.ping(ctx, conn); err != nil {
				return err
			}
		}
	}
}

func (l *listener) waitNotification(ctx context.Context, conn *pgx.Conn) (*pgconn.Notification, error) {
	ctx, cancel := context.WithTimeout(ctx, l.idleTimeout)
	defer cancel()
	return conn.WaitForNotification(ctx)
}

// ping tells a server that has nothing to say from one that is gone without a
// word: a dead peer would be noticed only by something sent to it.
func (l *listener) ping(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, l.pingTimeout)
	defer cancel()
	if err := conn.Ping(ctx); err != nil {
		return fmt.Errorf("no sign of life: %w", err)
	}
	return nil
}

// reconnect tries until it can listen again; nil when ctx ends first.
func (l *listener) reconnect(ctx context.Context) *pgx.Conn {
	for pause := minDelay; ; pause = min(2*pause, maxDelay) {
		// Replicas that were cut off together should not come back together.
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause/2 + rand.N(pause)):
		}
		conn, err := l.connect(ctx)
		if err == nil {
			return conn
		}
		l.log.Warn("the connection that hears the other replicas cannot be made yet", "error", err)
	}
}
