package chat_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/rule"
	"errand/internal/apperr"
	"errand/internal/chat"
	"errand/internal/page"
	"errand/internal/store"
	"errand/internal/stream"
	"errand/internal/testdb"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// idle is a run engine that writes nothing.
type idle struct {
	refuse error
	woken  int
}

// Enqueue implements chat.Runs.
func (r *idle) Enqueue(
	ctx context.Context,
	tx *ent.Tx,
	conversationID, messageID string,
	position int,
) (*ent.Run, error) {
	if r.refuse != nil {
		return nil, r.refuse
	}
	return tx.Run.Create().SetConversationID(conversationID).SetMessageID(messageID).SetPosition(position).Save(ctx)
}

// Wake implements chat.Runs.
func (r *idle) Wake() { r.woken++ }

// Cancel implements chat.Runs.
func (r *idle) Cancel(context.Context, string) (bool, error) { return false, nil }

// desk is the service with one person at it.
type desk struct {
	*chat.Service
	runs   *idle
	client *ent.Client
}

func each(t *testing.T, test func(t *testing.T, ctx context.Context, d *desk)) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		d := &desk{runs: &idle{}, client: db.Client()}
		d.Service = chat.NewService(db.Client(), stream.NewHub(), d.runs, chat.Limits{UnfinishedReplies: 5, MessagesPerMinute: 50})
		u := db.Client().User.Create().SetSubject("alice").SaveX(rule.System(t.Context()))
		test(t, viewer.NewContext(t.Context(), viewer.Viewer{UserID: u.ID}), d)
	})
}

func (d *desk) say(t *testing.T, ctx context.Context, conversation *ent.Conversation, content string) *chat.Turn {
	t.Helper()
	in := chat.SendMessageInput{Content: content}
	if conversation != nil {
		in.ConversationID = &conversation.ID
	}
	turn, err := d.SendMessage(ctx, in)
	require.NoError(t, err)
	return turn
}

func TestATurnIsStoredWholeOrNotAtAll(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, d *desk) {
		turn := d.say(t, ctx, nil, "Hello")
		require.Equal(t, 1, turn.UserMessage.Position)
		require.Equal(t, enum.MessageCompleted, turn.UserMessage.Status)
		require.Equal(t, 2, turn.AssistantMessage.Position)
		require.Equal(t, enum.MessagePending, turn.AssistantMessage.Status)
		require.Equal(t, 1, d.runs.woken)

		d.runs.refuse = errors.New("no run")
		_, err := d.SendMessage(ctx, chat.SendMessageInput{Content: "lost"})
		require.ErrorIs(t, err, d.runs.refuse)
		_, err = d.SendMessage(ctx, chat.SendMessageInput{ConversationID: &turn.Conversation.ID, Content: "lost"})
		require.ErrorIs(t, err, d.runs.refuse)
		require.Equal(t, 2, d.client.Message.Query().CountX(ctx))
		require.Equal(t, 1, d.client.Conversation.Query().CountX(ctx))
		require.Equal(t, 1, d.runs.woken)

		d.runs.refuse = nil
		again := d.say(t, ctx, turn.Conversation, "again")
		require.Equal(t, 3, again.UserMessage.Position, "positions have no gaps")
	})
}

func TestTitlesComeFromTheFirstMessage(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, d *desk) {
		fox := strings.Repeat("🦊", 70)
		for content, want := range map[string]string{
			"Buy milk":                            "Buy milk",
			" Buy   milk\tnow \nand more":         "Buy milk now",
			strings.Repeat("word ", 30):           strings.TrimSpace(strings.Repeat("word ", 12)) + "…",
			fox:                                   strings.Repeat("🦊", 60) + "…",
			"a " + fox:                            "a…",
			strings.Repeat("w", 60) + " too long": strings.Repeat("w", 60) + "…",
		} {
			turn, err := d.SendMessage(ctx, chat.SendMessageInput{Content: content})
			require.NoError(t, err)
			require.Equal(t, want, turn.Conversation.Title, "%q", content)
			d.client.Message.Update().SetStatus(enum.MessageCompleted).ExecX(ctx)
		}
	})
}

func TestAStreamOpensAtTheEarliestUnfinishedTurn(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, d *desk) {
		first := d.say(t, ctx, nil, "1")
		second := d.say(t, ctx, first.Conversation, "2")
		d.say(t, ctx, first.Conversation, "3")
		opening := func() (positions []int) {
			rows, err := d.MessagesFrom(ctx, first.Conversation.ID, 0)
			require.NoError(t, err)
			for _, m := range rows {
				positions = append(positions, m.Position)
			}
			return positions
		}
		require.Equal(t, []int{1, 2, 3, 4, 5, 6}, opening())
		finish := func(m *ent.Message) {
			d.client.Message.UpdateOneID(m.ID).SetStatus(enum.MessageCompleted).ExecX(ctx)
		}
		finish(first.AssistantMessage)
		require.Equal(t, []int{3, 4, 5, 6}, opening())
		finish(second.AssistantMessage)
		require.Equal(t, []int{5, 6}, opening())
		d.client.Message.Update().SetStatus(enum.MessageCancelled).ExecX(ctx)
		require.Equal(t, []int{5, 6}, opening(), "the newest turn is always there")

		empty, err := d.CreateConversation(ctx, nil)
		require.NoError(t, err)
		rows, err := d.MessagesFrom(ctx, empty.ID, 0)
		require.NoError(t, err)
		require.Empty(t, rows)
		_, err = d.MessagesFrom(ctx, "conv_none", 0)
		require.Equal(t, apperr.NotFound, apperr.CodeOf(err))
	})
}

func TestPagesOfSeveralConversationsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, d *desk) {
		one := d.say(t, ctx, nil, "a").Conversation
		two := d.say(t, ctx, nil, "b").Conversation
		two = d.say(t, ctx, two, "c").Conversation
		empty, err := d.CreateConversation(ctx, nil)
		require.NoError(t, err)
		size := 3
		pages, err := d.MessagesByConversation(ctx, []*ent.Conversation{one, two, empty}, page.Args{Last: &size})
		require.NoError(t, err)
		require.Len(t, pages[one.ID].Edges, 2)
		require.Len(t, pages[two.ID].Edges, 3)
		require.Equal(t, 2, pages[two.ID].Nodes()[0].Position)
		require.Empty(t, pages[empty.ID].Edges)
		total, err := pages[two.ID].TotalCount(ctx)
		require.NoError(t, err)
		require.Equal(t, 4, total)
	})
}

func TestLimitsAreTheDatabases(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, d *desk) {
		c := d.say(t, ctx, nil, "0").Conversation
		for range 4 {
			d.say(t, ctx, c, "more")
		}
		_, err := d.SendMessage(ctx, chat.SendMessageInput{Content: "one too many"})
		require.Equal(t, apperr.RateLimited, apperr.CodeOf(err))
		require.Positive(t, apperr.From(err).RetryAfter)
		d.client.Message.Update().SetStatus(enum.MessageFailed).ExecX(ctx)
		for range 45 {
			d.say(t, ctx, c, "more")
			d.client.Message.Update().SetStatus(enum.MessageCompleted).ExecX(ctx)
		}
		_, err = d.SendMessage(ctx, chat.SendMessageInput{Content: "one too many"})
		require.Equal(t, apperr.RateLimited, apperr.CodeOf(err))
	})
}
