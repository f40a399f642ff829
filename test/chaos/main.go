// Chaos is a fault-injection test of a replicated deployment. It runs three replicas on one PostgreSQL server, drives
// concurrent conversations, and kills, freezes and disconnects the components. Afterwards every turn must be terminal
// and in order, every subscriber must have received the stored text byte for byte, every tool call must have taken
// effect exactly once, every approval must have been used at most once, and every effect and undo must be exact.
//
//	go run ./test/chaos                       30 seconds with a random seed
//	go run ./test/chaos -seed 7 -for 3m       a long run with the faults of a seed
//	go run ./test/chaos -sqlite -for 1m       one server on SQLite
//	go run ./test/chaos -failover -for 1m     failovers of PostgreSQL, with the time to the next write
//	go run ./test/chaos -recovery 30          the time from kill -9 to the next text, on each engine and bus
//	go run ./test/chaos -mutants              check that a run detects the removal of each protection
//	go run ./test/chaos -mutant epoch -seed 7 run one mutant
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	o := options{Out: out}
	flags.Uint64Var(&o.Seed, "seed", rand.Uint64N(1e6), "seed of the faults and of the messages")
	flags.DurationVar(&o.For, "for", 30*time.Second, "duration of the fault injection")
	flags.IntVar(&o.Conversations, "conversations", 12, "number of concurrent conversations")
	flags.BoolVar(&o.Race, "race", false, "build the replicas with the race detector")
	flags.BoolVar(&o.Rolling, "rolling", false, "only restart the replicas gracefully, one after the other")
	flags.BoolVar(&o.SQLite, "sqlite", false, "run one server on SQLite instead")
	flags.BoolVar(&o.Failover, "failover", false, "promote standbys, and inject the faults that belong to that")
	mutant := flags.String("mutant", "", "run the program without one protection: "+strings.Join(mutantNames(), ", "))
	kills := flags.Int("recovery", 0, "measure the time from kill -9 to the next text with this number of kills")
	all := flags.Bool("mutants", false, "check that a run of each mutant reports a violation")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *kills > 0 {
		return measureRecovery(ctx, o, *kills)
	}
	if *all {
		return runMutants(ctx, o)
	}
	if *mutant != "" {
		m, ok := findMutant(*mutant)
		if !ok {
			return fmt.Errorf("unknown mutant %q, want one of %s", *mutant, strings.Join(mutantNames(), ", "))
		}
		o.Mutant = &m
	}
	return runChaos(ctx, o)
}

// options configure one run.
type options struct {
	Seed          uint64
	For           time.Duration
	Conversations int
	Race          bool
	// Rolling restarts the replicas gracefully, one after the other, and injects no other faults.
	Rolling bool
	// Failover runs a standby beside the primary, and promotes it.
	Failover bool
	// SQLite runs one server on SQLite instead of three replicas on PostgreSQL.
	SQLite bool
	Mutant *mutant
	Out    io.Writer
}

// reproducer returns the command that repeats the run.
func (o options) reproducer() string {
	command := fmt.Sprintf("go run ./test/chaos -seed %d -for %s -conversations %d", o.Seed, o.For, o.Conversations)
	if o.Race {
		command += " -race"
	}
	if o.Rolling {
		command += " -rolling"
	}
	if o.Failover {
		command += " -failover"
	}
	if o.SQLite {
		command += " -sqlite"
	}
	if o.Mutant != nil {
		command += " -mutant " + o.Mutant.name
	}
	return command
}

// random returns the random source of an actor. Separate sources keep the actors' decisions independent of the order in
// which they run.
func (o options) random(actor string, n int) *rand.Rand {
	h := uint64(14695981039346656037)
	for _, b := range []byte(actor) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return rand.New(rand.NewPCG(o.Seed, h+uint64(n)))
}

// runChaos builds the program and performs one run.
func runChaos(ctx context.Context, o options) (err error) {
	fmt.Fprintln(o.Out, "seed", o.Seed, "("+o.reproducer()+")")
	dir, err := os.MkdirTemp("", "errand-chaos-")
	if err != nil {
		return err
	}
	binary, err := build(ctx, o, dir)
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	e := &environment{options: o, dir: dir, binary: binary}
	err = e.run(ctx)
	e.printReport()
	if err != nil && o.Mutant == nil {
		return fmt.Errorf("%w\nlogs of the replicas: %s\nreproduce with: %s", err, dir, o.reproducer())
	}
	return errors.Join(err, os.RemoveAll(dir))
}
