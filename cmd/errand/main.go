// Errand is a self-hostable backend for an AI task assistant.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata"

	"errand/internal/config"
	// machines without a zone database know all zones too
)

const usage = `Errand: a backend for an AI task assistant.

  errand serve [--migrate]        serve; --migrate brings a PostgreSQL database up to date first
  errand migrate up|down|status   move the database along its schema's history
  errand token --user NAME        print a token of the development sign-in
  errand mcp [--user NAME]        let a local assistant use one person's tasks, over stdio
  errand eval [--file FILE]       measure the model on conversations with known ends
  errand doctor                   check settings, database, keys, model and ports

Settings come from the environment and from a .env file; see .env.example.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	err := run(ctx, os.Args[1:], config.Environ(), os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "errand:", err)
		os.Exit(1)
	}
}

// run carries out one command. Tests call it too.
func run(ctx context.Context, args []string, environ map[string]string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		_, err := io.WriteString(stdout, usage)
		return err
	}
	command, args := args[0], args[1:]
	switch command {
	case "serve":
		return serveCommand(ctx, args, environ, stderr)
	case "migrate":
		return migrateCommand(ctx, args, environ, stdout, stderr)
	case "token":
		return tokenCommand(args, environ, stdout, stderr)
	case "eval":
		return evalCommand(ctx, args, environ, stdout, stderr)
	case "doctor":
		return doctorCommand(ctx, environ, stdout)
	case "mcp":
		return mcpCommand(ctx, args, environ, os.Stdin, stdout, stderr)
	case "help", "-h", "--help":
		_, err := io.WriteString(stdout, usage)
		return err
	default:
		return fmt.Errorf("there is no command %q; \"errand help\" lists them", command)
	}
}

// newFlags makes a command's flags, which report faults instead of exiting.
func newFlags(name string, stderr io.Writer) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	return flags
}
