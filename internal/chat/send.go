package chat

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"errand/ent"
	"errand/ent/conversation"
	"errand/ent/enum"
	"errand/ent/message"
	"errand/ent/rule"
	"errand/internal/apperr"
	"errand/internal/idempotency"
	"errand/internal/ids"
	"errand/internal/page"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/stream"
	"errand/internal/telemetry"
	"errand/internal/terms"
	"errand/internal/viewer"
)

// MaxContent is the maximum length of a message, in characters.
const MaxContent = 8_000

// SendMessageInput is a message to the agent.
type SendMessageInput struct {
	// ConversationID names the conversation; nil starts a new one.
	ConversationID *string
	Content        string
	// IdempotencyKey makes the call safe to repeat.
	IdempotencyKey *string
	terms          []string // of Content, for the search index
}

// Turn is a user message and the assistant message that will reply to it.
type Turn struct {
	Conversation     *ent.Conversation
	UserMessage      *ent.Message
	AssistantMessage *ent.Message
}

// ConversationEdge returns the conversation as an edge of the list of conversations.
func (t *Turn) ConversationEdge() *page.ConversationEdge { return ConversationEdge(t.Conversation) }

// UserMessageEdge returns the user message as an edge of the conversation's messages.
func (t *Turn) UserMessageEdge() *page.MessageEdge { return MessageEdge(t.UserMessage) }

// AssistantMessageEdge returns the assistant message as an edge of the conversation's messages.
func (t *Turn) AssistantMessageEdge() *page.MessageEdge { return MessageEdge(t.AssistantMessage) }

// SendMessage stores the user message, the pending assistant message and the run that will write it, in
// one transaction. A call with the idempotency key and message of an earlier one returns the earlier
// turn; the same key with another message is CONFLICT.
func (s *Service) SendMessage(ctx context.Context, in SendMessageInput) (*Turn, error) {
	v, err := viewer.Require(ctx, viewer.Chat)
	if err != nil {
		return nil, err
	}
	if err := in.normalize(); err != nil {
		return nil, err
	}
	if turn, err := s.findSent(ctx, in); turn != nil || err != nil {
		return turn, err
	}
	if s.limits.CheckBudget != nil {
		if err := s.limits.CheckBudget(ctx); err != nil {
			return nil, err
		}
	}
	var turn *Turn
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		seq, err := s.checkLimits(ctx, tx, v, in)
		if err == nil {
			turn, err = s.createTurn(ctx, tx, in, seq)
		}
		return err
	})
	if err != nil {
		return s.orSent(ctx, in, err)
	}
	s.hub.Publish(stream.Event{Kind: stream.RowsChanged, Topic: turn.Conversation.ID})
	// With its first message, the conversation is new or gets its title.
	s.hub.PublishConversationChange(v.UserID, turn.UserMessage.Position == 1)
	s.runs.Wake()
	return turn, nil
}

// normalize trims the content and validates the fields that the caller wrote.
func (in *SendMessageInput) normalize() error {
	in.Content = strings.TrimSpace(in.Content)
	n := utf8.RuneCountInString(in.Content)
	if n < 1 || n > MaxContent {
		return apperr.Invalid("content", "A message must have 1 to %d characters; this one has %d.", MaxContent, n)
	}
	if !utf8.ValidString(in.Content) || strings.ContainsRune(in.Content, 0) {
		return apperr.Invalid("content", "A message must be plain text.")
	}
	in.terms = terms.Index(in.Content)
	if in.IdempotencyKey == nil {
		return nil
	}
	return idempotency.CheckKey(*in.IdempotencyKey)
}

// findSent returns the turn stored under the same idempotency key, or nil when there is none.
func (s *Service) findSent(ctx context.Context, in SendMessageInput) (*Turn, error) {
	if in.IdempotencyKey == nil {
		return nil, nil
	}
	sent, err := s.client.Message.Query().Where(message.IdempotencyKey(*in.IdempotencyKey)).WithConversation().Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the message of the idempotency key: %w", err)
	}
	otherConversation := in.ConversationID != nil && *in.ConversationID != sent.ConversationID
	if sent.Content != in.Content || otherConversation {
		return nil, apperr.New(apperr.Conflict, "This idempotency key was used for another message.")
	}
	reply, err := s.client.Message.Query().
		Where(message.ConversationID(sent.ConversationID), message.Position(sent.Position+1)).
		Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the reply: %w", err)
	}
	return &Turn{Conversation: sent.Edges.Conversation, UserMessage: sent, AssistantMessage: reply}, nil
}

