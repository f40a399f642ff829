package chat

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/message"
	"errand/ent/rule"
	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/store"
	"errand/internal/stream"
	"errand/internal/telemetry"
)

// Bounds of a message and its key, in characters.
const (
	MaxContent        = 8_000
	MaxIdempotencyKey = 255
)

// SendMessageInput is a message to the agent.
type SendMessageInput struct {
	// ConversationID names the conversation; nil begins a new one.
	ConversationID *string
	Content        string
	// IdempotencyKey makes sending safe to repeat.
	IdempotencyKey *string
}

// Turn is a message and the reply to come.
type Turn struct {
	Conversation     *ent.Conversation
	UserMessage      *ent.Message
	AssistantMessage *ent.Message
}

// SendMessage stores the message, the reply to be and the run that will write it, in one
// transaction. The same key with the same message gives the same turn; with another, CONFLICT.
func (s *Service) SendMessage(ctx context.Context, in SendMessageInput) (*Turn, error) {
	v, err := signedIn(ctx)
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	if turn, err := s.sent(ctx, in); turn != nil || err != nil {
		return turn, err
	}
	if s.limits.CheckBudget != nil {
		if err := s.limits.CheckBudget(ctx); err != nil {
			return nil, err
		}
	}
	var turn *Turn
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) (err error) {
		if err = s.admit(ctx, tx, v.UserID); err == nil {
			turn, err = s.begin(ctx, tx, in)
		}
		return err
	})
	if err != nil {
		return s.orSent(ctx, in, err)
	}
	s.hub.Publish(stream.Event{Kind: stream.Changed, Topic: turn.Conversation.ID})
	if turn.UserMessage.Position == 1 { // it has begun, or has its title from this message
		s.listChanged(v.UserID)
	}
	s.runs.Wake()
	return turn, nil
}

func (in *SendMessageInput) check() error {
	in.Content = strings.TrimSpace(in.Content)
	n := utf8.RuneCountInString(in.Content)
	if n < 1 || n > MaxContent {
		return apperr.Invalid("content", "A message has 1 to %d characters; this one has %d.", MaxContent, n)
	}
	if !utf8.ValidString(in.Content) || strings.ContainsRune(in.Content, 0) {
		return apperr.Invalid("content", "A message is plain text.")
	}
	if in.IdempotencyKey == nil {
		return nil
	}
	if n := utf8.RuneCountInString(
		*in.IdempotencyKey,
	); n < 1 || n > MaxIdempotencyKey ||
		strings.ContainsRune(*in.IdempotencyKey, 0) {
		return apperr.Invalid("idempotencyKey", "A key has 1 to %d characters.", MaxIdempotencyKey)
	}
	return nil
}

// sent is the turn that was begun with the same key; nil when there is none.
func (s *Service) sent(ctx context.Context, in SendMessageInput) (*Turn, error) {
	if in.IdempotencyKey == nil {
		return nil, nil
	}
	said, err := s.client.Message.Query().Where(message.IdempotencyKey(*in.IdempotencyKey)).WithConversation().Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for the key: %w", err)
	}
	elsewhere := in.ConversationID != nil && *in.ConversationID != said.ConversationID
	if said.Content != in.Content || elsewhere {
		return nil, apperr.New(apperr.Conflict, "This idempotency key was used for another message.")
	}
	reply, err := s.client.Message.Query().
		Where(message.ConversationID(said.ConversationID), message.Position(said.Position+1)).Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the reply: %w", err)
	}
	return &Turn{Conversation: said.Edges.Conversation, UserMessage: said, AssistantMessage: reply}, nil
}

// orSent gives the turn after all when the same message, sent at the same moment, was quicker.
func (s *Service) orSent(ctx context.Context, in SendMessageInput, refusal error) (*Turn, error) {
	if turn, err := s.sent(ctx, in); turn != nil || err != nil {
		return turn, err
	}
	return nil, refusal
}

func (s *Service) begin(ctx context.Context, tx *ent.Tx, in SendMessageInput) (*Turn, error) {
	c, err := s.place(ctx, tx, in)
	if err != nil {
		return nil, err
	}
	ctx = rule.SkipEdgeCheck(ctx, c.ID)
	now := ids.Now()
	said, err := tx.Message.Create().
		SetConversationID(c.ID).SetPosition(c.MessageCount - 1).SetRole(enum.RoleUser).
		SetContent(in.Content).SetNillableIdempotencyKey(in.IdempotencyKey).
		SetCreatedAt(now).SetUpdatedAt(now).SetFinishedAt(now).Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("storing the message: %w", err)
	}
	reply, err := tx.Message.Create().
		SetConversationID(c.ID).SetPosition(c.MessageCount).SetRole(enum.RoleAssistant).
		SetStatus(enum.MessagePending).SetCreatedAt(now).SetUpdatedAt(now).Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("storing the reply: %w", err)
	}
	run, err := s.runs.Enqueue(rule.SkipEdgeCheck(ctx, reply.ID), tx, c.ID, reply.ID, reply.Position)
	if err != nil {
		return nil, err
	}
	telemetry.LinkRun(ctx, run.ID, reply.ID)
	return &Turn{Conversation: c, UserMessage: said, AssistantMessage: reply}, nil
}

// place locks the conversation, or begins one, with room for the two messages.
func (s *Service) place(ctx context.Context, tx *ent.Tx, in SendMessageInput) (*ent.Conversation, error) {
	if in.ConversationID == nil {
		c, err := tx.Conversation.Create().SetTitle(titleFrom(in.Content)).SetMessageCount(2).Save(ctx)
		if ent.IsConstraintError(err) {
			return nil, accountGone()
		}
		if err != nil {
			return nil, fmt.Errorf("beginning a conversation: %w", err)
		}
		return c, nil
	}
	c, err := tx.Conversation.UpdateOneID(*in.ConversationID).AddMessageCount(2).Save(ctx)
	if ent.IsNotFound(err) {
		return nil, apperr.Missing("conversation")
	}
	if err != nil {
		return nil, fmt.Errorf("locking the conversation: %w", err)
	}
	if c.Title == "" && c.TitleSource == enum.TitleAuto {
		if c, err = tx.Conversation.UpdateOne(c).SetTitle(titleFrom(in.Content)).Save(ctx); err != nil {
			return nil, fmt.Errorf("naming the conversation: %w", err)
		}
	}
	return c, nil
}
