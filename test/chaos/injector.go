package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// lease and sweep are the replicas' RUN_LEASE and RUN_SWEEP. They are short so that a run covers many recoveries.
const (
	lease = 2 * time.Second
	sweep = 200 * time.Millisecond
)

// injector injects faults one after the other, in an order that depends on the seed only.
type injector struct {
	*environment
	random     *rand.Rand
	counts     map[string]int
	recovering sync.WaitGroup // faults that are still in effect
}

// fault is a kind of fault. Its weight is its frequency relative to the other kinds.
type fault struct {
	name   string
	weight int
	inject func(f *injector, ctx context.Context)
}

var faultKinds = []fault{
	{"kill -9", 25, (*injector).kill},
	{"restart", 12, (*injector).restart},
	{"freeze", 25, (*injector).freeze},
	{"slow database connections", 12, (*injector).slowDatabase},
	{"cut database connections", 20, (*injector).cutDatabase},
	{"drop notifications", 10, (*injector).dropNotifications},
	{"restart PostgreSQL", 4, (*injector).restartPostgres},
	{"read-only database", 6, makeReadOnly},
	{"fill the disk", 8, (*injector).fillDisk},
	{"slow bodies", 8, (*injector).slowBodies},
	{"cut clients", 8, func(f *injector, _ context.Context) { f.balancer.closeConns() }},
}

// processFaults are the kinds that need no PostgreSQL server.
var processFaults = []string{"kill -9", "restart", "freeze", "slow bodies", "cut clients"}

// restartInTurn restarts one replica after the other, each when the previous one is healthy again.
func (f *injector) restartInTurn(ctx context.Context) {
	for i := 0; ctx.Err() == nil; i++ {
		r := f.replicas[i%len(f.replicas)]
		exited := r.currentExit()
		f.counts["restart"]++
		if err := r.signal(syscall.SIGTERM, 0); err != nil {
			f.abort(err)
			return
		}
		<-exited
		if code := r.exitCode(); code != 0 {
			f.violations.add("replica %s exited with code %d after SIGTERM", r.name, code)
		}
		if err := f.awaitReplicas(context.WithoutCancel(ctx)); err != nil {
			f.abort(err)
		}
	}
}

// run injects faults until ctx ends, and returns when every fault's effect has ended.
func (f *injector) run(ctx context.Context) {
	if f.Rolling {
		f.restartInTurn(ctx)
		return
	}
	defer f.recovering.Wait()
	kinds, interval := faultKinds, 900*time.Millisecond
	switch {
	case f.Failover:
		kinds = failoverKinds
	case f.SQLite:
		kinds = slices.DeleteFunc(
			slices.Clone(faultKinds),
			func(kind fault) bool { return !slices.Contains(processFaults, kind.name) },
		)
	}
	if f.Mutant != nil && len(f.Mutant.detectedBy) > 0 {
		kinds = slices.DeleteFunc(
			slices.Clone(faultKinds),
			func(kind fault) bool { return !slices.Contains(f.Mutant.detectedBy, kind.name) },
		)
		interval *= 2 // overlapping faults of the same kind would hide each other's effect
	}
	total := 0
	for _, kind := range kinds {
		total += kind.weight
	}
	for {
		sleep(ctx, 100*time.Millisecond+f.randomDuration(interval))
		if ctx.Err() != nil {
			return
		}
		pick := f.random.IntN(total)
		for _, kind := range kinds {
			if pick -= kind.weight; pick < 0 {
				f.counts[kind.name]++
				kind.inject(f, ctx)
				break
			}
		}
	}
}

func (f *injector) randomReplica() *replica { return f.replicas[f.random.IntN(len(f.replicas))] }

// kill kills a replica, which restarts after up to one lease.
func (f *injector) kill(context.Context) {
	_ = f.randomReplica().signal(syscall.SIGKILL, f.randomDuration(lease))
}

// restart stops a replica gracefully, as an orchestrator does.
func (f *injector) restart(context.Context) {
	_ = f.randomReplica().signal(syscall.SIGTERM, 0)
}

// freeze suspends a replica for up to three leases. When it resumes, its leases have expired without its knowledge,
// and some of its database connections stall so that it learns of that late.
func (f *injector) freeze(ctx context.Context) {
	r, d := f.randomReplica(), lease/2+f.randomDuration(5*lease/2)
	mask, stall := f.random.Uint64(), f.randomDuration(lease)
	_ = r.signal(syscall.SIGSTOP, 0)
	f.recovering.Go(func() {
		sleep(ctx, d)
		r.stall(mask, stall)
		_ = r.signal(syscall.SIGCONT, 0)
	})
}

// slowDatabase stalls about three quarters of a replica's database connections.
func (f *injector) slowDatabase(context.Context) {
	mask, more := f.random.Uint64(), f.random.Uint64()
	f.randomReplica().stall(mask|more, f.randomDuration(2*lease))
}

func (f *injector) randomDuration(d time.Duration) time.Duration {
	return time.Duration(f.random.Int64N(int64(d)))
}

// cutDatabase terminates about half of the database connections, including those of the bus.
func (f *injector) cutDatabase(ctx context.Context) {
	conn, err := pgx.Connect(ctx, f.servers.databaseURL())
	if err != nil {
		return // the server is being restarted
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, _ = conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid % 2 = $1`, f.random.IntN(2))
}

// dropNotifications terminates the replicas' LISTEN connections repeatedly for up to a second. Notifications sent in
// that time are lost.
func (f *injector) dropNotifications(ctx context.Context) {
	until := time.Now().Add(f.randomDuration(time.Second))
	f.recovering.Go(func() {
		conn, err := pgx.Connect(ctx, f.servers.databaseURL())
		if err != nil {
			return
		}
		defer conn.Close(context.WithoutCancel(ctx))
		for time.Now().Before(until) && ctx.Err() == nil {
			_, _ = conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
				WHERE datname = current_database() AND application_name LIKE '% listen'`)
			sleep(ctx, 20*time.Millisecond)
		}
	})
}

// restartPostgres stops the database server, by a crash in half of the cases, and starts it again.
func (f *injector) restartPostgres(ctx context.Context) {
	crash, down := f.random.IntN(2) == 0, f.randomDuration(time.Second)
	uncancelled := context.WithoutCancel(ctx)
	if err := f.postgres.Stop(uncancelled, crash); err != nil {
		f.abort(fmt.Errorf("stopping PostgreSQL: %w", err))
	}
	sleep(ctx, down)
	if err := f.postgres.Start(uncancelled); err != nil {
		f.abort(fmt.Errorf("starting PostgreSQL: %w", err))
	}
}

// String lists the injected faults with their counts.
func (f *injector) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(f.counts)) {
		parts = append(parts, fmt.Sprintf("%s ×%d", name, f.counts[name]))
	}
	return strings.Join(parts, ", ")
}
