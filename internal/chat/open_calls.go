package chat

import (
	"context"
	"fmt"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/message"
	"errand/ent/run"
	"errand/ent/toolcall"
	"errand/internal/approval"
	"errand/internal/ids"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/stream"
	"errand/internal/tool"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
)

// PendingApprovals returns the viewer's tool calls that can be approved, those that expire last first, at most
// maxPending. Without the scope tasks:read, calls are redacted.
func (s *Service) PendingApprovals(ctx context.Context) ([]*ent.ToolCall, error) {
	v, err := viewer.Require(ctx, viewer.Chat)
	if err != nil {
		return nil, err
	}
	calls, err := s.client.ToolCall.Query().
		Where(approval.Open(), toolcall.ExpiresAtGT(ids.Now())).
		Order(toolcall.ByExpiresAt(sql.OrderDesc())).
		Limit(maxPending).
		All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading pending approvals: %w", err)
	}
	tool.RedactCalls(v.Scopes, calls)
	return calls, nil
}

// WaitingReplies returns the number of the viewer's replies that no replica has begun to generate.
func (s *Service) WaitingReplies(ctx context.Context) (int, error) {
	if _, err := viewer.Require(ctx, viewer.Chat); err != nil {
		return 0, err
	}
	n, err := s.client.Run.Query().Where(run.StateEQ(enum.RunQueued)).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("counting waiting replies: %w", err)
	}
	return n, nil
}

// maxExpired is how many tool calls ExpireApprovals ends in one call.
const maxExpired = 100

// ExpireApprovals ends some of the viewer's tool calls whose approval has expired. It reports whether more may remain.
func (s *Service) ExpireApprovals(ctx context.Context) (more bool, err error) {
	if _, err := viewer.Require(ctx, viewer.Chat); err != nil {
		return false, err
	}
	calls, err := s.client.ToolCall.Query().
		Where(approval.Open(), toolcall.ExpiresAtLTE(ids.Now())).
		Order(toolcall.ByExpiresAt()).
		Limit(maxExpired).
		WithMessage().
		All(ctx)
	if err != nil {
		return false, fmt.Errorf("reading expired approvals: %w", err)
	}
	ended := map[string]bool{}
	for _, c := range calls {
		conversationID := c.Edges.Message.ConversationID
		if ended[conversationID] {
			continue
		}
		ended[conversationID] = true
		if err := s.endOpenCalls(ctx, conversationID, approval.Expired, expiredCalls); err != nil {
			return false, err
		}
	}
	return len(calls) == maxExpired, nil
}

func expiredCalls(c *ent.ToolCall) bool { return approval.IsExpired(c, ids.Now()) }

// endOpenCalls ends the open tool calls of a conversation that match, in a transaction of its own.
func (s *Service) endOpenCalls(ctx context.Context, conversationID, code string, match func(*ent.ToolCall) bool) error {
	v, err := viewer.Require(ctx, viewer.Chat)
	if err != nil {
		return err
	}
	v.Actor = viewer.ActorAgent // counts no mutation
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		seq, err := (quota.Limits{}).Apply(ctx, tx, v, quota.Delta{ConversationChanges: 1})
		if err != nil {
			return err
		}
		calls, err := approval.OpenIn(ctx, tx.ToolCall, conversationID)
		if err != nil {
			return err
		}
		b := approval.NewBatch(tx, s.tasks, conversationID, seq.ConversationChange)
		for _, c := range calls {
			if !match(c) {
				continue
			}
			if err := b.End(ctx, c, code); err != nil {
				return err
			}
		}
		return b.Commit(ctx)
	})
	if err != nil {
		return err
	}
	s.hub.Publish(stream.Event{Kind: stream.RowsChanged, Topic: conversationID})
	s.hub.PublishConversationChange(v.UserID, false)
	return nil
}

// expireSeen ends the calls that were read although their approval has expired, and updates them. A failure leaves them
// to ExpireApprovals.
func (s *Service) expireSeen(ctx context.Context, calls []*ent.ToolCall) {
	now := ids.Now()
	for _, c := range calls {
		if !approval.IsExpired(c, now) {
			continue
		}
		m, err := s.client.Message.Query().Where(message.ID(c.MessageID)).Only(ctx)
		if err != nil || s.endOpenCalls(ctx, m.ConversationID, approval.Expired, expiredCalls) != nil {
			return
		}
		if stored, err := s.client.ToolCall.Get(ctx, c.ID); err == nil {
			c.Status, c.Result, c.LatencyMs = stored.Status, stored.Result, stored.LatencyMs
			c.ExpiresAt, c.Revision = stored.ExpiresAt, stored.Revision
		}
	}
}

// decideByMessage applies a new message of the user to the open tool calls of the conversation, in the transaction that
// stores it. A plain yes or no is left to the run of its reply, which is bound to the calls that are open now: not to
// those that a running reply proposes later. Any other message rejects them.
func (s *Service) decideByMessage(
	ctx context.Context, tx *ent.Tx, content string, reply *ent.Message, revision int,
) error {
	calls, err := approval.OpenIn(ctx, tx.ToolCall, reply.ConversationID)
	if err != nil || len(calls) == 0 {
		return err
	}
	b := approval.NewBatch(tx, s.tasks, reply.ConversationID, revision)
	if _, plain := tool.ReadYesNo(content); plain {
		return b.Bind(ctx, calls, reply.ID)
	}
	for _, c := range calls {
		if err := b.End(ctx, c, approval.Rejected); err != nil {
			return err
		}
	}
	return b.Commit(ctx)
}

// runScopes returns the scopes of the run that wrote a reply.
func runScopes(ctx context.Context, tx *ent.Tx, messageID string) (viewer.Scopes, error) {
	r, err := tx.Run.Query().Where(run.MessageID(messageID)).Only(ctx)
	if err != nil {
		return "", fmt.Errorf("reading the run of the reply: %w", err)
	}
	return viewer.Scopes(r.Scopes), nil
}
