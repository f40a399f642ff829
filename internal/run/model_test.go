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

// modelRun is what a run should be.
type modelRun struct {
	id, message, conversation string
	position                  int
	state                     enum.RunState
	attempt, failures         int
	cancelRequested           bool
	expired, delayed          bool
	told                      int
}

func (r *modelRun) live() bool { return r.state == enum.RunQueued || r.state == enum.RunRunning }

func (r *modelRun) end(state enum.RunState) {
	r.state = state
	if r.cancelRequested {
		r.state = enum.RunCancelled
	}
}

// model holds every run and every job ever handed out: those that are no
// longer current are zombies, which keep trying to write.
type model struct {
	world
	t             *rapid.T
	replicas      []*Engine
	people        []context.Context
	conversations []*ent.Conversation
	runs          []*modelRun
	jobs          []Job
	told          map[string]int
}

const modelAttempts = 3

func TestRunsKeepTheirPromisesInAnyOrderOfEvents(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		people := []context.Context{world{t, db}.person(), world{t, db}.person()}
		rapid.Check(t, func(t *rapid.T) {
			m := newModel(t, db, people)
			t.Repeat(map[string]func(*rapid.T){
				"send": m.send, "claim": m.claim, "effect": m.effect, "finish": m.finish, "fail": m.fail,
				"hand over": m.handOver, "expire": m.expireOne, "due": m.due, "cancel": m.cancel, "sweep": m.sweep,
				"": m.check,
			})
		})
	})
}

func newModel(t *rapid.T, db *store.DB, people []context.Context) *model {
	m := &model{world: world{t, db}, t: t, people: people, told: map[string]int{}}
	_, err := db.Client().Conversation.Delete().Exec(system())
	require.NoError(t, err)
	for _, person := range []int{0, 0, 1} {
		m.conversations = append(m.conversations, m.conversation(people[person]))
	}
	for range 2 {
		m.replicas = append(m.replicas, m.engine(Options{
			MaxAttempts: modelAttempts,
			OnFinished:  func(job Job, _ enum.MessageStatus) { m.told[job.RunID]++ },
		}))
	}
	return m
}

func (m *model) owner(conversation string) context.Context {
	if conversation == m.conversations[2].ID {
		return m.people[1]
	}
	return m.people[0]
}

func (m *model) replica(t *rapid.T) *Engine { return rapid.SampledFrom(m.replicas).Draw(t, "replica") }

// pick draws a run that fits, or nil: then the action does nothing.
func (m *model) pick(t *rapid.T, fits func(*modelRun) bool) *modelRun {
	var fitting []*modelRun
	for _, r := range m.runs {
		if fits(r) {
			fitting = append(fitting, r)
		}
	}
	if len(fitting) == 0 {
		return nil
	}
	return rapid.SampledFrom(fitting).Draw(t, "run")
}

// job draws a job, current or not, its run, and whether it owns that run. The run is nil when there is no job yet.
func (m *model) job(t *rapid.T) (Job, *modelRun, bool) {
	if len(m.jobs) == 0 {
		return Job{}, nil, false
	}
	job := rapid.SampledFrom(m.jobs).Draw(t, "job")
	r := m.byID(job.RunID)
	return job, r, r.state == enum.RunRunning && r.attempt == job.Attempt
}

func (m *model) byID(id string) *modelRun {
	return m.runs[slices.IndexFunc(m.runs, func(r *modelRun) bool { return r.id == id })]
}

func (m *model) send(t *rapid.T) {
	c := rapid.SampledFrom(m.conversations).Draw(t, "conversation")
	r := m.turn(m.owner(c.ID), m.replicas[0], c)
	m.runs = append(m.runs, &modelRun{
		id: r.ID, message: r.MessageID, conversation: c.ID, position: r.Position, state: enum.RunQueued,
	})
}

// claimable is the specification of what claim may take.
func (m *model) claimable(r *modelRun) bool {
	for _, other := range m.runs {
		if other.conversation == r.conversation && other.position < r.position && other.live() {
			return false
		}
	}
	queued := r.state == enum.RunQueued && !r.delayed && r.failures < modelAttempts
	lost := r.state == enum.RunRunning && r.expired && r.failures+1 < modelAttempts
	return !r.cancelRequested && (queued || lost)
}

