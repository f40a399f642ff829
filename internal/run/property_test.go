package run

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/store"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// expectedRun is the expected state of a run.
type expectedRun struct {
	id, message, conversation string
	position                  int
	state                     enum.RunState
	attempt, failures         int
	cancelRequested           bool
	expired, delayed          bool
	notified                  int // calls of OnFinished
}

func (r *expectedRun) unfinished() bool {
	return r.state == enum.RunQueued || r.state == enum.RunRunning
}

func (r *expectedRun) end(state enum.RunState) {
	r.state = state
	if r.cancelRequested {
		r.state = enum.RunCancelled
	}
}

// stateMachine is the specification of the engine. It holds every run, and every job ever claimed: outdated
// jobs keep trying to write.
type stateMachine struct {
	environment
	t             *rapid.T
	replicas      []*Engine
	users         []context.Context
	conversations []*ent.Conversation
	runs          []*expectedRun
	jobs          []Job
	notified      map[string]int
}

const maxAttempts = 3

func TestEngine_RandomEvents_MatchStateMachine(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		users := []context.Context{environment{t, db}.newUser(), environment{t, db}.newUser()}
		rapid.Check(t, func(t *rapid.T) {
			m := newStateMachine(t, db, users)
			t.Repeat(map[string]func(*rapid.T){
				"send": m.send, "claim": m.claim, "effect": m.effect, "finish": m.finish, "fail": m.fail,
				"hand over": m.handOver, "expire": m.expire, "due": m.makeRetryDue, "cancel": m.cancel, "sweep": m.sweep,
				"": m.check,
			})
		})
	})
}

func newStateMachine(t *rapid.T, db *store.DB, users []context.Context) *stateMachine {
	m := &stateMachine{
		environment: environment{t, db},
		t:           t,
		users:       users,
		notified:    map[string]int{},
	}
	_, err := db.Client().Conversation.Delete().Exec(system())
	require.NoError(t, err)
	for _, owner := range []int{0, 0, 1} {
		m.conversations = append(m.conversations, m.newConversation(users[owner]))
	}
	for range 2 {
		m.replicas = append(m.replicas, m.newEngine(Options{
			MaxAttempts: maxAttempts,
			OnFinished:  func(job Job, _ enum.MessageStatus) { m.notified[job.RunID]++ },
		}))
	}
	return m
}

func (m *stateMachine) owner(conversation string) context.Context {
	if conversation == m.conversations[2].ID {
		return m.users[1]
	}
	return m.users[0]
}

func (m *stateMachine) drawReplica(t *rapid.T) *Engine {
	return rapid.SampledFrom(m.replicas).Draw(t, "replica")
}

// drawRun draws a run that matches, or nil, with which the action does nothing.
func (m *stateMachine) drawRun(t *rapid.T, matches func(*expectedRun) bool) *expectedRun {
	var candidates []*expectedRun
	for _, r := range m.runs {
		if matches(r) {
			candidates = append(candidates, r)
		}
	}
	if len(candidates) == 0 {
		return nil
	}
	return rapid.SampledFrom(candidates).Draw(t, "run")
}

// drawJob draws a job, outdated or not, with its run and whether it owns that run. The run is nil before the first job.
func (m *stateMachine) drawJob(t *rapid.T) (Job, *expectedRun, bool) {
	if len(m.jobs) == 0 {
		return Job{}, nil, false
	}
	job := rapid.SampledFrom(m.jobs).Draw(t, "job")
	r := m.byID(job.RunID)
	return job, r, r.state == enum.RunRunning && r.attempt == job.Attempt
}

func (m *stateMachine) byID(id string) *expectedRun {
	return m.runs[slices.IndexFunc(m.runs, func(r *expectedRun) bool { return r.id == id })]
}

func (m *stateMachine) send(t *rapid.T) {
	c := rapid.SampledFrom(m.conversations).Draw(t, "conversation")
	r := m.addTurn(m.owner(c.ID), m.replicas[0], c)
	m.runs = append(m.runs, &expectedRun{
		id: r.ID, message: r.MessageID, conversation: c.ID, position: r.Position, state: enum.RunQueued,
	})
}

// claimable specifies which runs a claim may return.
func (m *stateMachine) claimable(r *expectedRun) bool {
	for _, other := range m.runs {
		if other.conversation == r.conversation && other.position < r.position && other.unfinished() {
			return false
		}
	}
	queued := r.state == enum.RunQueued && !r.delayed && r.failures < maxAttempts
	lost := r.state == enum.RunRunning && r.expired && r.failures+1 < maxAttempts
	return !r.cancelRequested && (queued || lost)
}

func (m *stateMachine) claim(t *rapid.T) {
	limit := rapid.IntRange(1, 3).Draw(t, "limit")
	ready := 0
	for _, r := range m.runs {
		if m.claimable(r) {
			ready++
		}
	}
	found, err := m.drawReplica(t).queries.claim(context.Background(), limit)
	require.NoError(t, err)
	require.Len(t, found, min(limit, ready))
	for _, c := range found {
		r := m.byID(c.job.RunID)
		require.True(t, m.claimable(r))
		if r.state == enum.RunRunning {
			r.failures++
		}
		r.state, r.expired, r.attempt = enum.RunRunning, false, r.attempt+1
		require.Equal(t, r.attempt, c.job.Attempt)
		require.Equal(t, r.failures, c.job.Failures)
		m.jobs = append(m.jobs, c.job)
	}
}

