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
	firstPause = 50 * time.Millisecond
	lastPause  = 2 * time.Second
	// answerTimeout is the most that a server may take to connect us or to give a sign of life.
	answerTimeout = 5 * time.Second
)

// listener hears the notifications of all replicas.
type listener struct {
	config  *pgx.ConnConfig
	channel string
	relay   *relay.Relay
	// quiet is how long nothing may be heard, not even ourselves, until the connection is doubted.
	quiet time.Duration
	// patience is how long the server may then take for a sign of life.
	patience time.Duration
	log      *slog.Logger
}

func (l *listener) connect(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
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
		err := l.hear(ctx, conn)
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

// hear passes on notifications until the connection breaks or ctx ends.
func (l *listener) hear(ctx context.Context, conn *pgx.Conn) error {
	for {
		n, err := l.next(ctx, conn)
		switch {
		case err == nil:
			l.relay.Receive([]byte(n.Payload))
		case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
			return err
		default:
			if err := l.probe(ctx, conn); err != nil {
				return err
			}
		}
	}
}

func (l *listener) next(ctx context.Context, conn *pgx.Conn) (*pgconn.Notification, error) {
	ctx, cancel := context.WithTimeout(ctx, l.quiet)
	defer cancel()
	return conn.WaitForNotification(ctx)
}

// probe tells a server that has nothing to say from one that is gone without a
// word: a dead peer would be noticed only by something sent to it.
func (l *listener) probe(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, l.patience)
	defer cancel()
	if err := conn.Ping(ctx); err != nil {
		return fmt.Errorf("no sign of life: %w", err)
	}
	return nil
}

// reconnect tries until it can listen again; nil when ctx ends first.
func (l *listener) reconnect(ctx context.Context) *pgx.Conn {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
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
