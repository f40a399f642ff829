package pgbus_test

import (
	"context"
	"net"
	"sync"
)

// network dials connections that can be cut without an error on either end.
type network struct {
	mu    sync.Mutex
	pipes []*pipe
	all   sync.WaitGroup
}

type pipe struct {
	inner, outer net.Conn
	mu           sync.Mutex
	cut          bool
}

func (n *network) dial(ctx context.Context, kind, address string) (net.Conn, error) {
	outer, err := (&net.Dialer{}).DialContext(ctx, kind, address)
	if err != nil {
		return nil, err
	}
	client, inner := net.Pipe()
	w := &pipe{inner: inner, outer: outer}
	n.mu.Lock()
	n.pipes = append(n.pipes, w)
	n.mu.Unlock()
	n.all.Go(func() { w.copy(outer, inner) })
	n.all.Go(func() { w.copy(inner, outer) })
	return client, nil
}

// copy copies bytes until one end closes. After a cut it discards them.
func (w *pipe) copy(to, from net.Conn) {
	buf := make([]byte, 8192)
	for {
		n, err := from.Read(buf)
		w.mu.Lock()
		dead := w.cut
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
	for _, w := range n.pipes {
		w.mu.Lock()
		w.cut = true
		w.mu.Unlock()
	}
}

// close closes the connections and waits for the copying goroutines.
func (n *network) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, w := range n.pipes {
		w.inner.Close()
		w.outer.Close()
	}
	n.all.Wait()
}
