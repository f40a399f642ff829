package run

import (
	"context"
	"testing"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/store"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
)

// lockOf returns a constructor of session locks on the database.
func lockOf(db *store.DB) func(string) WorkerLock {
	return func(name string) WorkerLock { return store.NewSessionLock(db, name) }
}

// newLockedEngine returns an engine that holds its worker lock, but does not run.
func (env environment) newLockedEngine(o Options) *Engine {
	env.t.Helper()
	o.NewLock = lockOf(env.db)
	e := env.newEngine(o)
	require.NoError(env.t, e.lock.Start(context.Background()))
	env.t.Cleanup(e.lock.Close)
	return e
}

// claimAndEnd queues a run, claims it on an engine with a lock, and frees the lock as the end of the process does: the
// row still names it.
func (env environment) claimAndEnd() (*ent.Run, *Engine, Job) {
	env.t.Helper()
	e := env.newLockedEngine(Options{})
	queued := env.addConversation(env.newUser(), e)
	job := env.claimOne(e)
	require.Contains(env.t, env.findRun(queued.ID).Worker, lockedSuffix)
	env.freeLock(e)
	return queued, e, job
}

// freeLock closes the engine's lock and waits until the server has released it. The engine holds a run.
func (env environment) freeLock(e *Engine) {
	env.t.Helper()
	e.lock.Close()
	query := "SELECT worker FROM runs WHERE worker = $1 AND " + env.db.SQL().WorkerUnlocked
	require.Eventually(env.t, func() bool {
		var worker string
		free, err := queryRow(system(), env.db.Client(), query, []any{e.queries.lockedWorker}, &worker)
		return err == nil && free
	}, testTimeout, time.Millisecond)
}

func TestProbeWorkers_LockFreeTwice_ReleasesRun(t *testing.T) {
	env := environment{t, testdb.Postgres(t)}
	queued, dead, job := env.claimAndEnd()
	notifier := newRecordingNotifier()
	e := env.newLockedEngine(Options{Notifier: notifier})

	suspects := e.probeWorkers(nil)
	require.Equal(t, []string{dead.queries.lockedWorker}, suspects)
	require.Equal(t, enum.RunRunning, env.findRun(queued.ID).State, "free once")
	require.Empty(t, e.probeWorkers(suspects))
	require.Equal(t, enum.RunQueued, env.findRun(queued.ID).State)
	receive(t, notifier.queued)

	// A wrong guess is harmless: the former owner is fenced off at once.
	require.ErrorIs(t, dead.Do(context.Background(), job, writeContent(job, "stale")), ErrLeaseLost)
	successor := env.claimOne(e)
	require.Equal(t, 2, successor.Attempt)
	require.NoError(t, e.Finish(context.Background(), successor, completed, nil))
}

func TestProbeWorkers_LockHeldAgain_KeepsRun(t *testing.T) {
	env := environment{t, testdb.Postgres(t)}
	queued, dead, _ := env.claimAndEnd()
	e := env.newLockedEngine(Options{})
	suspects := e.probeWorkers(nil)
	require.Len(t, suspects, 1)
	dead.lock = lockOf(env.db)(dead.queries.lockedWorker)
	require.NoError(t, dead.lock.Start(context.Background()))
	defer dead.lock.Close()
	require.Empty(t, e.probeWorkers(suspects))
	require.Equal(t, enum.RunRunning, env.findRun(queued.ID).State)
}

// An older release, and a replica behind a pooler, have no lock that could be free.
func TestProbeWorkers_WorkerWithoutLock_KeepsRun(t *testing.T) {
	env := environment{t, testdb.Postgres(t)}
	old := env.newEngine(Options{})
	queued := env.addConversation(env.newUser(), old)
	env.claimOne(old)
	require.NotContains(t, env.findRun(queued.ID).Worker, lockedSuffix)
	e := env.newLockedEngine(Options{})
	for range 3 {
		require.Empty(t, e.probeWorkers([]string{old.queries.worker, old.queries.lockedWorker}))
	}
	require.Equal(t, enum.RunRunning, env.findRun(queued.ID).State)

	// An older release that claims a run after this one overwrites the name.
	claimed, dead, _ := env.claimAndEnd()
	require.NoError(t, env.db.Client().Run.UpdateOneID(claimed.ID).SetWorker("old-0123456789ab").Exec(system()))
	require.Empty(t, e.probeWorkers([]string{dead.queries.lockedWorker}))
	require.Equal(t, enum.RunRunning, env.findRun(claimed.ID).State)
}

