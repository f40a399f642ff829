package mcp

import (
	"context"
	"strings"
	"time"

	"errand/ent"
	"errand/internal/page"
)

// messagesSize is the largest number of messages in one read of a conversation.
const messagesSize = 50

// maxConversationBytes limits the texts in one read of a conversation, so that a read does not fill a model's context.
const maxConversationBytes = 128 << 10

type conversationView struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	// Messages are oldest first.
	Messages []messageView `json:"messages"`
	// Earlier is the resource of the messages before these; absent when there are none.
	Earlier string `json:"earlier,omitempty"`
}

type messageView struct {
	Role    string `json:"role"`
	Status  string `json:"status"`
	Content string `json:"content"`
	At      string `json:"at"`
}

// conversation returns the newest messages of a conversation, or those before a cursor; nil when the viewer has
// no such conversation.
func (s *Server) conversation(ctx context.Context, id, before string) (any, error) {
	found, err := s.o.Conversations.FindConversation(ctx, id)
	if err != nil || found == nil {
		return nil, err
	}
	size := messagesSize
	args := page.Args{Last: &size}
	if before != "" {
		args.Before = &before
	}
	pages, err := s.o.Conversations.MessagesByConversation(ctx, []*ent.Conversation{found}, args)
	if err != nil {
		return nil, err
	}
	messages := pages[id]
	view := conversationView{ID: id, Title: found.Title, Messages: []messageView{}}
	first := firstWithin(messages.Nodes(), maxConversationBytes)
	for _, m := range messages.Nodes()[first:] {
		view.Messages = append(view.Messages, messageView{
			Role: strings.ToLower(string(m.Role)), Status: strings.ToLower(string(m.Status)),
			Content: m.Content, At: m.CreatedAt.UTC().Format(time.RFC3339),
		})
	}
	if first > 0 || messages.PageInfo.HasPreviousPage {
		view.Earlier = conversationURIOf(id) + "?before=" + messages.Edges[first].Cursor()
	}
	return view, nil
}

// firstWithin returns the index of the first of the newest messages whose texts have at most limit bytes together. At
// least the newest message is included.
func firstWithin(messages []*ent.Message, limit int) int {
	first := len(messages)
	for size := 0; first > 0; first-- {
		size += len(messages[first-1].Content)
		if size > limit && first < len(messages) {
			break
		}
	}
	return first
}

func conversationURIOf(id string) string { return scheme + "://conversations/" + id }
