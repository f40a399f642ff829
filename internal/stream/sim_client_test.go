package stream

import (
	"context"
	"fmt"
	"slices"
	"unicode/utf16"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/viewer"
)

// simContext is the context of all subscribers: they belong to one user, so that they share reads.
var simContext = viewer.NewContext(context.Background(), viewer.Viewer{UserID: "user"})

// simClient is a subscriber that holds only what the events contain.
type simClient struct {
	w        *simEnv
	at       *simReplica // nil while not connected
	follower *MessageStream
	busy     bool
	cursor   *string
	messages []*simMessage
}

// simMessage is a message as the client has it.
type simMessage struct {
	id, role   string
	position   int
	text       []uint16
	calls      map[string]enum.ToolCallStatus
	repeatable map[string]enum.ToolCallStatus // calls of MessageAdded that may be emitted once more
	finished   bool
}

// step runs one random step of the client or of its connection.
func (c *simClient) step() {
	switch n := c.w.IntN(100); {
	case c.busy:
	case c.follower == nil:
		c.connect(c.w.IntN(8) == 0)
	case n < 85:
		c.poll(c.w.IntN(12) == 0)
	case n < 95:
		c.disconnect()
	}
}

// connect subscribes on a random replica. fresh drops the cursor and all messages.
func (c *simClient) connect(fresh bool) {
	if fresh {
		c.cursor, c.messages = nil, nil
	}
	at := c.w.replicas[c.w.IntN(len(c.w.replicas))]
	c.busy = true
	f, err := OpenMessageStream(simContext, at.hub, simTopic, c.cursor, c.w.reader())
	c.busy = false
	switch {
	case err != nil:
		c.fail("opening the stream: %v", err)
		return
	case at.killed:
		return
	}
	c.at, c.follower = at, f
	emit := c.sink(c.w.IntN(12) == 0)
	for _, e := range f.initial {
		emit(e)
	}
}

// poll applies one batch. It returns false if there is none.
func (c *simClient) poll(breaks bool) bool {
	batch, ok := c.follower.sub.take()
	if !ok {
		return false
	}
	f := c.follower
	emit := c.sink(breaks)
	c.busy = true
	err := f.apply(simContext, batch, emit)
	c.busy = false
	if err != nil {
		c.fail("applying a batch: %v", err)
	}
	return true
}

// sink returns a sink that applies events to the client until its connection breaks.
func (c *simClient) sink(breaks bool) messageSink {
	f := c.follower
	left := 1 << 30
	if breaks {
		left = c.w.IntN(4)
	}
	return func(e MessageEvent) {
		if c.follower != f { // dropped meanwhile
			return
		}
		if left == 0 {
			c.disconnect()
			return
		}
		left--
		c.apply(e)
	}
}

func (c *simClient) disconnect() {
	if c.follower != nil {
		c.follower.sub.Close()
	}
	c.at, c.follower = nil, nil
}

func (c *simClient) fail(format string, args ...any) {
	c.w.failures = append(c.w.failures, fmt.Sprintf(format, args...))
}

func (c *simClient) find(id string) *simMessage {
	at := slices.IndexFunc(c.messages, func(m *simMessage) bool { return m.id == id })
	if at < 0 {
		c.fail("%s was never announced", id)
		return &simMessage{calls: map[string]enum.ToolCallStatus{}}
	}
	return c.messages[at]
}

// findUnfinished is find for events that must not follow the end of the reply.
func (c *simClient) findUnfinished(id string) *simMessage {
	m := c.find(id)
	if m.finished {
		c.fail("event of %s after its end", id)
	}
	return m
}

func (c *simClient) apply(e MessageEvent) {
	switch e := e.(type) {
	case *MessageAdded:
		c.cursor = &e.Cursor
		c.addMessage(e.Message)
	case *MessageDelta:
		c.cursor = &e.Cursor
		m := c.findUnfinished(e.MessageID)
		if e.Offset > len(m.text) || e.Offset < len(m.text) && e.Offset > 0 {
			c.fail("%s has %d units, delta at %d", m.id, len(m.text), e.Offset)
			return
		}
		m.text = append(m.text[:e.Offset], utf16.Encode([]rune(e.Text))...)
	case *ToolCallChanged:
		c.cursor = &e.Cursor
		if len(c.messages) == 0 || c.messages[0].position <= c.w.store.position(e.MessageID) {
			c.setCallStatus(c.find(e.MessageID), e.ToolCall)
		} // else of a reply before those that the client has
	case *MessageFinished:
		c.cursor = &e.Cursor
		m := c.findUnfinished(e.Message.ID)
		m.finished = true
		if got := string(utf16.Decode(m.text)); got != e.Message.Content {
			c.fail("%s finished as %q, received %q", m.id, e.Message.Content, got)
		}
	}
}

func (c *simClient) addMessage(m *ent.Message) {
	if n := len(c.messages); n > 0 && c.messages[n-1].position != m.Position-1 {
		c.fail("position %d was announced after %d", m.Position, c.messages[n-1].position)
	}
	seen := &simMessage{
		id:         m.ID,
		role:       string(m.Role),
		position:   m.Position,
		text:       utf16.Encode([]rune(m.Content)),
		calls:      map[string]enum.ToolCallStatus{},
		repeatable: map[string]enum.ToolCallStatus{},
	}
	for _, call := range m.Edges.ToolCalls {
		seen.calls[call.ID], seen.repeatable[call.ID] = call.Status, call.Status
	}
	seen.finished = m.Role == enum.RoleUser
	c.messages = append(c.messages, seen)
}

func (c *simClient) setCallStatus(m *simMessage, call *ent.ToolCall) {
	before, known := m.calls[call.ID]
	if left, ok := m.repeatable[call.ID]; ok && left == call.Status {
		delete(m.repeatable, call.ID) // repeated once after MessageAdded
		return
	}
	started := call.Status == enum.ToolCallStarted
	final := call.Status == enum.ToolCallSucceeded || call.Status == enum.ToolCallFailed
	switch {
	case started && !known, known && before == enum.ToolCallStarted && !started:
	case final && (before == enum.ToolCallAwaiting || before == call.Status): // a decision may be emitted twice
	default:
		c.fail("%s went from %q to %q", call.ID, before, call.Status)
	}
	if started && len(m.text) < call.TextOffset {
		c.fail("%s started at %d, but only %d units were received", call.ID, call.TextOffset, len(m.text))
	}
	m.calls[call.ID] = call.Status
}

// compare checks the client's message against the row.
func (c *simClient) compare(what string, seen *simMessage, row *ent.Message) {
	if got := string(utf16.Decode(seen.text)); got != row.Content || !seen.finished {
		c.fail("%s: shown %q (finished: %t), stored %q", what, got, seen.finished, row.Content)
	}
	if len(seen.calls) != len(row.Edges.ToolCalls) {
		c.fail("%s: %d tool calls shown, %d stored", what, len(seen.calls), len(row.Edges.ToolCalls))
	}
	for _, call := range row.Edges.ToolCalls {
		if seen.calls[call.ID] != call.Status {
			c.fail("%s: %s shown as %q, stored as %q", what, call.ID, seen.calls[call.ID], call.Status)
		}
	}
}
