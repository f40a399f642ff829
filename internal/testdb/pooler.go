package testdb

import (
	"context"
	"errors"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
)

// Pooler is a connection pooler in transaction mode, like PgBouncer: each transaction of a client runs in whichever
// server session was used last. It forwards no notifications and does not know prepared statements.
type Pooler struct {
	target   string
	dir      string
	listener net.Listener
	group    sync.WaitGroup

	mu       sync.Mutex
	idle     []*pgconn.HijackedConn // used last in first out
	clients  map[net.Conn]bool
	sessions int
}

// NewPooler starts a pooler in front of the database of url, and stops it at the end of the test.
func NewPooler(t testing.TB, url string) *Pooler {
	t.Helper()
	p := &Pooler{target: url, dir: t.TempDir(), clients: map[net.Conn]bool{}}
	l, err := net.Listen("unix", filepath.Join(p.dir, ".s.PGSQL.5432"))
	require.NoError(t, err)
	p.listener = l
	p.group.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// URL returns the URL of the database through the pooler.
func (p *Pooler) URL() string {
	u, err := url.Parse(p.target)
	if err != nil {
		panic(err) // NewPooler has connected to it
	}
	query := u.Query()
	query.Set("host", p.dir)
	u.RawQuery = query.Encode()
	return u.String()
}

// Sessions returns the number of server sessions that the pooler has opened.
func (p *Pooler) Sessions() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sessions
}

func (p *Pooler) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	for c := range p.clients {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.group.Wait()
	for _, s := range p.idle {
		_ = s.Conn.Close()
	}
}

func (p *Pooler) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.clients[conn] = true
		p.mu.Unlock()
		p.group.Go(func() {
			defer conn.Close()
			_ = p.serve(pgproto3.NewBackend(conn, conn))
			p.mu.Lock()
			defer p.mu.Unlock()
			delete(p.clients, conn)
		})
	}
}

// serve executes a client's transactions, each in some server session.
func (p *Pooler) serve(client *pgproto3.Backend) error {
	if _, err := client.ReceiveStartupMessage(); err != nil {
		return err
	}
	client.Send(&pgproto3.AuthenticationOk{})
	for name, value := range map[string]string{
		"client_encoding": "UTF8", "standard_conforming_strings": "on", "server_version": "16.0",
	} {
		client.Send(&pgproto3.ParameterStatus{Name: name, Value: value})
	}
	// The key for cancel requests is the pooler's, not the server's.
	client.Send(&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{0, 0, 0, 1}})
	client.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	if err := client.Flush(); err != nil {
		return err
	}
	for {
		if err := p.transaction(client); err != nil {
			return err
		}
	}
}

// transaction forwards messages until the server session is idle again.
func (p *Pooler) transaction(client *pgproto3.Backend) error {
	message, err := client.Receive()
	if err != nil {
		return err
	}
	session, err := p.take()
	if err != nil {
		return err
	}
	for {
		if _, ok := message.(*pgproto3.Terminate); ok {
			return errors.Join(errors.New("client left"), session.Conn.Close())
		}
		session.Frontend.Send(message)
		switch message.(type) {
		case *pgproto3.Query, *pgproto3.Sync:
			idle, err := forwardResults(session.Frontend, client)
			if err != nil {
				return errors.Join(err, session.Conn.Close())
			}
			if idle {
				p.put(session) // before the client can know that its transaction has ended
				return client.Flush()
			}
			if err := client.Flush(); err != nil {
				return errors.Join(err, session.Conn.Close())
			}
		}
		if message, err = client.Receive(); err != nil {
			return errors.Join(err, session.Conn.Close())
		}
	}
}

// forwardResults writes to the client's buffer what the server sends until it is ready, and reports whether its
// transaction has ended.
func forwardResults(server *pgproto3.Frontend, client *pgproto3.Backend) (idle bool, err error) {
	if err := server.Flush(); err != nil {
		return false, err
	}
	for {
		message, err := server.Receive()
		if err != nil {
			return false, err
		}
		if _, ok := message.(*pgproto3.NotificationResponse); ok {
			continue
		}
		client.Send(message)
		if ready, ok := message.(*pgproto3.ReadyForQuery); ok {
			return ready.TxStatus == 'I', nil
		}
	}
}

// take returns the session that was used last, or a new one.
func (p *Pooler) take() (*pgconn.HijackedConn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.idle); n > 0 {
		session := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return session, nil
	}
	p.sessions++
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, p.target)
	if err != nil {
		return nil, err
	}
	return conn.PgConn().Hijack()
}

func (p *Pooler) put(session *pgconn.HijackedConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, session)
}
