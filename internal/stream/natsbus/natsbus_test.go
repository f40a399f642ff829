package natsbus_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"errand/internal/stream"
	"errand/internal/stream/bustest"
	"errand/internal/stream/natsbus"
	"errand/internal/stream/natsbus/natstest"
	"errand/internal/stream/relay"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// options have a long heartbeat, so that a replica that a loaded machine delays does not count as silent.
func options() natsbus.Options {
	return natsbus.Options{Relay: relay.Options{Heartbeat: time.Minute, Logger: slog.New(slog.DiscardHandler)}}
}

func replicas(t *testing.T, url string, n int) (hubs []*bustest.Replica, buses []*natsbus.Bus) {
	for range n {
		hub := bustest.NewReplica()
		bus, err := natsbus.Start(t.Context(), url, hub.Hub, options())
		require.NoError(t, err)
		t.Cleanup(func() { bus.Close(context.Background()) })
		hubs, buses = append(hubs, hub), append(buses, bus)
	}
	return hubs, buses
}

func TestPublish_ThreeReplicas_DeliversAllInOrder(t *testing.T) {
	hubs, buses := replicas(t, natstest.Start(t).URL(), 3)
	bustest.CheckOrderedDelivery(t, hubs, 10_000)
	for _, b := range buses {
		s := b.Stats()
		require.Zero(t, s.Dropped+s.Reconnects+s.Resyncs, "%+v", s)
		require.Less(t, s.Batches, s.Sent/5, "events are batched")
	}
}

func TestRequestSnapshot_LateReplica_ReceivesLongText(t *testing.T) {
	url := natstest.Start(t).URL()
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

func TestBus_ServerRestarts_ReconnectsAndResyncs(t *testing.T) {
	server := natstest.Start(t)
	hubs, buses := replicas(t, server.URL(), 2)
	var subs []*stream.Subscription
	for _, h := range hubs {
		subs = append(subs, h.Subscribe("conv_1"))
	}
	server.Kill()
	for range 20_000 { // more than the queue holds while the server is down
		hubs[0].Publish(stream.Event{Kind: stream.RowsChanged, Topic: "conv_9"})
	}
	server.Restart(t)
	for i, s := range subs {
		bustest.WaitUntilBehind(t, s)
		<-hubs[i].QueuedRuns
		s.Close()
	}
	require.NotZero(t, buses[0].Stats().Dropped)
	require.NotZero(t, buses[1].Stats().Resyncs)
	bustest.CheckExchange(t, hubs)
}

func TestClose_QueuedEvents_AreSent(t *testing.T) {
	hubs, buses := replicas(t, natstest.Start(t).URL(), 2)
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
}

func TestClose_ServerDown_EndsWithContext(t *testing.T) {
	server := natstest.Start(t)
	hubs, buses := replicas(t, server.URL(), 1)
	server.Kill()
	hubs[0].Publish(bustest.Delta("msg_2", 0, "x"))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	buses[0].Close(ctx)
	require.Less(t, time.Since(start), 5*time.Second)
}

func TestPublish_OtherPrefix_IsNotReceived(t *testing.T) {
	url := natstest.Start(t).URL()
	ours, _ := replicas(t, url, 2)
	theirs := options()
	theirs.Prefix = "other"
	hub := bustest.NewReplica()
	bus, err := natsbus.Start(t.Context(), url, hub.Hub, theirs)
	require.NoError(t, err)
	bustest.CheckExchange(t, ours)
	bus.Close(t.Context())
	require.Zero(t, bus.Stats().Received)
}

func TestStart_NoServer_ReturnsError(t *testing.T) {
	hub := stream.NewHub()
	_, err := natsbus.Start(t.Context(), "nats://127.0.0.1:1", hub, options())
	require.ErrorContains(t, err, "connecting to NATS")
	_, err = natsbus.Start(t.Context(), "nats://user:secret@bad host:4222", hub, options())
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secret")
	hub.Publish(bustest.Delta("msg_2", 0, "alone"))
}

func TestStart_NoPublishPermission_ReturnsErrNotDelivered(t *testing.T) {
	file := filepath.Join(t.TempDir(), "nats.conf")
	require.NoError(t, os.WriteFile(file, []byte(`authorization {
		users = [{user: reader, password: secret, permissions: {subscribe: ">", publish: "nothing"}}]
	}`), 0o600))
	server := natstest.Start(t, "-c", file)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	url := strings.Replace(server.URL(), "//", "//reader:secret@", 1)
	_, err := natsbus.Start(ctx, url, stream.NewHub(), options())
	require.ErrorIs(t, err, relay.ErrNotDelivered)
	require.ErrorContains(t, err, "Permissions Violation")
	require.NotContains(t, err.Error(), "secret")
}
