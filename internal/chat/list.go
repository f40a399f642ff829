package chat

import (
	"context"
	"fmt"
	"time"

	"errand/ent"
	"errand/ent/conversation"
	"errand/ent/message"
	"errand/ent/predicate"
	"errand/internal/page"
	"errand/internal/quota"
	"errand/internal/task"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
)

// conversationList is the name of the list of conversations in page cursors. All filters have the same order and share
// cursors.
const conversationList = "conversations"

// Bounds of a search. Row-level security keeps PostgreSQL from using an index for it, and titles are short.
const (
	// maxSearched is how many conversations a search reads, newest first.
	maxSearched = 20_000
	// searchChunk is how many it reads at once.
	searchChunk = 500
)

// ConversationFilter selects conversations that meet all of its conditions.
type ConversationFilter struct {
	// Search holds words; each must begin a word of the title, in any case and with any accents. Nil is no condition.
	Search *string
	// Archived selects archived conversations instead of those outside the archive.
	Archived *bool
}

// ListConversations returns a page of the viewer's conversations outside the archive, newest first.
func (s *Service) ListConversations(ctx context.Context, args page.Args) (*page.ConversationConnection, error) {
	return s.FilterConversations(ctx, args, nil)
}

// FilterConversations returns a page of the viewer's conversations, newest first. IDs are ordered by creation time and
// serve as the sort key. A nil filter selects all conversations outside the archive.
func (s *Service) FilterConversations(
	ctx context.Context, args page.Args, filter *ConversationFilter,
) (*page.ConversationConnection, error) {
	if _, err := viewer.Require(ctx, viewer.Chat); err != nil {
		return nil, err
	}
	w, err := args.Window(conversationList, 1)
	if err != nil {
		return nil, err
	}
	l, err := s.newListing(args, filter)
	if err != nil {
		return nil, err
	}
	found, err := l.read(ctx, w)
	if err != nil {
		return nil, err
	}
	return page.Build(w, found, conversationCursor, l.count), nil
}

func conversationCursor(c *ent.Conversation) page.Cursor {
	return page.Cursor{List: conversationList, Key: []any{c.ID}}
}

// listing reads the conversations that a filter selects.
type listing struct {
	service  *Service
	archived predicate.Conversation
	// onlyArchived means that archived selects the archive.
	onlyArchived bool
	// matches compares a title with the search; nil without a search.
	matches func(title string) bool
	columns []string // to read; nil means all
}

func (s *Service) newListing(args page.Args, f *ConversationFilter) (*listing, error) {
	l := &listing{service: s, archived: conversation.ArchivedAtIsNil()}
	l.columns = args.SelectColumns(conversation.FieldID, conversation.FieldMessageCount)
	if f == nil {
		return l, nil
	}
	if f.Archived != nil && *f.Archived {
		l.archived, l.onlyArchived = conversation.ArchivedAtNotNil(), true
	}
	if f.Search == nil {
		return l, nil
	}
	var err error
	if l.matches, err = task.TitleMatcher(*f.Search); err != nil {
		return nil, err
	}
	if l.matches != nil {
		l.columns = args.SelectColumns(conversation.FieldID, conversation.FieldMessageCount, conversation.FieldTitle)
	}
	return l, nil
}

// read returns the conversations of the window, in the order of reading, and one more if there are more.
func (l *listing) read(ctx context.Context, w page.Window) ([]*ent.Conversation, error) {
	if l.matches == nil {
		return l.readRows(ctx, w, w.Size+1)
	}
	var found []*ent.Conversation
	for searched := 0; searched < maxSearched; searched += searchChunk {
		rows, err := l.readRows(ctx, w, searchChunk)
		if err != nil {
			return nil, err
		}
		for _, c := range rows {
			if l.matches(c.Title) {
				found = append(found, c)
			}
			if len(found) > w.Size {
				return found, nil
			}
		}
		if len(rows) < searchChunk {
			break
		}
		next := conversationCursor(rows[len(rows)-1])
		if w.Backward {
			w.Before = &next
		} else {
			w.After = &next
		}
	}
	return found, nil
}

// readRows returns at most limit conversations of the window, without regard to the search.
func (l *listing) readRows(ctx context.Context, w page.Window, limit int) ([]*ent.Conversation, error) {
	q := l.service.client.Conversation.Query().Where(l.archived)
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
	if l.columns != nil {
		q.Select(l.columns...)
	}
	rows, err := q.Order(conversation.ByID(direction)).Limit(limit).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing conversations: %w", err)
	}
	return rows, nil
}

// count returns the number of conversations in the whole list.
func (l *listing) count(ctx context.Context) (page.Total, error) {
	if l.matches != nil {
		return l.countMatches(ctx)
	}
	v, err := viewer.Require(ctx)
	if err != nil {
		return page.Total{}, err
	}
	used, found, err := quota.Stored(ctx, l.service.client, v.UserID)
	if err == nil && !found {
		err = viewer.ErrAccountDeleted()
	}
	if err != nil {
		return page.Total{}, err
	}
	archived, err := l.countArchived(ctx)
	if err != nil || l.onlyArchived {
		return archived, err
	}
	return page.Total{Count: max(0, used.Conversations-archived.Count)}, nil
}

// countArchived returns the number of archived conversations.
func (l *listing) countArchived(ctx context.Context) (page.Total, error) {
	n, err := l.service.client.Conversation.Query().Where(conversation.ArchivedAtNotNil()).Count(ctx)
	if err != nil {
		return page.Total{}, fmt.Errorf("counting archived conversations: %w", err)
	}
	return page.Total{Count: n}, nil
}

// countMatches returns the number of conversations that the search finds.
func (l *listing) countMatches(ctx context.Context) (page.Total, error) {
	titles, err := l.service.client.Conversation.Query().
		Where(l.archived).
		Order(conversation.ByID(sql.OrderDesc())).
		Limit(maxSearched).
		Select(conversation.FieldTitle).
		Strings(ctx)
	if err != nil {
		return page.Total{}, fmt.Errorf("searching conversations: %w", err)
	}
	total := page.Total{AtLeast: len(titles) == maxSearched}
	for _, title := range titles {
		if l.matches(title) {
			total.Count++
		}
	}
	return total, nil
}

// LastMessages returns the newest message of each conversation, keyed by conversation ID, with one query. A
// conversation without messages is left out.
func (s *Service) LastMessages(
	ctx context.Context, conversations []*ent.Conversation, columns []string,
) (map[string]*ent.Message, error) {
	one := 1
	pages, err := s.MessagesByConversation(ctx, conversations, page.Args{Last: &one, Columns: columns})
	if err != nil {
		return nil, err
	}
	last := make(map[string]*ent.Message, len(pages))
	for id, p := range pages {
		if nodes := p.Nodes(); len(nodes) > 0 {
			last[id] = nodes[0]
		}
	}
	return last, nil
}

// LastMessageTimes returns the creation time of the newest message of each conversation, as LastMessages.
func (s *Service) LastMessageTimes(
	ctx context.Context, conversations []*ent.Conversation,
) (map[string]*time.Time, error) {
	last, err := s.LastMessages(ctx, conversations, []string{message.FieldCreatedAt})
	times := make(map[string]*time.Time, len(last))
	for id, m := range last {
		times[id] = &m.CreatedAt
	}
	return times, err
}
