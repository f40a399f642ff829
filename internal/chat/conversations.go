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
	"errand/internal/idempotency"
	"errand/internal/ids"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/stream"
	"errand/internal/truncate"
	"errand/internal/viewer"
)

// MaxTitle is the maximum length of a conversation's title, in characters.
const MaxTitle = 200

// CreateConversation creates an empty conversation. With a nil title, the first message provides one.
func (s *Service) CreateConversation(ctx context.Context, title, idempotencyKey *string) (*ent.Conversation, error) {
	v, err := viewer.Require(ctx, viewer.Chat)
	if err != nil {
		return nil, err
	}
	if title != nil {
		checked, err := checkTitle(*title)
		if err != nil {
			return nil, err
		}
		title = &checked
	}
	request := idempotency.Request{Operation: "createConversation", Key: idempotencyKey, Input: title}
	var c *ent.Conversation
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		earlier, replayed, err := idempotency.Run(ctx, tx, request, func() (created []string, err error) {
			if c, err = s.createConversation(ctx, tx, v, title); err != nil {
				return nil, err
			}
			return []string{c.ID}, nil
		})
		if err == nil && replayed {
			if c, err = tx.Conversation.Get(ctx, earlier[0]); ent.IsNotFound(err) {
				err = apperr.Missing("conversation")
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	s.hub.PublishConversationChange(c.UserID, true)
	return c, nil
}

func (s *Service) createConversation(
	ctx context.Context,
	tx *ent.Tx,
	v viewer.Viewer,
	title *string,
) (*ent.Conversation, error) {
	seq, err := s.limits.Quota.Apply(ctx, tx, v, quota.Delta{Conversations: 1, ConversationChanges: 1})
	if err != nil {
		return nil, err
	}
	create := tx.Conversation.Create().SetSeq(seq.ConversationChange)
	if title != nil {
		create.SetTitle(*title).SetTitleSource(enum.TitlePerson)
	}
	c, err := create.Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("creating a conversation: %w", err)
	}
	return c, nil
}

// ConversationPatch lists the changes of UpdateConversation.
type ConversationPatch struct {
	// TitleSet means that the title changes. With a nil Title, the next message provides one.
	TitleSet bool
	Title    *string
	// Archived archives the conversation, or takes it back; nil leaves it as it is.
	Archived *bool
}

// UpdateConversation changes a conversation's title and whether it is archived. Archiving an archived conversation
// keeps the time of the first archiving.
func (s *Service) UpdateConversation(ctx context.Context, id string, p ConversationPatch) (*ent.Conversation, error) {
	v, err := viewer.Require(ctx, viewer.Chat)
	if err != nil {
		return nil, err
	}
	if p.Title != nil {
		title, err := checkTitle(*p.Title)
		if err != nil {
			return nil, err
		}
		p.Title = &title
	}
	var c *ent.Conversation
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		seq, err := s.limits.Quota.Apply(ctx, tx, v, quota.Delta{ConversationChanges: 1})
		if err != nil {
			return err
		}
		c, err = tx.Conversation.Get(ctx, id)
		if ent.IsNotFound(err) {
			return nil // commit, so that the mutation counts
		}
		if err != nil {
			return fmt.Errorf("reading the conversation: %w", err)
		}
		c, err = p.apply(tx.Conversation.UpdateOne(c), c).SetSeq(seq.ConversationChange).Save(ctx)
		if err != nil {
			return fmt.Errorf("changing the conversation: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, apperr.Missing("conversation")
	}
	s.hub.Publish(stream.Event{Kind: stream.RowsChanged, Topic: c.ID})
	s.hub.PublishConversationChange(c.UserID, true)
	return c, nil
}

// apply adds the changes to an update of c.
func (p ConversationPatch) apply(update *ent.ConversationUpdateOne, c *ent.Conversation) *ent.ConversationUpdateOne {
	switch {
	case p.Title != nil:
		update.SetTitle(*p.Title).SetTitleSource(enum.TitlePerson)
	case p.TitleSet:
		update.SetTitle("").SetTitleSource(enum.TitleAuto)
	}
	switch {
	case p.Archived == nil:
	case !*p.Archived:
		update.ClearArchivedAt()
	case c.ArchivedAt == nil:
		update.SetArchivedAt(ids.Now())
	}
	return update
}

// DeleteConversation permanently deletes a conversation with its messages. It cancels unfinished replies
// first, and ends the conversation's streams.
func (s *Service) DeleteConversation(ctx context.Context, id string) error {
	v, err := viewer.Require(ctx, viewer.Chat)
	if err != nil {
		return err
	}
	if err := s.cancelReplies(ctx, message.ConversationID(id)); err != nil {
		return err
	}
	if err := s.unindexLong(ctx, v, id); err != nil {
		return err
	}
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		// Runs first, in the lock order of run.Engine, which locks a run before its message. Once the
		// run's row is gone, its worker can commit nothing more.
		if _, err := tx.Run.Delete().Where(run.ConversationID(id)).Exec(ctx); err != nil {
			return err
		}
		seq, err := s.uncount(ctx, tx, v, id)
		if err != nil {
			return err
		}
		if _, _, err := removeTerms(ctx, tx, v, id); err != nil {
			return err
		}
		if err := tx.Conversation.DeleteOneID(id).Exec(ctx); err != nil {
			return err
		}
		return tx.ConversationTombstone.Create().SetID(id).SetSeq(seq.ConversationChange).Exec(ctx)
	})
	if ent.IsNotFound(err) {
		return apperr.Missing("conversation")
	}
	if err != nil {
		return fmt.Errorf("deleting the conversation: %w", err)
	}
	s.hub.Publish(stream.Event{Kind: stream.RowsChanged, Topic: id})
	s.hub.PublishConversationChange(v.UserID, true)
	return nil
}

