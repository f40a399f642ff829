package store

import (
	"context"
	"database/sql/driver"
	"fmt"
)

// ExternalChanges detects commits of other processes to the SQLite file. It is not safe for concurrent use.
type ExternalChanges struct {
	db      *DB
	conn    any // the driver's connection that version belongs to
	version int64
}

// DetectExternalChanges returns a detector of commits of other processes, or nil on PostgreSQL, where the bus
// reports them.
func DetectExternalChanges(db *DB) *ExternalChanges {
	if db.file == "" {
		return nil
	}
	return &ExternalChanges{db: db}
}

// Detected reports whether another process has committed since the previous call. The first call reports true, and
// so does one after which the answer is not certain.
func (c *ExternalChanges) Detected(ctx context.Context) (bool, error) {
	// All writes of this process go through the writer's connection, and data_version does not count the commits of
	// the connection that reads it.
	conn, err := c.db.writer.Conn(ctx)
	if err != nil {
		return false, fmt.Errorf("waiting for the SQLite writer: %w", err)
	}
	defer conn.Close() //nolint:errcheck // it returns the connection to the pool
	var version int64
	if err := conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version); err != nil {
		return false, fmt.Errorf("reading the data version: %w", err)
	}
	var current any
	if err := conn.Raw(func(c any) error { current = c.(driver.Conn); return nil }); err != nil {
		return false, fmt.Errorf("reading the data version: %w", err)
	}
	// Versions of different connections are not comparable.
	changed := current != c.conn || version != c.version
	c.conn, c.version = current, version
	return changed, nil
}
