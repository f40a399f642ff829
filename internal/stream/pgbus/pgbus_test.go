package pgbus_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"errand/internal/stream"
	"errand/internal/stream/bustest"
	"errand/internal/stream/pgbus"
	"errand/internal/stream/relay"
	"errand/internal/testdb"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// options have a long heartbeat, so that a replica that a loaded machine delays does not count as silent.
func options() pgbus.Options {
	return pgbus.Options{Relay: relay.Options{Heartbeat: time.Minute, Logger: slog.New(slog.DiscardHandler)}}
}

func config(t *testing.T, url string) *pgx.ConnConfig {
	c, err := pgx.ParseConfig(url)
	require.NoError(t, err)
	return c
}

// replicas starts hubs on one database.
func replicas(t *testing.T, url string, n int) (hubs []*bustest.Replica, buses []*pgbus.Bus) {
	for range n {
		hub := bustest.NewReplica()
		bus, err := pgbus.Start(t.Context(), config(t, url), hub.Hub, options())
		require.NoError(t, err)
		t.Cleanup(func() { bus.Close(context.Background()) })
		hubs, buses = append(hubs, hub), append(buses, bus)
	}
	return hubs, buses
}

// query returns the number that a statement selects.
func query(t *testing.T, url, sql string) (n int) {
	t.Helper()
	conn, err := pgx.ConnectConfig(t.Context(), config(t, url))
	require.NoError(t, err)
	require.NoError(t, conn.QueryRow(t.Context(), sql).Scan(&n))
	require.NoError(t, conn.Close(t.Context()))
	return n
}

const activityFilter = `FROM pg_stat_activity WHERE datname = current_database() AND application_name = `

func TestPublish_ThreeReplicas_DeliversAllInOrder(t *testing.T) {
	hubs, buses := replicas(t, testdb.EmptyPostgresURL(t), 3)
	bustest.CheckOrderedDelivery(t, hubs, 10_000)
	for _, b := range buses {
		s := b.Stats()
		require.Zero(t, s.Dropped+s.Reconnects+s.Resyncs, "%+v", s)
		require.Less(t, s.Batches, s.Sent/5, "events are batched")
		require.Less(t, s.Lag, 5*time.Second)
	}
}

func TestRequestSnapshot_LateReplica_ReceivesLongText(t *testing.T) {
	url := testdb.EmptyPostgresURL(t)
	early, _ := replicas(t, url, 1)
	text := strings.Repeat("𝄞 über \u0001\"quoted\"\n", 5_000)
	early[0].Publish(stream.Event{
		Kind: stream.TextAppended, Topic: "conv_1", ID: "msg_2", Position: 2, Attempt: 3,
		Text: text,
	})
	late, _ := replicas(t, url, 1)
	sub := late[0].Subscribe("conv_1")
	defer sub.Close()
	late[0].RequestSnapshot("conv_1", "msg_2")
	bustest.WaitForText(t, late[0], sub, "msg_2", text)
}

func TestListener_ConnectionKilled_ReconnectsAndResyncs(t *testing.T) {
	url := testdb.EmptyPostgresURL(t)
	hubs, buses := replicas(t, url, 2)
	sub := hubs[1].Subscribe("conv_1")
	defer sub.Close()
	require.Equal(t, 2, query(t, url, "SELECT count(pg_terminate_backend(pid)) "+activityFilter+"'errand listen'"))
	bustest.WaitUntilBehind(t, sub)
	<-hubs[1].QueuedRuns
	require.NotZero(t, buses[1].Stats().Reconnects)
	bustest.CheckExchange(t, hubs)
}

func TestNotifier_ConnectionKilled_LosesNothing(t *testing.T) {
	url := testdb.EmptyPostgresURL(t)
	hubs, buses := replicas(t, url, 2)
	require.Equal(t, 2, query(t, url, "SELECT count(pg_terminate_backend(pid)) "+activityFilter+"'errand notify'"))
	bustest.CheckOrderedDelivery(t, hubs, 100)
	for _, b := range buses {
		require.Zero(t, b.Stats().Dropped)
	}
}

