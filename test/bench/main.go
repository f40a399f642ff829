// Bench compares Errand with a hand-written pgx and net/http server that does the same work on the same PostgreSQL
// server in the same run, and prints the ratios. It makes no assertions.
//
//	go run ./test/bench            all measurements
//	go run ./test/bench -quick     a short run that checks that the program works
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"time"

	"errand/internal/store"
	"errand/internal/testdb/cluster"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "handwritten" {
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
	only        string
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&s.rounds, "rounds", 5, "rounds per server; the servers alternate")
	flags.DurationVar(&s.round, "round", 2*time.Second, "length of a round")
	flags.IntVar(&s.connections, "c", 16, "connections")
	flags.StringVar(&s.errand, "errand", "", "path of the errand binary to measure; built if empty")
	flags.StringVar(&s.only, "only", "", "the only measurement to run: idle, requests or streams")
	quick := flags.Bool("quick", false, "a short run")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *quick {
		s.rounds, s.round = 1, 300*time.Millisecond
	}
	b, err := newBench(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if s.only == "" || s.only == "idle" {
		if err := b.idle(ctx, out); err != nil {
			return err
		}
	}
	if s.only == "" || s.only == "requests" {
		if err := b.requests(ctx, out); err != nil {
			return err
		}
	}
	if s.only == "" || s.only == "streams" {
		return b.streams(ctx, out)
	}
	return nil
}

// openDatabase starts a private PostgreSQL server and migrates its database.
func openDatabase(ctx context.Context) (*cluster.Cluster, string, error) {
	c, err := cluster.New(ctx)
	if err != nil {
		return nil, "", err
	}
	url := c.URL("postgres")
	db, err := store.Open(ctx, store.Options{URL: url, StatementCache: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return c, "", err
	}
	defer db.Close()
	if err := db.EnsureSchema(ctx, true); err != nil {
		return c, "", err
	}
	return c, url, nil
}
