package stream

import (
	"context"
	"io"
	"iter"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
)

// MessageReader reads a conversation's messages from a position on, ascending, each with
// its tool calls in order. from 0 means the newest turn and every unfinished one.
// A conversation that is not there is NOT_FOUND.
type MessageReader func(ctx context.Context, from int) ([]*ent.Message, error)

// MessageStream is one subscriber's way through a conversation: subscribe to the hub
// first, then read the rows, then apply events; read again whenever an event does not join on.
type MessageStream struct {
	hub     *Hub
	sub     *Subscription
	state   *subscriberState
	read    MessageReader
	initial []MessageEvent
	err     error // of the last Pending
}

// OpenMessageStream subscribes to a conversation and reads where it stands. after is a
// cursor to go on from. The caller must Close the follower.
func OpenMessageStream(ctx context.Context, hub *Hub, conversation string, after *string,
	read MessageReader,
) (*MessageStream, error) {
	f := &MessageStream{hub: hub, state: newSubscriberState(conversation), read: read}
	from := 0
	if after != nil {
		var err error
		if f.state, err = decodeCursor(conversation, *after); err != nil {
			return nil, err
		}
		from = f.state.firstNeeded()
	}
	f.sub = hub.Subscribe(conversation)
	rows, err := f.readRows(ctx, from)
	if err != nil {
		f.sub.Close()
		return nil, err
	}
	f.state.applyRows(rows, func(e MessageEvent) { f.initial = append(f.initial, e) })
	return f, nil
}

// Pending yields all events at hand and ends without waiting for more; Err reports why the source ended, if it has.
// The loop's body may block: the follower then falls behind and reads rows instead of events.
//
// Events with equal keys are equal to all subscribers who received the same so far: a delta with its
// cursor. Others hold rows, which may be read again; their key is nil, equal to nothing.
func (f *MessageStream) Pending(ctx context.Context) iter.Seq2[any, MessageEvent] {
	return func(yield func(any, MessageEvent) bool) {
		f.err = f.yieldPending(ctx, yield)
	}
}

// Err reports why the source ended after Pending: nil means that more may come, io.EOF that the subscriber has left or
// the conversation is deleted. SERVICE_UNAVAILABLE means that this replica shuts down; other errors come from the database.
func (f *MessageStream) Err() error { return f.err }

func (f *MessageStream) yieldPending(ctx context.Context, yield func(key any, event MessageEvent) bool) error {
	gone := false
	tell := func(e MessageEvent) {
		var key any
		if delta, ok := e.(*MessageDelta); ok {
			key = *delta
		}
		gone = gone || !yield(key, e)
	}
	for _, e := range f.initial {
		tell(e)
	}
	f.initial = nil
	for !gone {
		batch, ok := f.sub.take()
		switch {
		case !ok:
			return nil
		case batch.Ended:
			return errShuttingDown()
		}
		err := f.apply(ctx, batch, tell)
		switch {
		case apperr.CodeOf(err) == apperr.NotFound || ctx.Err() != nil:
			return io.EOF // the conversation is deleted or the subscriber has left
		case err != nil:
			return err
		}
	}
	return io.EOF
}

// OnReady sets the function called, without blocking, when Pending may have something new.
func (f *MessageStream) OnReady(ready func()) { f.sub.onReady(ready, len(f.initial) > 0) }

// Close ends the subscription.
func (f *MessageStream) Close() { f.sub.Close() }

func errShuttingDown() error {
	return apperr.New(apperr.Unavailable, "The server is restarting: subscribe again with your last cursor.")
}

// apply tells what a batch of events says, as far as it joins on to what was told,
// and from there on what the rows say.
func (f *MessageStream) apply(ctx context.Context, batch Batch, tell messageSink) error {
	rest := batch.Events
	for !batch.Behind {
		if len(rest) == 0 {
			return nil
		}
		if rest[0].Kind == RowsChanged || !f.state.applyDelta(rest[0], tell) {
			break
		}
		rest = rest[1:]
	}
	rows, err := insist(ctx, func() ([]*ent.Message, error) { return f.readRows(ctx, f.state.firstNeeded()) })
	if err != nil {
		return err
	}
	f.state.applyRows(rows, tell)
	for _, e := range rest {
		if e.Kind == TextAppended {
			f.state.applyDelta(e, tell) // repeats are harmless, and a gap has been asked about
		}
	}
	return nil
}

// readRows reads the stored rows and lays the text that is being written over them.
func (f *MessageStream) readRows(ctx context.Context, from int) ([]*ent.Message, error) {
	rows, err := f.read(ctx, from)
	if err != nil {
		return nil, err
	}
	current := true // replies are written one after the other: the first unfinished one may be under way
	for _, m := range rows {
		switch {
		case m.Status.Terminal():
			f.hub.DropInFlight(m.ID)
		case current:
			f.overlayInFlight(m)
			current = false
		}
		m.Edges.ToolCalls = recordedCalls(m)
	}
	return rows, nil
}

// recordedCalls are the message's calls that lie in its text. Calls are read after their messages, in a statement
// of their own: one that was recorded in between is news, and whoever recorded it says so.
func recordedCalls(m *ent.Message) []*ent.ToolCall {
	length := UTF16Len(m.Content)
	for i, call := range m.Edges.ToolCalls {
		if call.TextOffset > length {
			return m.Edges.ToolCalls[:i]
		}
	}
	return m.Edges.ToolCalls
}

// overlayInFlight puts the text that is being written over a row's checkpoint of it. Text
// written elsewhere that is not at hand is asked for.
func (f *MessageStream) overlayInFlight(m *ent.Message) {
	text, attempt, ok := f.hub.InFlightText(m.ID)
	switch {
	case !ok || attempt < m.Attempt:
		f.hub.RequestSnapshot(f.state.conversationID, m.ID)
	case attempt > m.Attempt || len(text) > len(m.Content):
		m.Content, m.Attempt, m.Status = text, attempt, enum.MessageStreaming
	}
}
