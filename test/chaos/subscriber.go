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

// subscribersPerConversation is the number of clients that follow each conversation.
const subscribersPerConversation = 2

// subscriber is a client that follows a conversation over broken connections. After each connection it resumes from
// its last cursor, on the replica that the balancer chooses.
type subscriber struct {
	*conversation
	number  int
	random  *rand.Rand
	stream  *testclient.Stream
	started chan struct{} // closed at the first event
	// finished holds the replies whose end was received, by message ID. It is guarded by conversation.mu.
	finished map[string]finalState
}

// finalState is a finished reply and the time at which a subscriber received it.
type finalState struct {
	testclient.Message
	at time.Time
}

func newSubscriber(c *conversation, number int) *subscriber {
	return &subscriber{
		conversation: c,
		number:       number,
		random:       c.options.random("subscriber "+c.name, number),
		started:      make(chan struct{}),
		finished:     map[string]finalState{},
	}
}

// run follows the conversation until the clients stop.
func (s *subscriber) run() {
	for s.clientCtx.Err() == nil {
		if err := s.connect(s.clientCtx); violatesContract(err) && s.clientCtx.Err() == nil {
			s.violations.add("%s, subscriber %d: %v", s.name, s.number, err)
			return
		}
		s.count("subscriber connections")
		sleep(s.clientCtx, time.Duration(s.random.IntN(100))*time.Millisecond)
	}
}

// connect continues the stream on a new socket and drops the socket after a random number of events.
func (s *subscriber) connect(ctx context.Context) error {
	socket, err := s.client(s.user).TryDial(ctx)
	if err != nil {
		return err
	}
	defer socket.Close()
	if s.stream == nil {
		s.stream, err = socket.TryFollow(s.id, "")
	} else {
		s.stream, err = s.resume(socket)
	}
	if err != nil {
		return err
	}
	for range 1 + s.random.IntN(120) {
		if err := s.readEvent(ctx); err != nil {
			return err
		}
	}
	return nil
}

// resume continues the stream on the socket. If that fails, it returns the old stream with its state.
func (s *subscriber) resume(socket *testclient.Socket) (*testclient.Stream, error) {
	resumed, err := socket.Resume(s.id, s.stream)
	if err != nil {
		return s.stream, err
	}
	return resumed, nil
}

func (s *subscriber) readEvent(ctx context.Context) error {
	event, err := s.stream.TryNextEvent(ctx)
	if err != nil {
		return err
	}
	s.count("events")
	if len(s.stream.Events) == 1 {
		close(s.started)
	}
	// Resuming needs the last event's cursor only.
	s.stream.Events = s.stream.Events[len(s.stream.Events)-1:]
	if event.Kind != "MessageFinished" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finished[event.Message.ID] = finalState{event.Message, time.Now()}
	s.notify()
	return nil
}

// violatesContract reports whether a stream must not end with err under any fault: an event violated the contract,
// the server completed the stream, or the server closed it for another reason than being unavailable.
func violatesContract(err error) bool {
	var contract *testclient.ContractError
	var rejected testclient.Errors
	var closed *websocket.CloseError
	switch {
	case errors.As(err, &contract), errors.Is(err, io.EOF):
		return true
	case errors.As(err, &rejected):
		return rejected[0].Extensions.Code != "SERVICE_UNAVAILABLE"
	case errors.As(err, &closed):
		return closed.Code >= 4000
	default:
		return false
	}
}
