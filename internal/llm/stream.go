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

// Limits of one answer.
const (
	// MaxLine bounds one line of an event stream, in bytes.
	MaxLine = 1 << 20
	// DefaultMaxAnswer bounds a whole answer, in bytes. A streamed token takes
	// some 300 of them.
	DefaultMaxAnswer = 64 << 20
	// trailerWait is how long a complete answer waits for its usage and closing line.
	trailerWait = 5 * time.Second
)

var (
	errIdle     = errors.New("idle")
	errLongLine = errors.New("a line of the stream is too long")
	errTooLarge = errors.New("the answer is too large")
)

// Event is one server-sent event, or a whole JSON body where the server
// answered a streaming request without streaming.
type Event struct {
	// Name is the event's name, "" when it has none.
	Name string
	Data []byte
	// Whole is set when Data is the complete, unstreamed answer.
	Whole bool
}

// Stream reads the body of one successful answer. Each line has the idle
// timeout; the timer stands still while the caller works on an event.
type Stream struct {
	wire    *Wire
	ctx     context.Context // the caller's, without the idle timer's cancel
	attempt context.Context
	body    *bufio.Reader
	timer   *time.Timer
	idle    time.Duration
	read    int64 // bytes so far
	limit   int64
}

// Next returns the next event, io.EOF at a clean end, or an *Error. An event
// that the stream's end cut off is dropped unless its data is complete JSON.
func (s *Stream) Next() (Event, error) {
	if s.read == 0 {
		if whole, err := s.unstreamed(); whole != nil || err != nil {
			return Event{Data: whole, Whole: true}, err
		}
	}
	var ev Event
	var some bool
	for {
		line, err := s.line()
		if err != nil && !errors.Is(err, io.EOF) {
			return Event{}, s.fault(err)
		}
		if len(line) > 0 {
			some = ev.field(line) || some
		}
		if len(ev.Data) > MaxLine {
			return Event{}, s.fault(errLongLine)
		}
		switch {
		case err != nil && some && json.Valid(ev.Data):
			return ev, nil
		case err != nil:
			return Event{}, io.EOF
		case len(line) == 0 && some:
			return ev, nil
		case len(line) == 0:
			ev = Event{} // an event without data is none
		}
	}
}

// Finishing says that the answer is complete but for its trailer, so that a
// server which never closes costs seconds and not the whole idle timeout.
func (s *Stream) Finishing() { s.idle = min(s.idle, trailerWait) }

// field takes one line of an event (WHATWG HTML, section 9.2.6) and reports
// whether it carried data. Comments, ids and retry hints are skipped.
func (e *Event) field(line []byte) bool {
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

// line reads up to a line feed and drops it, with a carriage return before it.
func (s *Stream) line() ([]byte, error) {
	s.timer.Reset(s.idle)
	defer s.timer.Stop()
	var line []byte
	for {
		part, err := s.body.ReadSlice('\n')
		s.read += int64(len(part))
		line = append(line, part...)
		switch {
		case len(line) > MaxLine:
			return nil, errLongLine
		case s.read > s.limit:
			return nil, errTooLarge
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		}
		return bytes.TrimRight(line, "\r\n"), err
	}
}

// unstreamed returns the whole body when it begins like JSON, which no event
// stream does; nil otherwise.
func (s *Stream) unstreamed() ([]byte, error) {
	s.timer.Reset(s.idle)
	defer s.timer.Stop()
	for {
		head, err := s.body.Peek(1)
		if err != nil {
			return nil, s.atStart(err)
		}
		if c := head[0]; c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			if c != '{' && c != '[' {
				return nil, nil
			}
			return s.whole()
		}
		_, _ = s.body.Discard(1)
		s.read++
	}
}

func (s *Stream) atStart(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return s.fault(err)
}

func (s *Stream) whole() ([]byte, error) {
	var body bytes.Buffer
	chunk := make([]byte, 32<<10)
	for {
		s.timer.Reset(s.idle)
		n, err := s.body.Read(chunk)
		s.read += int64(n)
		body.Write(chunk[:n])
		switch {
		case s.read > s.limit:
			return nil, s.fault(errTooLarge)
		case errors.Is(err, io.EOF):
			return body.Bytes(), nil
		case err != nil:
			return nil, s.fault(err)
		}
	}
}

// Malformed reports an event that is not what the protocol says.
func (s *Stream) Malformed() error {
	return s.wire.fail(KindUnavailable, "a piece of the answer cannot be read")
}

// Truncated reports a stream that ended without its terminal event.
func (s *Stream) Truncated() error {
	return s.wire.fail(KindTruncated, "the stream ended before the answer did")
}

// Problem reports an error event inside the stream, nil when data is none.
func (s *Stream) Problem(data []byte) error {
	p, ok := parseProblem(data)
	if !ok {
		return nil
	}
	e := s.wire.fail(p.kind(0), "the provider reported an error inside the stream")
	e.RetryAfter = p.wait
	return e
}

// Interrupted reports whether err is a broken connection or a silence, as
// opposed to a cancelled caller or a protocol fault. After the terminal event
// such an end does no harm.
func (s *Stream) Interrupted(err error) bool {
	k := KindOf(err)
	return s.ctx.Err() == nil && (k == KindTruncated || k == KindTimeout)
}

func (s *Stream) fault(err error) error {
	if errors.Is(err, errLongLine) || errors.Is(err, errTooLarge) {
		return s.wire.fail(KindUnavailable, err.Error())
	}
	return s.wire.transportError(s.ctx, s.attempt, err, s.read > 0)
}
