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

// fixture holds two users, rows that Alice owns and a conversation that Bob owns.
type fixture struct {
	client         *ent.Client
	alice, bob     context.Context
	aliceID, bobID string
	task           *ent.Task
	conversation   *ent.Conversation
	message        *ent.Message
	call           *ent.ToolCall
	bobs           *ent.Conversation
}

func forEachDatabase(t *testing.T, test func(t *testing.T, f *fixture)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, db *store.DB) { test(t, newFixture(t, db.Client())) })
}

func newFixture(t *testing.T, client *ent.Client) *fixture {
	t.Helper()
	f := &fixture{client: client}
	f.aliceID, f.alice = newUser(t, client, "alice")
	f.bobID, f.bob = newUser(t, client, "bob")
	f.task = client.Task.Create().SetNumber(1).SetTitle("secret").SaveX(f.alice)
	f.conversation = client.Conversation.Create().SetMessageCount(2).SaveX(f.alice)
	f.message = client.Message.Create().
		SetConversationID(f.conversation.ID).
		SetPosition(1).
		SetRole(enum.RoleAssistant).
		SaveX(f.alice)
	f.call = client.ToolCall.Create().SetMessageID(f.message.ID).SetSeq(0).SetStep(0).SetProviderID("c").SetTextOffset(0).
		SetName("add_task").SetArguments("{}").SaveX(f.alice)
	f.bobs = client.Conversation.Create().SaveX(f.bob)
	return f
}

func newUser(t *testing.T, client *ent.Client, subject string) (string, context.Context) {
	t.Helper()
	u := client.User.Create().SetSubject(subject).SaveX(rule.System(t.Context()))
	return u.ID, viewer.NewContext(t.Context(), viewer.Viewer{UserID: u.ID})
}

func TestPolicy_Query_ReturnsOnlyRowsOfViewer(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, f *fixture) {
		for name, count := range map[string]func(context.Context) (int, error){
			"tasks": f.client.Task.Query().Count, "messages": f.client.Message.Query().Count,
			"calls": f.client.ToolCall.Query().Count,
		} {
			n, err := count(f.bob)
			require.NoError(t, err)
			require.Zero(t, n, name)
		}
		require.Equal(t, []string{f.bobID}, f.client.User.Query().IDsX(f.bob))
		_, err := f.client.Task.Get(f.bob, f.task.ID)
		require.True(t, ent.IsNotFound(err))
		_, err = f.client.User.Get(f.bob, f.aliceID)
		require.True(t, ent.IsNotFound(err))
		require.Equal(t, "secret", f.client.Task.GetX(f.alice, f.task.ID).Title)
	})
}

// The policies let no token reach rows of another area, whatever the domain checks.
func TestPolicy_Scopes_LimitAccessByArea(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, f *fixture) {
		as := func(scopes viewer.Scopes) context.Context {
			return viewer.NewContext(t.Context(), viewer.Viewer{UserID: f.aliceID, Scopes: scopes})
		}
		require.Equal(t, "secret", f.client.Task.GetX(as("tasks:write"), f.task.ID).Title, "a change begins with reading")
		f.client.Message.GetX(as("chat"), f.message.ID)
		f.client.User.GetX(as("chat"), f.aliceID)
		for name, err := range map[string]error{
			"tasks by chat":         exist(f.client.Task.Query().Exist(as("chat account"))),
			"history by chat":       exist(f.client.TaskChange.Query().Exist(as("chat"))),
			"conversations":         exist(f.client.Conversation.Query().Exist(as("tasks:read tasks:write account"))),
			"messages":              exist(f.client.Message.Query().Exist(as("account"))),
			"tool calls":            exist(f.client.ToolCall.Query().Exist(as("tasks:read"))),
			"runs":                  exist(f.client.Run.Query().Exist(as("tasks:write"))),
			"usage":                 exist(f.client.UsageDay.Query().Exist(as("tasks:read"))),
			"changing as reader":    f.client.Task.UpdateOneID(f.task.ID).SetTitle("x").Exec(as("tasks:read chat")),
			"deleting as reader":    f.client.Task.DeleteOneID(f.task.ID).Exec(as("tasks:read")),
			"creating as reader":    f.client.Task.Create().SetNumber(9).SetTitle("x").Exec(as("tasks:read")),
			"deleting conversation": f.client.Conversation.DeleteOneID(f.conversation.ID).Exec(as("account tasks:write")),
		} {
			require.Equal(t, apperr.Forbidden, apperr.CodeOf(err), "%s: %v", name, err)
			require.NotEmpty(t, apperr.From(err).Scope, name)
		}
	})
}

func exist(_ bool, err error) error { return err }

func TestPolicy_NoViewer_ReturnsUnauthenticated(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, f *fixture) {
		anonymous := context.Background()
		_, err := f.client.Task.Query().All(anonymous)
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err))
		_, err = f.client.Task.Create().SetNumber(9).SetTitle("x").Save(anonymous)
		require.Error(t, err)
		_, err = f.client.Task.Delete().Exec(anonymous)
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err))
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(f.client.User.Create().SetSubject("eve").Exec(anonymous)))
	})
}

