package upgrade

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"slices"
	"testing"

	"errand/internal/stream"
	"errand/internal/stream/relay"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// earlierBatch and earlierEvent are the notifications between replicas as the earlier version decodes them. They must
// not change.
type earlierBatch struct {
	From   string            `json:"r"`
	Number uint64            `json:"n"`
	Sent   int64             `json:"s"`
	Lost   bool              `json:"l"`
	Final  bool              `json:"b"`
	Events []json.RawMessage `json:"e"`
}

type earlierEvent struct {
	Kind     string `json:"k"`
	Topic    string `json:"t"`
	ID       string `json:"i"`
	Position int    `json:"p"`
	Attempt  int    `json:"a"`
	Offset   int    `json:"o"`
	Text     string `json:"x"`
}

// earlierKinds are the kinds of events that the earlier version handles.
var earlierKinds = []string{"delta", "changed", "want", "work", "cancel", "gone"}

// decodeEarlier decodes payloads as the earlier version does. It fails on members that the earlier version ignores.
func decodeEarlier(t *testing.T, payloads []string) (events []earlierEvent) {
	t.Helper()
	strict := func(data []byte, v any) {
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.DisallowUnknownFields()
		require.NoError(t, decoder.Decode(v))
	}
	for _, payload := range payloads {
		var b earlierBatch
		strict([]byte(payload), &b)
		require.NotEmpty(t, b.From)
		require.Positive(t, b.Number)
		require.Positive(t, b.Sent)
		for _, raw := range b.Events {
			var e earlierEvent
			strict(raw, &e)
			events = append(events, e)
		}
	}
	require.NotEmpty(t, events)
	return events
}

// TestBus_NotificationsOfEarlierVersion_AreDelivered receives the recorded notifications and checks that subscribers
// receive each event.
func TestBus_NotificationsOfEarlierVersion_AreDelivered(t *testing.T) {
	r := readRecording(t, "postgres")
	events := decodeEarlier(t, r.Notifications)
	hub := stream.NewHub()
	discard := func(context.Context, []byte) error { return nil }
	bus := relay.New(hub, discard, relay.Options{Logger: slog.New(slog.DiscardHandler)})
	subscriptions, want := map[string]*stream.Subscription{}, map[string][]stream.Event{}
	for _, e := range events {
		if !slices.Contains([]string{"changed", "delta", "gone"}, e.Kind) {
			continue // not for subscribers
		}
		if subscriptions[e.Topic] == nil {
			subscriptions[e.Topic] = hub.Subscribe(e.Topic)
			defer subscriptions[e.Topic].Close()
		}
		want[e.Topic] = appendMerged(want[e.Topic], stream.Event{
			Kind: stream.Kind(e.Kind), Topic: e.Topic, ID: e.ID, Position: e.Position, Attempt: e.Attempt,
			Offset: e.Offset, Text: e.Text,
		})
	}
	for _, payload := range r.Notifications {
		bus.Receive([]byte(payload))
	}
	for topic, subscription := range subscriptions {
		batch, err := subscription.Next(t.Context())
		require.NoError(t, err)
		require.False(t, batch.Behind)
		var got []stream.Event
		for _, e := range batch.Events {
			got = append(got, *e)
		}
		require.Equal(t, want[topic], got)
	}
}

// appendMerged appends an event. A subscriber gets text that has queued up as one event.
func appendMerged(events []stream.Event, e stream.Event) []stream.Event {
	if last := len(events) - 1; last >= 0 {
		if both, ok := events[last].Merge(e, math.MaxInt); ok {
			events[last] = both
			return events
		}
	}
	return append(events, e)
}

// TestBus_Notifications_AreReadableByEarlierVersion checks the notifications about tasks, replies and the deletion of
// an account.
func TestBus_Notifications_AreReadableByEarlierVersion(t *testing.T) {
	t.Parallel()
	url := testdb.PostgresURL(t)
	stop := recordNotifications(t, url)
	server := harness.Start(t, url, settings(startModel(t, false))...)
	alice := server.ClientWithTokenIssuedAt(t, "alice", 0)
	conversation := &harness.Conversation{Client: alice}
	conversation.SendAndWait(t, "Add two")
	conversation.SendAndWait(t, "Hello")
	testclient.Run[any](t, alice, harness.DeleteViewerDoc, testclient.Vars{"confirm": "delete my account"})
	kinds := map[string]bool{}
	for _, e := range decodeEarlier(t, stop()) {
		require.Contains(t, earlierKinds, e.Kind)
		kinds[e.Kind] = true
	}
	for _, kind := range []string{"delta", "changed", "gone"} {
		require.Contains(t, kinds, kind)
	}
}

// TestSideBySide_EarlierVersion_SharesReplies runs a replica of the earlier version and one of the present version on
// one database. Each shows what the other writes, and takes over from the other. earlier.sh runs it.
func TestSideBySide_EarlierVersion_SharesReplies(t *testing.T) {
	if *earlier == "" {
		return
	}
	url := testdb.EmptyPostgresURL(t)
	m := startModel(t, true)
	earlierServer := harness.StartExecutable(t, *earlier, url,
		append(settings(m), harness.Settings{"REPLICA_NAME": "earlier"})...)
	// Migrates the database under the earlier version, which could not start on it any more.
	presentServer := harness.StartProcess(t, url, append(settings(m), harness.Settings{"REPLICA_NAME": "present"})...)
	for _, pair := range [][2]*harness.Process{{presentServer, earlierServer}, {earlierServer, presentServer}} {
		sender, reader := pair[0].Client("alice"), pair[1].Client("alice")
		turn := harness.Send(t, sender, "", "Add two")
		reply := reader.Dial(t).Follow(t, turn.Conversation.ID, "").AwaitFinished(t, turn.AssistantMessage.ID)
		require.Equal(t, "COMPLETED", reply.Status)
		require.Equal(t, harness.StoredMessage(t, sender, reply.ID), reply)
	}
	turn := harness.Send(t, earlierServer.Client("alice"), "", "Cancel me")
	stream := presentServer.Client("alice").Dial(t).Follow(t, turn.Conversation.ID, "")
	stream.UntilText(t, turn.AssistantMessage.ID, func(text string) bool { return text != "" })
	harness.CancelReply(t, earlierServer.Client("alice"), turn.AssistantMessage.ID)
	require.Equal(t, "CANCELLED", stream.AwaitFinished(t, turn.AssistantMessage.ID).Status)

	for i, server := range []*harness.Process{earlierServer, presentServer} {
		harness.CreateTask(t, server.Client("bob"), testclient.Vars{"title": "Shared apples"})
		for _, other := range []*harness.Process{earlierServer, presentServer} {
			list := harness.ListTasks(t, other.Client("bob"), testclient.Vars{"filter": testclient.Vars{"search": "apples"}})
			require.Equal(t, i+1, list.TotalCount)
			require.Len(t, list.Edges, i+1)
		}
	}

	moved := harness.Send(t, earlierServer.Client("alice"), "", "Add two")
	earlierServer.Terminate()
	require.Zero(t, earlierServer.Wait())
	reply := presentServer.Client("alice").Dial(t).Follow(t, moved.Conversation.ID, "").
		AwaitFinished(t, moved.AssistantMessage.ID)
	require.Equal(t, "COMPLETED", reply.Status)
}
