package stream

import (
	"context"
	"fmt"
	"slices"

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
	// revision is the conversation's; waiting is the number of calls that were stored as waiting for approval.
	revision, waiting int
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

// position returns the position of a message.
func (s *simStore) position(id string) int {
	return slices.IndexFunc(s.rows, func(m *ent.Message) bool { return m.ID == id }) + 1
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

// changedCalls returns the calls that were decided after a revision, up to another one. A reader may return a part.
func (s *simStore) changedCalls(after, through int) (changed []*ent.ToolCall) {
	for _, m := range s.rows {
		for _, c := range m.Edges.ToolCalls {
			if c.Revision > after && c.Revision <= through {
				copied := *c
				copied.Edges.Message = clone(m)
				changed = append(changed, &copied)
			}
		}
	}
	slices.SortStableFunc(changed, func(a, b *ent.ToolCall) int { return a.Revision - b.Revision })
	return changed
}

// decide commits a decision about some waiting calls of the conversation, finished replies and unfinished ones alike.
func (s *simStore) decide(choose func(n int) int) bool {
	var waiting []*ent.ToolCall
	for _, m := range s.rows {
		for _, c := range m.Edges.ToolCalls {
			if c.Status == enum.ToolCallAwaiting {
				waiting = append(waiting, c)
			}
		}
	}
	if len(waiting) == 0 {
		return false
	}
	s.revision += 1 + choose(3)
	status := [...]enum.ToolCallStatus{enum.ToolCallSucceeded, enum.ToolCallFailed}[choose(2)]
	for range 1 + choose(len(waiting)) {
		c := waiting[choose(len(waiting))]
		if c.Status == enum.ToolCallAwaiting {
			c.Status, c.Revision = status, s.revision
		}
	}
	return true
}

// reader returns a MessageReader of the store. Other steps run before and after the rows are read, as during a query.
func (w *simEnv) reader() MessageReader {
	return func(_ context.Context, from, revision int) (rows MessageRows, err error) {
		w.interleave()
		rows.Revision = w.store.revision
		w.interleave()
		if revision >= 0 {
			rows.Changed = w.store.changedCalls(revision, rows.Revision)
			w.cutChanged(&rows)
		}
		w.interleave()
		rows.Messages = w.store.read(from)
		w.interleave()
		return rows, nil
	}
}

// cutChanged sometimes returns only the first revision, as a reader with many changed calls does.
func (w *simEnv) cutChanged(rows *MessageRows) {
	if len(rows.Changed) < 2 || w.IntN(2) == 0 {
		return
	}
	first := rows.Changed[0].Revision
	if n := slices.IndexFunc(rows.Changed, func(c *ent.ToolCall) bool { return c.Revision > first }); n > 0 {
		rows.Changed, rows.Revision, rows.More = rows.Changed[:n], first, true
	}
}
