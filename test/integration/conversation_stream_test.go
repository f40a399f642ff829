package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"errand/ent/rule"
	"errand/internal/page"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/internal/viewer"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

const conversationStreamDoc = `subscription ($after: Cursor) { conversationStream(after: $after) { __typename cursor
	... on ConversationChanged { conversationEdge { cursor node { id title archivedAt
		lastMessage { role status content } } } }
	... on ConversationDeleted { deletedId } } }`

// listedConversation is a conversation as a client's list holds it.
type listedConversation struct {
	ID          string
	Title       string
	ArchivedAt  *time.Time
	LastMessage *struct{ Role, Status, Content string }
}

// conversationEvent is an event of conversationStream.
type conversationEvent struct {
	Kind             string `json:"__typename"`
	Cursor           string
	DeletedID        string
	ConversationEdge struct {
		Cursor string
		Node   listedConversation
	}
}

// conversationList is a client's list of conversations by ID, kept up to date by the stream.
type conversationList struct {
	cursor string
	byID   map[string]listedConversation
	resets int
}

func newConversationList() *conversationList {
	return &conversationList{
		byID:   map[string]listedConversation{},
		cursor: page.PositionCursor("conversationStream", 0).Encode(),
	}
}

func nextConversationEvent(t *testing.T, s *testclient.Subscription) conversationEvent {
	t.Helper()
	payload, err := s.Next(t.Context())
	require.NoError(t, err)
	var response struct {
		Data   struct{ ConversationStream conversationEvent }
		Errors testclient.Errors
	}
	require.NoError(t, json.Unmarshal(payload, &response))
	require.Empty(t, response.Errors)
	return response.Data.ConversationStream
}

// subscribe resumes the stream of the list.
func (l *conversationList) subscribe(t *testing.T, c *testclient.Client) *testclient.Subscription {
	return c.Dial(t).Subscribe(t, conversationStreamDoc, testclient.Vars{"after": l.cursor})
}

// until applies events until done holds.
func (l *conversationList) until(t *testing.T, s *testclient.Subscription, done func() bool) {
	t.Helper()
	for !done() {
		e := nextConversationEvent(t, s)
		l.cursor = e.Cursor
		switch e.Kind {
		case "ConversationChanged":
			l.byID[e.ConversationEdge.Node.ID] = e.ConversationEdge.Node
		case "ConversationDeleted":
			delete(l.byID, e.DeletedID)
		case "ConversationsReset":
			l.resets++
		}
	}
}

func (l *conversationList) has(id, title string) func() bool {
	return func() bool { return l.byID[id].Title == title }
}

func (l *conversationList) lacks(id string) func() bool {
	return func() bool { _, found := l.byID[id]; return !found }
}

func createConversation(t *testing.T, c *testclient.Client, title string) string {
	t.Helper()
	return testclient.Run[struct {
		CreateConversation struct{ Conversation struct{ ID string } }
	}](t, c, `mutation ($t: String) { createConversation(input: {title: $t}) { conversation { id } } }`,
		testclient.Vars{"t": title}).CreateConversation.Conversation.ID
}

func updateConversation(t *testing.T, c *testclient.Client, in testclient.Vars) listedConversation {
	t.Helper()
	return testclient.Run[struct {
		UpdateConversation struct{ Conversation listedConversation }
	}](t, c, `mutation ($in: UpdateConversationInput!) { updateConversation(input: $in) { conversation {
		id title archivedAt } conversationEdge { cursor } } }`, testclient.Vars{"in": in}).UpdateConversation.Conversation
}

func deleteConversation(t *testing.T, c *testclient.Client, id string) {
	t.Helper()
	response := c.Try(t, `mutation ($id: ID!) { deleteConversation(id: $id) { deletedId } }`, testclient.Vars{"id": id})
	require.Empty(t, response.Errors)
}

func TestConversationStream_EveryChange_IsSent(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		l := newConversationList()
		live := l.subscribe(t, c)
		id := createConversation(t, c, "First")
		l.until(t, live, l.has(id, "First"))
		updateConversation(t, c, testclient.Vars{"id": id, "title": "Second"})
		l.until(t, live, l.has(id, "Second"))
		updateConversation(t, c, testclient.Vars{"id": id, "archived": true})
		l.until(t, live, func() bool { return l.byID[id].ArchivedAt != nil })
		harness.Send(t, c, id, "Hello")
		l.until(t, live, func() bool { return l.byID[id].LastMessage != nil })
		require.Nil(t, l.byID[id].ArchivedAt, "a message takes the conversation out of the archive")
		require.Equal(t, "Second", l.byID[id].Title)
		l.until(t, live, func() bool { return l.byID[id].LastMessage.Status == "COMPLETED" })
		require.NotEmpty(t, l.byID[id].LastMessage.Content)
		deleteConversation(t, c, id)
		l.until(t, live, l.lacks(id))
		require.Zero(t, l.resets)
	})
}

