package testclient

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
)

// MessageStream is the document of a Stream.
const MessageStream = `subscription ($id: ID!, $after: Cursor) { messageStream(conversationId: $id, after: $after) {
	__typename cursor
	... on MessageAdded { message { ` + MessageFields + ` } }
	... on MessageDelta { messageId offset text }
	... on ToolCallChanged { messageId toolCall { ` + ToolCallFields + ` } }
	... on MessageFinished { message { ` + MessageFields + ` } } } }`

// Event is one event of a conversation.
type Event struct {
	Kind      string `json:"__typename"`
	Cursor    string
	Message   Message
	MessageID string
	Offset    int
	Text      string
	ToolCall  ToolCall
}

// Stream follows a conversation and rebuilds its replies as the contract says:
// content = content[0:offset] + text, in UTF-16 units.
type Stream struct {
	*Subscription
	// Events are all events received.
	Events []Event
	// Rewinds counts the events that told text again.
	Rewinds int
	messages   map[string]*messageState
}

// messageState is what a stream's client knows of one message.
type messageState struct {
	units    []uint16
	calls    map[string]string // status by id
	finished *Message
}

// Follow subscribes to a conversation, from a cursor unless it is "".
func (s *Socket) Follow(t testing.TB, conversationID, after string) *Stream {
	t.Helper()
	stream, err := s.TryFollow(conversationID, after)
	require.NoError(t, err)
	return stream
}

// TryFollow is Follow on a socket that may be broken.
func (s *Socket) TryFollow(conversationID, after string) (*Stream, error) {
	vars := Vars{"id": conversationID}
	if after != "" {
		vars["after"] = after
	}
	sub, err := s.TrySubscribe(MessageStream, vars)
	if err != nil {
		return nil, err
	}
	return &Stream{Subscription: sub, messages: map[string]*messageState{}}, nil
}

// Resume moves a stream whose socket may have ended to another one, from the last event that was read.
func (s *Socket) Resume(conversationID string, old *Stream) (*Stream, error) {
	after := ""
	if n := len(old.Events); n > 0 {
		after = old.Events[n-1].Cursor
	}
	joined, err := s.TryFollow(conversationID, after)
	if err != nil {
		return nil, err
	}
	joined.Events, joined.Rewinds, joined.messages = old.Events, old.Rewinds, old.messages
	return joined, nil
}

// ResumeAt goes on from another stream's event, with what that stream's client knew there:
// on the same socket or another one. at counts events; 0 means before the first.
func (s *Socket) ResumeAt(t testing.TB, conversationID string, old *Stream, at int) *Stream {
	t.Helper()
	after := ""
	if at > 0 {
		after = old.Events[at-1].Cursor
	}
	joined := s.Follow(t, conversationID, after)
	for _, e := range old.Events[:at] {
		require.NoError(t, joined.apply(e))
		joined.Events = append(joined.Events, e)
	}
	return joined
}

// TryNextEvent is the next event, or why there is none. An event that does not follow
// from what was received before is an error too.
func (s *Stream) TryNextEvent(ctx context.Context) (Event, error) {
	payload, err := s.Next(ctx)
	if err != nil {
		return Event{}, err
	}
	var response struct {
		Data   struct{ MessageStream Event }
		Errors Errors
	}
	if err := json.Unmarshal(payload, &response); err != nil {
		return Event{}, err
	}
	if len(response.Errors) > 0 {
		return Event{}, response.Errors
	}
	e := response.Data.MessageStream
	s.Events = append(s.Events, e)
	if err := s.apply(e); err != nil {
		return e, &ContractError{err}
	}
	return e, nil
}

// ContractError says that the server sent what the contract does not allow.
type ContractError struct{ Err error }

// Error implements error.
func (e *ContractError) Error() string { return e.Err.Error() }

// Unwrap implements errors' interface.
func (e *ContractError) Unwrap() error { return e.Err }

// NextEvent is the next event, which must come.
func (s *Stream) NextEvent(t testing.TB) Event {
	t.Helper()
	e, err := s.TryNextEvent(t.Context())
	require.NoError(t, err)
	return e
}

