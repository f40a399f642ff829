package netlimit

import (
	"container/list"
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Conn is a connection of a Listener.
type Conn struct {
	net.Conn
	listener *Listener
	address  netip.Prefix // zero when its address is exempt

	// The following fields are guarded by the listener's mu.
	//
	// authenticated and received are of the current request: its token is valid, and its body has arrived.
	authenticated, received bool
	wasAuthenticated        bool          // an earlier request was
	active                  bool          // it serves a request, whose header has arrived, or is hijacked
	closed                  bool          // it is in no list
	since                   time.Time     // it is in waiting
	place                   *list.Element // in waiting or idle
	addressPlace            *list.Element // in byAddress, while it is in waiting
}

// Close closes the connection and frees its place.
func (c *Conn) Close() error {
	c.listener.mu.Lock()
	c.listener.remove(c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}

// CloseWrite ends the sending direction, as net/http and package ws do before they close a connection.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// wait puts an open connection at the end of the waiting ones, and of those of its address; the caller holds mu.
func (l *Listener) wait(c *Conn) {
	l.unlist(c)
	c.since = time.Now()
	c.place = l.waiting.PushBack(c)
	if !c.address.IsValid() {
		return
	}
	of := l.byAddress[c.address]
	if of == nil {
		of = list.New()
		l.byAddress[c.address] = of
	}
	c.addressPlace = of.PushBack(c)
}

// unlist removes a connection from the lists of those that may be closed; the caller holds mu.
func (l *Listener) unlist(c *Conn) {
	if c.addressPlace != nil {
		of := l.byAddress[c.address]
		of.Remove(c.addressPlace)
		if of.Len() == 0 {
			delete(l.byAddress, c.address)
		}
		c.addressPlace = nil
	}
	if c.place != nil { // Remove does nothing to a list that the element is not in
		l.waiting.Remove(c.place)
		l.idle.Remove(c.place)
		c.place = nil
	}
}

// remove forgets a connection; the caller holds mu.
func (l *Listener) remove(c *Conn) {
	c.closed = true
	l.unlist(c)
	delete(l.open, c)
}

// TrackState is the ConnState function of an http.Server that serves a Listener.
func TrackState(conn net.Conn, state http.ConnState) {
	c, ok := conn.(*Conn)
	if !ok {
		return
	}
	l := c.listener
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.closed {
		return
	}
	c.active = state != http.StateNew && state != http.StateIdle
	switch state {
	case http.StateActive: // a request's header has arrived; the request is not authenticated yet
		c.authenticated, c.received = false, false
		l.wait(c)
	case http.StateIdle:
		if c.wasAuthenticated = c.wasAuthenticated || c.authenticated; !c.wasAuthenticated {
			l.wait(c)
			return
		}
		l.unlist(c)
		c.place = l.idle.PushBack(c)
	}
}

type connKey struct{}

// WithConn is the ConnContext function of an http.Server that serves a Listener.
func WithConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

// MarkAuthenticated records that the current request of ctx's connection has a valid token. Once its body has arrived
// too, the connection is not closed in favour of others. Outside of a Listener it does nothing.
func MarkAuthenticated(ctx context.Context) { mark(ctx, func(c *Conn) { c.authenticated = true }) }

// markReceived records that the body of the current request has arrived.
func markReceived(ctx context.Context) { mark(ctx, func(c *Conn) { c.received = true }) }

func mark(ctx context.Context, set func(*Conn)) {
	c, ok := ctx.Value(connKey{}).(*Conn)
	if !ok {
		return
	}
	l := c.listener
	l.mu.Lock()
	defer l.mu.Unlock()
	set(c)
	if c.authenticated && c.received && !c.closed {
		l.unlist(c)
	}
}
