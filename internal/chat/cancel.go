package chat

import (
	"context"
	"fmt"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
)

// cancelWait is how long CancelReply waits for the writer to stop. It stops within
// 200 ms; a writer whose server was killed is given up when its lease ends.
const cancelWait = 2 * time.Second

// CancelReply stops a reply and gives it as it then is. On a finished reply it changes nothing.
func (s *Service) CancelReply(ctx context.Context, messageID string) (*ent.Message, error) {
	m, err := s.reply(ctx, messageID)
	if err != nil || m.Status.Terminal() {
		return m, err
	}
	// Subscribe before asking, so that the end cannot be missed.
	sub := s.hub.Subscribe(m.ConversationID)
	defer sub.Close()
	if _, err := s.runs.Cancel(ctx, messageID); err != nil {
		return nil, err
	}
	wait, stop := context.WithTimeout(ctx, cancelWait)
	defer stop()
	for {
		if m, err = s.reply(ctx, messageID); err != nil || m.Status.Terminal() {
			return m, err
		}
		if _, err := sub.Next(wait); err != nil {
			return m, nil // the reply's stream will tell its end
		}
	}
}

func (s *Service) reply(ctx context.Context, messageID string) (*ent.Message, error) {
	m, err := s.client.Message.Get(ctx, messageID)
	if ent.IsNotFound(err) {
		return nil, apperr.Missing("message")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the reply: %w", err)
	}
	if m.Role != enum.RoleAssistant {
		return nil, apperr.Invalid("messageId", "Only the agent's replies can be cancelled.")
	}
	return m, nil
}