// uncount subtracts a conversation from the user's counters, under the lock of the user's row, and assigns the position
// of the deletion.
func (s *Service) uncount(ctx context.Context, tx *ent.Tx, v viewer.Viewer, id string) (quota.Sequence, error) {
	if err := quota.Lock(ctx, tx, v.UserID); err != nil {
		return quota.Sequence{}, err
	}
	bytes, err := quota.ConversationBytes(ctx, tx, v.UserID, id)
	if err != nil {
		return quota.Sequence{}, err
	}
	return s.limits.Quota.Apply(ctx, tx, v, quota.Delta{Conversations: -1, Bytes: -bytes, ConversationChanges: 1})
}

// CancelReplies cancels all unfinished replies of the viewer.
func (s *Service) CancelReplies(ctx context.Context) error {
	if _, err := viewer.Require(ctx, viewer.Chat); err != nil {
		return err
	}
	return s.cancelReplies(ctx)
}

// cancelReplies cancels the unfinished replies that match where. Replies that finish meanwhile are no error.
func (s *Service) cancelReplies(ctx context.Context, where ...predicate.Message) error {
	open, err := s.client.Message.Query().Where(where...).Where(unfinished).IDs(ctx)
	if err != nil {
		return fmt.Errorf("reading unfinished replies: %w", err)
	}
	for _, messageID := range open {
		if _, err := s.runs.Cancel(ctx, messageID); err != nil && apperr.CodeOf(err) != apperr.NotFound {
			return fmt.Errorf("cancelling a reply: %w", err)
		}
	}
	return nil
}

// checkTitle trims and validates a title.
func checkTitle(title string) (string, error) {
	title = strings.TrimSpace(title)
	n := utf8.RuneCountInString(title)
	if n < 1 || n > MaxTitle || !utf8.ValidString(title) || strings.ContainsFunc(title, unicode.IsControl) {
		return "", apperr.Invalid("title", "A title must be one line of 1 to %d characters; this one has %d.", MaxTitle, n)
	}
	return title, nil
}

// maxDerivedTitle is the maximum length of a title taken from a message, in characters, without the ellipsis.
const maxDerivedTitle = 60

// deriveTitle returns the first line of a message, cut at a word boundary, as a conversation's title.
func deriveTitle(content string) string {
	line, _, _ := strings.Cut(content, "\n")
	words := strings.FieldsFunc(line, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
	title := ""
	for _, word := range words {
		switch {
		case title == "":
			title = word
		case utf8.RuneCountInString(title)+1+utf8.RuneCountInString(word) > maxDerivedTitle:
			return title + "…"
		default:
			title += " " + word
		}
	}
	if utf8.RuneCountInString(title) > maxDerivedTitle {
		return truncate.Runes(title, maxDerivedTitle) + "…"
	}
	return title
}