// Until reads events up to and including the first that satisfies ok.
func (s *Stream) Until(t testing.TB, ok func(Event) bool) Event {
	t.Helper()
	for {
		if e := s.NextEvent(t); ok(e) {
			return e
		}
	}
}

// AwaitFinished reads until the message is terminal and gives it.
func (s *Stream) AwaitFinished(t testing.TB, messageID string) Message {
	t.Helper()
	for {
		if k := s.messages[messageID]; k != nil && k.finished != nil {
			return *k.finished
		}
		s.NextEvent(t)
	}
}

// Text is the message's text as the client has it.
func (s *Stream) Text(messageID string) string {
	if k := s.messages[messageID]; k != nil {
		return string(utf16.Decode(k.units))
	}
	return ""
}

// UntilText reads until the message's text satisfies ok.
func (s *Stream) UntilText(t testing.TB, messageID string, ok func(string) bool) {
	t.Helper()
	for !ok(s.Text(messageID)) {
		s.NextEvent(t)
	}
}

// apply takes an event in, and refuses what the contract does not allow.
func (s *Stream) apply(e Event) error {
	if e.Cursor == "" {
		return fmt.Errorf("%s without a cursor", e.Kind)
	}
	switch e.Kind {
	case "MessageAdded":
		return s.applyAdded(e.Message)
	case "MessageDelta":
		return s.applyDelta(e)
	case "ToolCallChanged":
		return s.applyToolCall(e)
	case "MessageFinished":
		return s.applyFinished(e.Message)
	default:
		return fmt.Errorf("an event of kind %q", e.Kind)
	}
}

func (s *Stream) applyAdded(m Message) error {
	if s.messages[m.ID] != nil {
		return fmt.Errorf("message %d was announced twice", m.Position)
	}
	k := &messageState{units: utf16.Encode([]rune(m.Content)), calls: map[string]string{}}
	for _, c := range m.ToolCalls {
		k.calls[c.ID] = c.Status
	}
	if m.Role == "USER" {
		k.finished = &m
	}
	s.messages[m.ID] = k
	return nil
}

func (s *Stream) applyDelta(e Event) error {
	k := s.messages[e.MessageID]
	switch {
	case k == nil || k.finished != nil:
		return fmt.Errorf("text of a message that is not being written: %+v", e)
	case e.Offset > len(k.units):
		return fmt.Errorf("a gap: text at %d, known are %d units", e.Offset, len(k.units))
	case e.Offset < len(k.units):
		s.Rewinds++
	}
	k.units = append(k.units[:e.Offset:e.Offset], utf16.Encode([]rune(e.Text))...)
	return nil
}

func (s *Stream) applyToolCall(e Event) error {
	k, c := s.messages[e.MessageID], e.ToolCall
	if k == nil || k.finished != nil {
		return fmt.Errorf("a tool call of a message that is not being written: %+v", c)
	}
	// A call that its message's announcement showed may be told once more as it is.
	before := k.calls[c.ID]
	if before != c.Status && (before == "") != (c.Status == "STARTED") ||
		before != "" && before != "STARTED" && before != c.Status {
		return fmt.Errorf("tool call %s went from %q to %s", c.Name, before, c.Status)
	}
	if c.Offset > len(k.units) {
		return fmt.Errorf("a tool call at %d, known are %d units", c.Offset, len(k.units))
	}
	k.calls[c.ID] = c.Status
	return nil
}

func (s *Stream) applyFinished(m Message) error {
	k := s.messages[m.ID]
	switch {
	case k == nil || k.finished != nil:
		return fmt.Errorf("message %d finished before it began, or twice", m.Position)
	case !m.Terminal():
		return fmt.Errorf("message %d finished as %s", m.Position, m.Status)
	case string(utf16.Decode(k.units)) != m.Content:
		return fmt.Errorf("the client has %q, the message is %q", string(utf16.Decode(k.units)), m.Content)
	}
	for _, c := range m.ToolCalls {
		if k.calls[c.ID] != c.Status {
			return fmt.Errorf("the client knows tool call %s as %q, it is %s", c.Name, k.calls[c.ID], c.Status)
		}
	}
	k.finished = &m
	return nil
}
