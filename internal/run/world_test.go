package run

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/rule"
	"errand/internal/ids"
	"errand/internal/store"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
)

// patience is how long a test waits for something that must happen.
const patience = 20 * time.Second

// world is a database with people, conversations and turns in it.
type world struct {
	t  tester
	db *store.DB
}

// tester is what a world needs of a test; rapid's has it too.
type tester interface {
	require.TestingT
	Helper()
	Cleanup(func())
}

// person makes a user and a context in which that user asks.
func (w world) person() context.Context {
	w.t.Helper()
	u, err := w.db.Client().User.Create().SetSubject(ids.New("sub")()).Save(rule.System(context.Background()))
	require.NoError(w.t, err)
	return viewer.NewContext(context.Background(), viewer.Viewer{UserID: u.ID})
}

func (w world) conversation(ctx context.Context) *ent.Conversation {
	w.t.Helper()
	c, err := w.db.Client().Conversation.Create().Save(ctx)
	require.NoError(w.t, err)
	return c
}

// turn adds a question, its reply and the reply's run to the conversation, and wakes the engine.
func (w world) turn(ctx context.Context, e *Engine, c *ent.Conversation) *ent.Run {
	w.t.Helper()
	tx, err := w.db.Client().Tx(ctx)
	require.NoError(w.t, err)
	defer tx.Rollback()
	row, err := tx.Conversation.UpdateOneID(c.ID).AddMessageCount(2).Save(ctx)
	require.NoError(w.t, err)
	position := row.MessageCount
	require.NoError(w.t, tx.Message.Create().SetConversationID(c.ID).SetPosition(position-1).
		SetRole(enum.RoleUser).SetContent("hello").Exec(ctx))
	reply, err := tx.Message.Create().SetConversationID(c.ID).SetPosition(position).
		SetRole(enum.RoleAssistant).SetStatus(enum.MessagePending).Save(ctx)
	require.NoError(w.t, err)
	queued, err := e.Enqueue(ctx, tx, c.ID, reply.ID, position)
	require.NoError(w.t, err)
	require.NoError(w.t, tx.Commit())
	e.Wake()
	return queued
}

// newTurn is a turn in a conversation of its own.
func (w world) newTurn(ctx context.Context, e *Engine) *ent.Run {
	w.t.Helper()
	return w.turn(ctx, e, w.conversation(ctx))
}

func (w world) run(id string) *ent.Run {
	w.t.Helper()
	r, err := w.db.Client().Run.Get(rule.System(context.Background()), id)
	require.NoError(w.t, err)
	return r
}

func (w world) message(id string) *ent.Message {
	w.t.Helper()
	m, err := w.db.Client().Message.Get(rule.System(context.Background()), id)
	require.NoError(w.t, err)
	return m
}

// expire lets the run's lease run out.
func (w world) expire(runID string) {
	w.t.Helper()
	require.NoError(w.t, w.db.Client().Run.UpdateOneID(runID).SetLeaseUntil(1).Exec(rule.System(context.Background())))
}

// dueNow ends the run's backoff.
func (w world) dueNow(runID string) {
	w.t.Helper()
	require.NoError(w.t, w.db.Client().Run.UpdateOneID(runID).SetAvailableAt(0).Exec(rule.System(context.Background())))
}

func (w world) now() int64 {
	w.t.Helper()
	e := w.engine(Options{})
	now, err := e.now(context.Background(), w.db.Client())
	require.NoError(w.t, err)
	return now
}

// engine makes an engine that never acts of its own accord: its lease and sweep are hours,
// so that tests decide what time it is.
func (w world) engine(o Options) *Engine {
	w.t.Helper()
	o.Client, o.Dialect = w.db.Client(), w.db.Dialect()
	setDefault(&o.Lease, time.Hour)
	setDefault(&o.SweepInterval, time.Hour)
	setDefault(&o.Logger, slog.New(slog.DiscardHandler))
	e, err := NewEngine(o)
	require.NoError(w.t, err)
	return e
}

// start runs the engine until the test's end.
func (w world) start(e *Engine, h Handler) *Engine {
	w.t.Helper()
	require.NoError(w.t, e.Start(context.Background(), h))
	w.t.Cleanup(func() { stop(w.t, e) })
	return e
}

func stop(t tester, e *Engine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, e.Stop(ctx))
}

// await takes the next value, or fails the test.
func await[T any](t testing.TB, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		require.FailNow(t, "waited in vain")
		panic("unreachable")
	}
}

// ended is one call of Observer.Ended.
type ended struct {
	job Job
	end AttemptResult
}

// watcher is an Observer whose calls a test can wait for.
type watcher struct {
	claimed chan Job
	ended   chan ended
}

func newWatcher() *watcher {
	return &watcher{claimed: make(chan Job, 1000), ended: make(chan ended, 1000)}
}

func (o *watcher) AttemptStarted(job Job, _ time.Duration)        { o.claimed <- job }
func (o *watcher) AttemptEnded(job Job, end AttemptResult, _ time.Duration) { o.ended <- ended{job, end} }
func (o *watcher) awaitEnd(t testing.TB) (job Job, how AttemptResult) {
	e := await(t, o.ended)
	return e.job, e.end
}

// attempt is a handler's call that the test answers.
type attempt struct {
	ctx    context.Context
	job    Job
	answer chan<- error
}

// puppet is a handler that hands each call to the test and waits for its answer.
func puppet() (Handler, <-chan attempt) {
	calls := make(chan attempt, 100)
	return func(ctx context.Context, job Job) error {
		answer := make(chan error, 1)
		calls <- attempt{ctx, job, answer}
		return <-answer
	}, calls
}

// complete is the ending most tests want.
var complete = Outcome{Status: enum.MessageCompleted}

func says(text string) func(*ent.MessageUpdateOne) {
	return func(u *ent.MessageUpdateOne) { u.SetContent(text) }
}