func TestBus_ServerRestarts_ReconnectsAndResyncs(t *testing.T) {
	c := testdb.NewCluster(t)
	hubs, buses := replicas(t, c.URL("postgres"), 2)
	var subs []*stream.Subscription
	for _, h := range hubs {
		subs = append(subs, h.Subscribe("conv_1"))
	}
	for _, crash := range []bool{false, true} {
		require.NoError(t, c.Stop(t.Context(), crash))
		for range 20_000 { // more than the queue holds while the server is down
			hubs[0].Publish(stream.Event{Kind: stream.RowsChanged, Topic: "conv_9"})
		}
		require.NoError(t, c.Start(t.Context()))
		for _, s := range subs {
			bustest.WaitUntilBehind(t, s)
		}
		bustest.CheckExchange(t, hubs)
	}
	require.NotZero(t, buses[0].Stats().Dropped)
	for _, s := range subs {
		s.Close()
	}
}

func TestListener_ConnectionSilent_Reconnects(t *testing.T) {
	url := testdb.EmptyPostgresURL(t)
	hubs, _ := replicas(t, url, 1)
	net := &network{}
	behind := config(t, url)
	behind.DialFunc = net.dial
	hub := bustest.NewReplica()
	o := options()
	o.Relay.Heartbeat = 100 * time.Millisecond // the server is pinged after three
	bus, err := pgbus.Start(t.Context(), behind, hub.Hub, o)
	require.NoError(t, err)
	sub := hub.Subscribe("conv_1")
	defer sub.Close()
	net.cut()
	bustest.WaitUntilBehind(t, sub)
	require.NotZero(t, bus.Stats().Reconnects)
	bustest.CheckExchange(t, append(hubs, hub))
	bus.Close(t.Context())
	net.close()
}

func TestClose_QueuedEvents_AreSent(t *testing.T) {
	url := testdb.EmptyPostgresURL(t)
	hubs, buses := replicas(t, url, 2)
	for i := range 1000 {
		hubs[0].Publish(bustest.Delta("msg_2", i, "x"))
	}
	hubs[0].Publish(stream.Event{Kind: stream.RunCancelled, ID: "run_1"})
	buses[0].Close(t.Context())
	require.Equal(t, "run_1", <-hubs[1].CancelledRuns)
	text, _, _ := hubs[1].InFlightText("msg_2")
	require.Len(t, text, 1000)
	hubs[0].Publish(bustest.Delta("msg_2", 1000, "x"))
	buses[0].Close(t.Context())
	buses[1].Close(t.Context())
	require.Zero(t, buses[1].Stats().Resyncs, "a final batch causes no resync")
	bustest.Eventually(
		t,
		func() bool {
			return query(t, url, "SELECT count(*) "+activityFilter+"ANY('{errand listen,errand notify}')") == 0
		},
	)
}

func TestClose_ServerDown_EndsWithContext(t *testing.T) {
	c := testdb.NewCluster(t)
	hubs, buses := replicas(t, c.URL("postgres"), 1)
	require.NoError(t, c.Stop(t.Context(), true))
	hubs[0].Publish(bustest.Delta("msg_2", 0, "x"))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	buses[0].Close(ctx)
	require.Less(t, time.Since(start), 5*time.Second)
}

func TestStart_NoServer_ReturnsError(t *testing.T) {
	hub := stream.NewHub()
	_, err := pgbus.Start(t.Context(), config(t, "postgres://nobody@127.0.0.1:1/none?sslmode=disable"), hub, options())
	require.ErrorContains(t, err, "listening on PostgreSQL")
	hub.Publish(bustest.Delta("msg_2", 0, "alone"))

	_, err = pgbus.Start(
		t.Context(),
		config(t, strings.Replace(testdb.EmptyPostgresURL(t), "/test_", "/no_such_", 1)),
		hub,
		options(),
	)
	require.ErrorContains(t, err, "does not exist")
}
