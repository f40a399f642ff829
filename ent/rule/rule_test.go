package rule_test

import (
	"context"
	"testing"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/rule"
	"errand/internal/apperr"
	"errand/internal/store"
	"errand/internal/testdb"
	"errand/internal/viewer"

	"entgo.io/ent/privacy"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is two people, and what one of them owns.
type world struct {
	client         *ent.Client
	alice, bob     context.Context
	aliceID, bobID string
	task           *ent.Task
	conversation   *ent.Conversation
	message        *ent.Message
	call           *ent.ToolCall
	bobs           *ent.Conversation
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, db *store.DB) { test(t, newWorld(t, db.Client())) })
}

func newWorld(t *testing.T, client *ent.Client) *world {
	t.Helper()
	w := &world{client: client}
	w.aliceID, w.alice = person(t, client, "alice")
	w.bobID, w.bob = person(t, client, "bob")
	w.task = client.Task.Create().SetNumber(1).SetTitle("secret").SaveX(w.alice)
	w.conversation = client.Conversation.Create().SetMessageCount(2).SaveX(w.alice)
	w.message = client.Message.Create().
		SetConversationID(w.conversation.ID).
		SetPosition(1).
		SetRole(enum.RoleAssistant).
		SaveX(w.alice)
	w.call = client.ToolCall.Create().SetMessageID(w.message.ID).SetSeq(0).SetStep(0).SetProviderID("c").SetTextOffset(0).
		SetName("add_task").SetArguments("{}").SaveX(w.alice)
	w.bobs = client.Conversation.Create().SaveX(w.bob)
	return w
}

func person(t *testing.T, client *ent.Client, subject string) (string, context.Context) {
	t.Helper()
	u := client.User.Create().SetSubject(subject).SaveX(rule.System(t.Context()))
	return u.ID, viewer.NewContext(t.Context(), viewer.Viewer{UserID: u.ID})
}

func TestQueriesSeeOnlyTheViewersRows(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, count := range map[string]func(context.Context) (int, error){
			"tasks": w.client.Task.Query().Count, "messages": w.client.Message.Query().Count,
			"calls": w.client.ToolCall.Query().Count,
		} {
			n, err := count(w.bob)
			require.NoError(t, err)
			require.Zero(t, n, name)
		}
		require.Equal(t, []string{w.bobID}, w.client.User.Query().IDsX(w.bob))
		_, err := w.client.Task.Get(w.bob, w.task.ID)
		require.True(t, ent.IsNotFound(err))
		_, err = w.client.User.Get(w.bob, w.aliceID)
		require.True(t, ent.IsNotFound(err))
		require.Equal(t, "secret", w.client.Task.GetX(w.alice, w.task.ID).Title)
	})
}

// TestWithoutAViewerNothingGoes.
func TestWithoutAViewerNothingGoes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		nobody := context.Background()
		_, err := w.client.Task.Query().All(nobody)
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err))
		_, err = w.client.Task.Create().SetNumber(9).SetTitle("x").Save(nobody)
		require.Error(t, err)
		_, err = w.client.Task.Delete().Exec(nobody)
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err))
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(w.client.User.Create().SetSubject("eve").Exec(nobody)))
	})
}

// TestNobodyMakesRowsOfOthers: whoever names another owner is refused, whoever names none is the owner.
func TestNobodyMakesRowsOfOthers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		task := func(number int) *ent.TaskCreate { return w.client.Task.Create().SetNumber(number).SetTitle("x") }
		require.ErrorIs(t, task(2).SetUserID(w.aliceID).Exec(w.bob), privacy.Deny)
		require.ErrorIs(t, w.client.Task.CreateBulk(task(3), task(4).SetUserID(w.aliceID)).Exec(w.bob), privacy.Deny)
		require.Zero(t, w.client.Task.Query().CountX(w.bob))
		require.Equal(t, 1, w.client.Task.Query().CountX(w.alice))
		require.Equal(t, w.bobID, task(5).SaveX(w.bob).UserID)
		require.Equal(t, w.bobID, task(6).SetUserID(w.bobID).SaveX(w.bob).UserID)
		err := w.client.User.Create().SetID("user_x").SetSubject("eve").Exec(w.bob)
		require.ErrorIs(t, err, privacy.Deny, "nobody makes other people")
	})
}

