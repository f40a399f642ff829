package mcp

import (
	"context"
	"io"
	"testing"
	"time"

	"errand/internal/stream"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// pipe serves one person over a pair of streams; wait ends with the server.
func (w *world) pipe(t *testing.T, caller Caller, revision string) (c *client, leave func(), wait func() error) {
	t.Helper()
	toServer, fromClient := io.Pipe()
	toClient, fromServer := io.Pipe()
	ctx, leave := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		err := w.server.ServeStdio(ctx, toServer, fromServer, caller)
		_ = fromServer.Close()
		ended <- err
	}()
	c = join(t, &sdk.IOTransport{Reader: toClient, Writer: fromClient}, revision)
	t.Cleanup(leave)
	return c, leave, func() error {
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			t.Fatal("the server goes on")
			return nil
		}
	}
}

func (w *world) caller(subject string, scopes ...string) Caller {
	return Caller{UserID: w.userID(subject), Scopes: scopes, Expires: time.Now().Add(time.Hour)}
}

func TestStdio(t *testing.T) {
	for _, revision := range bothRevisions {
		t.Run(revision, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				w.add("bob", "his")
				talk, bobs := w.converse("alice", 2), w.converse("bob", 2)
				events := w.follow(t, "alice")
				c, _, wait := w.pipe(t, w.caller("alice"), revision)
				c.call("add_task", map[string]any{"title": "hers"})
				e := <-events
				require.Equal(t, "Test Desk", e.Change.Client)
				require.EqualValues(t, 1, c.call("list_tasks", nil)["total"])
				require.Equal(t, "hers", c.read(taskAt("1"))["task"].(map[string]any)["title"])

				for _, uri := range []string{taskAt("1"), conversationAt(talk.ID)} {
					require.NoError(t, c.Subscribe(t.Context(), &sdk.SubscribeParams{URI: uri}))
					if revision == newRevision {
						c.hears("ack " + uri)
					}
				}
				if revision != newRevision {
					require.ErrorContains(t, c.Subscribe(t.Context(), &sdk.SubscribeParams{URI: conversationAt(bobs.ID)}), "not found")
				}
				task, err := w.tasks.FindTaskByNumber(w.as("alice"), 1)
				require.NoError(t, err)
				_, err = w.tasks.CompleteTask(w.as("alice"), task.ID)
				require.NoError(t, err)
				c.hears(taskAt("1"))
				w.hub.Publish(stream.Event{Kind: stream.Changed, Topic: talk.ID})
				c.hears(conversationAt(talk.ID))
				require.NoError(t, c.Unsubscribe(t.Context(), &sdk.UnsubscribeParams{URI: conversationAt(talk.ID)}))
				_ = c.Close() // it still cancels its subscription while it closes the pipe
				require.NoError(t, wait())
			})
		})
	}
}

func TestStdioTellsOfNewTasks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, leave, wait := w.pipe(t, w.caller("alice"), "2025-11-25")
		w.add("alice", "made elsewhere")
		c.hears("list")
		leave()
		require.NoError(t, wait())
	})
}

func TestStdioKnowsScopesAndTheEndOfTokens(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _, _ := w.pipe(t, w.caller("alice", ScopeRead), "2025-11-25")
		c.call("list_tasks", nil)
		_, err := c.CallTool(t.Context(), &sdk.CallToolParams{Name: "add_task", Arguments: map[string]any{"title": "x"}})
		require.ErrorContains(t, err, "lacks the scope tasks:write")

		caller := w.caller("alice")
		caller.Expires = time.Now().Add(time.Second)
		late, _, _ := w.pipe(t, caller, "2025-11-25")
		for err = nil; err == nil; {
			_, err = late.CallTool(t.Context(), &sdk.CallToolParams{Name: "list_tasks"})
			require.Less(t, time.Since(caller.Expires), patience)
		}
		require.ErrorContains(t, err, "expired")
	})
}
