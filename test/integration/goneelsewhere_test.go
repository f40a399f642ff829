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

	"github.com/stretchr/testify/require"
)

// pair are two replicas in this process, on one database.
func pair(t *testing.T, more ...settings) (a, b *bench) {
	t.Helper()
	url := testdb.PostgresURL(t)
	more = append([]settings{{"RUN_LEASE": "2m", "RUN_SWEEP": "1m"}}, more...)
	return boot(
			t,
			url,
			append(more, settings{"REPLICA_NAME": "a"})...), boot(
			t,
			url,
			append(more, settings{"REPLICA_NAME": "b"})...)
}

// everywhere counts the rows of all tables whose text holds a word, those without an owner too.
func (b *bench) everywhere(t testing.TB, word string) map[string]int {
	t.Helper()
	tables, err := b.root(t).QueryContext(rule.System(context.Background()),
		"SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
	require.NoError(t, err)
	defer tables.Close()
	found := map[string]int{}
	for tables.Next() {
		var name string
		require.NoError(t, tables.Scan(&name))
		if n := b.count(t, "SELECT count(*) FROM "+name+" t WHERE strpos(t::text, $1) > 0", word); n > 0 {
			found[name] = n
		}
	}
	require.NoError(t, tables.Err())
	return found
}

// TestADeletedAccountIsGoneOnEveryReplica deletes on one replica while everything of the person's is open
// on the other, over each bus.
func TestADeletedAccountIsGoneOnEveryReplica(t *testing.T) {
	t.Parallel()
	for name, bus := range map[string]func(t *testing.T) settings{
		"postgres": func(*testing.T) settings { return settings{} },
		"nats":     func(t *testing.T) settings { return settings{"NATS_URL": natstest.Start(t).URL()} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			left := make(chan struct{}, 1)
			m := scripted(t, func(a asked) providertest.Step {
				if !strings.Contains(a.said, "wombat") {
					return sayText("Yes.")
				}
				return func(w http.ResponseWriter, r *http.Request) {
					providertest.StreamThenHang(textFrames("On and on about the wombat")...)(w, r)
					left <- struct{}{}
				}
			})
			here, there := pair(t, m.environ(), bus(t))
			goneEverywhere(t, here, there, left)
		})
	}
}

func goneEverywhere(t *testing.T, here, there *bench, left <-chan struct{}) {
	alice, bob := here.userAt(t, "alice", -time.Minute), here.user(t, "bob")
	away, bobAway := testclient.New(t, there.URL(), alice.Token), testclient.New(t, there.URL(), bob.Token)
	id := idOf(t, alice)
	require.Equal(t, id, idOf(t, away), "both replicas know her, and remember it")
	(&talk{c: alice}).say(t, "Hello")
	createTask(t, alice, vars{"title": "Feed the wombat"})

	idle, busy, bobs := away.Dial(t), away.Dial(t), bobAway.Dial(t)
	running := send(t, alice, "", "Tell me about the wombat")
	reply := busy.Follow(t, running.Conversation.ID, "")
	reply.UntilText(t, running.AssistantMessage.ID, func(text string) bool { return strings.Contains(text, "wombat") })
	tasks, hisTasks := busy.Subscribe(t, taskStream, nil), bobs.Subscribe(t, taskStream, nil)
	replyEvents := listen(t, away, testclient.MessageStream, vars{"id": running.Conversation.ID})
	taskEvents := listen(t, away, taskStream, nil)
	require.Eventually(t, func() bool { return there.Hub.Subscribers() == 5 }, testclient.Timeout, tick)
	require.NotEmpty(t, here.everywhere(t, "wombat"))

	require.Empty(t, alice.Try(t, deleteViewer, vars{"confirm": account.DeleteConfirmation}).Errors)

	<-left // the model is no longer asked
	require.Equal(t, 4403, busy.CloseCode(t))
	require.Equal(t, 4403, idle.CloseCode(t))
	var err error
	for err == nil {
		_, err = reply.TryNextEvent(t.Context())
	}
	require.ErrorIs(t, err, io.EOF, "the stream ends, and without an error")
	_, err = tasks.Next(t.Context())
	require.ErrorIs(t, err, io.EOF)
	for _, stream := range []*events{replyEvents, taskEvents} {
		last, data := stream.rest()
		require.Equal(t, "complete", last)
		require.NotContains(t, data, `"errors"`)
	}
	requireGone(t, here, alice, id)
	requireGone(t, there, away, id)
	createTask(t, bob, vars{"title": "Go on"})
	payload, err := hisTasks.Next(t.Context())
	require.NoError(t, err, "others are not disturbed")
	require.Contains(t, string(payload), `"number":1`)
}

// requireGone looks for anything that a replica still has or does for a deleted person.
func requireGone(t *testing.T, b *bench, c *client, id string) {
	t.Helper()
	for table, n := range b.rowsOf(t, id) {
		require.Zero(t, n, table)
	}
	for _, word := range []string{id, "wombat", "alice"} {
		require.Empty(t, b.everywhere(t, word), word)
	}
	for _, document := range []string{viewerID, `{ tasks { nodes { id } } }`, `{ conversations { nodes { id } } }`, exportViewer} {
		a := c.Try(t, document, nil)
		require.Equal(t, "UNAUTHENTICATED", a.ErrorCode(), document)
		require.Equal(t, http.StatusUnauthorized, a.Status)
	}
	requireFault(t, "UNAUTHENTICATED", c.Try(t, createTaskDoc, vars{"in": vars{"title": "back"}}))
	_, err := c.TryDial(t.Context())
	require.ErrorContains(t, err, fmt.Sprint(4403))
}
