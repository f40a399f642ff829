package netlimit_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"errand/internal/netlimit"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is the timeout of every wait for an expected event.
const patience = 10 * time.Second

// environment is a server behind a Listener. Its handler reads the body; /user/ is authenticated, and /user/stream and
// /stream last until the client leaves.
type environment struct {
	t        *testing.T
	listener *netlimit.Listener
	accept   *failingListener
	// idle maps the address of each client to a channel with a value for each time that its connection became idle. A
	// client may have a response before the server is done with the request.
	idle sync.Map
}

// failingListener fails Accept with the errors sent to it.
type failingListener struct {
	net.Listener
	fail chan error
}

func (f *failingListener) Accept() (net.Conn, error) {
	select {
	case err := <-f.fail:
		return nil, err
	default:
		return f.Listener.Accept()
	}
}

func start(t *testing.T, o netlimit.Options, deadlines netlimit.Deadlines) *environment {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	if o.Exempt == nil {
		o.Exempt = func(netip.Addr) bool { return false }
	}
	o.Log = slog.New(slog.DiscardHandler)
	e := &environment{t: t, accept: &failingListener{inner, make(chan error, 10)}}
	e.listener = netlimit.NewListener(e.accept, o)
	server := &http.Server{
		Handler:           deadlines.Wrap(http.HandlerFunc(serve)),
		ReadHeaderTimeout: patience,
		WriteTimeout:      patience,
		ConnState: func(c net.Conn, state http.ConnState) {
			netlimit.TrackState(c, state)
			if state == http.StateIdle {
				e.idleOf(c.RemoteAddr()) <- struct{}{}
			}
		},
		ConnContext: netlimit.WithConn,
		ErrorLog:    slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(e.listener) })
	t.Cleanup(func() {
		_ = server.Close()
		e.listener.CloseAll()
		serving.Wait()
		require.Zero(t, e.listener.Stats().Open)
	})
	return e
}

// idleOf returns the channel of a client's address in idle.
func (e *environment) idleOf(client net.Addr) chan struct{} {
	idle, _ := e.idle.LoadOrStore(client.String(), make(chan struct{}, 10))
	return idle.(chan struct{})
}

func serve(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/user/") {
		netlimit.MarkAuthenticated(r.Context())
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		http.Error(w, "slow body", http.StatusRequestTimeout)
		return
	}
	if strings.HasSuffix(r.URL.Path, "/stream") {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

// defaults are deadlines that tests do not reach.
var defaults = netlimit.Deadlines{Body: patience, Write: patience}

// client is a raw connection.
type client struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
	idle chan struct{} // see environment.idle, nil without a Listener
}

// dial connects from an address in 127.0.0.0/8.
func (e *environment) dial(from string) *client {
	e.t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := dialer.DialContext(context.Background(), "tcp", e.listener.Addr().String())
	require.NoError(e.t, err)
	c := e.client(conn)
	c.idle = e.idleOf(conn.LocalAddr())
	return c
}

func (e *environment) client(conn net.Conn) *client {
	e.t.Helper()
	e.t.Cleanup(func() { _ = conn.Close() })
	require.NoError(e.t, conn.SetReadDeadline(time.Now().Add(patience)))
	return &client{e.t, conn, bufio.NewReader(conn), nil}
}

// send writes text.
func (c *client) send(text string) *client {
	c.t.Helper()
	_, err := io.WriteString(c.conn, text)
	require.NoError(c.t, err)
	return c
}

// request sends a GET and returns the status, once the connection is idle or the stream has begun.
func (c *client) request(path string) int {
	c.t.Helper()
	status := c.send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n").status()
	if c.idle != nil && status == http.StatusOK && !strings.HasSuffix(path, "/stream") {
		<-c.idle
	}
	return status
}

// status reads a response with an empty body, or the beginning of a stream.
func (c *client) status() int {
	c.t.Helper()
	response, err := http.ReadResponse(c.r, nil)
	require.NoError(c.t, err)
	return response.StatusCode
}

// requireClosed waits until the server has closed the connection.
func (c *client) requireClosed() {
	c.t.Helper()
	_, err := io.Copy(io.Discard, c.r)
	require.False(c.t, errors.Is(err, context.DeadlineExceeded) || isTimeout(err), "the connection is still open")
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}

// bodyExpected is the header of a request whose handler answers 100 when it begins to read the body.
const bodyExpected = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n"

func TestListener_TotalLimit_OldestWaitingIsClosed(t *testing.T) {
	e := start(t, netlimit.Options{Max: 6, PerAddress: 100}, defaults)
	stream := e.dial("127.0.0.1")
	require.Equal(t, 200, stream.request("/user/stream"))
	user := e.dial("127.0.0.1")
	require.Equal(t, 200, user.request("/user/"))
	fresh := e.dial("127.0.0.1")
	require.Equal(t, 200, fresh.request("/"), "so that it was accepted")
	body := e.dial("127.0.0.1").send(bodyExpected)
	require.Equal(t, 100, body.status(), "the request is in progress")
	header := e.dial("127.0.0.1").send("GET / HT")
	later := e.dial("127.0.0.1")
	require.Equal(t, 200, later.request("/"))
	for _, victim := range []*client{fresh, body, header, later} {
		next := e.dial("127.0.0.1")
		require.Equal(t, 200, next.request("/user/stream"))
		victim.requireClosed()
	}
	require.Equal(t, 200, user.request("/user/"), "idle connections of users are closed last")
	require.Equal(t, 200, e.dial("127.0.0.1").request("/user/stream"))
	user.requireClosed()
	require.Equal(t, netlimit.Stats{Open: 6, Evicted: 5}, e.listener.Stats())
	refused := e.dial("127.0.0.1")
	require.Equal(t, 503, refused.status(), "only streams are left")
	refused.requireClosed()
	require.Equal(t, netlimit.Stats{Open: 6, Evicted: 5, Refused: 1}, e.listener.Stats())
}

