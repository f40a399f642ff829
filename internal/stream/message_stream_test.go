package stream

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"

	"github.com/stretchr/testify/require"
)

func rowsOf(rows func() []*ent.Message) MessageReader {
	return func(context.Context, int, int) (MessageRows, error) { return MessageRows{Messages: rows()}, nil }
}

// scriptedReader is a MessageReader with scripted results; the last one repeats.
type scriptedReader struct {
	answers []func() ([]*ent.Message, error)
	froms   []int
}

func (s *scriptedReader) read(_ context.Context, from, _ int) (MessageRows, error) {
	s.froms = append(s.froms, from)
	answer := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	found, err := answer()
	return MessageRows{Messages: found}, err
}

func rows(m ...*ent.Message) func() ([]*ent.Message, error) {
	return func() ([]*ent.Message, error) { return m, nil }
}

func failure(err error) func() ([]*ent.Message, error) {
	return func() ([]*ent.Message, error) { return nil, err }
}

// run runs a stream on a goroutine, and returns channels of its events and its result.
func run(ctx context.Context, f *MessageStream) (events chan MessageEvent, ended chan error) {
	events, ended = make(chan MessageEvent), make(chan error, 1)
	go func() {
		ended <- Run(ctx, f, func(e MessageEvent) bool {
			select {
			case events <- e:
				return true
			case <-ctx.Done():
				return false
			}
		})
		close(events)
	}()
	return events, ended
}

func TestRun_ReplyWritten_EmitsItFromStartToEnd(t *testing.T) {
	h := NewHub()
	db := &scriptedReader{answers: []func() ([]*ent.Message, error){
		rows(reply(0, "", enum.MessagePending)), rows(reply(1, "ab", enum.MessageCompleted)),
	}}
	f, err := OpenMessageStream(t.Context(), h, "conv_1", nil, db.read)
	require.NoError(t, err)
	ctx, leave := context.WithCancel(t.Context())
	events, ended := run(ctx, f)
	s := &eventLog{}
	s.add(<-events)
	h.Publish(delta(1, 0, "a"))
	s.add(<-events)
	h.Publish(delta(1, 1, "b"))
	s.add(<-events)
	h.Publish(Event{Kind: RowsChanged, Topic: "conv_1", ID: "msg_2"})
	s.add(<-events)
	require.Equal(t, []string{`added msg_2 ""`, `0 "a"`, `1 "b"`, `COMPLETED "ab"`}, s.take())
	require.Equal(t, []int{0, 2}, db.froms, "contiguous text needs no rows")
	leave()
	require.NoError(t, <-ended)
	require.Zero(t, h.Subscribers())
}

func TestOpenMessageStream_ReplyInFlight_AddsItWithTextSoFar(t *testing.T) {
	h := NewHub()
	h.Publish(delta(1, 0, ""))
	h.Publish(delta(1, 0, "ab"))
	f, err := OpenMessageStream(
		t.Context(),
		h,
		"conv_1",
		nil,
		(&scriptedReader{answers: []func() ([]*ent.Message, error){rows(reply(0, "", enum.MessagePending))}}).read,
	)
	require.NoError(t, err)
	defer f.sub.Close()
	added := f.initial[0].(*MessageAdded).Message
	require.Equal(t, "ab", added.Content)
	require.Equal(t, enum.MessageStreaming, added.Status)
}

func TestOpenMessageStream_TextOnOtherReplica_RequestsSnapshot(t *testing.T) {
	writer, reader := NewHub(), NewHub()
	writer.Connect(busTo{reader})
	reader.Connect(busTo{writer})
	writer.inFlight.record(delta(1, 0, "long before"), true) // the reader's replica did not run yet
	f, err := OpenMessageStream(
		t.Context(),
		reader,
		"conv_1",
		nil,
		rowsOf(func() []*ent.Message { return []*ent.Message{reply(0, "", enum.MessagePending)} }),
	)
	require.NoError(t, err)
	ctx, leave := context.WithCancel(t.Context())
	events, ended := run(ctx, f)
	s := &eventLog{}
	s.add(<-events)
	s.add(<-events)
	require.Equal(t, []string{`added msg_2 ""`, `0 "long before"`}, s.take())
	leave()
	require.NoError(t, <-ended)
}

