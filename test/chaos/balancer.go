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

// balancer is a TCP load balancer. It forwards each connection to the next replica that accepts it, in turn, and
// sometimes pauses the direction to the client, as a slow reader would.
type balancer struct {
	listener net.Listener
	replicas []string
	next     atomic.Uint64

	mu     sync.Mutex
	random *rand.Rand
	conns  map[net.Conn]bool
	closed bool
	group  sync.WaitGroup
}

func newBalancer(random *rand.Rand, replicas []string) (*balancer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &balancer{listener: l, replicas: replicas, random: random, conns: map[net.Conn]bool{}}
	b.group.Go(b.accept)
	return b, nil
}

func (b *balancer) url() string { return "http://" + b.listener.Addr().String() }

func (b *balancer) accept() {
	for {
		client, err := b.listener.Accept()
		if err != nil {
			return
		}
		b.group.Go(func() { b.serve(client) })
	}
}

func (b *balancer) serve(client net.Conn) {
	defer client.Close()
	server := b.dial()
	if server == nil {
		return
	}
	defer server.Close()
	if !b.track(client) || !b.track(server) {
		return
	}
	defer b.untrack(client, server)
	var requests sync.WaitGroup
	requests.Go(func() {
		_, _ = io.Copy(server, client)
		_ = server.Close() // ends the other direction
	})
	b.copyToClient(client, server)
	_ = client.Close()
	requests.Wait()
}

// dial connects to the next replica that accepts. It returns nil after trying each replica once.
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

// copyToClient copies the server's data to the client, in one of eight connections with a pause.
func (b *balancer) copyToClient(client, server net.Conn) {
	if bytes, pause := b.randomStall(); bytes > 0 {
		if _, err := io.CopyN(client, server, bytes); err != nil {
			return
		}
		<-time.After(pause)
	}
	_, _ = io.Copy(client, server)
}

// randomStall returns the length of a pause and the number of bytes before it, or 0 for no pause.
func (b *balancer) randomStall() (afterBytes int64, pause time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.random.IntN(8) > 0 {
		return 0, 0
	}
	return 200 + b.random.Int64N(20_000), time.Duration(b.random.Int64N(int64(3 * time.Second)))
}

// track registers a connection for closeConns. It closes the connection and returns false if the balancer is closed.
func (b *balancer) track(c net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		_ = c.Close()
		return false
	}
	b.conns[c] = true
	return true
}

func (b *balancer) untrack(conns ...net.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range conns {
		delete(b.conns, c)
	}
}

// closeConns closes every open connection.
func (b *balancer) closeConns() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.conns {
		_ = c.Close()
	}
}

func (b *balancer) close() error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	err := b.listener.Close()
	b.closeConns()
	b.group.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
