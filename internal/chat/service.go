// Package chat is conversations and their messages: saying something, stopping a
// reply, reading what was said.
package chat

import (
	"context"
	"fmt"

	"errand/ent"
	"errand/ent/conversation"
	"errand/internal/apperr"
	"errand/internal/page"
	"errand/internal/store"
	"errand/internal/stream"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
)

// RunEngine is the durable run engine as far as chat needs it.
type RunEngine interface {
	// Enqueue stores the run that will write a reply, in the transaction that stores the messages.
	Enqueue(ctx context.Context, tx *ent.Tx, conversationID, messageID string, position int) (*ent.Run, error)
	// Wake says after the commit that there is work.
	Wake()
	// Cancel stops the run that writes a reply.
	Cancel(ctx context.Context, messageID string) (finishedNow bool, err error)
}

// Service does what can be done to the viewer's conversations.
type Service struct {
	client *ent.Client
	hub    *stream.Hub
	runs   RunEngine
	limits Limits
}

// NewService makes the service.
func NewService(client *ent.Client, hub *stream.Hub, runs RunEngine, limits Limits) *Service {
	return &Service{client: client, hub: hub, runs: runs, limits: limits.withDefaults()}
}

// FindConversation is one of the viewer's conversations; nil when there is none.
func (s *Service) FindConversation(ctx context.Context, id string) (*ent.Conversation, error) {
	c, err := s.client.Conversation.Get(ctx, id)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	return c, err
}

// ConversationsByID are those of the viewer's conversations that exist, by id.
func (s *Service) ConversationsByID(ctx context.Context, ids []string) (map[string]*ent.Conversation, error) {
	return store.ByID(s.client.Conversation.Query().Where(conversation.IDIn(ids...)).All(ctx))
}

const conversationList = "conversations"

// ListConversations is a page of the viewer's conversations, newest first: ids grow with time.
func (s *Service) ListConversations(ctx context.Context, args page.Args) (*page.ConversationConnection, error) {
	w, err := args.Window(conversationList, 1)
	if err != nil {
		return nil, err
	}
	q := s.client.Conversation.Query()
	if w.After != nil {
		q.Where(conversation.IDLT(w.After.Text(0)))
	}
	if w.Before != nil {
		q.Where(conversation.IDGT(w.Before.Text(0)))
	}
	direction := sql.OrderDesc()
	if w.Backward {
		direction = sql.OrderAsc()
	}
	if columns := args.SelectColumns(conversation.FieldID, conversation.FieldMessageCount); columns != nil {
		q.Select(columns...)
	}
	found, err := q.Order(conversation.ByID(direction)).Limit(w.Size + 1).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing conversations: %w", err)
	}
	place := func(c *ent.Conversation) page.Cursor {
		return page.Cursor{List: conversationList, Key: []any{c.ID}}
	}
	return page.Build(w, found, place, s.client.Conversation.Query().Count), nil
}

// signedIn is who is asking.
func signedIn(ctx context.Context) (viewer.Viewer, error) {
	v, ok := viewer.FromContext(ctx)
	if !ok {
		return v, apperr.New(apperr.Unauthenticated, "Sign in first.")
	}
	return v, nil
}

// accountGone says why a viewer's row can belong to nobody: the account was deleted
// a moment ago, while its token is still believed.
func accountGone() error {
	return apperr.New(apperr.Unauthenticated, "This account no longer exists.")
}
