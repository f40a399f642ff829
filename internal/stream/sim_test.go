package stream

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
)

// Runs random schedules of a few replicas. STREAM_SEED selects one schedule to run alone.
func TestSimulation_RandomSchedules_SubscribersReceiveStoredText(t *testing.T) {
	if seed, ok := os.LookupEnv("STREAM_SEED"); ok {
		n, err := strconv.ParseUint(seed, 10, 64)
		require.NoError(t, err)
		require.Empty(t, runSchedule(n).failures)
		return
	}
	const shards = 2
	var all sync.WaitGroup
	counts := make([]simCount, shards)
	for shard := range shards {
		all.Go(func() {
			for seed := uint64(shard); seed < schedules; seed += shards {
				w := runSchedule(seed)
				if !assertNoFailures(t, w) {
					return
				}
				counts[shard].add(w)
			}
		})
	}
	all.Wait()
	var sum simCount
	for _, n := range counts {
		sum.clients += n.clients
		sum.attempts += n.attempts
		sum.calls += n.calls
		sum.decisions += n.decisions
	}
	t.Logf("%d schedules: %d clients, %d attempts, %d tool calls, %d decisions",
		schedules, sum.clients, sum.attempts, sum.calls, sum.decisions)
	require.Greater(t, sum.attempts, schedules, "the schedules must contain lost attempts")
	require.Greater(t, sum.calls, schedules/2)
	require.Greater(t, sum.decisions, schedules/10, "the schedules must contain decisions")
}

type simCount struct{ clients, attempts, calls, decisions int }

func (n *simCount) add(w *simEnv) {
	n.clients += len(w.clients)
	n.calls += w.store.calls
	for _, m := range w.store.rows {
		for _, c := range m.Edges.ToolCalls {
			if c.Revision > 0 {
				n.decisions++
			}
		}
	}
	for _, r := range w.store.replies {
		n.attempts += r.attempt
	}
}

func assertNoFailures(t *testing.T, w *simEnv) bool {
	if len(w.failures) == 0 {
		return true
	}
	t.Errorf("STREAM_SEED=%d: %v", w.seed, w.failures)
	return false
}

func runSchedule(seed uint64) *simEnv {
	w := newSimEnv(seed)
	for range 60 + w.IntN(80) {
		w.step()
		if !w.lossy && w.IntN(30) == 0 {
			w.checkInFlight()
		}
		if len(w.failures) > 0 {
			return w
		}
	}
	w.finishAll()
	for w.IntN(2) == 0 && w.store.decide(w.IntN) { // after the end of their replies
		w.replicas[w.IntN(len(w.replicas))].hub.Publish(Event{Kind: RowsChanged, Topic: simTopic})
	}
	if w.lossy {
		w.loseEvent()
	}
	w.settle()
	w.checkAll()
	return w
}

// settle delivers and applies all events, without new writes.
func (w *simEnv) settle() {
	w.depth++ // disables interleave
	defer func() { w.depth-- }()
	for moved := true; moved; {
		moved = false
		for _, r := range w.replicas {
			for r.receive() {
				moved = true
			}
			if r.lostEvents {
				moved = true
				r.resync()
			}
		}
		for _, c := range w.clients {
			if c.follower == nil && !c.busy {
				c.connect(false)
				moved = true
			}
			for c.follower != nil && !c.busy && c.poll(false) {
				moved = true
			}
		}
	}
}

// finishAll finishes every reply.
func (w *simEnv) finishAll() {
	for r := w.store.current(); r != nil; r = w.store.current() {
		w.claim(w.replicas[w.IntN(len(w.replicas))])
		last := w.writers[len(w.writers)-1]
		last.appendText("the end")
		last.end(r.finish(last.attempt, &last.text))
	}
}

// checkInFlight settles during a reply. Where nothing is lost, every client has all text that was written, also on
// other replicas and between checkpoints.
func (w *simEnv) checkInFlight() {
	r := w.store.current()
	if r == nil {
		return
	}
	for _, wr := range w.writers {
		if wr.reply != r || wr.attempt != r.attempt || wr.stopped {
			continue
		}
		if wr.attempt > 1 {
			// A replica that started late may know only a lost attempt until the new one writes.
			wr.appendText("!")
		}
		w.clock = w.clock.Add(snapshotRequestInterval)
		w.settle()
		for i, c := range w.clients {
			if got := string(utf16.Decode(c.find(r.row.ID).text)); got != wr.text {
				c.fail("client %d has %q of %q", i, got, wr.text)
			}
		}
	}
}

func (w *simEnv) checkAll() {
	for i, c := range w.clients {
		if len(c.messages) == 0 {
			c.fail("client %d received nothing", i)
			continue
		}
		for _, row := range w.store.rows[c.messages[0].position-1:] {
			at := row.Position - c.messages[0].position
			if at >= len(c.messages) {
				c.fail("client %d never received %s", i, row.ID)
				continue
			}
			c.compare(fmt.Sprintf("client %d, %s", i, row.ID), c.messages[at], row)
		}
	}
}