// busTo is a bus that delivers synchronously.
type busTo struct{ hub *Hub }

func (b busTo) Publish(e Event) { b.hub.Receive(e) }

func TestApplyBatch_TextAfterRowsChanged_EmitsText(t *testing.T) {
	h := NewHub()
	stored := reply(1, "ab", enum.MessageStreaming)
	f, err := OpenMessageStream(t.Context(), h, "conv_1", nil,
		rowsOf(func() []*ent.Message { return []*ent.Message{clone(stored)} }))
	require.NoError(t, err)
	defer f.sub.Close()
	h.Publish(Event{Kind: RowsChanged, Topic: "conv_1"})
	h.Publish(delta(1, 2, "c")) // its start was not received here, so it is not in flight

	batch, ok := f.sub.take()
	require.True(t, ok)
	s := &eventLog{}
	require.NoError(t, f.apply(t.Context(), batch, s.add))
	require.Equal(t, []string{`2 "c"`}, s.take())
}

func TestApplyBatch_Gap_ReadsRow(t *testing.T) {
	h := NewHub()
	db := &scriptedReader{
		answers: []func() ([]*ent.Message, error){
			rows(reply(1, "a", enum.MessageStreaming)),
			rows(reply(1, "abc", enum.MessageStreaming)),
		},
	}
	f, err := OpenMessageStream(t.Context(), h, "conv_1", nil, db.read)
	require.NoError(t, err)
	defer f.sub.Close()
	h.Publish(delta(1, 3, "d"))
	batch, _ := f.sub.take()
	s := &eventLog{}
	require.NoError(t, f.apply(t.Context(), batch, s.add))
	require.Equal(t, []string{`1 "bc"`, `3 "d"`}, s.take())
}

// A subscriber that resumes from an old cursor reads a long conversation in parts.
func TestOpenMessageStream_ManyMessages_ReadInParts(t *testing.T) {
	const n = 3*MessagesPerRead + 7
	all := make([]*ent.Message, n)
	for i := range all {
		all[i] = &ent.Message{ID: fmt.Sprint("m", i+1), Position: i + 1, Role: enum.RoleUser, Status: enum.MessageCompleted}
	}
	var froms []int
	read := func(_ context.Context, from, _ int) (MessageRows, error) {
		froms = append(froms, from)
		return MessageRows{Messages: all[from-1 : min(n, from-1+MessagesPerRead)]}, nil
	}
	h := NewHub()
	cursor := newSubscriberState("conv_1").cursor()
	f, err := OpenMessageStream(t.Context(), h, "conv_1", &cursor, read)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	events, ended := run(ctx, f)
	for i := range all {
		added, ok := (<-events).(*MessageAdded)
		require.True(t, ok)
		require.Equal(t, all[i].ID, added.Message.ID)
	}
	cancel()
	require.NoError(t, <-ended)
	require.Equal(t, []int{1, 1 + MessagesPerRead, 1 + 2*MessagesPerRead, 1 + 3*MessagesPerRead}, froms[:4])
}

func TestOpenMessageStream_Cursor_Resumes(t *testing.T) {
	h := NewHub()
	v, s := subscribedTo(reply(1, "ab", enum.MessageStreaming))
	cursor := v.cursor()
	db := &scriptedReader{answers: []func() ([]*ent.Message, error){rows(reply(1, "abc", enum.MessageCompleted))}}
	f, err := OpenMessageStream(t.Context(), h, "conv_1", &cursor, db.read)
	require.NoError(t, err)
	defer f.sub.Close()
	for _, e := range f.initial {
		s.add(e)
	}
	require.Equal(t, []string{`2 "c"`, `COMPLETED "abc"`}, s.take())
	require.Equal(t, []int{2}, db.froms)
	bad := "x"
	_, err = OpenMessageStream(t.Context(), h, "conv_1", &bad, db.read)
	require.Equal(t, apperr.BadUserInput, apperr.CodeOf(err))
}

