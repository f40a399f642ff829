package graphqlhttp_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// idleSubscriptions are open in the memory test, on a socket each.
	idleSubscriptions = 500
	// maxIdleBytes is the maximum of heap and stacks for each of them, a quarter more than measured. It includes what
	// the test's own end of the connection takes, about 1 KiB, and not the database's rows.
	maxIdleBytes = 13_500
)

// TestIdleSubscription_Memory_IsBounded counts the goroutines and bytes of idle subscriptions with a socket each.
// Clients are bare connections, so that they take next to nothing.
func TestIdleSubscription_Memory_IsBounded(t *testing.T) {
	b := start(t, nil)
	open := func(n int) {
		for i := range n {
			b.openIdle(fmt.Sprintf("user%d-%d", n, i/8))
		}
	}
	open(20) // fills pools and caches
	b.waitForSources(20)
	bytes, goroutines := usedMemory()
	open(idleSubscriptions)
	b.waitForSources(20 + idleSubscriptions)
	require.Eventually(t, func() bool {
		return runtime.NumGoroutine() <= goroutines+idleSubscriptions+2
	}, patience, 10*time.Millisecond, "a socket's reader is its only goroutine; two belong to the test")
	used, _ := usedMemory()
	each := (used - bytes) / idleSubscriptions
	t.Logf("%d bytes per idle subscription", each)
	require.LessOrEqual(t, each, larger*maxIdleBytes)
}

// usedMemory returns the bytes of live objects and stacks, and the number of goroutines.
func usedMemory() (bytes, goroutines int) {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse), runtime.NumGoroutine()
}

// openIdle opens a subscription over a bare connection.
func (b *environment) openIdle(user string) {
	b.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(b.server.URL, "http://"))
	require.NoError(b.t, err)
	b.t.Cleanup(func() { _ = conn.Close() })
	require.NoError(b.t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"+
		"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n")
	require.NoError(b.t, err)
	r := bufio.NewReaderSize(conn, 16)
	response, err := http.ReadResponse(r, nil)
	require.NoError(b.t, err)
	require.Equal(b.t, http.StatusSwitchingProtocols, response.StatusCode)
	b.writeFrame(conn, `{"type":"connection_init","payload":{"authorization":"Bearer `+user+`"}}`)
	header := make([]byte, 2)
	_, err = r.Read(header[:1])
	require.NoError(b.t, err, "connection_ack")
	b.writeFrame(conn, `{"type":"subscribe","id":"1","payload":{"query":`+quote(notes)+`}}`)
}

// writeFrame writes a text frame, masked with zeros.
func (b *environment) writeFrame(conn net.Conn, text string) {
	b.t.Helper()
	frame := binary.BigEndian.AppendUint16([]byte{0x81, 0x80 | 126}, uint16(len(text))) //nolint:gosec // below 64 KiB
	frame = append(frame, 0, 0, 0, 0)
	_, err := conn.Write(append(frame, text...))
	require.NoError(b.t, err)
}
