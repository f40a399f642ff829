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
	// pingTimeout bounds the response to the ping.
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

// listen passes notifications to the relay until the connection breaks or ctx ends.
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

// ping distinguishes an idle server from a broken connection: without traffic, TCP does not detect that the peer is
// gone.
func (l *listener) ping(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, l.pingTimeout)
	defer cancel()
	if err := conn.Ping(ctx); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	return nil
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
