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

// fakeRuns stores runs but never executes them.
type fakeRuns struct {
	// enqueueErr, when set, is returned by Enqueue.
	enqueueErr error
	// wakes counts the calls of Wake.
	wakes int
}

// Enqueue implements chat.RunEngine.
func (r *fakeRuns) Enqueue(
	ctx context.Context,
	tx *ent.Tx,
	conversationID, messageID string,
	position int,
) (*ent.Run, error) {
	if r.enqueueErr != nil {
		return nil, r.enqueueErr
	}
	return tx.Run.Create().SetConversationID(conversationID).SetMessageID(messageID).SetPosition(position).Save(ctx)
}

// Wake implements chat.RunEngine.
func (r *fakeRuns) Wake() { r.wakes++ }

// Cancel implements chat.RunEngine.
func (r *fakeRuns) Cancel(context.Context, string) (bool, error) { return false, nil }

// environment is the service with one user.
type environment struct {
	*chat.Service
	runs   *fakeRuns
	client *ent.Client
}

// forEachEngine runs the test on SQLite and on PostgreSQL, with the user as viewer of ctx.
func forEachEngine(t *testing.T, test func(t *testing.T, ctx context.Context, e *environment)) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		e := &environment{runs: &fakeRuns{}, client: db.Client()}
		limits := chat.Limits{UnfinishedReplies: 5, MessagesPerMinute: 50}
		e.Service = chat.NewService(db.Client(), stream.NewHub(), e.runs, nil, limits)
		u := db.Client().User.Create().SetSubject("alice").SaveX(rule.System(t.Context()))
		test(t, viewer.NewContext(t.Context(), viewer.Viewer{UserID: u.ID}), e)
	})
}

func (e *environment) send(
	t *testing.T,
	ctx context.Context,
	conversation *ent.Conversation,
	content string,
) *chat.Turn {
	t.Helper()
	in := chat.SendMessageInput{Content: content}
	if conversation != nil {
		in.ConversationID = &conversation.ID
	}
	turn, err := e.SendMessage(ctx, in)
	require.NoError(t, err)
	return turn
}

func TestSendMessage_EnqueueFails_StoresNothing(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		turn := e.send(t, ctx, nil, "Hello")
		require.Equal(t, 1, turn.UserMessage.Position)
		require.Equal(t, enum.MessageCompleted, turn.UserMessage.Status)
		require.Equal(t, 2, turn.AssistantMessage.Position)
		require.Equal(t, enum.MessagePending, turn.AssistantMessage.Status)
		require.Equal(t, 1, e.runs.wakes)

		e.runs.enqueueErr = errors.New("no run")
		_, err := e.SendMessage(ctx, chat.SendMessageInput{Content: "lost"})
		require.ErrorIs(t, err, e.runs.enqueueErr)
		_, err = e.SendMessage(ctx, chat.SendMessageInput{ConversationID: &turn.Conversation.ID, Content: "lost"})
		require.ErrorIs(t, err, e.runs.enqueueErr)
		require.Equal(t, 2, e.client.Message.Query().CountX(ctx))
		require.Equal(t, 1, e.client.Conversation.Query().CountX(ctx))
		require.Equal(t, 1, e.runs.wakes)

		e.runs.enqueueErr = nil
		again := e.send(t, ctx, turn.Conversation, "again")
		require.Equal(t, 3, again.UserMessage.Position, "positions have no gaps")
	})
}

func TestSendMessage_NewConversation_DerivesTitleFromFirstLine(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		fox := strings.Repeat("🦊", 70)
		for content, want := range map[string]string{
			"Buy milk":                            "Buy milk",
			" Buy   milk\tnow \nand more":         "Buy milk now",
			strings.Repeat("word ", 30):           strings.TrimSpace(strings.Repeat("word ", 12)) + "…",
			fox:                                   strings.Repeat("🦊", 60) + "…",
			"a " + fox:                            "a…",
			strings.Repeat("w", 60) + " too long": strings.Repeat("w", 60) + "…",
		} {
			turn, err := e.SendMessage(ctx, chat.SendMessageInput{Content: content})
			require.NoError(t, err)
			require.Equal(t, want, turn.Conversation.Title, "%q", content)
			e.client.Message.Update().SetStatus(enum.MessageCompleted).ExecX(ctx)
		}
	})
}

func TestMessagesFrom_PositionZero_StartsAtOldestUnfinishedTurn(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		first := e.send(t, ctx, nil, "1")
		second := e.send(t, ctx, first.Conversation, "2")
		e.send(t, ctx, first.Conversation, "3")
		openPositions := func() (positions []int) {
			rows, err := e.MessagesFrom(ctx, first.Conversation.ID, 0, -1)
			require.NoError(t, err)
			for _, m := range rows.Messages {
				positions = append(positions, m.Position)
			}
			return positions
		}
		require.Equal(t, []int{1, 2, 3, 4, 5, 6}, openPositions())
		finish := func(m *ent.Message) {
			e.client.Message.UpdateOneID(m.ID).SetStatus(enum.MessageCompleted).ExecX(ctx)
		}
		finish(first.AssistantMessage)
		require.Equal(t, []int{3, 4, 5, 6}, openPositions())
		finish(second.AssistantMessage)
		require.Equal(t, []int{5, 6}, openPositions())
		e.client.Message.Update().SetStatus(enum.MessageCancelled).ExecX(ctx)
		require.Equal(t, []int{5, 6}, openPositions(), "the newest turn is always included")

		empty, err := e.CreateConversation(ctx, nil, nil)
		require.NoError(t, err)
		rows, err := e.MessagesFrom(ctx, empty.ID, 0, -1)
		require.NoError(t, err)
		require.Empty(t, rows.Messages)
		_, err = e.MessagesFrom(ctx, "conv_none", 0, -1)
		require.Equal(t, apperr.NotFound, apperr.CodeOf(err))
	})
}

func TestMessagesByConversation_SeveralConversations_PagesEach(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		one := e.send(t, ctx, nil, "a").Conversation
		two := e.send(t, ctx, nil, "b").Conversation
		two = e.send(t, ctx, two, "c").Conversation
		empty, err := e.CreateConversation(ctx, nil, nil)
		require.NoError(t, err)
		size := 3
		pages, err := e.MessagesByConversation(ctx, []*ent.Conversation{one, two, empty}, page.Args{Last: &size})
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

func TestSendMessage_OverALimit_IsRateLimited(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		c := e.send(t, ctx, nil, "0").Conversation
		for range 4 {
			e.send(t, ctx, c, "more")
		}
		_, err := e.SendMessage(ctx, chat.SendMessageInput{Content: "over the limit"})
		require.Equal(t, apperr.RateLimited, apperr.CodeOf(err))
		require.Positive(t, apperr.From(err).RetryAfter)
		e.client.Message.Update().SetStatus(enum.MessageFailed).ExecX(ctx)
		for range 45 {
			e.send(t, ctx, c, "more")
			e.client.Message.Update().SetStatus(enum.MessageCompleted).ExecX(ctx)
		}
		_, err = e.SendMessage(ctx, chat.SendMessageInput{Content: "over the limit"})
		require.Equal(t, apperr.RateLimited, apperr.CodeOf(err))
	})
}
