package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// primary follows the PostgreSQL server that accepts writes. After a failover, connections to the former primary may
// stay open and read outdated rows, or never respond again. So all connections of the pool are replaced once one of
// them finds its server read-only, or the session lock has moved to another server.
type primary struct {
	// generation counts the failovers. Connections of an older generation are not reused.
	generation atomic.Uint64

	mu    sync.Mutex
	conns map[*serverConn]bool
	// accepted and failed are when each address last accepted a connection, or did not. An address is in one of them.
	accepted, failed map[string]time.Time
}

func newPrimary() *primary {
	return &primary{
		conns:    map[*serverConn]bool{},
		accepted: map[string]time.Time{},
		failed:   map[string]time.Time{},
	}
}

// serverConn is an open connection to a server.
type serverConn struct {
	net.Conn
	primary  *primary
	address  string
	opened   time.Time
	accepted atomic.Bool // the server has opened a session, and accepts writes
}

// Close implements net.Conn. It may be called again by the session's owner after moved has closed the connection.
func (c *serverConn) Close() error {
	p := c.primary
	p.mu.Lock()
	delete(p.conns, c)
	p.mu.Unlock()
	if !c.accepted.Load() {
		p.setFailed(c.address)
	}
	if err := c.Conn.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

func (p *primary) setFailed(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed[address] = time.Now()
	delete(p.accepted, address)
}

// skipTime is how long an address that failed is not tried while another one accepts connections. Each new connection
// would otherwise wait for a server that is gone.
const skipTime = 30 * time.Second

var errSkipped = errors.New("the server did not accept the last connection, and another server does")

// skips reports whether address has failed, and another one has accepted a connection since.
func (p *primary) skips(address string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	failed, ok := p.failed[address]
	if !ok || time.Since(failed) > skipTime {
		return false
	}
	for _, accepted := range p.accepted {
		if accepted.After(failed) {
			return true
		}
	}
	return false
}

// dial wraps a dial function, so that primary knows the open connections.
func (p *primary) dial(dial pgconn.DialFunc) pgconn.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if p.skips(address) {
			return nil, errSkipped
		}
		conn, err := dial(ctx, network, address)
		if err != nil {
			p.setFailed(address)
			return nil, err
		}
		c := &serverConn{Conn: conn, primary: p, address: address, opened: time.Now()}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.conns[c] = true
		return c, nil
	}
}

// serverConnOf returns the connection below a session, and below its TLS.
func serverConnOf(conn *pgconn.PgConn) *serverConn {
	below := conn.Conn()
	if encrypted, ok := below.(*tls.Conn); ok {
		below = encrypted.NetConn()
	}
	c, _ := below.(*serverConn)
	return c
}

const generationKey = "errand generation"

// watch makes the connections of config known, and makes them report errors that mean a failover.
func (p *primary) watch(config *pgx.ConnConfig) {
	config.DialFunc = p.dial(config.DialFunc)
	validate := config.ValidateConnect
	config.ValidateConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		conn.CustomData()[generationKey] = p.generation.Load()
		if err := validate(ctx, conn); err != nil {
			return err
		}
		if c := serverConnOf(conn); c != nil {
			c.accepted.Store(true)
			p.mu.Lock()
			defer p.mu.Unlock()
			p.accepted[c.address] = time.Now()
			delete(p.failed, c.address)
		}
		return nil
	}
	config.OnPgError = func(conn *pgconn.PgConn, err *pgconn.PgError) bool {
		if err.Code == readOnlyTransaction {
			// Of many connections that find out at the same time, the first one ends the generation.
			if generation, ok := conn.CustomData()[generationKey].(uint64); ok {
				p.generation.CompareAndSwap(generation, generation+1)
			}
			return false
		}
		return !isSessionEnd(err)
	}
}

// replaceConns makes the pool replace all its connections, each when it is used next.
func (p *primary) replaceConns() { p.generation.Add(1) }

// moved replaces all connections that were opened before, and ends those to other addresses than the new primary's at
// once: they lead to a server that may never respond. Statements in progress on them fail. Statements on connections
// that have found the new primary earlier do not.
func (p *primary) moved(address string, before time.Time) {
	p.replaceConns()
	p.mu.Lock()
	var former []*serverConn
	for c := range p.conns {
		if c.address != address && c.opened.Before(before) {
			former = append(former, c)
		}
	}
	p.mu.Unlock()
	for _, c := range former {
		_ = c.Close() // the session's owner reports the error of its next read
	}
}

// readOnlyTransaction is the SQLSTATE of a write on a server that accepts none.
const readOnlyTransaction = "25006"

// isSessionEnd reports whether the server has ended the session, or is about to.
func isSessionEnd(err *pgconn.PgError) bool {
	return strings.EqualFold(err.Severity, "FATAL") || strings.EqualFold(err.Severity, "PANIC") ||
		strings.HasPrefix(err.Code, "57P0")
}

// CheckWritable returns an error when the database accepts no writes: ErrReadOnly, or the reason why it does not
// respond. It writes nothing. On SQLite, it only checks that the file is readable.
func CheckWritable(ctx context.Context, db *DB) error {
	if db.primary == nil {
		return db.Ping(ctx)
	}
	var readOnly bool
	if err := db.writer.QueryRowContext(ctx, readOnlyCheck).Scan(&readOnly); err != nil {
		return fmt.Errorf("checking that the database accepts writes: %w", err)
	}
	if readOnly {
		db.primary.replaceConns()
		return ErrReadOnly
	}
	return nil
}
