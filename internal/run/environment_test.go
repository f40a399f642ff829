package run

import (
	"context"
	"log/slog"
	"sync/atomic"
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

// testTimeout is how long a test waits for something that must happen.
const testTimeout = 20 * time.Second

// environment is a database with users, conversations and turns.
type environment struct {
	t  testingT
	db *store.DB
}

// testingT is the part of *testing.T that *rapid.T has too.
type testingT interface {
	require.TestingT
	Helper()
	Cleanup(func())
}

// newUser creates a user and returns a context with it as viewer.
func (env environment) newUser() context.Context {
	env.t.Helper()
	u, err := env.db.Client().User.Create().SetSubject(ids.New("sub")()).Save(rule.System(context.Background()))
	require.NoError(env.t, err)
	return viewer.NewContext(context.Background(), viewer.Viewer{UserID: u.ID})
}

func (env environment) newConversation(ctx context.Context) *ent.Conversation {
	env.t.Helper()
	c, err := env.db.Client().Conversation.Create().Save(ctx)
	require.NoError(env.t, err)
	return c
}

// addTurn adds a user message, its pending reply and the reply's run to the conversation, and wakes the engine.
func (env environment) addTurn(ctx context.Context, e *Engine, c *ent.Conversation) *ent.Run {
	env.t.Helper()
	tx, err := env.db.Client().Tx(ctx)
	require.NoError(env.t, err)
	defer tx.Rollback()
	row, err := tx.Conversation.UpdateOneID(c.ID).AddMessageCount(2).Save(ctx)
	require.NoError(env.t, err)
	position := row.MessageCount
	require.NoError(env.t, tx.Message.Create().SetConversationID(c.ID).SetPosition(position-1).
		SetRole(enum.RoleUser).SetContent("hello").Exec(ctx))
	reply, err := tx.Message.Create().SetConversationID(c.ID).SetPosition(position).
		SetRole(enum.RoleAssistant).SetStatus(enum.MessagePending).Save(ctx)
	require.NoError(env.t, err)
	queued, err := e.Enqueue(ctx, tx, c.ID, reply.ID, position)
	require.NoError(env.t, err)
	require.NoError(env.t, tx.Commit())
	e.Wake()
	return queued
}

// addConversation adds a turn in a new conversation.
func (env environment) addConversation(ctx context.Context, e *Engine) *ent.Run {
	env.t.Helper()
	return env.addTurn(ctx, e, env.newConversation(ctx))
}

func (env environment) findRun(id string) *ent.Run {
	env.t.Helper()
	r, err := env.db.Client().Run.Get(rule.System(context.Background()), id)
	require.NoError(env.t, err)
	return r
}

func (env environment) findMessage(id string) *ent.Message {
	env.t.Helper()
	m, err := env.db.Client().Message.Get(rule.System(context.Background()), id)
	require.NoError(env.t, err)
	return m
}

// expireLease makes the run's lease expired.
func (env environment) expireLease(runID string) {
	env.t.Helper()
	require.NoError(env.t, env.db.Client().Run.UpdateOneID(runID).SetLeaseUntil(1).Exec(rule.System(context.Background())))
}

// makeDue ends the run's backoff.
func (env environment) makeDue(runID string) {
	env.t.Helper()
	require.NoError(
		env.t,
		env.db.Client().Run.UpdateOneID(runID).SetAvailableAt(0).Exec(rule.System(context.Background())),
	)
}

func (env environment) databaseNow() int64 {
	env.t.Helper()
	e := env.newEngine(Options{})
	now, err := e.queries.now(context.Background(), env.db.Client())
	require.NoError(env.t, err)
	return now
}

// newEngine returns an engine whose default lease and sweep interval are too long to matter in a test.
func (env environment) newEngine(o Options) *Engine {
	env.t.Helper()
	o.Client, o.SQL = env.db.Client(), env.db.SQL()
	setDefault(&o.Lease, time.Hour)
	setDefault(&o.SweepInterval, time.Hour)
	setDefault(&o.Logger, slog.New(slog.DiscardHandler))
	e, err := NewEngine(o)
	require.NoError(env.t, err)
	return e
}

// startEngine runs the engine until the end of the test.
func (env environment) startEngine(e *Engine, h Handler) *Engine {
	env.t.Helper()
	require.NoError(env.t, e.Start(context.Background(), h))
	env.t.Cleanup(func() { stopEngine(env.t, e) })
	return e
}

func stopEngine(t testingT, e *Engine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	require.NoError(t, e.Stop(ctx))
}

// receive returns the next value of ch, or fails the test after testTimeout.
func receive[T any](t testing.TB, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(testTimeout):
		require.FailNow(t, "timeout")
		panic("unreachable")
	}
}

// attemptEnd holds the arguments of Observer.AttemptEnded.
type attemptEnd struct {
	job    Job
	result AttemptResult
}

// recordingObserver is an Observer whose calls a test can receive.
type recordingObserver struct {
	started chan Job
	ended   chan attemptEnd
}

func newRecordingObserver() *recordingObserver {
	return &recordingObserver{started: make(chan Job, 1000), ended: make(chan attemptEnd, 1000)}
}

func (o *recordingObserver) AttemptStarted(job Job, _ time.Duration) { o.started <- job }
func (o *recordingObserver) AttemptEnded(job Job, end AttemptResult, _ time.Duration) {
	o.ended <- attemptEnd{job, end}
}

func (o *recordingObserver) receiveEnd(t testing.TB) (Job, AttemptResult) {
	e := receive(t, o.ended)
	return e.job, e.result
}

// handlerCall is a call of a handler, whose result the test sends.
type handlerCall struct {
	ctx    context.Context
	job    Job
	result chan<- error
}

// manualHandler returns a handler that sends each call to the test and waits for its result.
func manualHandler() (Handler, <-chan handlerCall) {
	calls := make(chan handlerCall, 100)
	return func(ctx context.Context, job Job) error {
		result := make(chan error, 1)
		calls <- handlerCall{ctx, job, result}
		return <-result
	}, calls
}

// completed is the outcome of most tests' runs.
var completed = Outcome{Status: enum.MessageCompleted}

func setContent(text string) func(*ent.MessageUpdate) {
	return func(u *ent.MessageUpdate) { u.SetContent(text) }
}

func system() context.Context { return rule.System(context.Background()) }

// recordingNotifier is a Notifier whose calls a test can receive. With a peer it delivers them, as the bus does.
type recordingNotifier struct {
	queued    chan struct{}
	cancelled chan string
	peer      *Engine
}

func newRecordingNotifier() *recordingNotifier {
	return &recordingNotifier{queued: make(chan struct{}, 1000), cancelled: make(chan string, 1000)}
}

func (h *recordingNotifier) NotifyQueued() {
	h.queued <- struct{}{}
	if h.peer != nil {
		h.peer.WakeLocal()
	}
}

func (h *recordingNotifier) NotifyCancelled(runID string) {
	h.cancelled <- runID
	if h.peer != nil {
		h.peer.CancelLocal(runID)
	}
}

// manualLock is a WorkerLock that the test controls.
type manualLock struct {
	noLock
	held    atomic.Bool
	changed chan struct{}
}

func (l *manualLock) Held() bool               { return l.held.Load() }
func (l *manualLock) Changed() <-chan struct{} { return l.changed }