// TestEdgesLeadOnlyToTheViewersRows, on creation; a foreign target is as one that does not exist.
func TestEdgesLeadOnlyToTheViewersRows(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		message := func() *ent.MessageCreate {
			return w.client.Message.Create().SetPosition(9).SetRole(enum.RoleUser)
		}
		change := func() *ent.TaskChangeCreate {
			return w.client.TaskChange.Create().SetSeq(9).SetKind(enum.ChangeCreated).SetActor(enum.ActorPerson).
				SetTaskVersion(9).SetFields([]enum.FieldChange{})
		}
		own := w.client.Task.Create().SetNumber(5).SetTitle("own").SaveX(w.bob)
		for name, err := range map[string]error{
			"message": message().SetConversationID(w.conversation.ID).Exec(w.bob),
			"call": w.client.ToolCall.Create().SetMessageID(w.message.ID).SetSeq(9).SetStep(0).SetProviderID("c").SetTextOffset(0).
				SetName("x").SetArguments("{}").Exec(w.bob),
			"run":             w.client.Run.Create().SetConversationID(w.bobs.ID).SetMessageID(w.message.ID).SetPosition(1).Exec(w.bob),
			"change of task":  change().SetTaskID(w.task.ID).Exec(w.bob),
			"change by call":  change().SetTaskID(own.ID).SetToolCallID(w.call.ID).Exec(w.bob),
			"message in none": message().SetConversationID("conv_none").Exec(w.bob),
		} {
			require.Equal(t, apperr.NotFound, apperr.CodeOf(err), name)
		}
		bulk := w.client.Message.CreateBulk(message().SetConversationID(w.bobs.ID), message().SetConversationID(w.conversation.ID)).
			Exec(w.bob)
		require.Equal(t, apperr.NotFound, apperr.CodeOf(bulk))
		require.Zero(t, w.client.Message.Query().CountX(w.bob), "one foreign row and none is made")
		require.NoError(t, message().SetConversationID(w.bobs.ID).Exec(w.bob))
	})
}

// TestEdgesCannotBeTurnedToOrFromOthers by updates of the side that holds no key.
func TestEdgesCannotBeTurnedToOrFromOthers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_ = w.client.Conversation.UpdateOneID(w.bobs.ID).AddMessageIDs(w.message.ID).Exec(w.bob)
		_ = w.client.User.UpdateOneID(w.bobID).AddTaskIDs(w.task.ID).Exec(w.bob)
		_ = w.client.User.UpdateOneID(w.bobID).AddConversationIDs(w.conversation.ID).Exec(w.bob)
		require.Equal(t, w.conversation.ID, w.client.Message.GetX(w.alice, w.message.ID).ConversationID)
		require.Equal(t, w.aliceID, w.client.Task.GetX(w.alice, w.task.ID).UserID)
		require.Equal(t, w.aliceID, w.client.Conversation.GetX(w.alice, w.conversation.ID).UserID)
		require.Zero(t, w.client.Task.Query().CountX(w.bob))
	})
}

func TestChangesAndDeletionsReachOnlyTheViewersRows(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		require.True(t, ent.IsNotFound(w.client.Task.UpdateOneID(w.task.ID).SetTitle("hacked").Exec(w.bob)))
		require.Zero(t, w.client.Task.Update().SetTitle("hacked").SaveX(w.bob))
		require.True(t, ent.IsNotFound(w.client.Task.DeleteOneID(w.task.ID).Exec(w.bob)))
		require.Zero(t, w.client.Task.Delete().ExecX(w.bob))
		require.True(t, ent.IsNotFound(w.client.User.DeleteOneID(w.aliceID).Exec(w.bob)))
		require.True(t, ent.IsNotFound(w.client.User.UpdateOneID(w.aliceID).SetName("hacked").Exec(w.bob)))
		require.Equal(t, "secret", w.client.Task.GetX(w.alice, w.task.ID).Title)
		require.Equal(t, 1, w.client.Task.Delete().ExecX(w.alice))
	})
}

// TestAVouchIsForThoseRowsAlone.
func TestAVouchIsForThoseRowsAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		vouched := rule.SkipEdgeCheck(w.bob, w.bobs.ID)
		err := w.client.Message.Create().
			SetPosition(9).
			SetRole(enum.RoleUser).
			SetConversationID(w.conversation.ID).
			Exec(vouched)
		require.Equal(t, apperr.NotFound, apperr.CodeOf(err))
	})
}
