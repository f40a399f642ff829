package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"errand/internal/stream"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPublish_Burst_SendsFirstAtOnceAndBatchesRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeTransport{}
		r, hub := w.start(t, Options{})
		sleep(time.Second)
		w.take()
		start := time.Now()
		for i := range 10 {
			hub.Publish(delta(2*i, "x"))
			synctest.Wait()
		}
		sleep(DefaultInterval)
		synctest.Wait()
		sent, times := w.take()
		require.Len(t, sent, 2)
		require.Len(t, sent[0].Events, 1)
		require.Len(t, sent[1].Events, 9)
		require.Zero(t, times[0].Sub(start))
		require.Equal(t, DefaultInterval, times[1].Sub(start))

		hub.Publish(delta(10, "x"))
		hub.Publish(stream.Event{Kind: stream.RunCancelled, ID: "run_1"})
		synctest.Wait()
		sent, times = w.take()
		require.Len(t, sent, 1, "a cancellation is sent at once with the queued events")
		require.Len(t, sent[0].Events, 2)
		require.Equal(t, DefaultInterval, times[0].Sub(start))
		stopAll(t, r)
	})
}

func TestPublish_ContinuedText_IsSentAsOneEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeTransport{}
		r, hub := w.start(t, Options{})
		sleep(time.Second)
		w.take()
		for i := range 10 {
			hub.Publish(delta(i, "x"))
			synctest.Wait()
		}
		sleep(DefaultInterval)
		synctest.Wait()
		sent, _ := w.take()
		require.Len(t, sent, 2)
		require.Len(t, sent[1].Events, 1)
		var e stream.Event
		require.NoError(t, json.Unmarshal(sent[1].Events[0], &e))
		require.Equal(t, delta(1, "xxxxxxxxx"), e)
		stopAll(t, r)
	})
}

func TestPublish_FullBatch_IsSentAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeTransport{}
		r, hub := w.start(t, Options{})
		w.take()
		start := time.Now()
		for i := range 1000 {
			hub.Publish(delta(i, "0123456789"))
		}
		synctest.Wait()
		sent, times := w.take()
		require.GreaterOrEqual(t, len(sent), 5)
		require.Zero(t, times[len(times)-1].Sub(start))
		stopAll(t, r)
	})
}

func TestReceive_OwnBatch_IsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeTransport{}
		one, hubOne := w.start(t, Options{})
		two, hubTwo := w.start(t, Options{})
		here, there := hubOne.Subscribe("conv_1"), hubTwo.Subscribe("conv_1")
		runsQueued := 0
		hubTwo.OnRunQueued(func() { runsQueued++ })
		hubOne.Publish(delta(0, "a"))
		hubOne.Publish(stream.Event{Kind: stream.RunQueued})
		require.Equal(t, []stream.Event{delta(0, "a")}, next(t, there))
		require.Equal(t, []stream.Event{delta(0, "a")}, next(t, here))
		synctest.Wait()
		require.Equal(t, 1, runsQueued)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := here.Next(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded, "no own event returned and no resync happened")
		require.Equal(t, uint64(2), one.Stats().Sent)
		require.Equal(t, uint64(2), two.Stats().Received)
		require.Zero(t, one.Stats().Resyncs+two.Stats().Resyncs)
		stopAll(t, one, two)
		here.Close()
		there.Close()
	})
}

func TestPublish_LongText_IsSplitAndRebuilt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeTransport{}
		one, hubOne := w.start(t, Options{})
		two, hubTwo := w.start(t, Options{})
		texts := map[string]string{
			"plain":   strings.Repeat("abc ", 25_000),
			"wide":    "x" + strings.Repeat("𝄞€é", 5_000),
			"escaped": strings.Repeat("\u0001\"\\<", 5_000),
		}
		for name, text := range texts {
			hubOne.Publish(stream.Event{
				Kind: stream.TextAppended, Topic: "conv_1", ID: name, Position: 2, Attempt: 1,
				Text: text,
			})
		}
		sleep(time.Second)
		for name, text := range texts {
			got, _, ok := hubTwo.InFlightText(name)
			require.True(t, ok, name)
			require.Equal(t, text, got, name)
		}
		sent, _ := w.take()
		for _, b := range sent {
			payload, err := json.Marshal(b)
			require.NoError(t, err)
			require.LessOrEqual(t, len(payload), minPayload)
		}
		stopAll(t, one, two)
	})
}

