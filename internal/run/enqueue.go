package run

import (
	"context"
	"fmt"

	"errand/ent"
)

// Enqueue adds the QUEUED run that will write the reply messageID, in the transaction that
// creates the reply and under its viewer's policy. position is the reply's; it must have been given out under a
// lock on the conversation, so that the runs of one conversation become visible in order.
// Call Wake after the commit.
func (e *Engine) Enqueue(
	ctx context.Context,
	tx *ent.Tx,
	conversationID, messageID string,
	position int,
) (*ent.Run, error) {
	now, err := e.now(ctx, tx)
	if err != nil {
		return nil, err
	}
	return tx.Run.Create().
		SetConversationID(conversationID).SetMessageID(messageID).SetPosition(position).
		SetCreatedAt(now).SetAvailableAt(now).
		Save(ctx)
}

// now is the database's time in milliseconds since 1970 UTC.
func (e *Engine) now(ctx context.Context, q querier) (int64, error) {
	var now int64
	found, err := queryRow(ctx, q, e.sql.clock, nil, &now)
	if err == nil && !found {
		err = fmt.Errorf("no row")
	}
	if err != nil {
		return 0, fmt.Errorf("asking the database for its time: %w", err)
	}
	return now, nil
}
