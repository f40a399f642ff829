package run

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/store"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
)

// longReply is what every run of the storm is to write, one letter an effect.
const longReply = "abcdefgh"

// ledger notes what the storm's handlers did.
type ledger struct {
	mu       sync.Mutex
	attempts map[Job]int    // how often each attempt was begun
	finished map[string]int // successful calls of Finish for each run
}

// Two replicas share a database while leases expire, handlers fail and people cancel. In the
// end every run is terminal, and every reply that completed has its text once, in order.
func TestTwoReplicasThroughAStorm(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		w := world{t, db}
		book := &ledger{
			attempts: map[Job]int{},
			finished: map[string]int{},
		}
		var engines []*Engine
		bus := [2]*hints{newHints(), newHints()}
		for i := range bus {
			e := w.engine(Options{
				Notifier: quiet{bus[i]}, MaxAttempts: 1000, Concurrency: 6,
				SweepInterval: 20 * time.Millisecond, Lease: 300 * time.Millisecond,
			})
			engines = append(engines, w.start(e, book.handler(e)))
		}
		bus[0].peer, bus[1].peer = engines[1], engines[0]
		var rows []*ent.Run
		for range 2 {
			person := w.person()
			for range 3 {
				c := w.conversation(person)
				for range 4 {
					rows = append(rows, w.turn(person, engines[rand.IntN(2)], c))
				}
			}
		}
		w.rage(rows, engines)
		over := map[string]int64{} // when the conversation's run before this one ended
		for _, row := range rows {
			now := w.run(row.ID)
			book.check(t, now, w.message(row.MessageID))
			if now.StartedAt > 0 {
				require.GreaterOrEqual(t, now.StartedAt, over[row.ConversationID], "out of order")
			}
			over[row.ConversationID] = max(over[row.ConversationID], now.FinishedAt)
		}
	})
}

// quiet keeps the hints from filling up their channels.
type quiet struct{ *hints }

func (q quiet) NotifyQueued() { q.peer.WakeLocal() }

func (q quiet) NotifyCancelled(runID string) { q.peer.CancelLocal(runID) }

// handler writes the reply from where it stands, letter by letter.
func (l *ledger) handler(e *Engine) Handler {
	return func(ctx context.Context, job Job) error {
		l.begin(job)
		text := ""
		err := e.Do(ctx, job, func(ctx context.Context, tx *ent.Tx) error {
			m, err := tx.Message.Get(ctx, job.MessageID)
			if err == nil {
				text = m.Content
			}
			return err
		})
		for err == nil && len(text) < len(longReply) {
			if rand.IntN(20) == 0 {
				return errors.New("a hiccup")
			}
			text += longReply[len(text) : len(text)+1]
			// The letter of this attempt's own memory: only the fence keeps a zombie's out.
			err = e.Do(ctx, job, writes(job, text))
		}
		switch {
		case errors.Is(err, ErrCancelled):
			return l.end(job, e.Finish(ctx, job, Outcome{Status: enum.MessageCancelled}, nil))
		case err != nil:
			return err
		}
		return l.end(job, e.Finish(ctx, job, complete, nil))
	}
}

func (l *ledger) begin(job Job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.attempts[job]++
}

func (l *ledger) end(job Job, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.finished[job.RunID]++
	}
	return err
}

// rage lets leases expire and people cancel until every run is over.
func (w world) rage(rows []*ent.Run, engines []*Engine) {
	w.t.Helper()
	for deadline := time.Now().Add(3 * patience); ; {
		require.True(w.t, time.Now().Before(deadline), "some run never ends")
		open := 0
		for _, row := range rows {
			now := w.run(row.ID)
			if now.State != enum.RunQueued && now.State != enum.RunRunning {
				continue
			}
			open++
			w.strike(now, engines)
		}
		if open == 0 {
			return
		}
	}
}

func (w world) strike(row *ent.Run, engines []*Engine) {
	w.t.Helper()
	switch {
	case row.State == enum.RunQueued:
		w.dueNow(row.ID)
	case rand.IntN(4) == 0:
		w.expire(row.ID)
	case rand.IntN(30) == 0:
		_, err := engines[rand.IntN(2)].Cancel(asUser(context.Background(), Job{UserID: row.UserID}), row.MessageID)
		require.NoError(w.t, err)
	}
}

func (l *ledger) check(t *testing.T, row *ent.Run, reply *ent.Message) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for job, times := range l.attempts {
		require.Equal(t, 1, times, "attempt %v ran more than once", job)
	}
	require.LessOrEqual(t, l.finished[row.ID], 1)
	require.True(t, strings.HasPrefix(longReply, reply.Content), "%q", reply.Content)
	switch row.State {
	case enum.RunDone:
		require.Equal(t, enum.MessageCompleted, reply.Status)
		require.Equal(t, longReply, reply.Content)
	default:
		require.Equal(t, enum.RunCancelled, row.State)
		require.Equal(t, enum.MessageCancelled, reply.Status)
	}
}
