// Package chat manages a user's conversations and messages: sending a message, cancelling a
// reply, and reading what was sent.
//
// A conversation is a sequence of turns, each a user message and the assistant message that replies to it. If the reply
// fails, RetryReply adds another one to the last turn. SendMessage stores a turn together with the run
// (internal/run) whose worker writes the reply; readers follow the reply through internal/stream.
package chat

import (
	"context"

	"errand/ent"
	"errand/ent/conversation"
	"errand/internal/store"
	"errand/internal/stream"
	"errand/internal/task"
	"errand/internal/viewer"
)

// RunEngine is the part of *run.Engine that Service uses.
type RunEngine interface {
	// Enqueue stores the run that will write a reply, in the transaction that stores the messages.
	Enqueue(ctx context.Context, tx *ent.Tx, conversationID, messageID string, position int) (*ent.Run, error)
	// Wake starts queued runs; it is called after the commit.
	Wake()
	// Cancel requests the end of the run that writes the reply messageID.
	Cancel(ctx context.Context, messageID string) (finishedNow bool, err error)
}

// Service reads and changes the viewer's conversations, which needs the scope chat. It is safe for concurrent use.
type Service struct {
	client *ent.Client
	hub    *stream.Hub
	runs   RunEngine
	tasks  *task.Service
	limits Limits
}

// NewService returns a Service, which makes approved changes through tasks. Zero fields of limits get their defaults.
func NewService(client *ent.Client, hub *stream.Hub, runs RunEngine, tasks *task.Service, limits Limits) *Service {
	return &Service{
		client: client,
		hub:    hub,
		runs:   runs,
		tasks:  tasks,
		limits: limits.withDefaults(),
	}
}

// FindConversation returns the viewer's conversation with the ID, or nil when there is none.
func (s *Service) FindConversation(ctx context.Context, id string) (*ent.Conversation, error) {
	if _, err := viewer.Require(ctx, viewer.Chat); err != nil {
		return nil, err
	}
	c, err := s.client.Conversation.Get(ctx, id)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	return c, err
}

// ConversationsByID returns the viewer's conversations with the given IDs, keyed by ID. Unknown IDs are left out.
func (s *Service) ConversationsByID(ctx context.Context, ids []string) (map[string]*ent.Conversation, error) {
	if _, err := viewer.Require(ctx, viewer.Chat); err != nil {
		return nil, err
	}
	return store.ByID(s.client.Conversation.Query().Where(conversation.IDIn(ids...)).All(ctx))
}
