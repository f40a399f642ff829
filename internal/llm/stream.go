package llm

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"
)

const (
	// MaxLine is the maximum length of a line, and of the data of an event, in bytes.
	MaxLine = 1 << 20
	// trailerTimeout is the idle timeout after the stop reason, for the usage and the terminal event.
	trailerTimeout = 5 * time.Second
)

// byteOrderMark begins the responses of some servers; it is not part of them.
const byteOrderMark = "\uFEFF"

var (
	errIdle     = errors.New("idle")
	errLongLine = errors.New("a line of the stream is too long")
	errTooLarge = errors.New("the response is too large")
)

// Event is one server-sent event. If the server did not stream, it is the complete JSON body.
type Event struct {
	// Name is the event's name, "" if it has none.
	Name string
	Data []byte
	// Unstreamed means that Data is the complete response.
	Unstreamed bool
}

// stream reads the events of one successful response. The idle timeout applies to each line; the timer is stopped while
// the caller handles an event.
type stream struct {
	client  *Client
	ctx     context.Context // the caller's, which the idle timer does not cancel
	attempt context.Context
	body    *bufio.Reader
	timer   *time.Timer
	idle    time.Duration
	read    int64 // bytes so far
	limit   int64
	// afterCR means that the last line ended with a carriage return, so a line feed that follows belongs to its end.
	afterCR bool
}

// next returns the next event, io.EOF at a clean end, or an *Error. An event cut off by the end of the stream is
// dropped unless its data is complete JSON.
func (s *stream) next() (Event, error) {
	if s.read == 0 {
		if body, err := s.readUnstreamed(); body != nil || err != nil {
			return Event{Data: body, Unstreamed: true}, err
		}
	}
	var e Event
	var hasData bool
	for {
		line, err := s.readLine()
		if err != nil && !errors.Is(err, io.EOF) {
			return Event{}, s.wrapError(err)
		}
		if len(line) > 0 {
			hasData = e.addField(line) || hasData
		}
		if len(e.Data) > MaxLine {
			return Event{}, s.wrapError(errLongLine)
		}
		switch {
		case err != nil && hasData && json.Valid(e.Data):
			return e, nil
		case err != nil:
			return Event{}, io.EOF
		case len(line) == 0 && hasData:
			return e, nil
		case len(line) == 0:
			e = Event{} // an event without data is ignored
		}
	}
}

// shortenIdle reduces the idle timeout of a response that is complete except for its trailer, so that a server which
// never closes the connection costs seconds.
func (s *stream) shortenIdle() { s.idle = min(s.idle, trailerTimeout) }

// interrupted reports whether err is a broken connection or an idle timeout, as opposed to a cancelled caller or a
// protocol error.
func (s *stream) interrupted(err error) bool {
	k := KindOf(err)
	return s.ctx.Err() == nil && (k == KindTruncated || k == KindTimeout)
}

// addField parses one line of an event (WHATWG HTML, section 9.2.6) and reports whether it is a data field. Comments,
// ids and retry hints are ignored.
func (e *Event) addField(line []byte) bool {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "event":
		e.Name = string(value)
	case "data":
		if e.Data != nil {
			e.Data = append(e.Data, '\n')
		}
		e.Data = append(e.Data, value...)
		return true
	}
	return false
}

// readLine returns the next line without its end: CRLF, a line feed or a carriage return. It does not wait for the byte
// after a carriage return.
func (s *stream) readLine() ([]byte, error) {
	s.timer.Reset(s.idle)
	defer s.timer.Stop()
	var line []byte
	for {
		if _, err := s.body.Peek(1); err != nil {
			return line, err
		}
		part, _ := s.body.Peek(s.body.Buffered())
		if s.afterCR && part[0] == '\n' {
			s.discard(1)
			part = part[1:]
		}
		s.afterCR = false
		end := bytes.IndexAny(part, "\r\n")
		if end >= 0 {
			s.afterCR = part[end] == '\r'
			line = append(line, part[:end]...)
			s.discard(end + 1)
		} else {
			line = append(line, part...)
			s.discard(len(part))
		}
		switch {
		case len(line) > MaxLine:
			return nil, errLongLine
		case s.read > s.limit:
			return nil, errTooLarge
		case end >= 0:
			return line, nil
		}
	}
}

// discard drops n bytes, which are buffered.
func (s *stream) discard(n int) {
	_, _ = s.body.Discard(n)
	s.read += int64(n)
}

// readUnstreamed returns the complete body if it begins like JSON, which no event stream does; otherwise nil.
func (s *stream) readUnstreamed() ([]byte, error) {
	s.timer.Reset(s.idle)
	defer s.timer.Stop()
	for {
		head, err := s.body.Peek(1)
		if err == nil && head[0] == byteOrderMark[0] {
			if head, err = s.body.Peek(len(byteOrderMark)); err == nil && string(head) == byteOrderMark {
				s.discard(len(byteOrderMark))
				continue
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil, io.EOF
		case err != nil:
			return nil, s.wrapError(err)
		case head[0] == '{' || head[0] == '[':
			return s.readAll()
		case head[0] == '<':
			return nil, s.client.newReasonError(KindUnavailable, ReasonWebPage)
		case !bytes.ContainsAny(head[:1], " \t\r\n"):
			return nil, nil
		}
		s.discard(1)
	}
}

func (s *stream) readAll() ([]byte, error) {
	var body bytes.Buffer
	chunk := make([]byte, 32<<10)
	for {
		s.timer.Reset(s.idle)
		n, err := s.body.Read(chunk)
		s.read += int64(n)
		body.Write(chunk[:n])
		switch {
		case s.read > s.limit:
			return nil, s.wrapError(errTooLarge)
		case errors.Is(err, io.EOF):
			return body.Bytes(), nil
		case err != nil:
			return nil, s.wrapError(err)
		}
	}
}

func (s *stream) wrapError(err error) error {
	if errors.Is(err, errLongLine) || errors.Is(err, errTooLarge) {
		return s.client.newError(KindUnavailable, err.Error())
	}
	return s.client.transportError(s.ctx, s.attempt, err, s.read > 0)
}
