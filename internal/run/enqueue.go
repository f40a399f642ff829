package run

import (
	"context"

	"errand/ent"
)

// Enqueue stores a QUEUED run for the assistant message messageID, in the transaction that creates the message
// and as its viewer. position is the message's; it must have been assigned under a lock on the
// conversation, so that the runs of one conversation become visible in order. Call Wake after the commit.
func (e *Engine) Enqueue(
	ctx context.Context,
	tx *ent.Tx,
	conversationID, messageID string,
	position int,
) (*ent.Run, error) {
	now, err := e.queries.now(ctx, tx)
	if err != nil {
		return nil, err
	}
	return tx.Run.Create().
		SetConversationID(conversationID).
		SetMessageID(messageID).
		SetPosition(position).
		SetCreatedAt(now).
		SetAvailableAt(now).
		Save(ctx)
}
