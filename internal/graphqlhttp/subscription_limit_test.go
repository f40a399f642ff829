package graphqlhttp_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// requireLimited checks that the payload of an error message names the limit.
func requireLimited(t *testing.T, m wsMessage, limit string, maximum int) {
	t.Helper()
	require.Equal(t, "error", m.Type, "%s", m.Payload)
	var errs []struct {
		Extensions struct {
			Code, Limit  string
			Max          int
			RetryAfterMs int
		}
	}
	require.NoError(t, json.Unmarshal(m.Payload, &errs))
	got := errs[0].Extensions
	require.Equal(t, fmt.Sprint("RATE_LIMITED ", limit, " ", maximum), fmt.Sprint(got.Code, " ", got.Limit, " ", got.Max))
	require.Positive(t, got.RetryAfterMs)
}

// namedNotes returns subscriptions to the notes of a name with different texts.
func namedNotes(name string, i int) string {
	return fmt.Sprintf(`subscription S%d { notes(name: %q) { n executed } }`, i, name)
}

func TestSubscriptions_TooManyOfUser_RateLimitedOnEachTransport(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.SubscriptionsPerUser = 4 })
	first, second := b.ready("alice"), b.ready("alice")
	alice := []string{"Authorization", "Bearer alice"}
	first.subscribe("1", notes)
	second.subscribe("1", notes)
	stream := b.openSSE(notes, alice...)
	b.openMultipart(notes, apolloSubscription, alice...)
	b.waitForSources(4)

	second.subscribe("2", notes)
	requireLimited(t, second.read(), "subscriptionsPerUser", 4)
	body := `{"query":` + quote(notes) + `}`
	for _, accept := range []string{"text/event-stream", apolloSubscription} {
		a := b.do("POST", "/", body, append(alice, "Accept", accept, "Content-Type", "application/json")...)
		require.Equal(t, http.StatusTooManyRequests, a.status)
		require.Equal(t, "1", a.header.Get("Retry-After"))
		require.Equal(t, "subscriptionsPerUser", a.extension("limit"))
	}
	second.subscribe("3", `{ hello }`)
	second.expect("next", "3", `{"data":{"hello":"world"},"extensions":{"cost":{"limit":30000,"requested":1}}}`)
	second.expect("complete", "3", "")
	b.ready("bob").subscribe("1", notes)
	b.waitForSources(5)

	stream.cancel()
	b.waitForSources(4)
	second.subscribe("4", `subscription { refused }`)
	require.Contains(t, string(second.read().Payload), "NOT_FOUND")
	second.subscribe("5", notes)
	b.waitForSources(5)
}

func TestSubscriptions_TooCostlyOfUser_RateLimited(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.Limits.Cost = 3 }) // a subscription to notes costs 3
	c := b.ready("alice")
	for i := range 4 {
		c.subscribe(fmt.Sprint(i), namedNotes("a", i))
	}
	b.waitForSources(4)
	c.subscribe("4", namedNotes("a", 4))
	requireLimited(t, c.read(), "subscriptionCostPerUser", 12)
	c.subscribe("5", namedNotes("a", 3)) // shares the executions of another
	b.waitForSources(5)
	c.write(`{"type":"complete","id":"3"}`)
	b.waitForSources(4)
	c.subscribe("6", namedNotes("a", 4))
	requireLimited(t, c.read(), "subscriptionCostPerUser", 12)
	c.write(`{"type":"complete","id":"5"}`)
	b.waitForSources(3)
	c.subscribe("7", namedNotes("a", 4))
	b.waitForSources(4)
}

// A user's events are executed one at a time, and those of other users meanwhile.
func TestSubscriptions_EventsOfUser_ExecutedOneAtATime(t *testing.T) {
	const n = 20
	b := start(t, nil)
	var running, most atomic.Int64
	entered, release := make(chan int, n), make(chan struct{})
	b.root.OnNote = func(number int) {
		if number == 1 { // alice's
			most.Store(max(most.Load(), running.Add(1)))
			entered <- number
			<-release
			running.Add(-1)
		}
	}
	alice := []*wsClient{b.ready("alice"), b.ready("alice")}
	for i := range n {
		alice[i%2].subscribe(fmt.Sprint(i), namedNotes("a", i))
	}
	bob := b.ready("bob")
	bob.subscribe("1", namedNotes("b", 0))
	b.waitForSources(n + 1)
	require.Equal(t, n, b.root.Publish("a", 1))
	for range n {
		receive(t, entered, "an execution of alice's")
		require.Equal(t, 1, b.root.Publish("b", 2))
		require.Equal(t, "next", bob.read().Type, "another user is served while alice's event is executed")
		require.Empty(t, entered)
		release <- struct{}{}
	}
	for i := range n {
		require.Equal(t, "next", alice[i%2].read().Type)
	}
	require.EqualValues(t, 1, most.Load())
}

// A subscription that waits for its turn ends with its client.
func TestSubscriptions_LeaveWhileWaiting_Closed(t *testing.T) {
	b := start(t, nil)
	entered, release := make(chan struct{}, 10), make(chan struct{})
	b.root.OnNote = func(int) { entered <- struct{}{}; <-release }
	c, other := b.ready("alice"), b.ready("alice")
	c.subscribe("1", namedNotes("a", 1))
	b.waitForSources(1)
	other.subscribe("1", namedNotes("a", 2))
	b.waitForSources(2)
	b.root.Publish("a", 1)
	receive(t, entered, "the first execution")
	b.root.Publish("a", 2)
	require.NoError(t, c.conn.Close())
	require.NoError(t, other.conn.Close())
	require.Eventually(t, func() bool { return b.root.Live.Load() == 1 }, patience, time.Millisecond)
	close(release)
	settle(t, b.root)
}

// A client that reads slowly holds up none of the user's other subscriptions.
func TestSubscriptions_SlowReader_OthersOfUserContinue(t *testing.T) {
	b := start(t, func(o *serverOptions) {
		o.HTTP.Socket.QueueBytes = 1 << 10
		o.HTTP.Socket.SlowReaderTimeout = 200 * time.Millisecond
	})
	large := func(name string) string {
		return `subscription ` + name + ` { notes(name: "a") { ` + times(
			150,
			func(i int) string { return fmt.Sprintf("alias_%d: n ", i) },
		) + `} }`
	}
	slow, quick := b.ready("alice"), b.ready("alice")
	require.NoError(t, slow.conn.NetConn().(*net.TCPConn).SetReadBuffer(4<<10))
	slow.subscribe("1", large("Slow"))
	quick.subscribe("1", large("Quick"))
	b.waitForSources(2)
	for i := 0; len(b.codes) == 0; i++ {
		b.root.Publish("a", i)
		require.Equal(t, "next", quick.read().Type)
	}
	require.Equal(t, 4490, receive(t, b.codes, "the slow client to be closed"))
}
