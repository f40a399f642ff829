package pgbus

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// notifier sends notifications on a connection of its own. The relay calls it from one goroutine.
type notifier struct {
	config  *pgx.ConnConfig
	channel string
	conn    *pgx.Conn
}

// send connects first if necessary. After an error the connection is closed, because its state is unknown.
func (s *notifier) send(ctx context.Context, payload []byte) error {
	if s.conn == nil {
		conn, err := pgx.ConnectConfig(ctx, s.config)
		if err != nil {
			return fmt.Errorf("connecting to notify: %w", err)
		}
		s.conn = conn
	}
	var former bool
	const notify = "SELECT " + readOnly + " FROM pg_notify($1, $2)"
	err := s.conn.QueryRow(ctx, notify, s.channel, string(payload)).Scan(&former)
	if err == nil && former { // only listeners on the former primary receive it
		err = errReadOnly
	}
	if err != nil {
		s.close()
		return fmt.Errorf("notifying: %w", err)
	}
	return nil
}

func (s *notifier) close() {
	disconnect(s.conn)
	s.conn = nil
}

// disconnect closes a connection, which may be nil or broken.
func disconnect(conn *pgx.Conn) {
	if conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // a broken connection is released even if Close fails
}
