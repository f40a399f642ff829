package stream

import (
	"context"
	"fmt"

	"errand/ent"
	"errand/ent/enum"
)

// simReply is a reply's row and the run behind it.
type simReply struct {
	row *ent.Message
	// attempt is the run's fence: only its holder may write the row.
	attempt int
	// stable is the text up to the last recorded step, where another attempt goes on.
	stable string
}

// simStore is the database: one conversation. Rows are changed by fenced writes only.
type simStore struct {
	rows    []*ent.Message
	replies []*simReply
	calls   int
}

// addTurn commits a user message and its pending reply.
func (s *simStore) addTurn() {
	n := len(s.rows)
	said := &ent.Message{
		ID:       fmt.Sprint("said", n+1),
		Position: n + 1,
		Role:     enum.RoleUser,
		Content:  "hello",
		Status:   enum.MessageCompleted,
	}
	reply := &ent.Message{
		ID:       fmt.Sprint("reply", n+2),
		Position: n + 2,
		Role:     enum.RoleAssistant,
		Status:   enum.MessagePending,
	}
	s.rows = append(s.rows, said, reply)
	s.replies = append(s.replies, &simReply{row: reply})
}

// current is the first reply that is not finished; nil when there is none.
func (s *simStore) current() *simReply {
	for _, r := range s.replies {
		if !r.row.Status.Terminal() {
			return r
		}
	}
	return nil
}

// read returns the rows as chat.Service.MessagesFrom does.
func (s *simStore) read(from int) []*ent.Message {
	if from == 0 {
		from = max(1, len(s.rows)-1)
		if r := s.current(); r != nil {
			from = min(from, r.row.Position-1)
		}
	}
	var out []*ent.Message
	for _, m := range s.rows[min(from-1, len(s.rows)):] {
		out = append(out, clone(m))
	}
	return out
}

// clone is a row as a query returns it: later writes do not show in it.
func clone(m *ent.Message) *ent.Message {
	c := *m
	c.Edges.ToolCalls = nil
	for _, call := range m.Edges.ToolCalls {
		copied := *call
		c.Edges.ToolCalls = append(c.Edges.ToolCalls, &copied)
	}
	return &c
}

// ownedBy checks the fence.
func (r *simReply) ownedBy(attempt int) bool {
	return r.attempt == attempt && !r.row.Status.Terminal()
}

func (r *simReply) checkpoint(attempt int, text string) bool {
	if !r.ownedBy(attempt) {
		return false
	}
	r.row.Content, r.row.Attempt, r.row.Status = text, attempt, enum.MessageStreaming
	return true
}

// record commits a step: its text and its tool calls as started.
func (s *simStore) record(r *simReply, attempt int, text string, calls int) bool {
	if !r.checkpoint(attempt, text) {
		return false
	}
	r.stable = text
	for range calls {
		s.calls++
		r.row.Edges.ToolCalls = append(r.row.Edges.ToolCalls, &ent.ToolCall{
			ID: fmt.Sprint("call", s.calls), MessageID: r.row.ID, Seq: len(r.row.Edges.ToolCalls),
			Status: enum.ToolCallStarted, TextOffset: UTF16Len(text),
		})
	}
	return true
}

// openCalls returns the unfinished tool calls.
func (r *simReply) openCalls() []*ent.ToolCall {
	var out []*ent.ToolCall
	for _, c := range r.row.Edges.ToolCalls {
		if c.Status == enum.ToolCallStarted {
			out = append(out, c)
		}
	}
	return out
}

// finish commits a terminal status. Without text, as when the engine fails a run, the last checkpoint stays.
func (r *simReply) finish(attempt int, text *string) bool {
	if !r.ownedBy(attempt) {
		return false
	}
	r.row.Status = enum.MessageFailed
	if text != nil {
		r.row.Content, r.row.Attempt, r.row.Status = *text, attempt, enum.MessageCompleted
	}
	for _, c := range r.openCalls() {
		c.Status = enum.ToolCallFailed
	}
	return true
}

// reader returns a MessageReader of the store. Other steps run before and after the rows are read, as during a query.
func (w *simEnv) reader() MessageReader {
	return func(_ context.Context, from int) ([]*ent.Message, error) {
		w.interleave()
		rows := w.store.read(from)
		w.interleave()
		return rows, nil
	}
}
