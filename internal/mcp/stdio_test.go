package mcp

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"errand/internal/stream"
	"errand/internal/viewer"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// connectStdio serves a client over a pair of pipes until it leaves. wait returns when the server has ended.
func (w *fixture) connectStdio(t *testing.T, v viewer.Viewer, revision string) (c *client, leave func(),
	wait func() error,
) {
	t.Helper()
	transport, leave, wait := w.serveStdio(t, v)
	return join(t, transport, revision), leave, wait
}

// serveStdio serves the client of the transport until it leaves. wait returns when the server has ended.
func (w *fixture) serveStdio(t *testing.T, v viewer.Viewer) (transport sdk.Transport, leave func(), wait func() error) {
	t.Helper()
	toServer, fromClient := io.Pipe()
	toClient, fromServer := io.Pipe()
	ctx, leave := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		err := w.server.ServeStdio(viewer.NewContext(ctx, v), toServer, fromServer)
		_ = fromServer.Close()
		ended <- err
	}()
	t.Cleanup(leave)
	return &sdk.IOTransport{Reader: toClient, Writer: fromClient}, leave, func() error {
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			t.Fatal("the server goes on")
			return nil
		}
	}
}

func (w *fixture) viewer(subject string, scopes ...string) viewer.Viewer {
	return viewer.Viewer{
		UserID:  w.userID(subject),
		Actor:   viewer.ActorMCP,
		Scopes:  viewer.NewScopes(scopes),
		Expires: time.Now().Add(time.Hour),
	}
}

// TestWithoutMark_ByteOrderMark_IsDropped checks that nothing but a mark at the start is dropped.
func TestWithoutMark_ByteOrderMark_IsDropped(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "{}": "{}", "\uFEFF{}": "{}", "\uFEFF\uFEFF{}": "\uFEFF{}", "\xEF\xBB": "",
		"\xEF\xBBx{}": "\xEF\xBBx{}", "é": "é",
		"{\uFEFF}": "{\uFEFF}",
	} {
		got, err := io.ReadAll(&withoutMark{ReadCloser: io.NopCloser(iotest.OneByteReader(strings.NewReader(in)))})
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
}

func TestStdio_Session_ServesTools(t *testing.T) {
	for _, revision := range bothRevisions {
		t.Run(revision, func(t *testing.T) {
			eachEngine(t, func(t *testing.T, w *fixture) {
				w.createTask("bob", "his")
				talk, bobs := w.addConversation("alice", 2), w.addConversation("bob", 2)
				events := w.follow(t, "alice")
				c, _, wait := w.connectStdio(t, w.viewer("alice"), revision)
				c.mustCall("add_task", map[string]any{"title": "hers"})
				e := <-events
				require.Equal(t, "Test Desk", e.Change.Client)
				require.EqualValues(t, 1, c.mustCall("list_tasks", nil)["total"])
				require.Equal(t, "hers", c.read(taskURIOf("1"))["task"].(map[string]any)["title"])

				for _, uri := range []string{taskURIOf("1"), conversationURIOf(talk.ID)} {
					require.NoError(t, c.Subscribe(t.Context(), &sdk.SubscribeParams{URI: uri}))
					if revision == revision2026 {
						c.requireNotification("ack " + uri)
					}
				}
				if revision != revision2026 {
					require.ErrorContains(t, c.Subscribe(t.Context(), &sdk.SubscribeParams{URI: conversationURIOf(bobs.ID)}),
						"not found")
				}
				task, err := w.tasks.FindTaskByNumber(w.context("alice"), 1)
				require.NoError(t, err)
				_, err = w.tasks.CompleteTask(w.context("alice"), task.ID)
				require.NoError(t, err)
				c.requireNotification(taskURIOf("1"))
				w.hub.Publish(stream.Event{Kind: stream.RowsChanged, Topic: talk.ID})
				c.requireNotification(conversationURIOf(talk.ID))
				require.NoError(t, c.Unsubscribe(t.Context(), &sdk.UnsubscribeParams{URI: conversationURIOf(talk.ID)}))
				_ = c.Close() // it still cancels its subscription while it closes the pipe
				require.NoError(t, wait())
			})
		})
	}
}

func TestStdio_TaskCreated_NotifiesListChanged(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *fixture) {
		c, leave, wait := w.connectStdio(t, w.viewer("alice"), "2025-11-25")
		w.createTask("alice", "made elsewhere")
		c.requireNotification("list")
		leave()
		require.NoError(t, wait())
	})
}

func TestStdio_ScopesAndExpiry_AreEnforced(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *fixture) {
		c, _, _ := w.connectStdio(t, w.viewer("alice", "tasks:read"), "2025-11-25")
		c.mustCall("list_tasks", nil)
		_, err := c.CallTool(t.Context(), &sdk.CallToolParams{Name: "add_task", Arguments: map[string]any{"title": "x"}})
		require.ErrorContains(t, err, "lacks the scope tasks:write")

		late := w.viewer("alice")
		late.Expires = time.Now().Add(time.Second)
		c, _, _ = w.connectStdio(t, late, "2025-11-25")
		for err = nil; err == nil; {
			_, err = c.CallTool(t.Context(), &sdk.CallToolParams{Name: "list_tasks"})
			require.Less(t, time.Since(late.Expires), patience)
		}
		require.ErrorContains(t, err, "expired")
	})
}
