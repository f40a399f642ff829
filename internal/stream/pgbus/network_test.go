package pgbus_test

import (
	"context"
	"net"
	"sync"
)

// network is a way to the server that can be cut without either end being told.
type network struct {
	mu   sync.Mutex
	ways []*way
	all  sync.WaitGroup
}

type way struct {
	inner, outer net.Conn
	mu           sync.Mutex
	dead         bool
}

func (n *network) dial(ctx context.Context, kind, address string) (net.Conn, error) {
	outer, err := (&net.Dialer{}).DialContext(ctx, kind, address)
	if err != nil {
		return nil, err
	}
	client, inner := net.Pipe()
	w := &way{inner: inner, outer: outer}
	n.mu.Lock()
	n.ways = append(n.ways, w)
	n.mu.Unlock()
	n.all.Go(func() { w.carry(outer, inner) })
	n.all.Go(func() { w.carry(inner, outer) })
	return client, nil
}

// carry passes bytes on until one end closes. After a cut it swallows them.
func (w *way) carry(to, from net.Conn) {
	buf := make([]byte, 8192)
	for {
		n, err := from.Read(buf)
		w.mu.Lock()
		dead := w.dead
		w.mu.Unlock()
		if dead && err == nil {
			continue
		}
		if dead {
			return
		}
		if err == nil {
			_, err = to.Write(buf[:n])
		}
		if err != nil {
			to.Close()
			from.Close()
			return
		}
	}
}

func (n *network) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, w := range n.ways {
		w.mu.Lock()
		w.dead = true
		w.mu.Unlock()
	}
}

// close ends what is still open and waits for the carriers.
func (n *network) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, w := range n.ways {
		w.inner.Close()
		w.outer.Close()
	}
	n.all.Wait()
}
