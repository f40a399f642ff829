package task

import (
	"context"
	"fmt"
	"slices"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/message"
	"errand/ent/taskchange"
	"errand/internal/apperr"
	"errand/internal/store"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
)

// undoLog holds the undos of each change, oldest first. Of the undos it needs ID and Undoes only.
type undoLog map[string][]*ent.TaskChange

// readUndoLog returns the undos of the tasks of changes, by the index taskchange_undo.
func readUndoLog(ctx context.Context, client *ent.Client, changes []*ent.TaskChange) (undoLog, error) {
	taskIDs := make([]string, len(changes))
	for i, c := range changes {
		taskIDs[i] = c.TaskID
	}
	slices.Sort(taskIDs)
	log := undoLog{}
	for chunk := range slices.Chunk(slices.Compact(taskIDs), 500) {
		undos, err := client.TaskChange.Query().
			Where(store.InValues(taskchange.FieldTaskID, chunk...), taskchange.UndoesNotNil()).
			Order(taskchange.BySeq()).
			Select(taskchange.FieldID, taskchange.FieldUndoes).
			All(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading earlier undos: %w", err)
		}
		for _, undo := range undos {
			log.add(undo)
		}
	}
	return log, nil
}

func (l undoLog) add(undo *ent.TaskChange) {
	if undo.Undoes != nil {
		l[*undo.Undoes] = append(l[*undo.Undoes], undo)
	}
}

// undoOf returns the undo that is in effect for a change; nil if there is none. An undo that is undone itself (redo) is
// not in effect. An undo is newer than its change, so the recursion ends.
func (l undoLog) undoOf(changeID string) *ent.TaskChange {
	for _, undo := range slices.Backward(l[changeID]) {
		if l.undoOf(undo.ID) == nil {
			return undo
		}
	}
	return nil
}

// redoOf returns the change that made a change again after an undo of it; nil if there is none.
func (l undoLog) redoOf(changeID string) *ent.TaskChange {
	for _, undo := range slices.Backward(l[changeID]) {
		if redo := l.undoOf(undo.ID); redo != nil {
			if again := l.redoOf(redo.ID); again != nil { // the redo was undone and redone itself
				return again
			}
			return redo
		}
	}
	return nil
}

// UndoneChanges reports which of the viewer's changes are undone, by ID. The changes need ID and TaskID only.
func (o operations) UndoneChanges(ctx context.Context, changes []*ent.TaskChange) (map[string]bool, error) {
	if _, err := viewer.RequireAny(ctx, viewer.TasksRead, viewer.TasksWrite); err != nil {
		return nil, err
	}
	log, err := readUndoLog(ctx, o.client, changes)
	if err != nil {
		return nil, err
	}
	undone := make(map[string]bool, len(changes))
	for _, c := range changes {
		undone[c.ID] = log.undoOf(c.ID) != nil
	}
	return undone, nil
}

// RecentChanges returns the viewer's newest changes since a time, newest first, at most limit, each with its task.
func (o operations) RecentChanges(ctx context.Context, since time.Time, limit int) ([]*ent.TaskChange, error) {
	if _, err := viewer.Require(ctx, viewer.TasksRead); err != nil {
		return nil, err
	}
	found, err := o.client.TaskChange.Query().
		Order(taskchange.BySeq(sql.OrderDesc())).
		Limit(limit).
		WithTask().
		All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading recent changes: %w", err)
	}
	for i, c := range found {
		if c.CreatedAt.Before(since) {
			return found[:i], nil
		}
	}
	return found, nil
}

// How far UndoLastTurn and UndoLastCall look back: in replies of the conversation, and in changes of the user.
const (
	lastTurns   = 200
	lastChanges = 1000
)

