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

// publish waits until there are so many sources, then publishes to them.
func (b *environment) publish(name string, number, sources int) {
	b.t.Helper()
	b.waitForSources(sources)
	require.Equal(b.t, sources, b.root.Publish(name, number))
}

func (b *environment) waitForSources(sources int) {
	b.t.Helper()
	require.Eventually(b.t, func() bool { return int(b.root.Live.Load()) == sources }, patience, time.Millisecond)
}

func TestSource_ManyEvents_DeliveredInOrder(t *testing.T) {
	b := start(t, nil)
	c := b.ready("alice")
	c.subscribe("1", notes)
	b.waitForSources(1)
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

func TestSource_Fails_ErrorDelivered(t *testing.T) {
	b := start(t, nil)
	c := b.ready("alice")
	c.subscribe("1", notes)
	b.publish("a", 1, 1)
	c.expect("next", "1", `{"data":{"notes":{"n":1,"executed":1}}}`)
	b.root.End("a", apperr.New(apperr.Unavailable, "Come back."))
	m := c.read()
	require.Equal(t, "error 1", m.Type+" "+m.ID)
	require.Contains(t, string(m.Payload), "SERVICE_UNAVAILABLE")
	settle(t, b.root)

	s := b.openSSE(notes)
	b.waitForSources(1)
	b.root.End("a", apperr.New(apperr.Unavailable, "Come back."))
	require.Contains(t, s.event(), "SERVICE_UNAVAILABLE")
	require.Equal(t, "complete|", s.event())
}

func TestSource_SubscriberLeaves_Closed(t *testing.T) {
	b := start(t, nil)
	c := b.ready("alice+300ms")
	c.subscribe("1", notes)
	b.waitForSources(1)
	c.write(`{"type":"complete","id":"1"}`)
	settle(t, b.root)

	c.subscribe("2", notes)
	b.waitForSources(1)
	code, _ := c.closed()
	require.Equal(t, 4403, code)
	settle(t, b.root)

	s := b.openSSE(notes)
	b.waitForSources(1)
	s.cancel()
	settle(t, b.root)
}

func TestSource_OverSSEAndMultipart_Delivered(t *testing.T) {
	b := start(t, nil)
	s := b.openSSE(notes)
	b.publish("a", 1, 1)
	require.Equal(t, `next|{"data":{"notes":{"n":1,"executed":1}}}`, s.event())
	b.root.End("a", nil)
	require.Equal(t, "complete|", s.event())

	s = b.openMultipart(notes, apolloSubscription)
	b.publish("a", 2, 1)
	require.JSONEq(t, `{"payload":{"data":{"notes":{"n":2,"executed":2}}}}`, s.part())
	b.root.End("a", nil)
	require.Equal(t, "--\r\n", s.rest())
}

func TestSource_PanicInEvent_SubscriptionContinues(t *testing.T) {
	b := start(t, nil)
	c := b.ready("alice")
	c.subscribe("1", notes)
	b.publish("a", -1, 1)
	m := c.read()
	require.Contains(t, string(m.Payload), "INTERNAL_SERVER_ERROR")
	require.NotContains(t, string(m.Payload), "secret")
	b.publish("a", 2, 1)
	c.expect("next", "1", `{"data":{"notes":{"n":2,"executed":1}}}`)
}

func TestSharedExecution_EqualSubscriptions_ExecutedOnce(t *testing.T) {
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

func TestSharedExecution_DifferentSubscriptions_ExecutedEach(t *testing.T) {
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
		b.waitForSources(i + 1)
	}
	c := b.ready("alice")
	for i := range 2 {
		c.write(
			fmt.Sprintf(
				`{"type":"subscribe","id":"%d","payload":{"query":`+
					`"subscription($f:Int){notes(name:\"a\",flag:$f){n executed}}","variables":{"f":%d}}}`,
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

// There is one goroutine per socket, which reads; none waits for events.
func TestSource_Idle_HasNoGoroutine(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.HTTP.Socket.OperationsPerSocket = 1000 })
	c := b.ready("alice")
	before := runtime.NumGoroutine()
	const n = 200
	for i := range n {
		c.subscribe(fmt.Sprint(i), notes)
	}
	b.waitForSources(n)
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 }, patience, time.Millisecond)
}

func TestSharedExecution_SlowReader_OthersContinue(t *testing.T) {
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
	b.waitForSources(2)
	// The quick client reads each note before the next is published.
	for i := 0; len(b.codes) == 0; i++ {
		b.root.Publish("a", i)
		require.Equal(t, "next", quick.read().Type)
	}
	require.Equal(t, 4490, receive(t, b.codes, "the slow client to be closed"))
	quick.subscribe("2", `{ hello }`)
	require.Equal(t, "2", quick.read().ID, "the quick client is still served")
}
