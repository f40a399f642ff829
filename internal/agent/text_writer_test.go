package agent

import (
	"strings"
	"testing"
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