// A client that was disconnected receives what has changed meanwhile, and nothing of other users.
func TestConversationStream_AfterCursor_ResumesWithoutLoss(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c, other := b.Client(t, "alice"), b.Client(t, "bob")
		l := newConversationList()
		kept, renamed, deleted := createConversation(
			t,
			c,
			"Kept",
		), createConversation(
			t,
			c,
			"Old",
		), createConversation(
			t,
			c,
			"Gone",
		)
		first := l.subscribe(t, c)
		l.until(t, first, l.has(deleted, "Gone"))
		first.Stop()

		updateConversation(t, c, testclient.Vars{"id": renamed, "title": "New"})
		deleteConversation(t, c, deleted)
		foreign := createConversation(t, other, "Foreign")
		deleteConversation(t, other, createConversation(t, other, "Foreign too"))
		var made []string // more than are read at once
		for i := range 130 {
			made = append(made, createConversation(t, c, fmt.Sprint("Made ", i)))
		}
		last := made[len(made)-1]
		l.until(t, l.subscribe(t, c), l.has(last, "Made 129"))
		require.Equal(t, "Kept", l.byID[kept].Title)
		require.Equal(t, "New", l.byID[renamed].Title)
		require.True(t, l.lacks(deleted)())
		require.True(t, l.lacks(foreign)())
		require.Len(t, l.byID, 132)
		require.Zero(t, l.resets)
	})
}

func TestConversationStream_PurgedOrUnknownCursor_Resets(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		l := newConversationList()
		deleted, kept := createConversation(t, c, "Gone"), createConversation(t, c, "Kept")
		l.until(t, l.subscribe(t, c), l.has(kept, "Kept"))
		deleteConversation(t, c, deleted)
		as := viewer.NewContext(context.Background(), viewer.Viewer{UserID: harness.ViewerID(t, c)})
		purge := func() (tombstones int) {
			more, err := b.Services.Chat.PurgeTombstones(as)
			require.NoError(t, err)
			require.False(t, more)
			return b.SystemClient(t).ConversationTombstone.Query().CountX(as)
		}
		require.Equal(t, 1, purge(), "tombstones of 30 days stay")
		age := "UPDATE conversation_tombstones SET deleted_at = $1"
		_, err := b.SystemClient(t).ExecContext(rule.System(context.Background()), age, time.Now().UTC().AddDate(0, 0, -31))
		require.NoError(t, err)
		require.Zero(t, purge())

		before := l.cursor
		next := createConversation(t, c, "Next")
		resumed := l.subscribe(t, c)
		l.until(t, resumed, func() bool { return l.resets == 1 })
		require.NotEqual(t, before, l.cursor)
		updateConversation(t, c, testclient.Vars{"id": next, "title": "Live again"})
		l.until(t, resumed, l.has(next, "Live again"))
		require.Equal(t, 1, l.resets)

		l.until(t, l.subscribe(t, c), func() bool {
			updateConversation(t, c, testclient.Vars{"id": next, "title": "Resumed"})
			return l.byID[next].Title == "Resumed"
		})
		require.Equal(t, 1, l.resets, "the cursor of a reset is valid")

		l.cursor = page.PositionCursor("conversationStream", 1_000_000).Encode() // as after the restore of a backup
		l.until(t, l.subscribe(t, c), func() bool { return l.resets == 2 })
	})
}

// The replica is killed after a deletion has committed and before its event is published.
func TestConversationStream_ReplicaKilledBeforePublish_OtherReplicaSends(t *testing.T) {
	t.Parallel()
	all := startReplicas(t, testdb.PostgresURL(t), 2)
	a, b := all[0].Client("alice"), all[1].Client("alice")
	l := newConversationList()
	live := l.subscribe(t, b)
	id, deleted := createConversation(t, a, "On a"), createConversation(t, a, "Gone")
	l.until(t, live, l.has(deleted, "Gone"))
	updateConversation(t, a, testclient.Vars{"id": id, "title": "Renamed on a"})
	l.until(t, live, l.has(id, "Renamed on a"))
	deleteConversation(t, a, deleted)
	all[0].Kill()
	l.until(t, live, l.lacks(deleted))
	updateConversation(t, b, testclient.Vars{"id": id, "title": "Renamed on b"})
	l.until(t, live, l.has(id, "Renamed on b"))
	require.Zero(t, l.resets)
}

