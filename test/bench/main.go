// Bench compares Errand with two hand-written servers on the same PostgreSQL server in the same run, and prints how
// costs grow with the data. It makes no assertions.
//
//	go run ./test/bench                          all measurements, in about ten minutes
//	go run ./test/bench -quick                   a short run on little data that checks that the program works
//	go run ./test/bench -only q1,m1              some measurements
//	go run ./test/bench -only q2 -profile DIR    also writes CPU and allocation profiles of Errand
//
// The measurements are q1, q2, q2l, m1, m1k (requests.go), memory, streams, statements, claim, search and build; the
// name "requests" stands for the first five. build is not part of a run without -only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == baselineCommand {
		exit(serveBaseline(os.Args[2], os.Args[3]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	exit(run(ctx, os.Args[1:], os.Stdout))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// settings configure a run.
type settings struct {
	rounds      int
	round       time.Duration
	connections int
	errand      string // path of an errand binary; built if empty
	profile     string // directory for profiles, "" for none
	only        []string
	size        size
}

// measurement prints the tables of one file.
type measurement struct {
	name string
	run  func(ctx context.Context, b *bench, out io.Writer) error
}

// measurements are all measurements in their order. claim is the last one, because its replies change the data.
func measurements() []measurement {
	all := make([]measurement, 0, len(operations)+6)
	for _, op := range operations {
		all = append(all, measurement{op.name, op.measure})
	}
	return append(
		all,
		measurement{"memory", measureMemory},
		measurement{"streams", measureStreams},
		measurement{"statements", measureStatements},
		measurement{"search", measureSearch},
		measurement{"claim", measureClaim},
		measurement{"build", measureBuild},
	)
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	s, err := parseFlags(args)
	if err != nil {
		return err
	}
	chosen, err := s.measurements()
	if err != nil {
		return err
	}
	b, err := newBench(ctx, s, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	for _, m := range chosen {
		if err := m.run(ctx, b, out); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		b.stopServers()
	}
	return nil
}

func parseFlags(args []string) (s settings, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&s.rounds, "rounds", 5, "rounds per server; the servers alternate")
	flags.DurationVar(&s.round, "round", 3*time.Second, "length of a round")
	flags.IntVar(&s.connections, "c", 16, "connections")
	flags.StringVar(&s.errand, "errand", "", "path of the errand binary to measure; built if empty")
	flags.StringVar(&s.profile, "profile", "", "directory for CPU and allocation profiles of Errand's requests")
	only := flags.String("only", "", "the measurements to run, separated by commas")
	users := flags.Int("users", 0, "number of users; 0 means 1000")
	quick := flags.Bool("quick", false, "a short run on little data")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	s.size = fullSize
	if *quick {
		s.rounds, s.round, s.size = 1, 300*time.Millisecond, quickSize
	}
	if *users > 0 {
		s.size.users = *users
	}
	if *only != "" {
		s.only = strings.Split(*only, ",")
	}
	return s, nil
}

// measurements returns the chosen measurements.
func (s settings) measurements() ([]measurement, error) {
	all := measurements()
	if len(s.only) == 0 {
		return all[:len(all)-1], nil
	}
	var chosen []measurement
	for _, name := range s.only {
		if name == "requests" {
			chosen = append(chosen, all[:len(operations)]...)
			continue
		}
		i := slices.IndexFunc(all, func(m measurement) bool { return m.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no measurement is named %q", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}