func TestSplitText_InvalidUTF8_IsSplit(t *testing.T) {
	e := delta(0, strings.Repeat("\x80", 5000))
	first, rest := splitText(e)
	require.NotEmpty(t, first.Text)
	require.Equal(t, e.Text, first.Text+rest.Text)
	require.False(t, utf8.ValidString(first.Text))
}

func TestReceive_MissingBatch_Resyncs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeTransport{}
		one, hubOne := w.start(t, Options{})
		two, hubTwo := w.start(t, Options{})
		s := hubTwo.Subscribe("conv_1")
		defer s.Close()
		runsQueued := 0
		hubTwo.OnRunQueued(func() { runsQueued++ })
		hubOne.Publish(delta(0, "a"))
		require.Len(t, next(t, s), 1)
		sleep(time.Second)
		w.set(nil, true)
		hubOne.Publish(delta(1, "b"))
		synctest.Wait()
		w.set(nil, false)
		start := time.Now()
		requireBehind(t, s) // the number of the next heartbeat shows the gap
		require.LessOrEqual(t, time.Since(start), DefaultHeartbeat)
		synctest.Wait()
		require.Equal(t, 1, runsQueued, "a resync replaces a lost RunQueued")
		stopAll(t, one, two)
	})
}

func TestCheckPeers_SilentReplica_ResyncsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeTransport{}
		one, hubOne := w.start(t, Options{})
		two, _ := w.start(t, Options{})
		s := hubOne.Subscribe("conv_1")
		defer s.Close()
		w.kill(two)
		start := time.Now()
		requireBehind(t, s)
		require.LessOrEqual(t, time.Since(start), 4*DefaultHeartbeat+DefaultInterval)
		sleep(time.Minute)
		require.Equal(t, uint64(1), one.Stats().Resyncs, "once")
		stopAll(t, one, two)
	})
}

func TestStop_QueuedEvents_AreSentWithoutResync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeTransport{}
		one, hubOne := w.start(t, Options{})
		two, hubTwo := w.start(t, Options{})
		s := hubOne.Subscribe("conv_1")
		defer s.Close()
		for i := range 500 {
			hubTwo.Publish(delta(i, "x"))
		}
		stopAll(t, two)
		got, _, _ := hubOne.InFlightText("msg_2")
		require.Len(t, got, 500, "queued events are sent before the final batch")
		hubTwo.Publish(delta(500, "x")) // too late
		sleep(time.Minute)
		require.Zero(t, one.Stats().Resyncs)
		stopAll(t, one)
	})
}

func TestCheckPeers_OwnBatchesMissing_DoesNotResync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeTransport{}
		one, _ := w.start(t, Options{})
		two, _ := w.start(t, Options{})
		w.set(nil, true)
		sleep(time.Minute)
		require.Zero(t, one.Stats().Resyncs)
		w.set(nil, false)
		one.Reconnected()
		two.Reconnected()
		sleep(time.Minute)
		require.Equal(t, uint64(1), one.Stats().Resyncs)
		require.Equal(t, uint64(1), two.Stats().Resyncs)
		require.Equal(t, uint64(1), one.Stats().Reconnects)
		stopAll(t, one, two)
	})
}

func TestSendWithRetry_Outage_DeliversOrResyncs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeTransport{}
		one, hubOne := w.start(t, Options{})
		two, hubTwo := w.start(t, Options{})
		down := errors.New("down")
		w.set(down, false)
		for i := range 100 {
			hubOne.Publish(delta(i, "x"))
		}
		sleep(3 * time.Second)
		w.set(nil, false)
		sleep(5 * time.Second)
		got, _, _ := hubTwo.InFlightText("msg_2")
		require.Len(t, got, 100)
		require.Zero(t, one.Stats().Dropped)
		require.Zero(t, two.Stats().Resyncs)

		w.set(down, false)
		hubOne.Publish(delta(100, "x"))
		sleep(time.Minute) // longer than maxRetryTime
		w.set(nil, false)
		sleep(5 * time.Second)
		require.Equal(t, uint64(1), one.Stats().Dropped)
		require.NotZero(t, two.Stats().Resyncs)
		stopAll(t, one, two)
	})
}