// A server on SQLite is killed; the client resumes at the next one.
func TestConversationStream_ServerKilled_ResumesWithoutLoss(t *testing.T) {
	t.Parallel()
	url := testdb.SQLiteURL(t)
	p := harness.StartProcess(t, url)
	c := p.Client("alice")
	l := newConversationList()
	id, deleted := createConversation(t, c, "Old"), createConversation(t, c, "Gone")
	l.until(t, l.subscribe(t, c), l.has(deleted, "Gone"))
	updateConversation(t, c, testclient.Vars{"id": id, "title": "New"})
	deleteConversation(t, c, deleted)
	p.Kill()
	c = harness.StartProcess(t, url).Client("alice")
	l.until(t, l.subscribe(t, c), func() bool { return l.has(id, "New")() && l.lacks(deleted)() })
}

// A client that reads the list and then subscribes misses nothing in between.
func TestConversations_StreamCursor_StartsStreamAtList(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		createConversation(t, c, "Listed")
		l := newConversationList()
		l.cursor = testclient.Run[struct{ Conversations struct{ StreamCursor string } }](t, c,
			`{ conversations { streamCursor } }`, nil).Conversations.StreamCursor
		between := createConversation(t, c, "In between")
		l.until(t, l.subscribe(t, c), l.has(between, "In between"))
		require.Len(t, l.byID, 1)
	})
}

func TestConversations_Filter_SelectsByTitleAndArchive(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		for _, title := range []string{"Züri trip", "Groceries", "Trip to Rome", "空港への道"} {
			createConversation(t, c, title)
		}
		archived := createConversation(t, c, "Trip of last year")
		at := updateConversation(t, c, testclient.Vars{"id": archived, "archived": true}).ArchivedAt
		require.NotNil(t, at)
		require.Equal(t, at, updateConversation(t, c, testclient.Vars{"id": archived, "archived": true}).ArchivedAt)
		type list struct {
			Conversations struct {
				Nodes      []struct{ Title string }
				TotalCount int
				PageInfo   struct {
					HasNextPage bool
					EndCursor   *string
				}
			}
		}
		titles := func(filter testclient.Vars) (out []string) {
			var after *string
			for {
				got := testclient.Run[list](t, c, `query ($f: ConversationFilter, $a: Cursor) { conversations(first: 2, after: $a,
					filter: $f) { nodes { title } totalCount pageInfo { hasNextPage endCursor } } }`,
					testclient.Vars{"f": filter, "a": after}).Conversations
				for _, n := range got.Nodes {
					out = append(out, n.Title)
				}
				if !got.PageInfo.HasNextPage {
					require.Equal(t, len(out), got.TotalCount, "%v", filter)
					return out
				}
				after = got.PageInfo.EndCursor
			}
		}
		require.Equal(t, []string{"空港への道", "Trip to Rome", "Groceries", "Züri trip"}, titles(nil))
		require.Equal(t, []string{"Trip to Rome", "Züri trip"}, titles(testclient.Vars{"search": "TRI"}))
		require.Equal(t, []string{"Züri trip"}, titles(testclient.Vars{"search": "zuri  trip", "archived": false}))
		require.Equal(t, []string{"空港への道"}, titles(testclient.Vars{"search": "空港"}))
		require.Empty(t, titles(testclient.Vars{"search": "rip"}))
		require.Equal(t, []string{"Trip of last year"}, titles(testclient.Vars{"archived": true}))
		require.Equal(t, []string{"Trip of last year"}, titles(testclient.Vars{"archived": true, "search": "trip"}))
		require.Len(t, titles(testclient.Vars{"search": " "}), 4)
		require.Nil(t, updateConversation(t, c, testclient.Vars{"id": archived, "archived": false}).ArchivedAt)
		require.Len(t, titles(nil), 5)
	})
}

func TestConversations_LastMessage_IsReadInOneStatement(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		createConversation(t, c, "Empty")
		for i := range 5 {
			(&harness.Conversation{Client: c}).SendAndWait(t, fmt.Sprint("Hello ", i))
		}
		const doc = `{ conversations { nodes { title lastMessageAt lastMessage { role content createdAt } } } }`
		counter := harness.CountStatements(b)
		got := testclient.Run[struct {
			Conversations struct {
				Nodes []struct {
					Title         string
					LastMessageAt *time.Time
					LastMessage   *struct {
						Role, Content string
						CreatedAt     time.Time
					}
				}
			}
		}](t, c, doc, nil).Conversations.Nodes
		statements := counter.Load()
		require.Len(t, got, 6)
		for _, n := range got[:5] {
			require.Equal(t, "ASSISTANT", n.LastMessage.Role)
			require.NotEmpty(t, n.LastMessage.Content)
			require.Equal(t, n.LastMessage.CreatedAt, *n.LastMessageAt)
		}
		require.Nil(t, got[5].LastMessage)
		require.Nil(t, got[5].LastMessageAt)
		require.LessOrEqual(t, statements, int64(5), "the list, the messages, their times, and the account")
	})
}
