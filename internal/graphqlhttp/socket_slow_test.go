package graphqlhttp_test

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

func TestSocket_SlowReader_ClosedWith4490(t *testing.T) {
	b := start(t, func(o *serverOptions) {
		o.HTTP.Socket.SlowReaderTimeout = 50 * time.Millisecond
		o.HTTP.Socket.QueueBytes = 16 << 10
	})
	c := b.ready("alice")
	c.subscribe("1", `subscription { flood { text } }`)
	// Nothing is read, so that the kernel's buffers fill, then the write queue.
	receive(t, b.root.Ended, "the resolver to end")
	code, _ := c.closed()
	require.Equal(t, 4490, code)
	require.Equal(t, 4490, receive(t, b.codes, "the close"))
}

func TestSocket_ClientNeverReads_BoundedMemory(t *testing.T) {
	b := start(t, func(o *serverOptions) {
		o.HTTP.Socket.SlowReaderTimeout = 50 * time.Millisecond
		o.HTTP.Socket.CloseTimeout = 50 * time.Millisecond
	})
	c := b.ready("alice")
	before := heap()
	c.subscribe("1", `subscription { flood { text } }`)
	require.Equal(t, 4490, receive(t, b.codes, "the close"))
	require.Less(t, heap(), before+(20<<20), "the write queue is bounded")
}

func TestSSE_SlowReader_ResolverStops(t *testing.T) {
	b := start(t, func(o *serverOptions) {
		o.HTTP.WriteTimeout, o.HTTP.Socket.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
	})
	b.openSSE(`subscription { flood { text } }`)
	receive(t, b.root.Ended, "the resolver to end")
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

func TestSocket_ThousandWithoutInit_BoundedMemory(t *testing.T) {
	const n = 1000
	b := start(t, func(o *serverOptions) { o.HTTP.Socket.InitTimeout = 2 * time.Second })
	before := heap()
	conns := make([]*websocket.Conn, n)
	var dialing sync.WaitGroup
	for worker := range 8 {
		dialing.Go(func() {
			for i := worker; i < n; i += 8 {
				conns[i], _, _ = b.tryDial([]string{"graphql-transport-ws"})
			}
		})
	}
	dialing.Wait()
	during := heap()
	for i := range n {
		require.Equal(t, 4408, receive(t, b.codes, "socket to be closed"), "socket %d", i)
	}
	// The clients are in this process too, about 10 KiB each.
	require.Less(t, during, before+n*(30<<10))
	for _, conn := range conns {
		require.NotNil(t, conn)
		_, _, err := conn.ReadMessage()
		var closed *websocket.CloseError
		require.ErrorAs(t, err, &closed)
		require.Equal(t, 4408, closed.Code)
	}
}
