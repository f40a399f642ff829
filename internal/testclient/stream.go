package testclient

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
)

// MessageStream is the document that Follow subscribes with.
const MessageStream = `subscription ($id: ID!, $after: Cursor) { messageStream(conversationId: $id, after: $after) {
	__typename cursor
	... on MessageAdded { message { ` + MessageFields + ` } }
	... on MessageDelta { messageId offset text }
	... on ToolCallChanged { messageId toolCall { ` + ToolCallFields + ` } }
	... on MessageFinished { message { ` + MessageFields + ` } } } }`

// Event is one event of a message stream. Kind is its GraphQL type.
type Event struct {
	Kind      string `json:"__typename"`
	Cursor    string
	Message   Message
	MessageID string
	Offset    int
	Text      string
	ToolCall  ToolCall
}

// Stream is a subscription to a conversation's message stream. It rebuilds each message as the schema
// describes, content = content[0:offset] + text with offsets in UTF-16 code units, and checks every event
// against the messages rebuilt so far.
type Stream struct {
	*Subscription
	// Events are the events received so far.
	Events []Event
	// Rewinds counts the deltas that replaced text received earlier.
	Rewinds  int
	messages map[string]*messageState
}

// messageState is the rebuilt state of one message.
type messageState struct {
	units    []uint16
	calls    map[string]string // tool call status by ID
	finished *Message
}

// Follow subscribes to a conversation's message stream, after a cursor unless it is "".
func (s *Socket) Follow(t testing.TB, conversationID, after string) *Stream {
	t.Helper()
	stream, err := s.TryFollow(conversationID, after)
	require.NoError(t, err)
	return stream
}

// TryFollow is Follow for a socket that may be closed.
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

// Resume continues a stream on another socket after the last event that was read. It takes over the state of
// old, which must not be used afterwards.
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

// ResumeAt subscribes after the first at events of another stream, with the state that a client has there.
// at 0 starts without a cursor. The other stream stays usable.
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

// TryNextEvent waits for the next event. An event that does not fit the messages rebuilt so far is returned with a
// *ContractError.
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

// ContractError reports an event that violates the contract of the message stream.
type ContractError struct{ Err error }

// Error implements error.
func (e *ContractError) Error() string { return e.Err.Error() }

// Unwrap returns the violation.
func (e *ContractError) Unwrap() error { return e.Err }

// NextEvent waits for the next event and fails the test if the stream ends.
func (s *Stream) NextEvent(t testing.TB) Event {
	t.Helper()
	e, err := s.TryNextEvent(t.Context())
	require.NoError(t, err)
	return e
}

// Until reads events up to and including the first one that satisfies ok, and returns it.
func (s *Stream) Until(t testing.TB, ok func(Event) bool) Event {
	t.Helper()
	for {
		if e := s.NextEvent(t); ok(e) {
			return e
		}
	}
}

// AwaitFinished reads events until the message is terminal and returns it.
func (s *Stream) AwaitFinished(t testing.TB, messageID string) Message {
	t.Helper()
	for {
		if k := s.messages[messageID]; k != nil && k.finished != nil {
			return *k.finished
		}
		s.NextEvent(t)
	}
}

// Text returns the message's text as rebuilt so far.
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

// apply updates the rebuilt messages with an event, or returns the rule of the contract that it violates.
func (s *Stream) apply(e Event) error {
	if e.Cursor == "" {
		return fmt.Errorf("%s has no cursor", e.Kind)
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
		return fmt.Errorf("unknown event type %q", e.Kind)
	}
}

func (s *Stream) applyAdded(m Message) error {
	if s.messages[m.ID] != nil {
		return fmt.Errorf("message %d was added twice", m.Position)
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
		return fmt.Errorf("delta for a message that is unknown or finished: %+v", e)
	case e.Offset > len(k.units):
		return fmt.Errorf("gap: the delta starts at offset %d, the text has %d code units", e.Offset, len(k.units))
	case e.Offset < len(k.units):
		s.Rewinds++
	}
	k.units = append(k.units[:e.Offset:e.Offset], utf16.Encode([]rune(e.Text))...)
	return nil
}

func (s *Stream) applyToolCall(e Event) error {
	k, c := s.messages[e.MessageID], e.ToolCall
	if k == nil {
		if c.Status == "SUCCEEDED" || c.Status == "FAILED" {
			return nil // the decision about a call of an earlier reply
		}
		return fmt.Errorf("tool call for an unknown message: %+v", c)
	}
	before := k.calls[c.ID]
	decided := c.Status == "SUCCEEDED" || c.Status == "FAILED"
	switch {
	case before == c.Status: // a call included in MessageAdded, or a decision, may be sent again
	case decided && before == "AWAITING_APPROVAL": // also after the end of the reply
	case k.finished != nil:
		return fmt.Errorf("tool call of a finished message: %+v", c)
	case (before == "") != (c.Status == "STARTED"), before != "" && before != "STARTED":
		return fmt.Errorf("tool call %s went from %q to %s", c.Name, before, c.Status)
	}
	if c.Offset > len(k.units) {
		return fmt.Errorf("tool call at offset %d, the text has %d code units", c.Offset, len(k.units))
	}
	k.calls[c.ID] = c.Status
	return nil
}

func (s *Stream) applyFinished(m Message) error {
	k := s.messages[m.ID]
	switch {
	case k == nil || k.finished != nil:
		return fmt.Errorf("message %d finished twice or before it was added", m.Position)
	case !m.Terminal():
		return fmt.Errorf("message %d finished with the status %s", m.Position, m.Status)
	case string(utf16.Decode(k.units)) != m.Content:
		return fmt.Errorf("the rebuilt text is %q, the final content %q", string(utf16.Decode(k.units)), m.Content)
	}
	for _, c := range m.ToolCalls {
		if k.calls[c.ID] != c.Status {
			return fmt.Errorf("the last status of tool call %s was %q, the final one is %s", c.Name, k.calls[c.ID], c.Status)
		}
	}
	k.finished = &m
	return nil
}
