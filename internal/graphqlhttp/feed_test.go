package graphqlhttp_test

import (
	"fmt"
	"net"
	"runtime"
	"testing"
	"time"

	"errand/internal/apperr"

	"github.com/stretchr/testify/require"
)

const notes = `subscription { notes(name: "a") { n executed } }`

// publish waits until so many feeds listen, then publishes to them.
func (b *bench) publish(name string, number, feeds int) {
	b.t.Helper()
	b.listening(feeds)
	require.Equal(b.t, feeds, b.root.Publish(name, number))
}

func (b *bench) listening(feeds int) {
	b.t.Helper()
	require.Eventually(b.t, func() bool { return int(b.root.Live.Load()) == feeds }, patience, time.Millisecond)
}

func TestFeedsTellEverythingInOrder(t *testing.T) {
	b := start(t, nil)
	c := b.ready("")
	c.subscribe("1", notes)
	b.listening(1)
	for i := 1; i <= 100; i++ {
		b.publish("a", i, 1)
	}
	for i := 1; i <= 100; i++ {
		c.expect("next", "1", fmt.Sprintf(`{"data":{"notes":{"n":%d,"executed":%d}}}`, i, i))
	}
	b.root.End("a", nil)
	c.expect("complete", "1", "")
	settle(t, b.root)
}

func TestFeedsEndWithTheirError(t *testing.T) {
	b := start(t, nil)
	c := b.ready("")
	c.subscribe("1", notes)
	b.publish("a", 1, 1)
	c.expect("next", "1", `{"data":{"notes":{"n":1,"executed":1}}}`)
	b.root.End("a", apperr.New(apperr.Unavailable, "Come back."))
	m := c.read()
	require.Equal(t, "error 1", m.Type+" "+m.ID)
	require.Contains(t, string(m.Payload), "SERVICE_UNAVAILABLE")
	settle(t, b.root)

	s := b.openSSE(notes)
	b.listening(1)
	b.root.End("a", apperr.New(apperr.Unavailable, "Come back."))
	require.Contains(t, s.event(), "SERVICE_UNAVAILABLE")
	require.Equal(t, "complete|", s.event())
}

func TestFeedsStop(t *testing.T) {
	b := start(t, nil)
	c := b.ready("alice+300ms")
	c.subscribe("1", notes)
	b.listening(1)
	c.write(`{"type":"complete","id":"1"}`)
	settle(t, b.root)

	c.subscribe("2", notes)
	b.listening(1)
	code, _ := c.closed()
	require.Equal(t, 4403, code)
	settle(t, b.root)

	s := b.openSSE(notes)
	b.listening(1)
	s.cancel()
	settle(t, b.root)
}

func TestFeedsOverStreams(t *testing.T) {
	b := start(t, nil)
	s := b.openSSE(notes)
	b.publish("a", 1, 1)
	require.Equal(t, `next|{"data":{"notes":{"n":1,"executed":1}}}`, s.event())
	b.root.End("a", nil)
	require.Equal(t, "complete|", s.event())

	s = b.openMultipart(notes, apolloSubscription)
	b.publish("a", 2, 1)
	require.Equal(t, `{"payload":{"data":{"notes":{"n":2,"executed":2}}}}`, s.part())
	b.root.End("a", nil)
	require.Equal(t, "--\r\n", s.rest())
}

func TestPanicInAFeedIsContained(t *testing.T) {
	b := start(t, nil)
	c := b.ready("")
	c.subscribe("1", notes)
	b.publish("a", -1, 1)
	m := c.read()
	require.Contains(t, string(m.Payload), "INTERNAL_SERVER_ERROR")
	require.NotContains(t, string(m.Payload), "secret")
	b.publish("a", 2, 1)
	c.expect("next", "1", `{"data":{"notes":{"n":2,"executed":1}}}`)
}

func TestTwinsShareOneExecution(t *testing.T) {
	b := start(t, nil)
	const n = 8
	clients := make([]*wsClient, n)
	for i := range clients {
		clients[i] = b.ready("alice")
		clients[i].subscribe(fmt.Sprint(i), notes)
	}
	stream := b.openSSE(notes, "Authorization", "Bearer alice")
	b.publish("a", 7, n+1)
	for i, c := range clients {
		c.expect("next", fmt.Sprint(i), `{"data":{"notes":{"n":7,"executed":1}}}`)
	}
	require.Equal(t, `next|{"data":{"notes":{"n":7,"executed":1}}}`, stream.event())
	require.EqualValues(t, 1, b.root.Notes.Load())
}

func TestOthersShareNothing(t *testing.T) {
	b := start(t, nil)
	var clients []*wsClient
	for i, sub := range []struct{ user, document string }{
		{"alice", notes},
		{"bob", notes},
		{"alice", `subscription { notes(name: "a") { executed n } }`},
		{"alice", `subscription Named { notes(name: "a") { n executed } }`},
	} {
		c := b.ready(sub.user)
		c.subscribe("1", sub.document)
		clients = append(clients, c)
		b.listening(i + 1)
	}
	c := b.ready("alice")
	for i := range 2 {
		c.write(
			fmt.Sprintf(
				`{"type":"subscribe","id":"%d","payload":{"query":"subscription($f:Int){notes(name:\"a\",flag:$f){n executed}}","variables":{"f":%d}}}`,
				i,
				i,
			),
		)
	}
	b.publish("a", 7, 6)
	for _, reader := range append(clients, c, c) {
		require.Equal(t, "next", reader.read().Type)
	}
	require.EqualValues(t, 6, b.root.Notes.Load())
}

// TestIdleFeedsHaveNoGoroutine counts goroutines: one per socket reads, none waits for events.
func TestIdleFeedsHaveNoGoroutine(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.HTTP.Socket.OperationsPerSocket = 1000 })
	c := b.ready("")
	before := runtime.NumGoroutine()
	const n = 200
	for i := range n {
		c.subscribe(fmt.Sprint(i), notes)
	}
	b.listening(n)
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 }, patience, time.Millisecond)
}

func TestSlowReadersOfFeedsHoldNobodyUp(t *testing.T) {
	b := start(t, func(o *serverOptions) {
		o.HTTP.Socket.QueueBytes = 1 << 10
		o.HTTP.Socket.SlowReaderTimeout = 200 * time.Millisecond
	})
	large := `subscription { notes(name: "a") { ` + times(
		150,
		func(i int) string { return fmt.Sprintf("alias_%d: n ", i) },
	) + `} }`
	slow, quick := b.ready("alice"), b.ready("alice")
	require.NoError(t, slow.conn.NetConn().(*net.TCPConn).SetReadBuffer(4<<10))
	slow.subscribe("1", large)
	quick.subscribe("1", large)
	b.listening(2)
	// The quick one reads each note before the next is published.
	for i := 0; len(b.codes) == 0; i++ {
		b.root.Publish("a", i)
		require.Equal(t, "next", quick.read().Type)
	}
	require.Equal(t, 4490, receive(t, b.codes, "the slow one to be cut"))
	quick.subscribe("2", `{ hello }`)
	require.Equal(t, "2", quick.read().ID, "the quick one lives")
}