func TestProbeWorkers_OwnLockNotSettled_KeepsRun(t *testing.T) {
	env := environment{t, testdb.Postgres(t)}
	queued, dead, _ := env.claimAndEnd()
	e := env.newEngine(Options{})
	e.lock = unsettledLock{}
	require.Empty(t, e.probeWorkers([]string{dead.queries.lockedWorker}))
	require.Equal(t, enum.RunRunning, env.findRun(queued.ID).State)
}

// unsettledLock is held again after a loss, which a failover of the database may have caused.
type unsettledLock struct{ noLock }

func (unsettledLock) Held() bool { return true }

// A run that ends each process that executes it must end too, after more attempts than MaxAttempts.
func TestProbeWorkers_RunThatEndsEveryProcess_Fails(t *testing.T) {
	env := environment{t, testdb.Postgres(t)}
	prober := env.newLockedEngine(Options{MaxAttempts: 3})
	queued := env.addConversation(env.newUser(), prober)
	attempts := 0
	for ; env.findRun(queued.ID).State != enum.RunFailed; attempts++ {
		require.Less(t, attempts, 20)
		e := env.newLockedEngine(Options{MaxAttempts: 3})
		env.claimOne(e)
		env.freeLock(e)
		prober.probeWorkers(prober.probeWorkers(nil))
	}
	require.Equal(t, 5, attempts, "every second one counts")
	require.Equal(t, string(apperr.Unavailable), *env.findMessage(queued.MessageID).ErrorCode)
}

func TestProbeWorkers_CancelledRun_EndsCancelled(t *testing.T) {
	env := environment{t, testdb.Postgres(t)}
	queued, _, _ := env.claimAndEnd()
	require.NoError(t, env.db.Client().Run.UpdateOneID(queued.ID).SetCancelRequested(true).Exec(system()))
	e := env.newLockedEngine(Options{})
	e.probeWorkers(e.probeWorkers(nil))
	require.Equal(t, enum.RunCancelled, env.findRun(queued.ID).State)
	require.Equal(t, enum.MessageCancelled, env.findMessage(queued.MessageID).Status)
}

// While a worker has lost its lock and lives, its rows do not claim the lock.
func TestRenewLeases_LockLost_NamesWorkerWithoutLock(t *testing.T) {
	env := environment{t, testdb.Postgres(t)}
	handler, calls := manualHandler()
	lock := &manualLock{changed: make(chan struct{})}
	lock.held.Store(true)
	e := env.startEngine(env.newEngine(Options{NewLock: func(string) WorkerLock { return lock }}), handler)
	queued := env.addConversation(env.newUser(), e)
	call := receive(t, calls)
	for _, held := range []bool{false, true} {
		lock.held.Store(held)
		lock.changed <- struct{}{}
		lock.changed <- struct{}{} // the first one has been handled
		want := e.queries.worker
		if held {
			want = e.queries.lockedWorker
		}
		require.Equal(t, want, env.findRun(queued.ID).Worker)
		require.NoError(t, call.ctx.Err())
	}
	call.result <- e.Finish(call.ctx, call.job, completed, nil)
}

func TestEngine_ProcessEnds_OtherEngineResumesWithoutLease(t *testing.T) {
	env := environment{t, testdb.Postgres(t)}
	queued, _, _ := env.claimAndEnd()
	handler, calls := manualHandler()
	e := env.startEngine(env.newEngine(Options{NewLock: lockOf(env.db), ProbeInterval: 10 * time.Millisecond}), handler)
	call := receive(t, calls) // the lease and the sweep are an hour
	require.Equal(t, queued.ID, call.job.RunID)
	call.result <- e.Finish(call.ctx, call.job, completed, nil)
}
