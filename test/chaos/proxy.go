package main

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// proxy forwards one replica's connections to PostgreSQL and can stall them.
type proxy struct {
	listener net.Listener

	mu     sync.Mutex
	target string // path of PostgreSQL's socket
	conns  map[*proxyConn]bool
	closed bool
	group  sync.WaitGroup
}

// proxyConn is one forwarded connection.
type proxyConn struct {
	client, server net.Conn

	mu sync.Mutex
	// until is the time at which a stall ends.
	until time.Time
}

// postgresSocket is the file name of the socket in the directory that a connection string's host parameter names.
const postgresSocket = ".s.PGSQL.5432"

func newProxy(dir, target string) (*proxy, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	listener, err := net.Listen("unix", filepath.Join(dir, postgresSocket))
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: listener, target: filepath.Join(target, postgresSocket), conns: map[*proxyConn]bool{}}
	p.group.Go(p.accept)
	return p, nil
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.group.Go(func() { p.serve(client) })
	}
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	server, err := net.Dial("unix", target)
	if err != nil {
		return // PostgreSQL is down
	}
	defer server.Close()
	c := &proxyConn{client: client, server: server}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.conns[c] = true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.conns, c)
	}()
	var responses sync.WaitGroup
	responses.Go(func() { c.copyData(client, server) })
	c.copyData(server, client)
	responses.Wait()
}

// copyData copies one direction, waits during stalls, and closes both connections when it ends.
func (c *proxyConn) copyData(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		c.waitUntilResumed()
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (c *proxyConn) waitUntilResumed() {
	c.mu.Lock()
	until := c.until
	c.mu.Unlock()
	if d := time.Until(until); d > 0 {
		<-time.After(d)
	}
}

// redirect makes new connections lead to the server whose socket is in dir.
func (p *proxy) redirect(dir string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = filepath.Join(dir, postgresSocket)
}

// stall keeps a subset of the open connections from forwarding data for d. The mask's bits select them.
func (p *proxy) stall(mask uint64, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := 0
	for c := range p.conns {
		if mask>>(i%64)&1 == 1 {
			c.mu.Lock()
			c.until = time.Now().Add(d)
			c.mu.Unlock()
		}
		i++
	}
}

func (p *proxy) close() error {
	p.mu.Lock()
	p.closed = true
	for c := range p.conns {
		_ = c.client.Close()
		_ = c.server.Close()
	}
	p.mu.Unlock()
	err := p.listener.Close()
	p.group.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