func (m *stateMachine) effect(t *rapid.T) {
	job, r, owns := m.drawJob(t)
	if r == nil {
		return
	}
	err := m.drawReplica(t).Do(context.Background(), job, writeContent(job, "x"))
	switch {
	case !owns:
		require.ErrorIs(t, err, ErrLeaseLost)
	case r.cancelRequested:
		require.ErrorIs(t, err, ErrCancelled)
	default:
		require.NoError(t, err)
		r.expired = false
	}
}

func (m *stateMachine) finish(t *rapid.T) {
	job, r, owns := m.drawJob(t)
	if r == nil {
		return
	}
	status := rapid.SampledFrom([]enum.MessageStatus{
		enum.MessageCompleted, enum.MessageFailed, enum.MessageCancelled,
	}).Draw(t, "status")
	err := m.drawReplica(t).
		Finish(context.Background(), job, Outcome{Status: status, ErrorCode: "INTERNAL_SERVER_ERROR"}, nil)
	if !owns {
		require.ErrorIs(t, err, ErrLeaseLost)
		return
	}
	require.NoError(t, err)
	r.end(runState(status))
	r.notified++
}

// endAttempt ends an attempt like the return of a handler whose context has the cause why.
func (m *stateMachine) endAttempt(t *rapid.T, job Job, cause, err error) AttemptResult {
	a := &attempt{job: job, started: time.Now(), renewedAt: time.Now()}
	a.ctx, a.cancel = context.WithCancelCause(context.Background())
	defer a.cancel(nil)
	if cause != nil {
		a.cancel(cause)
	}
	return m.drawReplica(t).finishAttempt(a, err)
}

func (m *stateMachine) fail(t *rapid.T) {
	job, r, owns := m.drawJob(t)
	if r == nil {
		return
	}
	end := m.endAttempt(t, job, nil, errors.New("temporary"))
	switch {
	case !owns:
		m.checkStaleJob(t, r, job, end)
	case r.failures+1 >= maxAttempts:
		r.failures++
		r.end(enum.RunFailed)
		r.notified++
	case r.cancelRequested:
		r.end(enum.RunCancelled)
		r.notified++
	default:
		require.Equal(t, ResultRetried, end)
		r.failures++
		r.state, r.delayed = enum.RunQueued, true
	}
}

func (m *stateMachine) handOver(t *rapid.T) {
	job, r, owns := m.drawJob(t)
	if r == nil {
		return
	}
	end := m.endAttempt(t, job, ErrShutdown, nil)
	switch {
	case !owns:
		m.checkStaleJob(t, r, job, end)
	case r.cancelRequested:
		r.end(enum.RunCancelled)
		r.notified++
	default:
		require.Equal(t, ResultHandedOver, end)
		r.state, r.delayed = enum.RunQueued, false
	}
}

// checkStaleJob expects no effect, except that the end of the run's last attempt is reported once more.
func (m *stateMachine) checkStaleJob(t *rapid.T, r *expectedRun, job Job, end AttemptResult) {
	if r.unfinished() || r.attempt != job.Attempt {
		require.Equal(t, ResultLeaseLost, end)
		return
	}
	r.notified++
}

func (m *stateMachine) expire(t *rapid.T) {
	r := m.drawRun(t, func(r *expectedRun) bool { return r.state == enum.RunRunning })
	if r == nil {
		return
	}
	m.expireLease(r.id)
	r.expired = true
}

func (m *stateMachine) makeRetryDue(t *rapid.T) {
	r := m.drawRun(t, func(r *expectedRun) bool { return r.state == enum.RunQueued && r.delayed })
	if r == nil {
		return
	}
	m.makeDue(r.id)
	r.delayed = false
}

func (m *stateMachine) cancel(t *rapid.T) {
	r := m.drawRun(t, func(*expectedRun) bool { return true })
	if r == nil {
		return
	}
	ended, err := m.drawReplica(t).Cancel(m.owner(r.conversation), r.message)
	require.NoError(t, err)
	finishesNow := r.state == enum.RunQueued || r.state == enum.RunRunning && r.expired
	require.Equal(t, finishesNow, ended)
	r.cancelRequested = r.cancelRequested || r.unfinished()
	if finishesNow {
		r.end(enum.RunCancelled)
		r.notified++
	}
}

func (m *stateMachine) sweep(t *rapid.T) {
	m.drawReplica(t).failStaleRuns(context.Background())
	for _, r := range m.runs {
		if r.state == enum.RunRunning && r.expired && (r.cancelRequested || r.failures+1 >= maxAttempts) {
			r.failures++
			r.end(enum.RunFailed)
			r.notified++
		}
	}
}

// check compares the database with the specification: above all, finished runs stay finished, at most one run of a
// conversation is running, and a message ends together with its run.
func (m *stateMachine) check(t *rapid.T) {
	rows, err := m.db.Client().Run.Query().WithMessage().All(system())
	require.NoError(t, err)
	require.Len(t, rows, len(m.runs))
	running := map[string]int{}
	for _, row := range rows {
		r := m.byID(row.ID)
		require.Equal(t, r.state, row.State)
		require.Equal(t, r.attempt, row.Attempt)
		require.Equal(t, r.failures, row.Failures)
		require.Equal(t, r.cancelRequested, row.CancelRequested)
		require.Equal(t, r.notified, m.notified[r.id])
		require.Equal(t, r.state == enum.RunFailed, row.ErrorCode != nil)
		status := row.Edges.Message.Status
		require.Equal(t, r.unfinished(), !status.Terminal())
		if !r.unfinished() {
			require.Equal(t, r.state, runState(status))
		}
		if r.state == enum.RunRunning {
			running[r.conversation]++
			require.Equal(t, 1, running[r.conversation])
		}
	}
}
