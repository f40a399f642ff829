package stream

import (
	"fmt"
	"testing"

	"errand/ent"
	"errand/ent/enum"

	"github.com/stretchr/testify/require"
)

func reply(attempt int, content string, status enum.MessageStatus, calls ...*ent.ToolCall) *ent.Message {
	m := &ent.Message{
		ID:       "msg_2",
		Position: 2,
		Role:     enum.RoleAssistant,
		Attempt:  attempt,
		Content:  content,
		Status:   status,
	}
	m.Edges.ToolCalls = calls
	return m
}

func call(id string, offset int, status enum.ToolCallStatus) *ent.ToolCall {
	return &ent.ToolCall{ID: id, TextOffset: offset, Status: status}
}

func finishedTurn() []*ent.Message {
	said := &ent.Message{ID: "msg_1", Position: 1, Role: enum.RoleUser, Content: "hi", Status: enum.MessageCompleted}
	return []*ent.Message{said, reply(1, "a𝄞 done", enum.MessageCompleted, call("call_1", 3, enum.ToolCallSucceeded))}
}

// eventLog records events in a short form.
type eventLog []string

func (s *eventLog) add(e MessageEvent) {
	switch e := e.(type) {
	case *MessageAdded:
		*s = append(*s, fmt.Sprintf("added %s %q", e.Message.ID, e.Message.Content))
	case *MessageDelta:
		*s = append(*s, fmt.Sprintf("%d %q", e.Offset, e.Text))
	case *ToolCallChanged:
		*s = append(*s, fmt.Sprintf("%s %s", e.ToolCall.ID, e.ToolCall.Status))
	case *MessageFinished:
		*s = append(*s, fmt.Sprintf("%s %q", e.Message.Status, e.Message.Content))
	}
}

func (s *eventLog) take() []string {
	events := *s
	*s = nil
	return events
}

// subscribedTo returns the state of a subscriber that has received an unfinished reply.
func subscribedTo(m *ent.Message) (*subscriberState, *eventLog) {
	v, s := newSubscriberState("conv_1"), &eventLog{}
	v.lastPosition = 1
	v.applyRows([]*ent.Message{m}, s.add)
	s.take()
	return v, s
}

func TestApplyRows_FinishedTurn_AddsAndFinishesOnce(t *testing.T) {
	v, s := newSubscriberState("conv_1"), &eventLog{}
	v.applyRows(finishedTurn(), s.add)
	require.Equal(
		t,
		[]string{`added msg_1 "hi"`, `added msg_2 "a𝄞 done"`, "call_1 SUCCEEDED", `COMPLETED "a𝄞 done"`},
		s.take(),
	)
	require.Equal(t, 3, v.firstNeeded())
	v.applyRows(finishedTurn(), s.add)
	require.Empty(t, s.take(), "emitted twice")
}

func TestApplyRows_ToolCalls_EmitsTextUpToEachCall(t *testing.T) {
	v, s := subscribedTo(reply(0, "", enum.MessagePending))
	v.applyRows([]*ent.Message{reply(1, "a𝄞 done", enum.MessageCompleted,
		call("call_1", 3, enum.ToolCallSucceeded), call("call_2", 3, enum.ToolCallFailed))}, s.add)
	require.Equal(t, []string{
		`0 "a𝄞"`, "call_1 STARTED", "call_1 SUCCEEDED", "call_2 STARTED", "call_2 FAILED", `3 " done"`, `COMPLETED "a𝄞 done"`,
	}, s.take())
}

func TestApplyRows_CallsEndOutOfOrder_EmitsEachEndOnce(t *testing.T) {
	one, two := call("call_1", 0, enum.ToolCallStarted), call("call_2", 0, enum.ToolCallStarted)
	v, s := subscribedTo(reply(1, "", enum.MessageStreaming, one, two))
	rows := []*ent.Message{reply(1, "", enum.MessageStreaming, one, call("call_2", 0, enum.ToolCallSucceeded))}
	v.applyRows(rows, s.add)
	v.applyRows(rows, s.add)
	require.Equal(t, []string{"call_2 SUCCEEDED"}, s.take())
	rows = []*ent.Message{
		reply(
			1,
			"",
			enum.MessageStreaming,
			call("call_1", 0, enum.ToolCallFailed),
			call("call_2", 0, enum.ToolCallSucceeded),
		),
	}
	v.applyRows(rows, s.add)
	v.applyRows(rows, s.add)
	require.Equal(t, []string{"call_1 FAILED"}, s.take())
}