func TestPublish_QueueOverflow_ResyncsOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeTransport{}
		one, hubOne := w.start(t, Options{})
		two, hubTwo := w.start(t, Options{})
		s := hubTwo.Subscribe("conv_2")
		defer s.Close()
		w.set(errors.New("down"), false)
		hubOne.Publish(stream.Event{Kind: stream.RowsChanged, Topic: "conv_1"})
		sleep(time.Second) // it is being sent
		for range maxQueued + 10 {
			hubOne.Publish(stream.Event{Kind: stream.RowsChanged, Topic: "conv_1"})
		}
		w.set(nil, false)
		requireBehind(t, s)
		require.Equal(t, uint64(maxQueued), one.Stats().Dropped)
		require.Equal(t, uint64(1), two.Stats().Resyncs)
		sleep(time.Second)
		require.Equal(t, uint64(11), two.Stats().Received)
		stopAll(t, one, two)
	})
}

func TestStart_NothingDelivered_ReturnsErrNotDelivered(t *testing.T) {
	for name, fail := range map[string]error{
		"nothing is delivered": nil,
		"nothing can be sent":  errors.New("no permission"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &fakeTransport{fail: fail}
				r := New(stream.NewHub(), w.Send, Options{Logger: slog.New(slog.DiscardHandler)})
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				err := r.Start(ctx)
				require.ErrorIs(t, err, ErrNotDelivered)
				if fail != nil {
					require.ErrorIs(t, err, fail)
				}
				r.Stop(ctx)
			})
		})
	}
}

func TestStop_HangingSend_EndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeTransport{}
		r, hub := w.start(t, Options{})
		hung := make(chan struct{}, 9)
		w.mu.Lock()
		w.hanging = hung
		w.mu.Unlock()
		hub.Publish(delta(0, "x"))
		<-hung
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		start := time.Now()
		r.Stop(ctx)
		require.Equal(t, 300*time.Millisecond, time.Since(start))
	})
}

// TestReceive_NewerVersion_ResyncsOncePerHeartbeat sends batches of a version that cannot be read: the rows are read
// instead, not for each batch, and the last events are not forgotten.
func TestReceive_NewerVersion_ResyncsOncePerHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeTransport{}
		r, hub := w.start(t, Options{})
		s := hub.Subscribe("conv_1")
		defer s.Close()
		receive := func(number int, events string) {
			r.Receive(fmt.Appendf(nil, `{"v":2,"r":"newer","n":%d,"s":1%s}`, number, events))
		}
		const events = `,"e":[{"k":"delta","t":"conv_1","i":"msg_2","x":{"another":"form"}}]`
		receive(1, events)
		requireBehind(t, s)
		for number := 2; number <= 50; number++ {
			receive(number, events)
		}
		require.EqualValues(t, 1, r.Stats().Resyncs)
		sleep(DefaultHeartbeat)
		receive(51, "")
		requireBehind(t, s)
		require.EqualValues(t, 2, r.Stats().Resyncs)
		sleep(DefaultHeartbeat)
		receive(52, "")
		require.EqualValues(t, 2, r.Stats().Resyncs)
		stopAll(t, r)
	})
}

func TestReceive_InvalidPayload_IsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeTransport{}
		r, hub := w.start(t, Options{})
		s := hub.Subscribe("conv_1")
		defer s.Close()
		for _, payload := range []string{"", "hello", "{}", "[1]", `{"r":"other","n":1,"e":[{"k":7}]}`} {
			r.Receive([]byte(payload))
		}
		r.Receive([]byte(`{"r":"other","n":2,"e":[{"k":"changed","t":"conv_1"}]}`))
		require.Equal(t, []stream.Event{{Kind: stream.RowsChanged, Topic: "conv_1"}}, next(t, s))
		stopAll(t, r)
	})
}

func TestReceive_BatchAge_IsObservedAsLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeTransport{}
		var seen []time.Duration
		r, _ := w.start(t, Options{ObserveLag: func(d time.Duration) { seen = append(seen, d) }})
		r.Receive(fmt.Appendf(nil, `{"r":"other","n":1,"s":%d}`, time.Now().Add(-40*time.Millisecond).UnixMicro()))
		require.Equal(t, 40*time.Millisecond, r.Stats().Lag)
		r.Receive(fmt.Appendf(nil, `{"r":"other","n":2,"s":%d}`, time.Now().Add(time.Hour).UnixMicro()))
		require.Equal(t, []time.Duration{40 * time.Millisecond, 0}, seen, "a clock that is ahead")
		stopAll(t, r)
	})
}
