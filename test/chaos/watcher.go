package main

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"time"

	"errand/internal/testclient"

	"github.com/gorilla/websocket"
)

// watchersEach is how many clients watch each conversation.
const watchersEach = 2

// watcher is a client that follows a conversation over broken connections: it always goes on
// from its cursor, on whichever replica the balancer gives it.
type watcher struct {
	*talk
	number int
	random *rand.Rand
	stream *testclient.Stream
	begun  chan struct{} // closes with the first event
	// finished are the replies whose end was told, guarded by talk.mu.
	finished map[string]ending
}

// ending is what a client was told of a reply's end, and when.
type ending struct {
	testclient.Message
	at time.Time
}

func newWatcher(k *talk, number int) *watcher {
	return &watcher{
		talk: k, number: number, random: k.options.random("watcher "+k.name, number),
		begun: make(chan struct{}), finished: map[string]ending{},
	}
}

// run watches until the world ends.
func (w *watcher) run() {
	for w.life.Err() == nil {
		if err := w.connect(w.life); forbidden(err) && w.life.Err() == nil {
			w.wrong.add("%s, client %d: %v", w.name, w.number, err)
			return
		}
		w.count("connections of clients")
		pause(w.life, time.Duration(w.random.IntN(100))*time.Millisecond)
	}
}

// connect goes on with the stream on a new socket, for up to so many events.
func (w *watcher) connect(ctx context.Context) error {
	socket, err := w.client(w.user).TryDial(ctx)
	if err != nil {
		return err
	}
	defer socket.Close()
	if w.stream == nil {
		w.stream, err = socket.TryFollow(w.id, "")
	} else {
		w.stream, err = w.resume(socket)
	}
	if err != nil {
		return err
	}
	for range 1 + w.random.IntN(120) {
		if err := w.next(ctx); err != nil {
			return err
		}
	}
	return nil // and drop the socket
}

// resume keeps what the client knows, even if the new socket fails.
func (w *watcher) resume(socket *testclient.Socket) (*testclient.Stream, error) {
	joined, err := socket.Resume(w.id, w.stream)
	if err != nil {
		return w.stream, err
	}
	return joined, nil
}

func (w *watcher) next(ctx context.Context) error {
	e, err := w.stream.TryNextEvent(ctx)
	if err != nil {
		return err
	}
	w.count("events")
	if len(w.stream.Events) == 1 {
		close(w.begun)
	}
	// Only the last event's cursor is needed again.
	w.stream.Events = w.stream.Events[len(w.stream.Events)-1:]
	if e.Kind != "MessageFinished" {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.finished[e.Message.ID] = ending{e.Message, time.Now()}
	w.tell()
	return nil
}

// forbidden reports whether a stream must not end like this, whatever broke: against the
// contract, as if it were complete, or for another reason than that the server is not available.
func forbidden(err error) bool {
	var contract *testclient.ContractError
	var refused testclient.Errors
	var closed *websocket.CloseError
	switch {
	case errors.As(err, &contract), errors.Is(err, io.EOF):
		return true
	case errors.As(err, &refused):
		return refused[0].Extensions.Code != "SERVICE_UNAVAILABLE"
	case errors.As(err, &closed):
		return closed.Code >= 4000
	default:
		return false
	}
}
