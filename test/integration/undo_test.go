package integration

import (
	"testing"

	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

type undoPayload struct {
	BatchID   *string
	Changes   []struct{ ID, Undoes, BatchID string }
	Undone    []undoneChange
	Skipped   []struct{ Reason string }
	TaskEdges []struct{ Node struct{ Title string } }
}

type undoneChange struct {
	ID, Kind string
	Undone   bool
	Task     struct{ DeletedAt *string }
}

const undoFields = `{
	batchId
	changes { id undoes batchId }
	undone { id kind undone task { deletedAt } }
	skipped { reason }
	taskEdges { node { title } }
}`

// TestUndo_Deletion_IsUndoneAgainAfterRedo undoes a deletion, makes it again, and undoes it again, three times. A
// deletion of its own between them is kept.
func TestUndo_Deletion_IsUndoneAgainAfterRedo(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		task := harness.CreateTask(t, c, testclient.Vars{"title": "Milk"})
		reply := (&harness.Conversation{Client: c}).SendAndWait(t, "delete task 1")
		undo := func(id string) undoPayload {
			return testclient.Run[struct{ UndoChange undoPayload }](t, c,
				`mutation ($id: ID!) { undoChange(id: $id) `+undoFields+` }`, testclient.Vars{"id": id}).UndoChange
		}
		for range 3 {
			undone := undo(reply.ID)
			require.Empty(t, undone.Skipped)
			require.Len(t, harness.AllTasks(t, c), 1)
			require.Len(t, undo(*undone.BatchID).Undone, 1)
			require.Empty(t, harness.AllTasks(t, c))
		}
		require.Len(t, undo(reply.ID).Undone, 1)
		harness.ChangeTask(t, c, "deleteTask", task.ID)
		undo(reply.ID)
		require.Empty(t, harness.AllTasks(t, c), "the user's own deletion stays")
	})
}

// TestUndo_TurnOfAgent_IsUndoneAndRedone sends a message that adds two tasks, undoes the reply, and undoes the undo.
func TestUndo_TurnOfAgent_IsUndoneAndRedone(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		conversation := &harness.Conversation{Client: c}
		reply := conversation.SendAndWait(t, `Add "Buy milk" and "Buy bread"`)
		undo := testclient.Run[struct{ UndoTurn undoPayload }](t, c,
			`mutation ($id: ID!) { undoTurn(messageId: $id) `+undoFields+` }`, testclient.Vars{"id": reply.ID}).UndoTurn
		require.Empty(t, undo.Skipped)
		require.NotEmpty(t, undo.Undone)
		require.Len(t, undo.TaskEdges, len(undo.Undone))
		for i, u := range undo.Undone {
			require.Equal(t, "CREATED", u.Kind)
			require.True(t, u.Undone)
			require.NotNil(t, u.Task.DeletedAt)
			require.Equal(t, u.ID, undo.Changes[i].Undoes)
			require.Equal(t, *undo.BatchID, undo.Changes[i].BatchID)
		}
		redo := testclient.Run[struct{ UndoChange undoPayload }](t, c,
			`mutation ($id: ID!) { undoChange(id: $id) `+undoFields+` }`, testclient.Vars{"id": *undo.BatchID}).UndoChange
		require.Empty(t, redo.Skipped)
		require.Len(t, redo.Undone, len(undo.Undone))
		for _, u := range redo.Undone {
			require.Equal(t, "DELETED", u.Kind)
			require.Nil(t, u.Task.DeletedAt)
		}
		// The batch outlives the conversation.
		testclient.Run[any](t, c, `mutation ($id: ID!) { deleteConversation(id: $id) { deletedId } }`,
			testclient.Vars{"id": conversation.ID})
		again := testclient.Run[struct{ UndoTurn undoPayload }](t, c,
			`mutation ($id: ID!) { undoTurn(messageId: $id) `+undoFields+` }`, testclient.Vars{"id": reply.ID}).UndoTurn
		require.Len(t, again.Undone, len(undo.Undone))
		require.NotEqual(t, undo.BatchID, again.BatchID)
	})
}
