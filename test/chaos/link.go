package main

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// link is one replica's network to PostgreSQL.
type link struct {
	listener net.Listener
	target   string // PostgreSQL's socket

	mu     sync.Mutex
	open   map[*wire]bool
	closed bool
	ended  sync.WaitGroup
}

// wire is one connection over a link.
type wire struct {
	client, server net.Conn

	mu sync.Mutex
	// until is when the wire carries something again.
	until time.Time
}

// postgresSocket is the name of the socket in the folder that a host parameter names.
const postgresSocket = ".s.PGSQL.5432"

func newLink(dir, target string) (*link, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	listener, err := net.Listen("unix", filepath.Join(dir, postgresSocket))
	if err != nil {
		return nil, err
	}
	l := &link{listener: listener, target: filepath.Join(target, postgresSocket), open: map[*wire]bool{}}
	l.ended.Go(l.accept)
	return l, nil
}

func (l *link) accept() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.ended.Go(func() { l.serve(client) })
	}
}

func (l *link) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("unix", l.target)
	if err != nil {
		return // PostgreSQL is down
	}
	defer server.Close()
	w := &wire{client: client, server: server}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return
	}
	l.open[w] = true
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.open, w)
	}()
	var back sync.WaitGroup
	back.Go(func() { w.carry(client, server) })
	w.carry(server, client)
	back.Wait()
}

// carry copies one direction, as fast as the wire is, and ends both with its own end.
func (w *wire) carry(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		w.rest()
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

func (w *wire) rest() {
	w.mu.Lock()
	until := w.until
	w.mu.Unlock()
	if d := time.Until(until); d > 0 {
		<-time.After(d)
	}
}

// slow makes some of the wires of this moment carry nothing for a while: those for whose
// number the mask has a bit.
func (l *link) slow(mask uint64, d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := 0
	for w := range l.open {
		if mask>>(i%64)&1 == 1 {
			w.mu.Lock()
			w.until = time.Now().Add(d)
			w.mu.Unlock()
		}
		i++
	}
}

func (l *link) close() error {
	l.mu.Lock()
	l.closed = true
	for w := range l.open {
		_ = w.client.Close()
		_ = w.server.Close()
	}
	l.mu.Unlock()
	err := l.listener.Close()
	l.ended.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
