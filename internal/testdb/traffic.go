package testdb

import (
	"io"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
)

// Traffic is a proxy that records the statements which clients send to a PostgreSQL database, by round trip.
type Traffic struct {
	target   string
	dir      string
	listener net.Listener
	group    sync.WaitGroup

	mu    sync.Mutex
	trips []RoundTrip
	conns []net.Conn
	// cut is the statement after which the proxy closes a client's connection, "" for none.
	cut string
	// forward tells whether the server receives the statement before.
	forward bool
	// awaited is the text of Await, and sent the channel that it returned.
	awaited string
	sent    chan struct{}
}

// RoundTrip holds the statements that a client sent before it waited for a response.
type RoundTrip []string

// Commits reports whether the round trip commits a transaction.
func (r RoundTrip) Commits() bool { return slices.Contains(r, "commit") }

// Contains reports whether one of the statements contains text.
func (r RoundTrip) Contains(text string) bool {
	return slices.ContainsFunc(r, func(s string) bool { return strings.Contains(s, text) })
}

// NewTraffic starts a proxy in front of the database of url, and stops it at the end of the test.
func NewTraffic(t testing.TB, url string) *Traffic {
	t.Helper()
	p := &Traffic{target: url, dir: t.TempDir()}
	l, err := net.Listen("unix", filepath.Join(p.dir, postgresSocket))
	require.NoError(t, err)
	p.listener = l
	p.group.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

const postgresSocket = ".s.PGSQL.5432"

// URL returns the URL of the database through the proxy.
func (p *Traffic) URL() string {
	u, query := p.parse()
	query.Set("host", p.dir)
	u.RawQuery = query.Encode()
	return u.String()
}

func (p *Traffic) parse() (*url.URL, url.Values) {
	u, err := url.Parse(p.target)
	if err != nil {
		panic(err) // the URL is that of a test database
	}
	return u, u.Query()
}

// Take returns the round trips since the last call, in the order of their ends. Checks of idle connections and the
// preparation of statements, which a connection does once for each, are not among them.
func (p *Traffic) Take() []RoundTrip {
	p.mu.Lock()
	defer p.mu.Unlock()
	trips := p.trips
	p.trips = nil
	return trips
}

// Cut closes the connection of the next client that sends a statement with the text, before the client receives a
// response. With forward, the server receives everything up to the end of the round trip.
func (p *Traffic) Cut(text string, forward bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut, p.forward = text, forward
}

// Await returns a channel that is closed when a client has sent a round trip with the text.
func (p *Traffic) Await(text string) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.awaited, p.sent = text, make(chan struct{})
	return p.sent
}

func (p *Traffic) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.group.Wait()
}

func (p *Traffic) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		_, query := p.parse()
		server, err := net.Dial("unix", filepath.Join(query.Get("host"), postgresSocket))
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, server)
		p.mu.Unlock()
		c := &trafficConn{proxy: p, client: client, server: server, statements: map[string]string{}}
		p.group.Go(func() {
			defer server.Close()
			_ = c.forwardRequests()
		})
		p.group.Go(func() {
			defer client.Close()
			_, _ = io.Copy(client, server)
		})
	}
}

// trafficConn is a forwarded connection.
type trafficConn struct {
	proxy          *Traffic
	client, server net.Conn
	// statements are the texts of the prepared statements, by name.
	statements map[string]string
	trip       RoundTrip
}

func (c *trafficConn) forwardRequests() error {
	backend, frontend := pgproto3.NewBackend(c.client, io.Discard), pgproto3.NewFrontend(c.server, c.server)
	startup, err := backend.ReceiveStartupMessage()
	if err != nil {
		return err
	}
	frontend.Send(startup)
	for {
		if err := frontend.Flush(); err != nil {
			return err
		}
		message, err := backend.Receive()
		if err != nil {
			return err
		}
		if c.record(message) {
			return c.cut(frontend, backend, message)
		}
		frontend.Send(message)
	}
}

// record adds the message to the round trip, and reports whether the connection is to be cut at it.
func (c *trafficConn) record(message pgproto3.FrontendMessage) (cut bool) {
	var statement string
	switch m := message.(type) {
	case *pgproto3.Parse:
		c.statements[m.Name] = m.Query
	case *pgproto3.Bind:
		statement = c.statements[m.PreparedStatement]
	case *pgproto3.Query:
		statement = m.String
	}
	if statement != "" && !strings.HasPrefix(statement, "-- ping") {
		c.trip = append(c.trip, statement)
	}
	switch message.(type) {
	case *pgproto3.Sync, *pgproto3.Query:
		c.end()
	}
	p := c.proxy
	p.mu.Lock()
	defer p.mu.Unlock()
	if cut = p.cut != "" && strings.Contains(statement, p.cut); cut {
		p.cut = ""
	}
	return cut
}

// end ends the round trip.
func (c *trafficConn) end() {
	if len(c.trip) == 0 {
		return
	}
	c.proxy.mu.Lock()
	defer c.proxy.mu.Unlock()
	p := c.proxy
	p.trips = append(p.trips, c.trip)
	if p.awaited != "" && c.trip.Contains(p.awaited) {
		p.awaited = ""
		close(p.sent)
	}
	c.trip = nil
}

// cut ends the connection at the message.
func (c *trafficConn) cut(
	frontend *pgproto3.Frontend, backend *pgproto3.Backend, message pgproto3.FrontendMessage,
) error {
	_ = c.client.(*net.UnixConn).CloseWrite() // no response reaches the client
	if !c.proxy.forward {
		return c.client.Close()
	}
	for {
		frontend.Send(message)
		switch message.(type) {
		case *pgproto3.Sync, *pgproto3.Query:
			// The server executes all of it before it finds that the connection is closed.
			return frontend.Flush()
		}
		var err error
		if message, err = backend.Receive(); err != nil {
			return err
		}
	}
}