func (m *model) claim(t *rapid.T) {
	limit := rapid.IntRange(1, 3).Draw(t, "limit")
	ready := 0
	for _, r := range m.runs {
		if m.claimable(r) {
			ready++
		}
	}
	found, err := m.replica(t).claimUpTo(context.Background(), limit)
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

func (m *model) effect(t *rapid.T) {
	job, r, owns := m.job(t)
	if r == nil {
		return
	}
	err := m.replica(t).Do(context.Background(), job, writes(job, "x"))
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

func (m *model) finish(t *rapid.T) {
	job, r, owns := m.job(t)
	if r == nil {
		return
	}
	status := rapid.SampledFrom([]enum.MessageStatus{
		enum.MessageCompleted, enum.MessageFailed, enum.MessageCancelled,
	}).Draw(t, "status")
	err := m.replica(t).Finish(context.Background(), job, Outcome{Status: status, ErrorCode: "INTERNAL_SERVER_ERROR"}, nil)
	if !owns {
		require.ErrorIs(t, err, ErrLeaseLost)
		return
	}
	require.NoError(t, err)
	r.end(runState(status))
	r.told++
}

// settled ends an attempt through the engine, as a handler's return does.
func (m *model) settled(t *rapid.T, job Job, why, answer error) AttemptResult {
	w := &work{job: job, started: time.Now(), renewed: time.Now()}
	w.ctx, w.cancel = context.WithCancelCause(context.Background())
	defer w.cancel(nil)
	if why != nil {
		w.cancel(why)
	}
	return m.replica(t).settle(w, answer)
}

func (m *model) fail(t *rapid.T) {
	job, r, owns := m.job(t)
	if r == nil {
		return
	}
	end := m.settled(t, job, nil, errors.New("a hiccup"))
	switch {
	case !owns:
		m.zombie(t, r, job, end)
	case r.failures+1 >= modelAttempts:
		r.failures++
		r.end(enum.RunFailed)
		r.told++
	case r.cancelRequested:
		r.end(enum.RunCancelled)
		r.told++
	default:
		require.Equal(t, ResultRetried, end)
		r.failures++
		r.state, r.delayed = enum.RunQueued, true
	}
}

func (m *model) handOver(t *rapid.T) {
	job, r, owns := m.job(t)
	if r == nil {
		return
	}
	end := m.settled(t, job, ErrShutdown, nil)
	switch {
	case !owns:
		m.zombie(t, r, job, end)
	case r.cancelRequested:
		r.end(enum.RunCancelled)
		r.told++
	default:
		require.Equal(t, ResultHandedOver, end)
		r.state, r.delayed = enum.RunQueued, false
	}
}

// zombie expects that nothing happens but, for the run's last attempt, that its end is told once more.
func (m *model) zombie(t *rapid.T, r *modelRun, job Job, end AttemptResult) {
	if r.live() || r.attempt != job.Attempt {
		require.Equal(t, ResultLeaseLost, end)
		return
	}
	r.told++
}

func (m *model) expireOne(t *rapid.T) {
	r := m.pick(t, func(r *modelRun) bool { return r.state == enum.RunRunning })
	if r == nil {
		return
	}
	m.expire(r.id)
	r.expired = true
}

func (m *model) due(t *rapid.T) {
	r := m.pick(t, func(r *modelRun) bool { return r.state == enum.RunQueued && r.delayed })
	if r == nil {
		return
	}
	m.dueNow(r.id)
	r.delayed = false
}

func (m *model) cancel(t *rapid.T) {
	r := m.pick(t, func(*modelRun) bool { return true })
	if r == nil {
		return
	}
	ended, err := m.replica(t).Cancel(m.owner(r.conversation), r.message)
	require.NoError(t, err)
	atOnce := r.state == enum.RunQueued || r.state == enum.RunRunning && r.expired
	require.Equal(t, atOnce, ended)
	r.cancelRequested = r.cancelRequested || r.live()
	if atOnce {
		r.end(enum.RunCancelled)
		r.told++
	}
}

func (m *model) sweep(t *rapid.T) {
	m.replica(t).sweep(context.Background())
	for _, r := range m.runs {
		if r.state == enum.RunRunning && r.expired && (r.cancelRequested || r.failures+1 >= modelAttempts) {
			r.failures++
			r.end(enum.RunFailed)
			r.told++
		}
	}
}

// check compares the database with the model: above all, what is over stays over, at
// most one run of a conversation is under way, and message and run end together.
func (m *model) check(t *rapid.T) {
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
		require.Equal(t, r.told, m.told[r.id])
		require.Equal(t, r.state == enum.RunFailed, row.ErrorCode != nil)
		status := row.Edges.Message.Status
		require.Equal(t, r.live(), !status.Terminal())
		if !r.live() {
			require.Equal(t, r.state, runState(status))
		}
		if r.state == enum.RunRunning {
			running[r.conversation]++
			require.Equal(t, 1, running[r.conversation])
		}
	}
}
