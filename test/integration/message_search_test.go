package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"errand/ent/message"
	"errand/ent/rule"
	"errand/internal/account"
	"errand/internal/ids"
	"errand/internal/testclient"
	"errand/internal/viewer"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

const messageSearchDoc = `query ($q: String!, $first: Int, $after: Cursor) {
	searchMessages(query: $q, first: $first, after: $after) {
		edges { cursor node { snippet conversation { id title archivedAt } message { id role content conversation { id } } } }
		nodes { message { id } }
		pageInfo { hasNextPage endCursor }
	}
}`

type messageMatches struct {
	Edges []struct {
		Cursor string
		Node   struct {
			Snippet      string
			Conversation struct {
				ID, Title  string
				ArchivedAt *string
			}
			Message struct {
				ID, Role, Content string
				Conversation      struct{ ID string }
			}
		}
	}
	PageInfo struct {
		HasNextPage bool
		EndCursor   string
	}
}

// searchMessages returns the contents of the messages of the user that a search finds, in their order.
func searchMessages(t *testing.T, c *testclient.Client, query string) []string {
	t.Helper()
	return searchMessagesOf(t, c, "USER", query)
}

func searchMessagesOf(t *testing.T, c *testclient.Client, role, query string) []string {
	t.Helper()
	found := searchMessagesPage(t, c, testclient.Vars{"q": query, "first": 100})
	contents := []string{}
	for _, e := range found.Edges {
		require.Equal(t, e.Node.Conversation.ID, e.Node.Message.Conversation.ID)
		if e.Node.Message.Role == role {
			contents = append(contents, e.Node.Message.Content)
		}
	}
	return contents
}

func searchMessagesPage(t *testing.T, c *testclient.Client, vars testclient.Vars) messageMatches {
	t.Helper()
	return testclient.Run[struct{ SearchMessages messageMatches }](t, c, messageSearchDoc, vars).SearchMessages
}

func TestSearchMessages_Words_FindMessagesAndReplies(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		first := &harness.Conversation{Client: c}
		added := first.SendAndWait(t, "Add a task to buy Äpfel")
		first.SendAndWait(t, "Zebra 東京都 crossing")
		second := &harness.Conversation{Client: c}
		second.SendAndWait(t, "zebras again")

		require.Equal(t, []string{"zebras again", "Zebra 東京都 crossing"}, searchMessages(t, c, "ZEB"))
		require.Equal(t, []string{"Zebra 東京都 crossing"}, searchMessages(t, c, "cross zebra"))
		require.Equal(t, []string{"Zebra 東京都 crossing"}, searchMessages(t, c, "京都"))
		require.Equal(t, []string{"Add a task to buy Äpfel"}, searchMessages(t, c, "apfel"))
		require.Equal(t, []string{added.Content}, searchMessagesOf(t, c, "ASSISTANT", "apfel"), "the reply names the task")
		require.Empty(t, searchMessages(t, c, "ebra"))
		require.Empty(t, searchMessages(t, c, "zebra nowhere"))
		require.Empty(t, searchMessages(t, c, "\u200b"))
		require.Empty(t, searchMessages(t, b.Client(t, "bob"), "zebra"))

		page := searchMessagesPage(t, c, testclient.Vars{"q": "zebra", "first": 3})
		require.True(t, page.PageInfo.HasNextPage)
		page = searchMessagesPage(t, c, testclient.Vars{"q": "zebra", "first": 3, "after": page.PageInfo.EndCursor})
		require.False(t, page.PageInfo.HasNextPage)
		require.Len(t, page.Edges, 1)
		require.Equal(t, "Zebra 東京都 crossing", page.Edges[0].Node.Snippet)

		for _, query := range []string{"", "  ", strings.Repeat("x", 201), strings.Repeat("x ", 21)} {
			response := c.Try(t, messageSearchDoc, testclient.Vars{"q": query})
			require.Equal(t, "BAD_USER_INPUT query", response.ErrorCode(), "%q", query)
		}

		updateConversation(t, c, testclient.Vars{"id": first.ID, "archived": true})
		archived := searchMessagesPage(t, c, testclient.Vars{"q": "crossing"})
		require.NotNil(t, archived.Edges[0].Node.Conversation.ArchivedAt)
		requireExactCounters(t, b, c)

		deleteConversation(t, c, first.ID)
		require.Equal(t, []string{"zebras again"}, searchMessages(t, c, "zebra"))
		requireExactCounters(t, b, c)
		requireNoOrphanedTerms(t, b)
	})
}