func TestOpenMessageStream_ReadFails_ReturnsErrorAndUnsubscribes(t *testing.T) {
	h := NewHub()
	_, err := OpenMessageStream(
		t.Context(),
		h,
		"conv_1",
		nil,
		(&scriptedReader{answers: []func() ([]*ent.Message, error){failure(apperr.Missing("conversation"))}}).read,
	)
	require.Equal(t, apperr.NotFound, apperr.CodeOf(err))
	require.Zero(t, h.Subscribers())
}

func TestRun_EndCondition_ReturnsItsError(t *testing.T) {
	down := errors.New("the database is down")
	for name, c := range map[string]struct {
		later func() ([]*ent.Message, error)
		do    func(h *Hub, leave func())
		want  error
	}{
		"subscriber leaves": {rows(), func(_ *Hub, leave func()) { leave() }, nil},
		"conversation deleted": {failure(apperr.Missing("conversation")), func(h *Hub,
			_ func(),
		) {
			h.Resync()
		}, nil},
		"replica shuts down":               {rows(), func(h *Hub, _ func()) { h.Close() }, errShuttingDown()},
		"database stays down":              {failure(down), func(h *Hub, _ func()) { h.Resync() }, down},
		"subscriber leaves during retries": {failure(down), func(h *Hub, leave func()) { h.Resync(); leave() }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := NewHub()
				db := &scriptedReader{answers: []func() ([]*ent.Message, error){rows(), c.later}}
				f, err := OpenMessageStream(t.Context(), h, "conv_1", nil, db.read)
				require.NoError(t, err)
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				_, ended := run(ctx, f)
				c.do(h, leave)
				require.Equal(t, c.want, <-ended)
				require.Zero(t, h.Subscribers())
			})
		})
	}
}

func TestRun_DatabaseRestarts_RetriesReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHub()
		down := failure(errors.New("the database is down"))
		db := &scriptedReader{answers: []func() ([]*ent.Message, error){rows(), down, down, down, rows(finishedTurn()...)}}
		f, err := OpenMessageStream(t.Context(), h, "conv_1", nil, db.read)
		require.NoError(t, err)
		ctx, leave := context.WithCancel(t.Context())
		events, ended := run(ctx, f)
		h.Resync()
		s := &eventLog{}
		for range 3 {
			s.add(<-events)
		}
		require.Len(t, s.take(), 3)
		leave()
		require.NoError(t, <-ended)
	})
}

// Messages and their tool calls are read by two statements, and a call may be recorded between them.
func TestApplyBatch_ToolCallBeyondText_WaitsForText(t *testing.T) {
	h := NewHub()
	whole := reply(1, "abc", enum.MessageStreaming, call("call_1", 3, enum.ToolCallStarted))
	db := &scriptedReader{answers: []func() ([]*ent.Message, error){
		rows(reply(1, "a", enum.MessageStreaming, call("call_1", 3, enum.ToolCallStarted))),
		rows(reply(1, "ab", enum.MessageStreaming, call("call_1", 3, enum.ToolCallStarted))),
		rows(whole),
	}}
	f, err := OpenMessageStream(t.Context(), h, "conv_1", nil, db.read)
	require.NoError(t, err)
	defer f.sub.Close()
	s := &eventLog{}
	require.Len(t, f.initial, 1)
	require.Empty(t, f.initial[0].(*MessageAdded).Message.Edges.ToolCalls)
	for _, want := range [][]string{{`1 "b"`}, {`2 "c"`, "call_1 STARTED"}} {
		h.Publish(Event{Kind: RowsChanged, Topic: "conv_1"})
		batch, ok := f.sub.take()
		require.True(t, ok)
		require.NoError(t, f.apply(t.Context(), batch, s.add))
		require.Equal(t, want, s.take())
	}
}
