// Package netlimit keeps slow, idle and excess connections from holding up an HTTP server: a [Listener] limits open
// connections, in total and by address, [Deadlines] limits the time of a request's body and response, and [Proxies]
// finds the client's address behind reverse proxies.
package netlimit

import (
	"container/list"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Options configure a Listener. All fields but Grace are required.
type Options struct {
	// Max is the maximum number of open connections.
	Max int
	// PerAddress is the maximum number of connections of one address without an authenticated request. The
	// addresses of an IPv6 /64 network count as one.
	PerAddress int
	// Exempt reports whether PerAddress does not apply to an address: many users may share it.
	Exempt func(netip.Addr) bool
	// Grace is how long a connection may wait before it is closed in favour of others, at the total limit. While all
	// have waited for less, new ones wait in the backlog of the operating system: under a flood of connections, each
	// one then has time for a request.
	Grace time.Duration
	Log   *slog.Logger
}

// Listener is a net.Listener that limits the connections it returns. It is safe for concurrent use.
//
// At a limit it closes another connection in favour of the new one: of those whose current request is incomplete or
// not authenticated, the one that has waited longest, so that slow clients make room for others; else, in total only,
// an idle connection of a user, which the client reopens. Connections that serve an authenticated request, such as
// streams and WebSockets, are never closed. When only those are open, the new one is answered with 503.
//
// Its http.Server must have [TrackState] and [WithConn], and its handler must be within [Deadlines].
type Listener struct {
	net.Listener
	options Options
	closed  chan struct{}
	once    sync.Once

	mu        sync.Mutex
	open      map[*Conn]struct{}
	waiting   list.List                   // of *Conn without an authenticated request, the oldest activity first
	byAddress map[netip.Prefix]*list.List // the same, of each address that is not exempt
	idle      list.List                   // of *Conn that were authenticated and wait for a request
	stats     Stats
	logged    time.Time // of the last warning
}

// Stats are the numbers of a Listener.
type Stats struct {
	// Open is the number of open connections.
	Open int
	// Evicted is the number of connections closed in favour of others, Refused of those answered with 503.
	Evicted, Refused uint64
}

// NewListener returns a Listener that accepts the connections of inner.
func NewListener(inner net.Listener, o Options) *Listener {
	return &Listener{
		Listener:  inner,
		options:   o,
		closed:    make(chan struct{}),
		open:      map[*Conn]struct{}{},
		byAddress: map[netip.Prefix]*list.List{},
	}
}

// Bounds of the pause after a failed Accept.
const (
	minPause = 5 * time.Millisecond
	maxPause = 200 * time.Millisecond
)

// Accept returns the next admitted connection. Its only error is net.ErrClosed: other errors, such as that of a process
// without free file descriptors, pass, and Accept tries again after a pause.
func (l *Listener) Accept() (net.Conn, error) {
	pause := minPause
	for {
		inner, err := l.Listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		if err != nil {
			l.acceptFailed(err)
			select {
			case <-time.After(pause):
			case <-l.closed:
				return nil, net.ErrClosed
			}
			pause = min(2*pause, maxPause)
			continue
		}
		pause = minPause
		l.awaitRoom()
		if conn := l.admit(inner); conn != nil {
			return conn, nil
		}
		refuse(inner)
	}
}

// acceptFailed frees a file descriptor, which may be what Accept lacks.
func (l *Listener) acceptFailed(err error) {
	l.mu.Lock()
	victim := l.evict(nil)
	l.warn("accepting a connection failed", "error", err)
	l.mu.Unlock()
	closeConn(victim)
}

// awaitRoom returns when there is room for a connection, or the oldest waiting one may be closed.
func (l *Listener) awaitRoom() {
	for {
		l.mu.Lock()
		var rest time.Duration
		if oldest := l.waiting.Front(); oldest != nil && len(l.open) >= l.options.Max {
			rest = l.options.Grace - time.Since(oldest.Value.(*Conn).since)
		}
		l.mu.Unlock()
		if rest <= 0 {
			return
		}
		select {
		case <-time.After(min(rest, minPause)):
		case <-l.closed:
			return
		}
	}
}

// admit counts a new connection, nil when there is no place for it.
func (l *Listener) admit(inner net.Conn) *Conn {
	c := &Conn{Conn: inner, listener: l}
	if addr, err := netip.ParseAddrPort(inner.RemoteAddr().String()); err == nil {
		if ip := addr.Addr().Unmap().WithZone(""); !l.options.Exempt(ip) {
			c.address = network(ip)
		}
	}
	l.mu.Lock()
	var victims [2]*Conn
	if of := l.byAddress[c.address]; of != nil && of.Len() >= l.options.PerAddress {
		victims[0] = l.evict(of)
		l.warn("MAX_CONNECTIONS_PER_ADDRESS is reached: unauthenticated connections are closed",
			"address", c.address, "limit", l.options.PerAddress)
	}
	admitted := true
	if len(l.open) >= l.options.Max {
		victims[1] = l.evict(nil)
		admitted = victims[1] != nil
		l.warn("the limit of connections is reached: others are closed, or new ones refused", "limit", l.options.Max)
	}
	if admitted {
		l.open[c] = struct{}{}
		l.wait(c)
	} else {
		l.stats.Refused++
	}
	l.mu.Unlock()
	for _, victim := range victims {
		closeConn(victim)
	}
	if !admitted {
		return nil
	}
	return c
}

// network returns the addresses that count as one: an IPv4 address or an IPv6 /64 network, which one client commonly
// has to itself.
func network(ip netip.Addr) netip.Prefix {
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	prefix, _ := ip.Prefix(bits) // fails only for an invalid number of bits
	return prefix
}

// evict removes and returns the connection to close, nil if there is none: the first of the list, by default of all
// waiting connections, else of the idle ones. The caller holds mu, and closes it afterwards.
func (l *Listener) evict(of *list.List) *Conn {
	if of == nil {
		of = &l.waiting
	}
	if of.Len() == 0 {
		of = &l.idle
	}
	if of.Len() == 0 {
		return nil
	}
	victim := of.Front().Value.(*Conn)
	l.remove(victim)
	l.stats.Evicted++
	return victim
}

// warn logs, at most once in ten seconds; the caller holds mu.
func (l *Listener) warn(message string, args ...any) {
	if time.Since(l.logged) < 10*time.Second {
		return
	}
	l.logged = time.Now()
	l.options.Log.Warn(message,
		append(args, "open", len(l.open), "evicted", l.stats.Evicted, "refused", l.stats.Refused)...)
}

func closeConn(c *Conn) {
	if c != nil {
		_ = c.Close()
	}
}

// refuse answers a connection with 503. A new connection's send buffer is empty, so that this does not block.
func refuse(c net.Conn) {
	_ = c.SetWriteDeadline(time.Now().Add(maxPause))
	_, _ = c.Write([]byte("HTTP/1.1 503 Service Unavailable\r\n" +
		"Retry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))
	_ = c.Close()
}

// Close stops listening. Open connections are left.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// CloseInactive closes the connections that serve no request, for a graceful shutdown: http.Server.Shutdown waits for
// those on which nothing has arrived yet.
func (l *Listener) CloseInactive() { l.closeWhere(func(c *Conn) bool { return !c.active }) }

// CloseAll closes all open connections, WebSockets included.
func (l *Listener) CloseAll() { l.closeWhere(func(*Conn) bool { return true }) }

func (l *Listener) closeWhere(match func(*Conn) bool) {
	l.mu.Lock()
	var conns []*Conn
	for c := range l.open {
		if match(c) {
			conns = append(conns, c)
		}
	}
	l.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
	}
}

// Stats returns the numbers of open, evicted and refused connections.
func (l *Listener) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	stats := l.stats
	stats.Open = len(l.open)
	return stats
}
