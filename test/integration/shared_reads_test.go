package integration

import (
	"math"
	"strings"
	"testing"

	"errand/internal/stream"
	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// watchedStreams are the streams in which a turn that adds a task appears. cursor is the one to subscribe with: that
// of the start, so that no change is missed. A subscription has received all of a turn with the event for which done
// holds.
var watchedStreams = []struct {
	name, document, cursor string
	done                   func(payload, replyID, taskCursor string) bool
}{
	{
		name: "messages",
		document: `subscription ($id: ID!) { messageStream(conversationId: $id) { __typename cursor
			... on MessageAdded { message { ` + testclient.MessageFields + ` } }
			... on MessageDelta { messageId offset text }
			... on ToolCallChanged { messageId toolCall { ` + testclient.ToolCallFields + ` changes { id } } }
			... on MessageFinished { message { ` + testclient.MessageFields + ` changes { id task { title } }
				conversation { id title } } } } }`,
		done: func(payload, replyID, _ string) bool {
			return strings.Contains(payload, `"MessageFinished"`) && strings.Contains(payload, replyID)
		},
	},
	{
		name: "tasks",
		document: `subscription ($after: Cursor) { taskStream(after: $after) { cursor kind
			task { id title changes(first: 3) { nodes { id } } } change { id fields { name } } } }`,
		cursor: stream.TaskCursor(0),
		done:   func(payload, _, taskCursor string) bool { return strings.Contains(payload, taskCursor) },
	},
	{
		name: "conversations",
		document: `subscription ($after: Cursor) { conversationStream(after: $after) { __typename cursor
			... on ConversationChanged { conversation { id title lastMessage { id status content } } } } }`,
		cursor: stream.ConversationCursor(0),
		done: func(payload, replyID, _ string) bool {
			return strings.Contains(payload, `"COMPLETED"`) && strings.Contains(payload, replyID)
		},
	},
}

// readsMerged is how many statements one subscriber may save because it reads several changes at once.
const readsMerged = 15

// TestStatements_MoreSubscribers_SameCount sends the same turn, which calls a tool, to 1, 10 and 50 subscribers of each
// stream: the rows of a change are read once for all of them.
func TestStatements_MoreSubscribers_SameCount(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		n := harness.CountStatements(b)
		for _, s := range watchedStreams {
			chat := &harness.Conversation{Client: b.Client(t, s.name)}
			chat.SendAndWait(t, "Add a task to call Bob")
			vars := testclient.Vars{"after": s.cursor}
			if s.cursor == "" {
				vars = testclient.Vars{"id": chat.ID}
			}
			var socket *testclient.Socket
			var subscriptions []*testclient.Subscription
			counts := map[int]int64{}
			for _, subscribers := range []int{1, 10, 50} {
				for i := len(subscriptions); i < subscribers; i++ {
					if i%10 == 0 {
						socket = chat.Client.Dial(t)
					}
					subscriptions = append(subscriptions, socket.Subscribe(t, s.document, vars))
				}
				counts[subscribers] = int64(math.MaxInt64)
				for range 4 {
					before := n.Load()
					reply := chat.SendAndWait(t, "Add a task to call Bob")
					cursor := testclient.Run[struct{ Tasks struct{ StreamCursor string } }](t, chat.Client,
						`{ tasks { streamCursor } }`, nil).Tasks.StreamCursor
					for _, sub := range subscriptions {
						awaitPayload(t, sub, func(payload string) bool { return s.done(payload, reply.ID, cursor) })
					}
					counts[subscribers] = min(counts[subscribers], n.Load()-before)
				}
			}
			t.Logf("%s: statements by subscribers: %v", s.name, counts)
			require.LessOrEqual(t, counts[10], counts[1]+readsMerged, s.name)
			require.LessOrEqual(t, counts[50], counts[1]+readsMerged, s.name)
		}
	}, harness.GenerousLimits)
}

func awaitPayload(t *testing.T, sub *testclient.Subscription, done func(payload string) bool) {
	t.Helper()
	for {
		payload, err := sub.Next(t.Context())
		require.NoError(t, err)
		if done(string(payload)) {
			return
		}
	}
}
