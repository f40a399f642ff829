package integration

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"errand/ent/rule"
	"errand/internal/account"
	"errand/internal/llm/providertest"
	"errand/internal/stream/natsbus/natstest"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// startPair starts two replicas in this process on one database.
func startPair(t *testing.T, more ...harness.Settings) (a, b *harness.Env) {
	t.Helper()
	url := testdb.PostgresURL(t)
	more = append([]harness.Settings{{"RUN_LEASE": "2m", "RUN_SWEEP": "1m"}}, more...)
	return harness.Start(
			t,
			url,
			append(more, harness.Settings{"REPLICA_NAME": "a"})...), harness.Start(
			t,
			url,
			append(more, harness.Settings{"REPLICA_NAME": "b"})...)
}

// countRowsContaining counts the rows of each table, owned or not, whose text contains word.
func countRowsContaining(t testing.TB, b *harness.Env, word string) map[string]int {
	t.Helper()
	tables, err := b.SystemClient(t).QueryContext(rule.System(context.Background()),
		"SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
	require.NoError(t, err)
	defer tables.Close()
	found := map[string]int{}
	for tables.Next() {
		var name string
		require.NoError(t, tables.Scan(&name))
		if n := b.Count(t, "SELECT count(*) FROM "+name+" t WHERE strpos(t::text, $1) > 0", word); n > 0 {
			found[name] = n
		}
	}
	require.NoError(t, tables.Err())
	return found
}

// TestDeleteViewer_TwoReplicas_GoneOnBoth deletes a user on one replica while the user's sockets, streams and
// replies are open on the other, over each bus.
func TestDeleteViewer_TwoReplicas_GoneOnBoth(t *testing.T) {
	t.Parallel()
	for name, bus := range map[string]func(t *testing.T) harness.Settings{
		"postgres": func(*testing.T) harness.Settings { return harness.Settings{} },
		"nats":     func(t *testing.T) harness.Settings { return harness.Settings{"NATS_URL": natstest.Start(t).URL()} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			left := make(chan struct{}, 1)
			m := harness.StartModel(t, func(a harness.ModelRequest) providertest.Step {
				if !strings.Contains(a.UserMessage, "wombat") {
					return harness.TextResponse("Yes.")
				}
				return func(w http.ResponseWriter, r *http.Request) {
					providertest.StreamThenHang(harness.TextFrames("On and on about the wombat")...)(w, r)
					left <- struct{}{}
				}
			})
			first, second := startPair(t, m.Settings(), bus(t))
			requireDeletedEverywhere(t, first, second, left)
		})
	}
}

func requireDeletedEverywhere(t *testing.T, first, second *harness.Env, left <-chan struct{}) {
	alice, bob := first.ClientWithTokenIssuedAt(t, "alice", -time.Minute), first.Client(t, "bob")
	aliceOnSecond, bobOnSecond := testclient.New(t, second.URL(), alice.Token), testclient.New(t, second.URL(), bob.Token)
	id := harness.ViewerID(t, alice)
	require.Equal(t, id, harness.ViewerID(t, aliceOnSecond), "both replicas return the same user")
	(&harness.Conversation{Client: alice}).SendAndWait(t, "Hello")
	harness.CreateTask(t, alice, testclient.Vars{"title": "Feed the wombat"})

	idle, busy, bobs := aliceOnSecond.Dial(t), aliceOnSecond.Dial(t), bobOnSecond.Dial(t)
	running := harness.Send(t, alice, "", "Tell me about the wombat")
	reply := busy.Follow(t, running.Conversation.ID, "")
	reply.UntilText(t, running.AssistantMessage.ID, func(text string) bool { return strings.Contains(text, "wombat") })
	tasks, bobTasks := busy.Subscribe(t, harness.TaskStreamDoc, nil), bobs.Subscribe(t, harness.TaskStreamDoc, nil)
	replyEvents := openSSE(t, aliceOnSecond, testclient.MessageStream, testclient.Vars{"id": running.Conversation.ID})
	taskEvents := openSSE(t, aliceOnSecond, harness.TaskStreamDoc, nil)
	require.Eventually(t, func() bool { return second.Hub.Subscribers() == 5 }, testclient.Timeout, harness.PollInterval)
	require.NotEmpty(t, countRowsContaining(t, first, "wombat"))

	require.Empty(t, alice.Try(t, harness.DeleteViewerDoc, testclient.Vars{"confirm": account.DeleteConfirmation}).Errors)

	<-left // the model call ended
	require.Equal(t, 4403, busy.CloseCode(t))
	require.Equal(t, 4403, idle.CloseCode(t))
	var err error
	for err == nil {
		_, err = reply.TryNextEvent(t.Context())
	}
	require.ErrorIs(t, err, io.EOF, "the stream must complete without an error")
	_, err = tasks.Next(t.Context())
	require.ErrorIs(t, err, io.EOF)
	for _, stream := range []*sseStream{replyEvents, taskEvents} {
		last, data := stream.drain()
		require.Equal(t, "complete", last)
		require.NotContains(t, data, `"errors"`)
	}
	requireDeleted(t, first, alice, id)
	requireDeleted(t, second, aliceOnSecond, id)
	harness.CreateTask(t, bob, testclient.Vars{"title": "Go on"})
	payload, err := bobTasks.Next(t.Context())
	require.NoError(t, err, "other users must not be affected")
	require.Contains(t, string(payload), `"number":1`)
}

// requireDeleted checks that a replica keeps no row of a deleted user and rejects the user's requests.
func requireDeleted(t *testing.T, b *harness.Env, c *testclient.Client, id string) {
	t.Helper()
	for table, n := range b.CountUserRows(t, id) {
		require.Zero(t, n, table)
	}
	for _, word := range []string{id, "wombat", "alice"} {
		require.Empty(t, countRowsContaining(t, b, word), word)
	}
	for _, document := range []string{
		harness.ViewerIDDoc, `{ tasks { nodes { id } } }`,
		`{ conversations { nodes { id } } }`, harness.ExportViewerDoc,
	} {
		a := c.Try(t, document, nil)
		require.Equal(t, "UNAUTHENTICATED", a.ErrorCode(), document)
		require.Equal(t, http.StatusUnauthorized, a.Status)
	}
	harness.RequireErrorCode(t, "UNAUTHENTICATED", c.Try(t, harness.CreateTaskDoc,
		testclient.Vars{"in": testclient.Vars{"title": "back"}}))
	_, err := c.TryDial(t.Context())
	require.ErrorContains(t, err, fmt.Sprint(4403))
}
