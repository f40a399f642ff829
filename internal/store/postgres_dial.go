package store

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"

	"errand/internal/dburl"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Settings of TCP connections to PostgreSQL. A connection whose network is gone fails after about
// defaultUserTimeout, instead of the quarter of an hour of the operating system's defaults.
const (
	defaultUserTimeout = 10 * time.Second
	// severalHostsConnectTimeout takes the place of connectTimeout, and severalHostsDialTimeout bounds the attempt to
	// reach one of several hosts: the next one must get its turn before the caller's patience ends.
	severalHostsConnectTimeout = 2 * time.Second
	severalHostsDialTimeout    = time.Second
)

var defaultKeepAlive = net.KeepAliveConfig{
	Enable:   true,
	Idle:     10 * time.Second,
	Interval: 3 * time.Second,
	Count:    3,
}

// postgresDialer returns the dial function for the keep-alive settings of the URL.
func postgresDialer(config *pgx.ConnConfig, k dburl.KeepAlive) pgconn.DialFunc {
	d := &net.Dialer{Timeout: config.ConnectTimeout, KeepAliveConfig: defaultKeepAlive}
	if countHosts(config) > 1 {
		d.Timeout = min(config.ConnectTimeout, severalHostsDialTimeout)
	}
	setIfPositive(&d.KeepAliveConfig.Idle, k.Config.Idle)
	setIfPositive(&d.KeepAliveConfig.Interval, k.Config.Interval)
	setIfPositive(&d.KeepAliveConfig.Count, k.Config.Count)
	if k.Disabled {
		d.KeepAliveConfig, d.KeepAlive = net.KeepAliveConfig{}, -1
	}
	userTimeout := defaultUserTimeout
	setIfPositive(&userTimeout, k.UserTimeout)
	d.Control = func(network, _ string, conn syscall.RawConn) error {
		if network == "unix" {
			return nil
		}
		return setUserTimeout(conn, userTimeout)
	}
	return d.DialContext
}

func countHosts(config *pgx.ConnConfig) int {
	hosts := map[string]bool{config.Host: true}
	for _, f := range config.Fallbacks {
		hosts[f.Host] = true
	}
	return len(hosts)
}

func setIfPositive[T int | time.Duration](v *T, value T) {
	if value > 0 {
		*v = value
	}
}

// ErrReadOnly is returned for a PostgreSQL server that accepts no writes: a standby, or a primary that was
// switched to read-only.
var ErrReadOnly = errors.New("the database is read-only (a standby, or a former primary after a failover)")

// readOnlyCheck selects whether the server accepts no writes.
const readOnlyCheck = `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool`

// rejectReadOnly is a pgconn.ValidateConnectFunc. With several hosts, the next one is tried.
func rejectReadOnly(ctx context.Context, conn *pgconn.PgConn) error {
	results, err := conn.Exec(ctx, readOnlyCheck).ReadAll()
	switch {
	case err != nil:
		return err
	case len(results) != 1 || len(results[0].Rows) != 1:
		return errors.New("the server did not respond to " + readOnlyCheck)
	case string(results[0].Rows[0][0]) == "t":
		return ErrReadOnly
	default:
		return nil
	}
}