// orSent returns the turn that a concurrent request stored under the same idempotency key, else sendErr.
func (s *Service) orSent(ctx context.Context, in SendMessageInput, sendErr error) (*Turn, error) {
	if turn, err := s.findSent(ctx, in); turn != nil || err != nil {
		return turn, err
	}
	return nil, sendErr
}

func (s *Service) createTurn(
	ctx context.Context, tx *ent.Tx, in SendMessageInput, seq quota.Sequence,
) (*Turn, error) {
	c, err := s.extendConversation(ctx, tx, in, seq)
	if err != nil {
		return nil, err
	}
	ctx = rule.SkipEdgeCheck(ctx, c.ID) // this transaction has just written the conversation as the viewer
	now := ids.Now()
	sent, err := store.Queue(tx).Message.Create().
		SetConversationID(c.ID).
		SetPosition(c.MessageCount - 1).
		SetRole(enum.RoleUser).
		SetContent(in.Content).
		SetTermCount(len(in.terms)).
		SetNillableIdempotencyKey(in.IdempotencyKey).
		SetCreatedAt(now).
		SetUpdatedAt(now).
		SetFinishedAt(now).
		Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("storing the message: %w", err)
	}
	if err := store.MessageTerms.Add(ctx, store.Queue(tx), sent.UserID, sent.ID, in.terms); err != nil {
		return nil, err
	}
	reply, err := s.createReply(ctx, tx, c, now)
	if err != nil {
		return nil, err
	}
	if sent.Position > 1 {
		if err := s.decideByMessage(ctx, tx, in.Content, reply, seq.ConversationChange); err != nil {
			return nil, err
		}
	}
	return &Turn{Conversation: c, UserMessage: sent, AssistantMessage: reply}, nil
}

// createReply stores a pending reply at the conversation's last position, with its run. The caller has written the
// conversation as the viewer, and exempted it from edge checks.
func (s *Service) createReply(
	ctx context.Context, tx *ent.Tx, c *ent.Conversation, now time.Time,
) (*ent.Message, error) {
	reply, err := store.Queue(tx).Message.Create().
		SetConversationID(c.ID).
		SetPosition(c.MessageCount).
		SetRole(enum.RoleAssistant).
		SetStatus(enum.MessagePending).
		SetCreatedAt(now).
		SetUpdatedAt(now).
		Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("storing the reply: %w", err)
	}
	run, err := s.runs.Enqueue(rule.SkipEdgeCheck(ctx, reply.ID), tx, c.ID, reply.ID, reply.Position)
	if err != nil {
		return nil, err
	}
	telemetry.LinkRun(ctx, run.ID, reply.ID)
	return reply, nil
}

// extendConversation adds two positions to the conversation, or creates a new one with two. The update locks the
// conversation's row, so positions are assigned in the order of commits. A message takes the conversation out of the
// archive.
func (s *Service) extendConversation(
	ctx context.Context, tx *ent.Tx, in SendMessageInput, seq quota.Sequence,
) (*ent.Conversation, error) {
	if in.ConversationID == nil {
		c, err := store.Queue(tx).Conversation.Create().
			SetTitle(deriveTitle(in.Content)).
			SetMessageCount(2).
			SetSeq(seq.ConversationChange).
			Save(ctx)
		if err != nil {
			return nil, fmt.Errorf("creating a conversation: %w", err)
		}
		return c, nil
	}
	err := store.Queue(tx).Conversation.Update().Where(conversation.ID(*in.ConversationID)).
		AddMessageCount(2).
		SetSeq(seq.ConversationChange).
		ClearArchivedAt().
		Exec(ctx)
	if err != nil {
		return nil, fmt.Errorf("locking the conversation: %w", err)
	}
	c, err := tx.Conversation.Get(ctx, *in.ConversationID)
	if ent.IsNotFound(err) {
		return nil, apperr.Missing("conversation")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the conversation: %w", err)
	}
	if c.Title == "" && c.TitleSource == enum.TitleAuto {
		if c, err = tx.Conversation.UpdateOne(c).SetTitle(deriveTitle(in.Content)).Save(ctx); err != nil {
			return nil, fmt.Errorf("setting the conversation's title: %w", err)
		}
	}
	return c, nil
}