func TestApplyRows_OlderThanState_EmitsNothing(t *testing.T) {
	v, s := subscribedTo(reply(1, "abc", enum.MessageStreaming))
	require.True(t, v.applyText(&Event{
		Kind: TextAppended, ID: "msg_2", Position: 2, Attempt: 1, Offset: 3,
		Text: "def",
	}, s.add))
	require.Equal(t, []string{`3 "def"`}, s.take())
	v.applyRows([]*ent.Message{reply(1, "abcd", enum.MessageStreaming)}, s.add)
	v.applyRows([]*ent.Message{reply(0, "some other text", enum.MessageStreaming)}, s.add)
	require.Empty(t, s.take())
}

func TestApplyRows_FinishedReplyDiverges_ReplacesText(t *testing.T) {
	for name, c := range map[string]struct{ received, stored *ent.Message }{
		"text was lost":             {reply(1, "abcdef", enum.MessageStreaming), reply(1, "abc", enum.MessageFailed)},
		"an attempt stored nothing": {reply(2, "xy", enum.MessageStreaming), reply(1, "abc", enum.MessageFailed)},
		"another attempt wrote":     {reply(1, "xy", enum.MessageStreaming), reply(2, "abc", enum.MessageFailed)},
		"inside a character":        {reply(1, "xy", enum.MessageStreaming), reply(1, "a𝄞", enum.MessageFailed)},
	} {
		v, s := subscribedTo(c.received)
		v.applyRows([]*ent.Message{c.stored}, s.add)
		require.Equal(
			t,
			[]string{fmt.Sprintf("0 %q", c.stored.Content), fmt.Sprintf("FAILED %q", c.stored.Content)},
			s.take(),
			name,
		)
	}
	v, s := subscribedTo(reply(1, "gone", enum.MessageStreaming))
	v.applyRows([]*ent.Message{reply(1, "", enum.MessageCancelled)}, s.add)
	require.Equal(t, []string{`0 ""`, `CANCELLED ""`}, s.take())
}

func TestApplyText_AnyOffset_EmitsContinuationOrReportsGap(t *testing.T) {
	for name, c := range map[string]struct {
		event Event
		joins bool
		want  []string
	}{
		"next":                       {Event{Position: 2, Attempt: 2, Offset: 3, Text: "d"}, true, []string{`3 "d"`}},
		"a repeat":                   {Event{Position: 2, Attempt: 2, Offset: 0, Text: "abc"}, true, nil},
		"an overlap":                 {Event{Position: 2, Attempt: 2, Offset: 2, Text: "cde"}, true, []string{`3 "de"`}},
		"a gap":                      {Event{Position: 2, Attempt: 2, Offset: 4, Text: "e"}, false, nil},
		"a lost writer":              {Event{Position: 2, Attempt: 1, Offset: 99, Text: "x"}, true, nil},
		"the start of a new attempt": {Event{Position: 2, Attempt: 3, Text: "xy"}, true, []string{`0 "xy"`}},
		"a new attempt, later":       {Event{Position: 2, Attempt: 3, Offset: 1, Text: "y"}, false, nil},
		"an empty new attempt":       {Event{Position: 2, Attempt: 3}, true, []string{`0 ""`}},
		"a reply that is over":       {Event{Position: 1, Attempt: 9, Offset: 7, Text: "x"}, true, nil},
		"a reply not seen yet":       {Event{Position: 4, Attempt: 1, Text: "x"}, false, nil},
	} {
		v, s := subscribedTo(reply(2, "abc", enum.MessageStreaming))
		c.event.Kind, c.event.ID = TextAppended, "msg_2"
		require.Equal(t, c.joins, v.applyText(&c.event, s.add), name)
		require.Equal(t, c.want, s.take(), name)
	}
}