// Creating a row for another owner is denied; without an owner the viewer becomes the owner.
func TestPolicy_CreateWithOwner_AllowsOnlyViewer(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, f *fixture) {
		task := func(number int) *ent.TaskCreate { return f.client.Task.Create().SetNumber(number).SetTitle("x") }
		require.ErrorIs(t, task(2).SetUserID(f.aliceID).Exec(f.bob), privacy.Deny)
		require.ErrorIs(t, f.client.Task.CreateBulk(task(3), task(4).SetUserID(f.aliceID)).Exec(f.bob), privacy.Deny)
		require.Zero(t, f.client.Task.Query().CountX(f.bob))
		require.Equal(t, 1, f.client.Task.Query().CountX(f.alice))
		require.Equal(t, f.bobID, task(5).SaveX(f.bob).UserID)
		require.Equal(t, f.bobID, task(6).SetUserID(f.bobID).SaveX(f.bob).UserID)
		err := f.client.User.Create().SetID("user_x").SetSubject("eve").Exec(f.bob)
		require.ErrorIs(t, err, privacy.Deny, "viewers cannot create users")
	})
}

// Another user's target is indistinguishable from a missing one.
func TestPolicy_CreateWithForeignTarget_ReturnsNotFound(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, f *fixture) {
		message := func() *ent.MessageCreate {
			return f.client.Message.Create().SetPosition(9).SetRole(enum.RoleUser)
		}
		change := func() *ent.TaskChangeCreate {
			return f.client.TaskChange.Create().SetSeq(9).SetKind(enum.ChangeCreated).SetActor(enum.ActorPerson).
				SetTaskVersion(9).SetFields([]enum.FieldChange{})
		}
		own := f.client.Task.Create().SetNumber(5).SetTitle("own").SaveX(f.bob)
		for name, err := range map[string]error{
			"message": message().SetConversationID(f.conversation.ID).Exec(f.bob),
			"call": f.client.ToolCall.Create().SetMessageID(f.message.ID).SetSeq(9).SetStep(0).
				SetProviderID("c").SetTextOffset(0).SetName("x").SetArguments("{}").Exec(f.bob),
			"run": f.client.Run.Create().SetConversationID(f.bobs.ID).SetMessageID(f.message.ID).SetPosition(1).
				Exec(f.bob),
			"change of task":  change().SetTaskID(f.task.ID).Exec(f.bob),
			"change by call":  change().SetTaskID(own.ID).SetToolCallID(f.call.ID).Exec(f.bob),
			"message in none": message().SetConversationID("conv_none").Exec(f.bob),
		} {
			require.Equal(t, apperr.NotFound, apperr.CodeOf(err), name)
		}
		bulk := f.client.Message.CreateBulk(
			message().SetConversationID(f.bobs.ID),
			message().SetConversationID(f.conversation.ID),
		).Exec(f.bob)
		require.Equal(t, apperr.NotFound, apperr.CodeOf(bulk))
		require.Zero(t, f.client.Message.Query().CountX(f.bob), "one row with another user's target fails the whole bulk")
		require.NoError(t, message().SetConversationID(f.bobs.ID).Exec(f.bob))
	})
}

// The updates are on the side of the edge that does not hold the foreign key.
func TestPolicy_AddForeignTargets_ChangesNoRow(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, f *fixture) {
		_ = f.client.Conversation.UpdateOneID(f.bobs.ID).AddMessageIDs(f.message.ID).Exec(f.bob)
		_ = f.client.User.UpdateOneID(f.bobID).AddTaskIDs(f.task.ID).Exec(f.bob)
		_ = f.client.User.UpdateOneID(f.bobID).AddConversationIDs(f.conversation.ID).Exec(f.bob)
		require.Equal(t, f.conversation.ID, f.client.Message.GetX(f.alice, f.message.ID).ConversationID)
		require.Equal(t, f.aliceID, f.client.Task.GetX(f.alice, f.task.ID).UserID)
		require.Equal(t, f.aliceID, f.client.Conversation.GetX(f.alice, f.conversation.ID).UserID)
		require.Zero(t, f.client.Task.Query().CountX(f.bob))
	})
}

func TestPolicy_UpdateAndDelete_AffectOnlyRowsOfViewer(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, f *fixture) {
		require.True(t, ent.IsNotFound(f.client.Task.UpdateOneID(f.task.ID).SetTitle("hacked").Exec(f.bob)))
		require.Zero(t, f.client.Task.Update().SetTitle("hacked").SaveX(f.bob))
		require.True(t, ent.IsNotFound(f.client.Task.DeleteOneID(f.task.ID).Exec(f.bob)))
		require.Zero(t, f.client.Task.Delete().ExecX(f.bob))
		require.True(t, ent.IsNotFound(f.client.User.DeleteOneID(f.aliceID).Exec(f.bob)))
		require.True(t, ent.IsNotFound(f.client.User.UpdateOneID(f.aliceID).SetName("hacked").Exec(f.bob)))
		require.Equal(t, "secret", f.client.Task.GetX(f.alice, f.task.ID).Title)
		require.Equal(t, 1, f.client.Task.Delete().ExecX(f.alice))
	})
}

func TestSkipEdgeCheck_OtherTarget_IsStillChecked(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, f *fixture) {
		exempt := rule.SkipEdgeCheck(f.bob, f.bobs.ID)
		err := f.client.Message.Create().
			SetPosition(9).
			SetRole(enum.RoleUser).
			SetConversationID(f.conversation.ID).
			Exec(exempt)
		require.Equal(t, apperr.NotFound, apperr.CodeOf(err))
	})
}
