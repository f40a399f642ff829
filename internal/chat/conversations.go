package chat

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/message"
	"errand/ent/predicate"
	"errand/ent/run"
	"errand/internal/apperr"
	"errand/internal/store"
	"errand/internal/stream"
)

// MaxTitle bounds a conversation's title, in characters.
const MaxTitle = 200

// CreateConversation begins a conversation. Without a title the first message names it.
func (s *Service) CreateConversation(ctx context.Context, title *string) (*ent.Conversation, error) {
	create := s.client.Conversation.Create()
	if title != nil {
		checked, err := checkTitle(*title)
		if err != nil {
			return nil, err
		}
		create.SetTitle(checked).SetTitleSource(enum.TitlePerson)
	}
	c, err := create.Save(ctx)
	if ent.IsConstraintError(err) {
		return nil, accountGone()
	}
	if err != nil {
		return nil, fmt.Errorf("beginning a conversation: %w", err)
	}
	s.listChanged(c.UserID)
	return c, nil
}

// RenameConversation gives a conversation its person's title; nil lets the next message name it
// again, and a title that is not given stays.
func (s *Service) RenameConversation(ctx context.Context, id string, given bool, title *string) (*ent.Conversation, error) {
	update := s.client.Conversation.UpdateOneID(id)
	switch {
	case title != nil:
		checked, err := checkTitle(*title)
		if err != nil {
			return nil, err
		}
		update.SetTitle(checked).SetTitleSource(enum.TitlePerson)
	case given:
		update.SetTitle("").SetTitleSource(enum.TitleAuto)
	}
	c, err := update.Save(ctx)
	if ent.IsNotFound(err) {
		return nil, apperr.Missing("conversation")
	}
	if err != nil {
		return nil, fmt.Errorf("renaming the conversation: %w", err)
	}
	s.hub.Publish(stream.Event{Kind: stream.Changed, Topic: c.ID})
	s.listChanged(c.UserID)
	return c, nil
}

// DeleteConversation removes a conversation with its messages for good, stopping its replies.
// Its streams end.
func (s *Service) DeleteConversation(ctx context.Context, id string) error {
	v, err := signedIn(ctx)
	if err != nil {
		return err
	}
	if err := s.stopReplies(ctx, message.ConversationID(id)); err != nil {
		return err
	}
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		// Runs first: whoever writes a reply locks its run before its message too. A run
		// whose row is gone can commit nothing more.
		if _, err := tx.Run.Delete().Where(run.ConversationID(id)).Exec(ctx); err != nil {
			return err
		}
		return tx.Conversation.DeleteOneID(id).Exec(ctx)
	})
	if ent.IsNotFound(err) {
		return apperr.Missing("conversation")
	}
	if err != nil {
		return fmt.Errorf("deleting the conversation: %w", err)
	}
	s.hub.Publish(stream.Event{Kind: stream.Changed, Topic: id})
	s.listChanged(v.UserID)
	return nil
}

// listChanged tells whoever shows the person's list of conversations to read it again.
func (s *Service) listChanged(userID string) {
	s.hub.Publish(stream.Event{Kind: stream.Changed, Topic: stream.ConversationsOf(userID)})
}

// CancelReplies stops all of the viewer's replies under way.
func (s *Service) CancelReplies(ctx context.Context) error { return s.stopReplies(ctx) }

func (s *Service) stopReplies(ctx context.Context, where ...predicate.Message) error {
	unfinished, err := s.client.Message.Query().Where(where...).
		Where(message.StatusIn(enum.MessagePending, enum.MessageStreaming)).IDs(ctx)
	if err != nil {
		return fmt.Errorf("reading replies under way: %w", err)
	}
	for _, messageID := range unfinished {
		if _, err := s.runs.Cancel(ctx, messageID); err != nil && apperr.CodeOf(err) != apperr.NotFound {
			return fmt.Errorf("stopping a reply: %w", err)
		}
	}
	return nil
}

func checkTitle(title string) (string, error) {
	title = strings.TrimSpace(title)
	n := utf8.RuneCountInString(title)
	if n < 1 || n > MaxTitle || !utf8.ValidString(title) || strings.ContainsFunc(title, unicode.IsControl) {
		return "", apperr.Invalid("title", "A title is one line of 1 to %d characters.", MaxTitle)
	}
	return title, nil
}

// titleLength is how long a title taken from a message may grow, in characters.
const titleLength = 60

// titleFrom names a conversation after its first message: its first line, cut at a word.
func titleFrom(content string) string {
	line, _, _ := strings.Cut(content, "\n")
	words := strings.FieldsFunc(line, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
	title := ""
	for _, word := range words {
		switch {
		case title == "":
			title = word
		case utf8.RuneCountInString(title)+1+utf8.RuneCountInString(word) > titleLength:
			return title + "…"
		default:
			title += " " + word
		}
	}
	if utf8.RuneCountInString(title) > titleLength {
		return string([]rune(title)[:titleLength]) + "…"
	}
	return title
}
