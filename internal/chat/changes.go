package chat

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"errand/ent"
	"errand/ent/conversation"
	"errand/ent/conversationtombstone"
	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/page"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/stream"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
)

// Bounds of tombstones. A subscriber whose cursor is older than a purged tombstone has to read the list again.
const (
	// tombstoneTTL is how long a tombstone is kept.
	tombstoneTTL = 30 * 24 * time.Hour
	// maxTombstones is how many tombstones of a user are kept; PurgeTombstones removes the oldest ones beyond it.
	maxTombstones = 1_000
	// maxPurgedAtOnce is how many tombstones PurgeTombstones removes in a transaction.
	maxPurgedAtOnce = 100
)

// LastConversationChange returns the position of the newest change to the viewer's conversations, 0 before the first.
func (s *Service) LastConversationChange(ctx context.Context) (int, error) {
	u, err := s.changeCounters(ctx)
	if err != nil {
		return 0, err
	}
	return u.LastConversationChange, nil
}

// changeCounters returns the viewer's row, or NOT_FOUND after the deletion of the account.
func (s *Service) changeCounters(ctx context.Context) (*ent.User, error) {
	v, err := viewer.Require(ctx, viewer.Chat)
	if err != nil {
		return nil, err
	}
	u, err := s.client.User.Get(ctx, v.UserID)
	if ent.IsNotFound(err) {
		return nil, apperr.Missing("account")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the counter of changes: %w", err)
	}
	return u, nil
}

// ConversationChangesAfter implements stream.ConversationLog.
//
// The counter is read first and bounds the other reads: a change at or below it has committed, so that its row is read,
// or has been replaced by a change above it, which is read next time.
func (s *Service) ConversationChangesAfter(ctx context.Context, seq, limit int) (stream.ConversationChanges, error) {
	u, err := s.changeCounters(ctx)
	if err != nil {
		return stream.ConversationChanges{}, err
	}
	through := u.LastConversationChange
	if seq == through {
		return stream.ConversationChanges{Through: through}, nil
	}
	if seq > through || seq < u.PurgedConversationChange {
		return stream.ConversationChanges{Through: through, Incomplete: true}, nil
	}
	changed, err := s.client.Conversation.Query().
		Where(conversation.SeqGT(seq), conversation.SeqLTE(through)).
		Order(conversation.BySeq()).
		Limit(limit).
		All(ctx)
	if err != nil {
		return stream.ConversationChanges{}, fmt.Errorf("reading changed conversations: %w", err)
	}
	deleted, err := s.client.ConversationTombstone.Query().
		Where(conversationtombstone.SeqGT(seq), conversationtombstone.SeqLTE(through)).
		Order(conversationtombstone.BySeq()).
		Limit(limit).
		All(ctx)
	if err != nil {
		return stream.ConversationChanges{}, fmt.Errorf("reading deleted conversations: %w", err)
	}
	// A purge may have removed tombstones meanwhile. It raises this position in the same transaction.
	if u, err = s.changeCounters(ctx); err != nil {
		return stream.ConversationChanges{}, err
	}
	if seq < u.PurgedConversationChange {
		return stream.ConversationChanges{Through: through, Incomplete: true}, nil
	}
	changes := mergeChanges(changed, deleted)
	if len(changes) >= limit {
		changes = changes[:limit]
		through = changes[limit-1].Seq
	}
	return stream.ConversationChanges{Changes: changes, Through: through}, nil
}

// mergeChanges returns the changes in their order.
func mergeChanges(changed []*ent.Conversation, deleted []*ent.ConversationTombstone) []stream.ConversationChange {
	changes := make([]stream.ConversationChange, 0, len(changed)+len(deleted))
	for _, c := range changed {
		changes = append(changes, stream.ConversationChange{Seq: c.Seq, Edge: ConversationEdge(c)})
	}
	for _, d := range deleted {
		changes = append(changes, stream.ConversationChange{Seq: d.Seq, DeletedID: d.ID})
	}
	slices.SortFunc(changes, func(a, b stream.ConversationChange) int { return cmp.Compare(a.Seq, b.Seq) })
	return changes
}

// ConversationEdge returns the edge of a conversation in the list of conversations.
func ConversationEdge(c *ent.Conversation) *page.ConversationEdge {
	return page.NewEdge(c, conversationCursor)
}

// PurgeTombstones removes some of the viewer's tombstones: those older than 30 days, and the oldest of more than
// maxTombstones. It reports whether more may remain.
func (s *Service) PurgeTombstones(ctx context.Context) (more bool, err error) {
	v, err := viewer.Require(ctx, viewer.Chat)
	if err != nil {
		return false, err
	}
	through, err := s.purgeable(ctx)
	if err != nil || through == 0 {
		return false, err
	}
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		if err := quota.Lock(ctx, tx, v.UserID); err != nil {
			return err
		}
		u, err := tx.User.Get(ctx, v.UserID)
		if err != nil {
			return err
		}
		oldest, err := tx.ConversationTombstone.Query().
			Where(conversationtombstone.SeqLTE(through)).
			Order(conversationtombstone.BySeq()).
			Limit(maxPurgedAtOnce).
			All(ctx)
		if err != nil || len(oldest) == 0 {
			return err
		}
		more = len(oldest) == maxPurgedAtOnce
		last := oldest[len(oldest)-1].Seq
		// In the same transaction: a subscriber below this position learns that deletions are missing.
		// The account itself does not change.
		err = tx.User.UpdateOne(u).SetPurgedConversationChange(last).SetUpdatedAt(u.UpdatedAt).Exec(ctx)
		if err != nil {
			return err
		}
		_, err = tx.ConversationTombstone.Delete().Where(conversationtombstone.SeqLTE(last)).Exec(ctx)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("purging tombstones: %w", err)
	}
	return more, nil
}

// purgeable returns the position up to which the viewer's tombstones may be removed, 0 for none.
func (s *Service) purgeable(ctx context.Context) (through int, err error) {
	newestFirst := conversationtombstone.BySeq(sql.OrderDesc())
	expired, err := s.client.ConversationTombstone.Query().
		Where(conversationtombstone.DeletedAtLT(ids.Now().Add(-tombstoneTTL))).
		Order(newestFirst).Limit(1).All(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading tombstones: %w", err)
	}
	surplus, err := s.client.ConversationTombstone.Query().Order(newestFirst).Offset(maxTombstones).Limit(1).All(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading tombstones: %w", err)
	}
	for _, t := range append(expired, surplus...) {
		through = max(through, t.Seq)
	}
	return through, nil
}
