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

// longReply is the text that every run writes, one letter per effect.
const longReply = "abcdefgh"

// attemptLog records what the handlers did.
type attemptLog struct {
	mu       sync.Mutex
	attempts map[Job]int    // number of starts of each attempt
	finished map[string]int // successful calls of Finish for each run
}

// Two replicas share a database while leases expire, handlers fail and users cancel. In the end every run
// is finished, and every completed reply has its text once, in order.
func TestEngine_TwoReplicasUnderRandomFaults_FinishEveryRunOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		env := environment{t, db}
		log := &attemptLog{
			attempts: map[Job]int{},
			finished: map[string]int{},
		}
		var engines []*Engine
		bus := [2]*recordingNotifier{newRecordingNotifier(), newRecordingNotifier()}
		for i := range bus {
			e := env.newEngine(Options{
				Notifier: forwardingNotifier{bus[i]}, MaxAttempts: 1000, Concurrency: 6,
				SweepInterval: 20 * time.Millisecond, Lease: 300 * time.Millisecond,
			})
			engines = append(engines, env.startEngine(e, log.handler(e)))
		}
		bus[0].peer, bus[1].peer = engines[1], engines[0]
		var rows []*ent.Run
		for range 2 {
			user := env.newUser()
			for range 3 {
				c := env.newConversation(user)
				for range 4 {
					rows = append(rows, env.addTurn(user, engines[rand.IntN(2)], c))
				}
			}
		}
		env.disturbUntilFinished(rows, engines)
		previousEnd := map[string]int64{} // by conversation
		for _, row := range rows {
			now := env.findRun(row.ID)
			log.check(t, now, env.findMessage(row.MessageID))
			if now.StartedAt > 0 {
				require.GreaterOrEqual(t, now.StartedAt, previousEnd[row.ConversationID], "out of order")
			}
			previousEnd[row.ConversationID] = max(previousEnd[row.ConversationID], now.FinishedAt)
		}
	})
}

// forwardingNotifier only delivers to the peer, so that the recorder's channels do not fill up.
type forwardingNotifier struct{ *recordingNotifier }

func (q forwardingNotifier) NotifyQueued() { q.peer.WakeLocal() }

func (q forwardingNotifier) NotifyCancelled(runID string) { q.peer.CancelLocal(runID) }

// handler returns a handler that continues the stored text letter by letter.
func (l *attemptLog) handler(e *Engine) Handler {
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
				return errors.New("temporary")
			}
			text += longReply[len(text) : len(text)+1]
			// The text comes from this attempt's memory, so only the fence rejects that of an outdated attempt.
			err = e.Do(ctx, job, writeContent(job, text))
		}
		switch {
		case errors.Is(err, ErrCancelled):
			return l.end(job, e.Finish(ctx, job, Outcome{Status: enum.MessageCancelled}, nil))
		case err != nil:
			return err
		}
		return l.end(job, e.Finish(ctx, job, completed, nil))
	}
}

func (l *attemptLog) begin(job Job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.attempts[job]++
}

func (l *attemptLog) end(job Job, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.finished[job.RunID]++
	}
	return err
}

// disturbUntilFinished expires leases and cancels runs at random until every run is finished.
func (env environment) disturbUntilFinished(rows []*ent.Run, engines []*Engine) {
	env.t.Helper()
	for deadline := time.Now().Add(3 * testTimeout); ; {
		require.True(env.t, time.Now().Before(deadline), "a run does not finish")
		open := 0
		for _, row := range rows {
			now := env.findRun(row.ID)
			if now.State != enum.RunQueued && now.State != enum.RunRunning {
				continue
			}
			open++
			env.disturb(now, engines)
		}
		if open == 0 {
			return
		}
	}
}

func (env environment) disturb(row *ent.Run, engines []*Engine) {
	env.t.Helper()
	switch {
	case row.State == enum.RunQueued:
		env.makeDue(row.ID)
	case rand.IntN(4) == 0:
		env.expireLease(row.ID)
	case rand.IntN(30) == 0:
		_, err := engines[rand.IntN(2)].Cancel(asUser(context.Background(), Job{UserID: row.UserID}), row.MessageID)
		require.NoError(env.t, err)
	}
}

func (l *attemptLog) check(t *testing.T, row *ent.Run, reply *ent.Message) {
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