// UndoLast takes back the viewer's last changes: for the agent UndoLastTurn in the conversation of the reply that it is
// writing, which is the batch of its changes, for others UndoLastCall.
func (o operations) UndoLast(ctx context.Context) (*Undo, error) {
	v, err := viewer.Require(ctx, viewer.TasksWrite)
	if err != nil {
		return nil, err
	}
	if v.Actor != viewer.ActorAgent {
		return o.UndoLastCall(ctx)
	}
	reply, err := o.client.Message.Query().
		Where(message.ID(v.BatchID)).
		Select(message.FieldConversationID).
		Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nothingInConversation()
	}
	if err != nil {
		return nil, fmt.Errorf("reading the reply: %w", err)
	}
	return o.UndoLastTurn(ctx, reply.ConversationID)
}

func nothingInConversation() error {
	return apperr.New(apperr.NotFound, "There is no change to undo in this conversation.")
}

// UndoLastTurn takes back the last reply of a conversation that made changes, apart from the reply that is being
// written. Replies that only undid others, or whose changes are undone already, do not count: repeated, it goes back
// further. If there is no such reply, it is NOT_FOUND.
func (o operations) UndoLastTurn(ctx context.Context, conversationID string) (*Undo, error) {
	v, err := viewer.Require(ctx, viewer.TasksWrite, viewer.Chat)
	if err != nil {
		return nil, err
	}
	replies, err := o.client.Message.Query().
		Where(message.ConversationID(conversationID), message.RoleEQ(enum.RoleAssistant), message.IDNEQ(v.BatchID)).
		Order(message.ByPosition(sql.OrderDesc())).
		Limit(lastTurns).
		IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the replies: %w", err)
	}
	var made []*ent.TaskChange
	if len(replies) > 0 {
		made, err = lightChanges(ctx, o.client.TaskChange.Query().Where(taskchange.BatchIDIn(replies...)))
		if err != nil {
			return nil, err
		}
	}
	return o.undoLast(ctx, made, nothingInConversation())
}

// UndoLastCall takes back the last call of the viewer's MCP client that made changes. Calls that only undid others, or
// whose changes are undone already, do not count. If there is no such call, it is NOT_FOUND.
func (o operations) UndoLastCall(ctx context.Context) (*Undo, error) {
	v, err := viewer.Require(ctx, viewer.TasksWrite)
	if err != nil {
		return nil, err
	}
	newest, err := lightChanges(ctx, o.client.TaskChange.Query().Limit(lastChanges))
	if err != nil {
		return nil, err
	}
	made := slices.DeleteFunc(newest, func(c *ent.TaskChange) bool {
		return c.Actor != enum.ActorMCP || c.Client != v.Client || c.BatchID != nil && *c.BatchID == v.BatchID
	})
	return o.undoLast(ctx, made, apperr.New(apperr.NotFound, "There is no change of this client to undo."))
}

// undoLast takes back the batch of the first change of made, newest first, that is neither an undo nor undone. Without
// one it returns the error nothing.
func (o operations) undoLast(ctx context.Context, made []*ent.TaskChange, nothing error) (*Undo, error) {
	log, err := readUndoLog(ctx, o.client, made)
	if err != nil {
		return nil, err
	}
	for _, c := range made {
		switch {
		case c.Undoes != nil || log.undoOf(c.ID) != nil:
		case c.BatchID != nil:
			return o.UndoChange(ctx, *c.BatchID)
		default: // a call of an earlier release
			return o.UndoChange(ctx, c.ID)
		}
	}
	return nil, nothing
}

// lightChanges returns changes newest first, without their fields.
func lightChanges(ctx context.Context, q *ent.TaskChangeQuery) ([]*ent.TaskChange, error) {
	found, err := q.Order(taskchange.BySeq(sql.OrderDesc())).
		Select(taskchange.FieldID, taskchange.FieldTaskID, taskchange.FieldBatchID, taskchange.FieldUndoes,
			taskchange.FieldActor, taskchange.FieldClient).
		All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the last changes: %w", err)
	}
	return found, nil
}
