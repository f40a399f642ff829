package stream

import (
	"context"
	"time"

	"errand/ent"
	"errand/internal/apperr"
)

// Reader reads a conversation's messages from a position on, ascending, each with
// its tool calls in order. from 0 means the newest turn and every unfinished one.
// A conversation that is not there is NOT_FOUND.
type Reader func(ctx context.Context, from int) ([]*ent.Message, error)

// askAgain bounds how often the other replicas are asked for one reply's text.
const askAgain = 250 * time.Millisecond

// Follower is one subscriber's way through a conversation: subscribe to the hub
// first, then read the rows, then apply events; read again whenever an event does not join on.
type Follower struct {
	hub   *Hub
	sub   *Subscription
	view  *view
	read  Reader
	first []MessageEvent
	asked time.Time
}

// Follow subscribes to a conversation and reads where it stands. after is a
// cursor to go on from. The caller must Run the follower, once.
func Follow(ctx context.Context, hub *Hub, conversation string, after *string, read Reader) (*Follower, error) {
	f := &Follower{hub: hub, view: newView(conversation), read: read}
	from := 0
	if after != nil {
		var err error
		if f.view, err = decodeView(conversation, *after); err != nil {
			return nil, err
		}
		from = f.view.need()
	}
	f.sub = hub.Subscribe(conversation)
	rows, err := f.rows(ctx, from)
	if err != nil {
		f.sub.Close()
		return nil, err
	}
	f.view.catchUp(rows, func(e MessageEvent) { f.first = append(f.first, e) })
	return f, nil
}

// Run tells all that happens until ctx ends (nil), the conversation is deleted
// (nil), this replica goes away (SERVICE_UNAVAILABLE), or the database fails. emit
// may block: the follower then falls behind and reads rows instead of events.
func (f *Follower) Run(ctx context.Context, emit func(MessageEvent) bool) error {
	defer f.sub.Close()
	stopped := false
	tell := func(e MessageEvent) {
		if !stopped && !emit(e) {
			stopped = true
		}
	}
	for _, e := range f.first {
		tell(e)
	}
	f.first = nil
	for !stopped {
		batch, err := f.sub.Next(ctx)
		if err != nil {
			return nil //nolint:nilerr // the subscriber left
		}
		if batch.Ended {
			return apperr.New(apperr.Unavailable, "The server is restarting: subscribe again with your last cursor.")
		}
		if err := f.take(ctx, batch, tell); err != nil {
			if apperr.CodeOf(err) == apperr.NotFound || ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
	return nil
}

func (f *Follower) take(ctx context.Context, batch Batch, tell func(MessageEvent)) error {
	stale := batch.Behind
	for _, e := range batch.Events {
		switch {
		case e.Kind == Changed:
			stale = true
		case stale: // the rows and tails that are read below hold it
		case f.view.apply(e, tell) == unknown:
			stale = true
		}
	}
	if !stale {
		return nil
	}
	rows, err := f.rows(ctx, f.view.need())
	if err != nil {
		return err
	}
	f.view.catchUp(rows, tell)
	return nil
}

// rows reads the stored rows and lays the text that is being written over them.
// Text written elsewhere that is not at hand is asked for.
func (f *Follower) rows(ctx context.Context, from int) ([]*ent.Message, error) {
	rows, err := f.read(ctx, from)
	if err != nil {
		return nil, err
	}
	for _, m := range rows {
		if m.Status.Terminal() {
			f.hub.Forget(m.ID)
			continue
		}
		text, attempt, ok := f.hub.Tail(m.ID)
		switch {
		case !ok && m.Attempt > 0 && time.Since(f.asked) > askAgain:
			f.asked = time.Now()
			f.hub.Ask(f.view.conversation, m.ID)
		case attempt > m.Attempt, attempt == m.Attempt && len(text) > len(m.Content):
			m.Content, m.Attempt = text, attempt
		}
	}
	return rows, nil
}
