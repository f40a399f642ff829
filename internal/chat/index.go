package chat

import (
	"context"
	"fmt"

	"errand/ent"
	"errand/ent/message"
	"errand/ent/predicate"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/terms"
	"errand/internal/viewer"
)

const (
	// maxIndexedAtOnce is how many messages IndexMessages indexes in a transaction: in the worst case 20,000 entries.
	maxIndexedAtOnce = 20
	// maxUnindexedAtOnce is how many messages a transaction removes from the search index, in the worst case 100,000
	// entries.
	maxUnindexedAtOnce = 100
)

// IndexMessages adds some of the viewer's finished messages that the search index lacks: those that an earlier release
// wrote. It reports whether more remain.
func (s *Service) IndexMessages(ctx context.Context) (more bool, err error) {
	v, err := viewer.Require(ctx, viewer.Chat)
	if err != nil {
		return false, err
	}
	unindexed := func(c *ent.Client) *ent.MessageQuery {
		return c.Message.Query().
			Where(message.TermCountIsNil(), message.FinishedAtNotNil()).
			Order(message.ByUserID(), message.ByID())
	}
	exists, err := unindexed(s.client).Exist(ctx)
	if err != nil || !exists {
		return false, err
	}
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		if err := quota.Lock(ctx, tx, v.UserID); err != nil {
			return err
		}
		found, err := unindexed(tx.Client()).Limit(maxIndexedAtOnce).
			Select(message.FieldID, message.FieldContent, message.FieldUpdatedAt).All(ctx)
		if err != nil {
			return fmt.Errorf("reading messages: %w", err)
		}
		more = len(found) == maxIndexedAtOnce
		var bytes int64
		for _, m := range found {
			entries := terms.Index(m.Content)
			if err := store.MessageTerms.AddMissing(ctx, store.Queue(tx), v.UserID, m.ID, entries); err != nil {
				return err
			}
			err := store.Queue(tx).Message.Update().Where(message.ID(m.ID)).
				SetTermCount(len(entries)).
				SetUpdatedAt(m.UpdatedAt).
				Exec(ctx)
			if err != nil {
				return fmt.Errorf("writing the message: %w", err)
			}
			bytes += int64(quota.TermBytes * len(entries))
		}
		return quota.AddBytes(ctx, tx, v.UserID, bytes)
	})
	return more, err
}

// unindexLong removes the messages of a long conversation from the search index, in small transactions, before the
// conversation is deleted in one. If it is not deleted after all, IndexMessages adds them again.
func (s *Service) unindexLong(ctx context.Context, v viewer.Viewer, conversationID string) error {
	for after := 0; ; {
		found, err := s.client.Message.Query().
			Where(message.ConversationID(conversationID), message.PositionGT(after)).
			Order(message.ByPosition()).
			Limit(maxUnindexedAtOnce).
			Select(message.FieldID, message.FieldPosition).
			All(ctx)
		if err != nil {
			return fmt.Errorf("reading messages: %w", err)
		}
		if len(found) < maxUnindexedAtOnce {
			return nil
		}
		after = found[len(found)-1].Position
		err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
			if err := quota.Lock(ctx, tx, v.UserID); err != nil {
				return err
			}
			ids, entries, err := removeTerms(ctx, tx, v, conversationID, message.PositionLTE(after))
			if err != nil || len(ids) == 0 {
				return err
			}
			if err := tx.Message.Update().Where(message.IDIn(ids...)).ClearTermCount().Exec(ctx); err != nil {
				return fmt.Errorf("writing the messages: %w", err)
			}
			return quota.AddBytes(ctx, tx, v.UserID, -int64(quota.TermBytes*entries))
		})
		if err != nil {
			return err
		}
	}
}

// removeTerms removes the messages of a conversation that meet the conditions from the search index. It returns their
// ids and the number of their entries.
func removeTerms(
	ctx context.Context, tx *ent.Tx, v viewer.Viewer, conversationID string, where ...predicate.Message,
) (ids []string, entries int, err error) {
	found, err := tx.Message.Query().
		Where(message.ConversationID(conversationID), message.TermCountGT(0)).
		Where(where...).
		Order(message.ByPosition()).
		Select(message.FieldID, message.FieldTermCount).
		All(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("reading messages: %w", err)
	}
	for _, m := range found {
		ids = append(ids, m.ID)
		entries += *m.TermCount
	}
	return ids, entries, store.MessageTerms.RemoveRows(ctx, tx.Client(), v.UserID, ids)
}
