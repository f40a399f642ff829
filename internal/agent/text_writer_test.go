package agent

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"errand/internal/run"
	"errand/internal/stream"

	"github.com/stretchr/testify/require"
)

// TestTakeCheckpoint_LongReply_WritesFewBytes streams 200,000 characters at 100 tokens a second. The engines write the
// whole text at each checkpoint; rewriting it each second took 50 MB.
func TestTakeCheckpoint_LongReply_WritesFewBytes(t *testing.T) {
	now := time.Unix(0, 0)
	w := newTextWriter(stream.NewHub(), run.Job{ConversationID: "conv_1", MessageID: "msg_1"}, "")
	w.now, w.storedAt = func() time.Time { return now }, now
	var stored strings.Builder
	written, longest, last := 0, time.Duration(0), now
	for range 50_000 {
		now = now.Add(10 * time.Millisecond)
		w.append("four")
		unstored, due := w.takeCheckpoint()
		if !due {
			continue
		}
		stored.WriteString(unstored)
		written += stored.Len()
		longest, last = max(longest, now.Sub(last)), now
	}
	w.close()
	require.True(t, strings.HasPrefix(w.text(), stored.String()), "checkpoints append without a gap")
	require.Less(t, written, 8_000_000)
	require.LessOrEqual(t, longest, maxCheckpointInterval)
}

func TestFit_Limit_KeepsCharactersWhole(t *testing.T) {
	w := newTextWriter(stream.NewHub(), run.Job{ConversationID: "conv_1", MessageID: "msg_1"}, "one")
	defer w.close()
	w.beginStep()
	text, full := w.fit("🦊🦊", 8) // 3 and the separator's 2 are used
	require.Equal(t, "🦊", text)
	require.True(t, full)
	w.append(text)
	text, full = w.fit("x", 8)
	require.Equal(t, "x", text)
	require.False(t, full, "a reply of exactly the limit is whole")
	w.append(text)
	text, full = w.fit("y", 8)
	require.Empty(t, text)
	require.True(t, full)
}

// TestAppend_Subscribers_GetTextAtOnceUnlessTheyAreBusy counts the events of 300 ms with a word each 5 ms.
func TestAppend_Subscribers_GetTextAtOnceUnlessTheyAreBusy(t *testing.T) {
	const words, wordInterval = 60, 5 * time.Millisecond
	for _, c := range []struct {
		name  string
		write time.Duration // how long a subscriber takes to pass an event on
		most  int
	}{
		{"fast", 0, words*int(wordInterval)/int(minTextInterval) + 1},
		{"busy", 20 * time.Millisecond, words*int(wordInterval)/int(20*time.Millisecond) + 1},
		{"stuck", time.Hour, words*int(wordInterval)/int(maxTextDelay) + 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hub := stream.NewHub()
				s := hub.Subscribe("conv_1")
				ctx, stop := context.WithCancel(t.Context())
				go func() {
					defer s.Close()
					for ctx.Err() == nil {
						if _, err := s.Next(ctx); err == nil {
							pause(ctx, c.write)
						}
					}
				}()
				w := newTextWriter(hub, run.Job{ConversationID: "conv_1", MessageID: "msg_1"}, "")
				synctest.Wait()
				before := hub.Deltas()
				w.append("first ")
				require.Equal(t, before+1, hub.Deltas(), "the first text is published at once")
				for range words {
					pause(ctx, wordInterval)
					w.append("word ")
				}
				w.close()
				published := int(hub.Deltas() - before) //nolint:gosec // small
				t.Logf("%d events", published)
				require.LessOrEqual(t, published, c.most+1)
				require.GreaterOrEqual(t, published, c.most-2)
				stop()
				synctest.Wait()
			})
		})
	}
}

// pause waits in the time of the test's bubble.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
