package run

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"errand/ent"
	"errand/internal/store"
	"errand/internal/viewer"
)

// statementTimeout bounds each of the engine's own statements and final transactions.
const statementTimeout = 5 * time.Second

// Engine claims runs, renews their leases, calls the handler and stores how runs end. A process has one. All
// methods are safe for concurrent use.
//
// Its methods share the attempts in progress and their lock, so they are one type in one file a step: claim.go,
// attempt.go, lease.go, takeover.go, finish.go (Do and Finish), result.go (after the handler returned), cancel.go,
// stale.go. The SQL is in queries.go.
type Engine struct {
	options Options
	queries *queries
	lock    WorkerLock
	log     *slog.Logger

	// stopping is cancelled when Stop begins: claiming ends, and handlers should return.
	// aborted is cancelled when Stop's time is over: statements in progress are abandoned.
	stopping, aborted context.Context
	beginStop         context.CancelCauseFunc
	abort             context.CancelFunc
	wake              chan struct{}

	claimLoop, takeoverLoop, handlers, leaseLoop sync.WaitGroup
	stopOnce                                     sync.Once
	drained                                      chan struct{} // closed when all four groups are done

	mu             sync.Mutex
	handler        Handler // set by Start
	stopped        bool
	attempts       map[string]*attempt // by run ID
	activeHandlers int                 // handlers that have not returned, with or without a lease
	claiming       bool
	// cancelledDuringClaim holds the runs cancelled while a claim is in progress, which may turn out to
	// have claimed them.
	cancelledDuringClaim map[string]bool
}

// NewEngine returns an engine that executes nothing before Start; Enqueue, Cancel and Do work at once.
func NewEngine(o Options) (*Engine, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	e := &Engine{
		options: o,
		queries: &queries{
			client:      o.Client,
			sql:         newStatements(o.SQL, fenceDisabled),
			worker:      workerName(o.Replica),
			lease:       o.Lease,
			maxAttempts: o.MaxAttempts,
		},
		lock:                 noLock{},
		log:                  o.Logger,
		wake:                 make(chan struct{}, 1),
		drained:              make(chan struct{}),
		attempts:             map[string]*attempt{},
		cancelledDuringClaim: map[string]bool{},
	}
	e.queries.lockedWorker = e.queries.worker + lockedSuffix
	if o.NewLock != nil {
		e.lock = o.NewLock(e.queries.lockedWorker)
	}
	e.queries.locked = e.lock.Held
	e.stopping, e.beginStop = context.WithCancelCause(context.Background())
	e.aborted, e.abort = context.WithCancel(context.Background())
	return e, nil
}

// workerName returns a name that no other engine has or had, within the column's 64 bytes.
func workerName(replica string) string {
	var random [6]byte
	_, _ = rand.Read(random[:]) // never fails since Go 1.24
	return fmt.Sprintf("%.40s-%s", replica, hex.EncodeToString(random[:]))
}

// Start begins to claim runs for h. It fails at once when the database cannot be reached or has no
// runs table, and when the engine was started or stopped before. ctx bounds that check only.
func (e *Engine) Start(ctx context.Context, h Handler) error {
	if h == nil {
		return errors.New("run: no handler")
	}
	if err := e.queries.ping(ctx); err != nil {
		return fmt.Errorf("run: reading the runs table: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.handler != nil || e.stopped {
		return errors.New("run: the engine was already started or stopped")
	}
	if e.options.Exclusive {
		if err := e.queries.expireLeases(ctx); err != nil {
			return fmt.Errorf("run: expiring the leases of ended processes: %w", err)
		}
	}
	if err := e.lock.Start(ctx); err != nil {
		e.log.Warn("no session lock: if this replica is killed, its runs are taken over only after RUN_LEASE", "error", err)
	}
	e.takeoverLoop.Go(e.runTakeoverLoop)
	e.handler = h
	e.claimLoop.Go(e.runClaimLoop)
	e.leaseLoop.Go(e.renewLeasesLoop)
	return nil
}

// runClaimLoop claims runs when woken and at every sweep.
func (e *Engine) runClaimLoop() {
	sweep := time.NewTicker(e.options.SweepInterval)
	defer sweep.Stop()
	for e.stopping.Err() == nil {
		e.claimRuns()
		select {
		case <-e.stopping.Done():
		case <-e.wake:
		case <-sweep.C:
			e.failStaleRuns(e.stopping)
		}
	}
}

// Enqueue stores a QUEUED run for the assistant message messageID, in the transaction that creates the message
// and as its viewer, whose scopes limit the run. position is the message's; it must have been assigned under a lock on
// the conversation, so that the runs of one conversation become visible in order. Call Wake after the commit.
func (e *Engine) Enqueue(
	ctx context.Context,
	tx *ent.Tx,
	conversationID, messageID string,
	position int,
) (*ent.Run, error) {
	v, err := viewer.Require(ctx)
	if err != nil {
		return nil, err
	}
	now, err := e.queries.now(ctx, tx)
	if err != nil {
		return nil, err
	}
	return store.Queue(tx).Run.Create().
		SetScopes(string(v.Scopes)).
		SetConversationID(conversationID).
		SetMessageID(messageID).
		SetPosition(position).
		SetCreatedAt(now).
		SetAvailableAt(now).
		Save(ctx)
}

// Waiting returns the number of runs that wait for a free slot of any replica, or for an earlier run of their
// conversation.
func (e *Engine) Waiting(ctx context.Context) (int, error) { return e.queries.waiting(ctx) }

// Wake reports that a run may be claimable; it is called after the commit of an Enqueue. Without a free slot
// on this replica it notifies the others.
func (e *Engine) Wake() {
	e.mu.Lock()
	full := e.handler == nil || e.stopped || e.activeHandlers >= e.options.Concurrency
	e.mu.Unlock()
	if full {
		e.options.Notifier.NotifyQueued()
	}
	e.WakeLocal()
}

// WakeLocal makes this replica claim runs. It is the receiving end of Notifier.NotifyQueued.
func (e *Engine) WakeLocal() {
	select {
	case e.wake <- struct{}{}:
	default: // a claim is already due
	}
}

// Stop hands over all runs in progress to the other replicas and waits for the handlers to return. When ctx
// ends first, Stop abandons them and returns the cause. It may be called repeatedly, and before Start.
func (e *Engine) Stop(ctx context.Context) error {
	e.mu.Lock()
	e.stopped = true
	e.mu.Unlock()
	e.stopOnce.Do(func() {
		e.beginStop(ErrShutdown)
		go e.awaitHandlers()
	})
	select {
	case <-e.drained:
		return nil
	case <-ctx.Done():
		e.abort()
		return fmt.Errorf("run: stopped before all handlers returned: %w", context.Cause(ctx))
	}
}

// awaitHandlers keeps renewing the leases until the last handler has returned.
func (e *Engine) awaitHandlers() {
	e.claimLoop.Wait()
	e.takeoverLoop.Wait()
	e.handlers.Wait()
	e.abort()
	e.leaseLoop.Wait()
	e.lock.Close()
	close(e.drained)
}