// TestListener_Grace_NewConnectionWaits checks that a connection has time for its request while others wait.
func TestListener_Grace_NewConnectionWaits(t *testing.T) {
	e := start(t, netlimit.Options{Max: 1, PerAddress: 100, Grace: time.Minute}, defaults)
	first := e.dial("127.0.0.1")
	second := e.dial("127.0.0.1").send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.Equal(t, 200, first.request("/"))
	require.Zero(t, e.listener.Stats().Evicted)
	require.NoError(t, first.conn.Close())
	require.Equal(t, 200, second.status(), "as soon as there is room")
}

func TestListener_AuthenticatedRequestWithoutItsBody_IsClosed(t *testing.T) {
	e := start(t, netlimit.Options{Max: 1, PerAddress: 100}, defaults)
	slow := e.dial("127.0.0.1")
	require.Equal(t, 200, slow.request("/user/"))
	slow.send(strings.Replace(bodyExpected, "/", "/user/", 1))
	require.Equal(t, 100, slow.status(), "the request is in progress")
	require.Equal(t, 200, e.dial("127.0.0.1").request("/"))
	slow.requireClosed()
}

func TestListener_AddressLimit_OnlyUnauthenticatedOfThatAddress(t *testing.T) {
	e := start(t, netlimit.Options{Max: 100, PerAddress: 2, Exempt: func(ip netip.Addr) bool {
		return ip == netip.MustParseAddr("127.0.0.9")
	}}, defaults)
	other := e.dial("127.0.0.2")
	require.Equal(t, 200, other.request("/"))
	user := e.dial("127.0.0.1")
	require.Equal(t, 200, user.request("/user/"))
	stream := e.dial("127.0.0.1")
	require.Equal(t, 200, stream.request("/user/stream"))
	for range 5 {
		proxied := e.dial("127.0.0.9")
		require.Equal(t, 200, proxied.request("/"))
		t.Cleanup(func() { require.Equal(t, 200, proxied.request("/")) })
	}
	var slow []*client
	for range 4 {
		c := e.dial("127.0.0.1")
		require.Equal(t, 200, c.request("/"))
		slow = append(slow, c.send("GET / HT"))
	}
	slow[0].requireClosed()
	slow[1].requireClosed()
	slow[3].send("TP/1.1\r\nHost: x\r\n\r\n")
	require.Equal(t, 200, slow[3].status())
	require.Equal(t, 200, other.request("/"))
	require.Equal(t, 200, user.request("/user/"))
	require.EqualValues(t, 2, e.listener.Stats().Evicted)
}

func TestListener_AcceptFails_ServesOn(t *testing.T) {
	e := start(t, netlimit.Options{Max: 10, PerAddress: 10}, defaults)
	failures := []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, errors.New("x")}
	var slow []*client // one for each failure, and older than the connections that must be served
	for range failures {
		slow = append(slow, e.dial("127.0.0.1").send("GET / HT"))
	}
	require.Equal(t, 200, e.dial("127.0.0.1").request("/user/"), "all connections were accepted")
	for _, err := range failures {
		e.accept.fail <- err
	}
	require.Equal(t, 200, e.dial("127.0.0.1").request("/"), "the accept in progress")
	require.Equal(t, 200, e.dial("127.0.0.1").request("/"), "after the errors")
	for _, c := range slow {
		c.requireClosed()
	}
}

func TestListener_Close_EndsPause(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	failing := &failingListener{inner, make(chan error, 100)}
	for range 100 {
		failing.fail <- syscall.EMFILE
	}
	l := netlimit.NewListener(failing, netlimit.Options{Max: 1, PerAddress: 1, Log: slog.New(slog.DiscardHandler)})
	ended := make(chan error, 1)
	go func() {
		_, err := l.Accept()
		ended <- err
	}()
	require.NoError(t, l.Close())
	select {
	case err := <-ended:
		require.ErrorIs(t, err, net.ErrClosed)
	case <-time.After(patience):
		t.Fatal("Accept did not return")
	}
}

func TestListener_CloseInactive_LeavesRequests(t *testing.T) {
	e := start(t, netlimit.Options{Max: 10, PerAddress: 10}, defaults)
	silent, header := e.dial("127.0.0.1"), e.dial("127.0.0.1").send("GET / HT")
	idle, stream, body := e.dial("127.0.0.1"), e.dial("127.0.0.1"), e.dial("127.0.0.1").send(bodyExpected)
	require.Equal(t, 200, idle.request("/user/"))
	require.Equal(t, 200, stream.request("/stream"))
	require.Equal(t, 100, body.status(), "all connections were accepted")
	e.listener.CloseInactive()
	silent.requireClosed()
	header.requireClosed()
	idle.requireClosed()
	require.Equal(t, 200, body.send(strings.Repeat("x", 100)).status())
	require.Equal(t, 2, e.listener.Stats().Open)
}

func TestDescriptors_OfThisProcess(t *testing.T) {
	limit, ok := netlimit.Descriptors()
	require.True(t, !ok || limit > 10)
}
