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

	"errand/internal/viewer"
)

// statementTimeout bounds each of the engine's own statements and terminal transactions.
const statementTimeout = 5 * time.Second

// Engine claims runs, keeps their leases and settles their ends. Make one a process with New.
type Engine struct {
	o      Options
	sql    statements
	log    *slog.Logger
	worker string

	// soft ends when Stop begins: no more claims, handlers wind up.
	// hard ends when Stop gives up waiting: statements under way are abandoned.
	soft, hard context.Context
	endSoft    context.CancelCauseFunc
	endHard    context.CancelFunc
	wake       chan struct{}
	// looping, handling and beating count the goroutines that claim, work and renew leases; ended
	// closes when all have returned.
	looping, handling, beating sync.WaitGroup
	ending                     sync.Once
	ended                      chan struct{}

	mu       sync.Mutex
	handler  Handler // set by Start
	stopped  bool
	held     map[string]*work // by run id
	working  int              // handlers that have not returned, with or without a lease
	claiming bool
	missed   map[string]bool // cancelled during a claim that may turn out to have taken them
}

// NewEngine makes an engine that does nothing before Start; Enqueue, Cancel and Do work at once.
func NewEngine(o Options) (*Engine, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	e := &Engine{
		o: o, sql: newStatements(o.Dialect, builtUnfenced), log: o.Logger, worker: workerName(o.Replica),
		wake: make(chan struct{}, 1), ended: make(chan struct{}),
		held: map[string]*work{}, missed: map[string]bool{},
	}
	e.soft, e.endSoft = context.WithCancelCause(context.Background())
	e.hard, e.endHard = context.WithCancel(context.Background())
	return e, nil
}

// workerName makes a name that no other engine has, past or present, in the column's 64 bytes.
func workerName(replica string) string {
	var random [6]byte
	_, _ = rand.Read(random[:]) // never fails since Go 1.24
	return fmt.Sprintf("%.40s-%s", replica, hex.EncodeToString(random[:]))
}

// Start begins to claim runs for h. It fails at once when the database cannot be reached or has no runs table.
// ctx bounds that check alone.
func (e *Engine) Start(ctx context.Context, h Handler) error {
	if h == nil {
		return errors.New("runs: no handler")
	}
	var attempt int
	if _, err := queryRow(
		viewer.AsSystem(ctx),
		e.o.Client,
		`SELECT attempt FROM runs WHERE id = ''`,
		nil,
		&attempt,
	); err != nil {
		return fmt.Errorf("runs: looking at the runs table: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.handler != nil || e.stopped {
		return errors.New("runs: already started or stopped")
	}
	e.handler = h
	e.looping.Go(e.loop)
	e.beating.Go(e.keepLeases)
	return nil
}

// loop claims when woken and at every sweep.
func (e *Engine) loop() {
	sweep := time.NewTicker(e.o.SweepInterval)
	defer sweep.Stop()
	for e.soft.Err() == nil {
		e.claim()
		select {
		case <-e.soft.Done():
		case <-e.wake:
		case <-sweep.C:
			e.sweep(e.soft)
		}
	}
}

// Wake says that a run may be claimable: call it after committing an Enqueue. When
// this replica has no room, the others are told.
func (e *Engine) Wake() {
	e.mu.Lock()
	full := e.handler == nil || e.stopped || e.working >= e.o.Concurrency
	e.mu.Unlock()
	if full {
		e.o.Notifier.NotifyQueued()
	}
	e.WakeLocal()
}

// WakeLocal makes this replica look for claimable runs: the receiving end of Signals.Wake.
func (e *Engine) WakeLocal() {
	select {
	case e.wake <- struct{}{}:
	default: // a look is due already
	}
}

// Stop hands every run under way over to the other replicas and waits for the handlers,
// up to ctx's end, which it then reports. It may be called again and before Start.
func (e *Engine) Stop(ctx context.Context) error {
	e.mu.Lock()
	e.stopped = true
	e.mu.Unlock()
	e.ending.Do(func() {
		e.endSoft(ErrShutdown)
		go e.drain()
	})
	select {
	case <-e.ended:
		return nil
	case <-ctx.Done():
		e.endHard()
		return fmt.Errorf("runs: stopping before all handlers returned: %w", context.Cause(ctx))
	}
}

// drain keeps the leases until the last handler has returned.
func (e *Engine) drain() {
	e.looping.Wait()
	e.handling.Wait()
	e.endHard()
	e.beating.Wait()
	close(e.ended)
}
