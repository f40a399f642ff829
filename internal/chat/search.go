package chat

import (
	"context"
	"fmt"
	"slices"

	"errand/ent"
	"errand/ent/message"
	"errand/internal/apperr"
	"errand/internal/page"
	"errand/internal/store"
	"errand/internal/terms"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
)

// searchList is the name of the messages that a search finds in page cursors. All searches share cursors.
const searchList = "messageSearch"

// snippetRunes is the maximum length of a snippet, in characters, without the ellipses.
const snippetRunes = 160

type (
	// MessageMatch is a message that a search finds, with its conversation.
	MessageMatch struct {
		Message *ent.Message
		wanted  []terms.Query
	}
	// MessageMatchConnection is a page of the messages that a search finds.
	MessageMatchConnection = page.Connection[*MessageMatch]
	// MessageMatchEdge is a message in such a page.
	MessageMatchEdge = page.Edge[*MessageMatch]
)

// Conversation returns the conversation of the message.
func (m *MessageMatch) Conversation() *ent.Conversation { return m.Message.Edges.Conversation }

// Snippet returns the part of the message around a word that the search finds.
func (m *MessageMatch) Snippet() string {
	return terms.Snippet(m.Message.Content, m.wanted, snippetRunes)
}

// SearchMessages returns a page of the viewer's finished messages that have all words of the query, newest first, also
// in archived conversations. Each word must begin a word of the message; case and accents are ignored. It reads the
// search index, which may lack messages of an earlier release shortly after an upgrade.
func (s *Service) SearchMessages(ctx context.Context, args page.Args, query string) (*MessageMatchConnection, error) {
	v, err := viewer.Require(ctx, viewer.Chat)
	if err != nil {
		return nil, err
	}
	words, err := terms.Words("query", query)
	if err != nil {
		return nil, err
	}
	if len(words) == 0 {
		return nil, apperr.Invalid("query", "A search text must have at least one word.")
	}
	w, err := args.Window(searchList, 1)
	if err != nil {
		return nil, err
	}
	wanted := terms.Search(query)
	found, err := s.findMessages(ctx, v, w, wanted)
	if err != nil {
		return nil, err
	}
	matches := make([]*MessageMatch, len(found))
	for i, m := range found {
		matches[i] = &MessageMatch{Message: m, wanted: wanted}
	}
	return page.Build(w, matches, matchCursor, nil), nil
}

func matchCursor(m *MessageMatch) page.Cursor {
	return page.Cursor{List: searchList, Key: []any{m.Message.ID}}
}

// findMessages returns the messages of the window with all terms, in the order of reading, and one more if there are
// more.
func (s *Service) findMessages(
	ctx context.Context, v viewer.Viewer, w page.Window, wanted []terms.Query,
) ([]*ent.Message, error) {
	if len(wanted) == 0 { // the query has invisible characters only
		return nil, nil
	}
	matches := make([]store.TermMatch, len(wanted))
	for i, t := range wanted {
		matches[i] = store.MatchOf(t)
	}
	plan, err := store.MessageTerms.Plan(ctx, s.client, v.UserID, matches, nil)
	if err != nil || plan.None() {
		return nil, err
	}
	q := s.client.Message.Query().Where(func(sel *sql.Selector) { sel.Where(plan.Matches(sel, message.FieldID)) })
	if w.After != nil {
		q.Where(message.IDLT(w.After.Text(0)))
	}
	if w.Before != nil {
		q.Where(message.IDGT(w.Before.Text(0)))
	}
	direction := sql.OrderDesc()
	if w.Backward {
		direction = sql.OrderAsc()
	}
	found, err := q.Order(message.ByID(direction)).Limit(w.Size + 1).WithConversation().All(ctx)
	if err != nil {
		return nil, fmt.Errorf("searching messages: %w", err)
	}
	return slices.DeleteFunc(found, func(m *ent.Message) bool {
		return m.Edges.Conversation == nil // deleted since
	}), nil
}
