package graphqlhttp

import (
	"bytes"
	"context"
	"time"

	"github.com/gorilla/websocket"
)

// outbox is what waits to be written to a socket; the socket's mu guards it. It is
// bounded because whoever adds to it waits for room first.
type outbox struct {
	queue []message
	bytes int
	// writing says that a goroutine is at work on the queue.
	writing bool
	// farewell is the close frame that follows the queue.
	farewell []byte
	// room is closed when there is room again; nil unless somebody waits.
	room chan struct{}
}

// message is one encoded message. It is dropped unwritten when its operation is stopped.
type message struct {
	of   *live
	body *bytes.Buffer
}

// drop empties the queue.
func (o *outbox) drop() {
	for _, m := range o.queue {
		releaseBuffer(m.body)
	}
	o.queue, o.bytes = nil, 0
}

// forget drops the messages of one operation.
func (o *outbox) forget(of *live) {
	kept := o.queue[:0]
	for _, m := range o.queue {
		if m.of != of {
			kept = append(kept, m)
			continue
		}
		o.bytes -= m.body.Len()
		releaseBuffer(m.body)
	}
	clear(o.queue[len(kept):])
	o.queue = kept
}

func (o *outbox) makeRoom() {
	if o.room != nil {
		close(o.room)
		o.room = nil
	}
}

// send queues a message; false when the socket is closing or the operation is over.
func (s *socket) send(of *live, fill func(*bytes.Buffer)) bool {
	body := takeBuffer()
	fill(body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || of != nil && !s.operations.has(of) {
		releaseBuffer(body)
		return false
	}
	s.push(message{of: of, body: body})
	return true
}

// push queues m and sees that somebody writes; the caller holds mu.
func (s *socket) push(m message) {
	s.outbox.queue = append(s.outbox.queue, m)
	s.outbox.bytes += m.body.Len()
	s.wake()
}

// wake starts a writer unless one is at work; the caller holds mu.
func (s *socket) wake() {
	if !s.outbox.writing {
		s.outbox.writing = true
		go s.write()
	}
}

// waitForRoom waits until the queue has room. A client that leaves it full for too long
// is cut. False when the socket or ctx is over.
func (s *socket) waitForRoom(ctx context.Context) bool {
	var patience <-chan time.Time
	for {
		s.mu.Lock()
		if s.closing {
			s.mu.Unlock()
			return false
		}
		if s.outbox.bytes < s.handler.options.Sizes.Queue {
			s.mu.Unlock()
			return true
		}
		if s.outbox.room == nil {
			s.outbox.room = make(chan struct{})
		}
		room := s.outbox.room
		s.mu.Unlock()
		if patience == nil {
			patience = time.After(s.handler.options.Times.SlowReader)
		}
		select {
		case <-room:
		case <-ctx.Done():
			return false
		case <-patience:
			s.close(CloseSlowReader, "Slow reader: come back and resume")
			return false
		}
	}
}

// write empties the queue and goes. It alone writes data frames.
func (s *socket) write() {
	for {
		m, farewell, ok := s.take()
		if !ok {
			return
		}
		deadline := time.Now().Add(s.handler.options.Times.Write)
		if farewell != nil {
			_ = s.conn.WriteControl(websocket.CloseMessage, farewell, deadline)
			continue
		}
		_ = s.conn.SetWriteDeadline(deadline)
		err := s.conn.WriteMessage(websocket.TextMessage, m.body.Bytes())
		releaseBuffer(m.body)
		if err != nil {
			// The stream is cut inside a frame, so no close code can follow. Reading ends too.
			_ = s.conn.Close()
		}
	}
}

// take removes the next thing to write; false when there is none and the writer is
// released from its duty.
func (s *socket) take() (m message, farewell []byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := &s.outbox
	if len(o.queue) > 0 {
		m = o.queue[0]
		o.queue[0] = message{}
		if o.queue = o.queue[1:]; len(o.queue) == 0 {
			o.queue = nil
		}
		o.bytes -= m.body.Len()
		if o.bytes < s.handler.options.Sizes.Queue {
			o.makeRoom()
		}
		return m, nil, true
	}
	if farewell = o.farewell; farewell != nil {
		o.farewell = nil
		return m, farewell, true
	}
	o.writing = false
	return m, nil, false
}
