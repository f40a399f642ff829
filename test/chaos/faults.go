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

// lease and sweep are the replicas' settings: short, so that much can happen in little time.
const (
	lease = 2 * time.Second
	sweep = 200 * time.Millisecond
)

// faults break things, one after the other, in the order that the seed says.
type faults struct {
	*world
	random *rand.Rand
	counts map[string]int
	busy   sync.WaitGroup // with repairs
}

// fault is a kind of mishap and how often it comes.
type fault struct {
	name   string
	weight int
	happen func(f *faults, ctx context.Context)
}

var mishaps = []fault{
	{"kill -9", 25, (*faults).kill},
	{"restart", 12, (*faults).restart},
	{"freeze", 25, (*faults).freeze},
	{"slow database connections", 12, (*faults).slowDatabase},
	{"cut database connections", 20, (*faults).cutDatabase},
	{"deafen", 10, (*faults).deafen},
	{"restart PostgreSQL", 4, (*faults).restartPostgres},
	{"cut clients", 8, func(f *faults, _ context.Context) { f.balancer.cut() }},
}

// roll restarts one replica after the other, each when the one before is ready again.
func (f *faults) roll(ctx context.Context) {
	for i := 0; ctx.Err() == nil; i++ {
		r := f.replicas[i%len(f.replicas)]
		gone := r.end()
		f.counts["restart"]++
		if err := r.signal(syscall.SIGTERM, 0); err != nil {
			f.broken(err)
			return
		}
		<-gone
		if code := r.exitCode(); code != 0 {
			f.wrong.add("replica %s ended with code %d although it was asked to", r.name, code)
		}
		if err := f.awaitReplicas(context.WithoutCancel(ctx)); err != nil {
			f.broken(err)
		}
	}
}

// run breaks things until ctx ends, and returns when all is repaired.
func (f *faults) run(ctx context.Context) {
	if f.Rolling {
		f.roll(ctx)
		return
	}
	defer f.busy.Wait()
	possible, rest := mishaps, 900*time.Millisecond
	if f.Mutant != nil && len(f.Mutant.shows) > 0 {
		possible = slices.DeleteFunc(
			slices.Clone(mishaps),
			func(one fault) bool { return !slices.Contains(f.Mutant.shows, one.name) },
		)
		rest *= 2 // of one kind, they come in each other's way
	}
	total := 0
	for _, one := range possible {
		total += one.weight
	}
	for {
		pause(ctx, 100*time.Millisecond+f.upTo(rest))
		if ctx.Err() != nil {
			return
		}
		pick := f.random.IntN(total)
		for _, one := range possible {
			if pick -= one.weight; pick < 0 {
				f.counts[one.name]++
				one.happen(f, ctx)
				break
			}
		}
	}
}

func (f *faults) any() *replica { return f.replicas[f.random.IntN(len(f.replicas))] }

// kill ends a replica without warning; it comes back after up to a lease.
func (f *faults) kill(context.Context) {
	_ = f.any().signal(syscall.SIGKILL, f.upTo(lease))
}

// restart asks a replica to stop, as an orchestrator does.
func (f *faults) restart(context.Context) {
	_ = f.any().signal(syscall.SIGTERM, 0)
}

// freeze stops a replica's clock for up to three leases. When it goes on, it believes that its
// leases still hold, and some of its connections are too slow to tell it otherwise.
func (f *faults) freeze(ctx context.Context) {
	r, d := f.any(), lease/2+f.upTo(5*lease/2)
	mask, slow := f.random.Uint64(), f.upTo(lease)
	_ = r.signal(syscall.SIGSTOP, 0)
	f.busy.Go(func() {
		pause(ctx, d)
		r.link.slow(mask, slow)
		_ = r.signal(syscall.SIGCONT, 0)
	})
}

// slowDatabase keeps three of four of a replica's connections to the database from carrying anything.
func (f *faults) slowDatabase(context.Context) {
	half, other := f.random.Uint64(), f.random.Uint64()
	f.any().link.slow(half|other, f.upTo(2*lease))
}

func (f *faults) upTo(d time.Duration) time.Duration { return time.Duration(f.random.Int64N(int64(d))) }

// cutDatabase breaks about half of the connections to the database, those of the bus among them.
func (f *faults) cutDatabase(ctx context.Context) {
	conn, err := pgx.Connect(ctx, f.databaseURL)
	if err != nil {
		return // the server is being restarted
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, _ = conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid % 2 = $1`, f.random.IntN(2))
}

// deafen cuts the connections on which replicas hear each other, again and again for up to a second:
// whatever is said meanwhile is lost.
func (f *faults) deafen(ctx context.Context) {
	until := time.Now().Add(f.upTo(time.Second))
	f.busy.Go(func() {
		conn, err := pgx.Connect(ctx, f.databaseURL)
		if err != nil {
			return
		}
		defer conn.Close(context.WithoutCancel(ctx))
		for time.Now().Before(until) && ctx.Err() == nil {
			_, _ = conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
				WHERE datname = current_database() AND application_name LIKE '% listen'`)
			pause(ctx, 20*time.Millisecond)
		}
	})
}

// restartPostgres stops the server, by a crash as often as not, and starts it again.
func (f *faults) restartPostgres(ctx context.Context) {
	crash, down := f.random.IntN(2) == 0, f.upTo(time.Second)
	repaired := context.WithoutCancel(ctx)
	if err := f.postgres.Stop(repaired, crash); err != nil {
		f.broken(fmt.Errorf("stopping PostgreSQL: %w", err))
	}
	pause(ctx, down)
	if err := f.postgres.Start(repaired); err != nil {
		f.broken(fmt.Errorf("starting PostgreSQL: %w", err))
	}
}

func (f *faults) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(f.counts)) {
		parts = append(parts, fmt.Sprintf("%s ×%d", name, f.counts[name]))
	}
	return strings.Join(parts, ", ")
}