// requireNoOrphanedTerms checks that the search index has entries of stored messages only, and as many as these count.
func requireNoOrphanedTerms(t *testing.T, b *harness.Env) {
	t.Helper()
	require.Zero(t, b.Count(t, `SELECT count(*) FROM message_terms WHERE message_id NOT IN (SELECT id FROM messages)`))
	require.Equal(t, b.Count(t, `SELECT CAST(COALESCE(SUM(term_count), 0) AS BIGINT) FROM messages`),
		b.Count(t, `SELECT count(*) FROM message_terms`))
}

// TestSearchMessages_LongMessage_SnippetShowsTheWord searches for a word in the middle of a long message.
func TestSearchMessages_LongMessage_SnippetShowsTheWord(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		text := strings.Repeat("filler words\n", 100) + "the Zébra stands here " + strings.Repeat("and more ", 100)
		(&harness.Conversation{Client: c}).SendAndWait(t, text)
		found := searchMessagesPage(t, c, testclient.Vars{"q": "zebra stands here and more filler", "first": 1})
		snippet := found.Edges[0].Node.Snippet
		require.Contains(t, snippet, "filler words the Zébra stands here and more")
		require.True(t, strings.HasPrefix(snippet, "…") && strings.HasSuffix(snippet, "…"), snippet)
		require.LessOrEqual(t, len([]rune(snippet)), 162)
	})
}

// TestSearchMessages_MessagesOfEarlierRelease_AreIndexed removes messages from the index, as a migrated database has
// them, and indexes them in the background. Then it deletes a conversation that is longer than a transaction removes.
func TestSearchMessages_MessagesOfEarlierRelease_AreIndexed(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		talk := &harness.Conversation{Client: c}
		talk.SendAndWait(t, "Zebra crossing")
		id := harness.ViewerID(t, c)
		ctx := viewer.NewContext(t.Context(), viewer.Viewer{UserID: id})
		client := b.DB.Client()
		const more = 250
		last := client.Conversation.GetX(ctx, talk.ID).MessageCount
		for i := range more {
			old := client.Message.Create().SetConversationID(talk.ID).SetPosition(last + i + 1).SetRole("USER").
				SetContent(fmt.Sprintf("old zebra %d", i))
			old.SetFinishedAt(ids.Now()).SaveX(ctx)
		}
		client.Conversation.UpdateOneID(talk.ID).SetMessageCount(last + more).ExecX(ctx)
		require.Equal(t, []string{"Zebra crossing"}, searchMessages(t, c, "zebra"))
		for again := true; again; {
			var err error
			again, err = b.Services.Chat.IndexMessages(ctx)
			require.NoError(t, err)
		}
		require.Zero(t, client.Message.Query().Where(message.TermCountIsNil()).CountX(ctx))
		require.Len(t, searchMessages(t, c, "zebra"), 100, "a full page")
		require.Equal(t, []string{"old zebra 249"}, searchMessages(t, c, "zebra 249"))
		requireNoOrphanedTerms(t, b)

		_, err := account.CheckCounters(rule.System(context.Background()), b.DB, 10, true) // the rows were inserted uncounted
		require.NoError(t, err)
		deleteConversation(t, c, talk.ID)
		require.Empty(t, searchMessages(t, c, "zebra"))
		require.Zero(t, b.Count(t, `SELECT count(*) FROM message_terms`))
		requireExactCounters(t, b, c)
	})
}
