// Chaos proves that replicas lose nothing: it runs three of them on one PostgreSQL, has many
// people talk to them, and breaks whatever can break. In the end every turn must have
// ended, in order; every client must hold the stored text byte for byte; and every
// tool's effect must have happened exactly once.
//
//	go run ./test/chaos                       half a minute, a seed at random
//	go run ./test/chaos -seed 7 -for 3m       a long run, the same faults again
//	go run ./test/chaos -mutants              that each fence matters: without it, a run fails
//	go run ./test/chaos -mutant epoch -seed 7 one of them
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
	flags.Uint64Var(&o.Seed, "seed", rand.Uint64N(1e6), "of the faults and of what is said")
	flags.DurationVar(&o.For, "for", 30*time.Second, "how long things break")
	flags.IntVar(&o.Conversations, "conversations", 12, "how many go on at once")
	flags.BoolVar(&o.Race, "race", false, "build the replicas with the race detector")
	flags.BoolVar(&o.Rolling, "rolling", false, "only restart the replicas in turn, gracefully")
	mutant := flags.String("mutant", "", "run without one of the fences: "+strings.Join(mutantNames(), ", "))
	all := flags.Bool("mutants", false, "check that a run fails without each of the fences")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *all {
		return runMutants(ctx, o)
	}
	if *mutant != "" {
		m, ok := findMutant(*mutant)
		if !ok {
			return fmt.Errorf("there is no mutant %q", *mutant)
		}
		o.Mutant = &m
	}
	return storm(ctx, o)
}

// options are one run's.
type options struct {
	Seed          uint64
	For           time.Duration
	Conversations int
	Race          bool
	// Rolling restarts the replicas in turn, gracefully, and breaks nothing else.
	Rolling bool
	Mutant  *mutant
	Out     io.Writer
}

// reproducer is the command that does the same again.
func (o options) reproducer() string {
	command := fmt.Sprintf("go run ./test/chaos -seed %d -for %s -conversations %d", o.Seed, o.For, o.Conversations)
	if o.Race {
		command += " -race"
	}
	if o.Rolling {
		command += " -rolling"
	}
	if o.Mutant != nil {
		command += " -mutant " + o.Mutant.name
	}
	return command
}

// random gives each actor a source of its own, so that none disturbs another's.
func (o options) random(actor string, n int) *rand.Rand {
	h := uint64(14695981039346656037)
	for _, b := range []byte(actor) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return rand.New(rand.NewPCG(o.Seed, h+uint64(n)))
}

// storm builds the program and makes one run.
func storm(ctx context.Context, o options) (err error) {
	fmt.Fprintln(o.Out, "seed", o.Seed, "("+o.reproducer()+")")
	dir, err := os.MkdirTemp("", "errand-chaos-")
	if err != nil {
		return err
	}
	binary, err := build(ctx, o, dir)
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	w := &world{options: o, dir: dir, binary: binary}
	err = w.run(ctx)
	w.report()
	if err != nil && o.Mutant == nil {
		return fmt.Errorf("%w\nreplicas' logs are in %s\nagain: %s", err, dir, o.reproducer())
	}
	return errors.Join(err, os.RemoveAll(dir))
}
