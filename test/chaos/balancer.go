package main

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// balancer gives each connection to the next replica that takes it, and sometimes holds up
// what goes to the client, as a slow reader would.
type balancer struct {
	listener net.Listener
	replicas []string
	next     atomic.Uint64

	mu     sync.Mutex
	random *rand.Rand
	open   map[net.Conn]bool
	closed bool
	ended  sync.WaitGroup
	// stalls counts the connections that were held up.
	stalls int
}

func newBalancer(random *rand.Rand, replicas []string) (*balancer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &balancer{listener: l, replicas: replicas, random: random, open: map[net.Conn]bool{}}
	b.ended.Go(b.accept)
	return b, nil
}

func (b *balancer) url() string { return "http://" + b.listener.Addr().String() }

func (b *balancer) accept() {
	for {
		client, err := b.listener.Accept()
		if err != nil {
			return
		}
		b.ended.Go(func() { b.serve(client) })
	}
}

func (b *balancer) serve(client net.Conn) {
	defer client.Close()
	server := b.dial()
	if server == nil {
		return
	}
	defer server.Close()
	if !b.keep(client) || !b.keep(server) {
		return
	}
	defer b.forget(client, server)
	var up sync.WaitGroup
	up.Go(func() {
		_, _ = io.Copy(server, client)
		_ = server.Close() // ends the other direction
	})
	b.down(client, server)
	_ = client.Close()
	up.Wait()
}

// dial tries each replica once.
func (b *balancer) dial() net.Conn {
	first := b.next.Add(1)
	for i := range uint64(len(b.replicas)) {
		conn, err := net.DialTimeout("tcp", b.replicas[(first+i)%uint64(len(b.replicas))], time.Second)
		if err == nil {
			return conn
		}
	}
	return nil
}

// down carries what the server says, with a pause in one of eight connections.
func (b *balancer) down(client, server net.Conn) {
	if bytes, pause := b.stall(); bytes > 0 {
		if _, err := io.CopyN(client, server, bytes); err != nil {
			return
		}
		<-time.After(pause)
	}
	_, _ = io.Copy(client, server)
}

func (b *balancer) stall() (afterBytes int64, pause time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.random.IntN(8) > 0 {
		return 0, 0
	}
	b.stalls++
	return 200 + b.random.Int64N(20_000), time.Duration(b.random.Int64N(int64(3 * time.Second)))
}

func (b *balancer) keep(c net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		_ = c.Close()
		return false
	}
	b.open[c] = true
	return true
}

func (b *balancer) forget(conns ...net.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range conns {
		delete(b.open, c)
	}
}

// cut breaks every connection.
func (b *balancer) cut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.open {
		_ = c.Close()
	}
}

func (b *balancer) close() error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	err := b.listener.Close()
	b.cut()
	b.ended.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
