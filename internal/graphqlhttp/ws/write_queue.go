package ws

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"errand/internal/graphqlhttp/exec"

	"github.com/gorilla/websocket"
)

// writeQueue holds the messages that are to be written to a socket. A goroutine writes them while there are any. The
// queue is bounded because producers wait for space before they enqueue.
type writeQueue struct {
	// mu is the socket's: whether a message may be enqueued depends on the socket's operations.
	mu           *sync.Mutex
	conn         *websocket.Conn
	maxBytes     int
	writeTimeout time.Duration

	messages []message
	bytes    int
	// writing reports whether a goroutine writes.
	writing bool
	// closeFrame is written after the messages.
	closeFrame []byte
	closed     bool
	// space is closed when there is space again, or the queue is closed; nil unless a producer waits.
	space chan struct{}
}

// message is an encoded message. It is dropped when its operation is stopped before it is written.
type message struct {
	operation *operation // nil for messages of the connection
	body      *bytes.Buffer
}

var (
	errQueueClosed = errors.New("write queue closed")
	errSlowReader  = errors.New("slow reader")
)

// enqueue adds a message; the caller holds mu.
func (q *writeQueue) enqueue(m message) {
	q.messages = append(q.messages, m)
	q.bytes += m.body.Len()
	q.startWriter()
}

// close makes the queue take no more messages, and wakes producers; the caller holds mu.
func (q *writeQueue) close() {
	q.closed = true
	q.signalSpace()
}

// enqueueCloseFrame adds the close frame after the messages; the caller holds mu.
func (q *writeQueue) enqueueCloseFrame(frame []byte) {
	q.closeFrame = frame
	q.startWriter()
}

// drop removes all messages; the caller holds mu.
func (q *writeQueue) drop() {
	for _, m := range q.messages {
		exec.PutBuffer(m.body)
	}
	q.messages, q.bytes = nil, 0
}

// dropOperation removes the messages of one operation; the caller holds mu.
func (q *writeQueue) dropOperation(o *operation) {
	kept := q.messages[:0]
	for _, m := range q.messages {
		if m.operation != o {
			kept = append(kept, m)
			continue
		}
		q.bytes -= m.body.Len()
		exec.PutBuffer(m.body)
	}
	clear(q.messages[len(kept):])
	q.messages = kept
}

// signalSpace wakes waiting producers; the caller holds mu.
func (q *writeQueue) signalSpace() {
	if q.space != nil {
		close(q.space)
		q.space = nil
	}
}

// waitForSpace waits until the queue has space. The error is errQueueClosed, errSlowReader when there is no space for
// so long, or ctx's.
func (q *writeQueue) waitForSpace(ctx context.Context, timeout time.Duration) error {
	var timer <-chan time.Time
	for {
		q.mu.Lock()
		if q.closed {
			q.mu.Unlock()
			return errQueueClosed
		}
		if q.bytes < q.maxBytes {
			q.mu.Unlock()
			return nil
		}
		if q.space == nil {
			q.space = make(chan struct{})
		}
		space := q.space
		q.mu.Unlock()
		if timer == nil {
			timer = time.After(timeout)
		}
		select {
		case <-space:
		case <-ctx.Done():
			return ctx.Err()
		case <-timer:
			return errSlowReader
		}
	}
}

// startWriter starts the writing goroutine unless it runs; the caller holds mu.
func (q *writeQueue) startWriter() {
	if !q.writing {
		q.writing = true
		go q.write()
	}
}

// write writes the queued messages, then the close frame. No other goroutine writes data frames.
func (q *writeQueue) write() {
	for {
		m, closeFrame, ok := q.dequeue()
		if !ok {
			return
		}
		deadline := time.Now().Add(q.writeTimeout)
		if closeFrame != nil {
			_ = q.conn.WriteControl(websocket.CloseMessage, closeFrame, deadline)
			continue
		}
		_ = q.conn.SetWriteDeadline(deadline)
		err := q.conn.WriteMessage(websocket.TextMessage, m.body.Bytes())
		exec.PutBuffer(m.body)
		if err != nil {
			// The frame may be incomplete, so that no close frame can follow. Reading ends too.
			_ = q.conn.Close()
		}
	}
}

// dequeue removes the next message or close frame; false when there is none and the writer must return.
func (q *writeQueue) dequeue() (m message, closeFrame []byte, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.messages) > 0 {
		m = q.messages[0]
		q.messages[0] = message{}
		if q.messages = q.messages[1:]; len(q.messages) == 0 {
			q.messages = nil
		}
		q.bytes -= m.body.Len()
		if q.bytes < q.maxBytes {
			q.signalSpace()
		}
		return m, nil, true
	}
	if closeFrame = q.closeFrame; closeFrame != nil {
		q.closeFrame = nil
		return m, closeFrame, true
	}
	q.writing = false
	return m, nil, false
}
