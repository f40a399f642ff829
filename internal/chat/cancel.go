package chat

import (
	"context"
	"fmt"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/toolcall"
	"errand/internal/apperr"
	"errand/internal/approval"
	"errand/internal/viewer"
)

// cancelWait is how long CancelReply waits for the run to end. A live worker stops within 200 ms; the
// run of a killed replica ends when its lease expires, later than this.
const cancelWait = 2 * time.Second

// CancelReply cancels a reply and returns it, finished unless that takes longer than cancelWait. Of a finished reply it
// rejects the open tool calls.
func (s *Service) CancelReply(ctx context.Context, messageID string) (*ent.Message, error) {
	if _, err := viewer.Require(ctx, viewer.Chat); err != nil {
		return nil, err
	}
	m, err := s.requireReply(ctx, messageID)
	if err != nil {
		return nil, err
	}
	if m.Status.Terminal() {
		return m, s.rejectCallsOf(ctx, m)
	}
	// Subscribe before cancelling, so that the end of the run cannot be missed.
	sub := s.hub.Subscribe(m.ConversationID)
	defer sub.Close()
	if _, err := s.runs.Cancel(ctx, messageID); err != nil {
		return nil, err
	}
	wait, stop := context.WithTimeout(ctx, cancelWait)
	defer stop()
	for {
		if m, err = s.requireReply(ctx, messageID); err != nil || m.Status.Terminal() {
			return m, err
		}
		if _, err := sub.Next(wait); err != nil {
			return m, nil // timeout: clients receive the end through the stream
		}
	}
}

// rejectCallsOf rejects the open tool calls of a finished reply.
func (s *Service) rejectCallsOf(ctx context.Context, m *ent.Message) error {
	open, err := s.client.ToolCall.Query().Where(approval.Open(), toolcall.MessageID(m.ID)).Exist(ctx)
	if err != nil {
		return fmt.Errorf("reading the open tool calls: %w", err)
	}
	if !open {
		return nil
	}
	return s.endOpenCalls(ctx, m.ConversationID, approval.Rejected, func(c *ent.ToolCall) bool {
		return c.MessageID == m.ID
	})
}

// requireReply returns the viewer's assistant message with the ID.
func (s *Service) requireReply(ctx context.Context, messageID string) (*ent.Message, error) {
	m, err := s.client.Message.Get(ctx, messageID)
	if ent.IsNotFound(err) {
		return nil, apperr.Missing("message")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the reply: %w", err)
	}
	if m.Role != enum.RoleAssistant {
		return nil, apperr.Invalid("messageId", "Not a reply: only assistant messages can be cancelled or retried.")
	}
	return m, nil
}
