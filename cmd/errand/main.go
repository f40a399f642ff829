// Command errand is a self-hostable backend for an AI task assistant.
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
	"syscall"
	_ "time/tzdata" // time zones on machines without a zone database

	"errand/internal/config"
)

// invocation is a call of a command: its arguments after the command's name, environment and standard streams.
type invocation struct {
	command command
	args    []string
	environ map[string]string
	stdin   io.ReadCloser
	stdout  io.Writer
	stderr  io.Writer
}

// command is a subcommand of the program.
type command struct {
	name string
	// synopsis is the command line after the program's name.
	synopsis string
	// summary describes the command in one line.
	summary string
	run     func(ctx context.Context, inv invocation) error
}

var commands = []command{
	{"serve", "serve [--migrate]", "run the server; --migrate applies pending PostgreSQL migrations first", runServe},
	{"migrate", "migrate up|down|status", "apply or revert database migrations, or list them", runMigrate},
	{"backup", "backup FILE", "write a verified copy of the database to a new file, beside a running server", runBackup},
	{"restore", "restore FILE", "fill an empty database from a backup", runRestore},
	{"token", "token --user NAME", "print a token of the development sign-in", runToken},
	{"mcp", "mcp [--user NAME]", "serve one user's tasks to a local MCP client over stdio", runMCP},
	{"eval", "eval [--file FILE]", "measure the model with conversations of known result", runEval},
	{"doctor", "doctor", "check settings, database, keys, model and ports", runDoctor},
	{"schema", "schema", "print the GraphQL schema (SDL)", runSchema},
	{"version", "version", "print the version and build information", runVersion},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	// After the first signal the default handling is restored, so that a second one ends the program at once.
	context.AfterFunc(ctx, stop)
	err := run(ctx, os.Args[1:], invocation{
		environ: config.Environ(),
		stdin:   os.Stdin,
		stdout:  os.Stdout,
		stderr:  os.Stderr,
	})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "errand:", err)
		code := 1
		var exit exitError
		if errors.As(err, &exit) {
			code = exit.code
		}
		os.Exit(code)
	}
}

// run runs the command that args name, or prints the usage.
func run(ctx context.Context, args []string, inv invocation) error {
	if len(args) == 2 && args[0] == "help" {
		args = []string{args[1], "-h"}
	}
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "--help"}, args[0]) {
		_, err := io.WriteString(inv.stdout, usage())
		return err
	}
	name := args[0]
	if name == "-v" || name == "--version" {
		name = "version"
	}
	for _, c := range commands {
		if c.name == name {
			inv.command, inv.args = c, args[1:]
			err := c.run(ctx, inv)
			if errors.Is(err, flag.ErrHelp) { // the flag set has printed the usage
				return nil
			}
			return err
		}
	}
	return fmt.Errorf("unknown command %q; \"errand help\" lists the commands", args[0])
}

func usage() string {
	var b strings.Builder
	b.WriteString("Errand: a backend for an AI task assistant.\n\n")
	for _, c := range commands {
		fmt.Fprintf(&b, "  errand %-24s %s\n", c.synopsis, c.summary)
	}
	b.WriteString("\n\"errand help COMMAND\" lists the flags of a command.\n")
	b.WriteString("Settings are read from the environment and from the file .env; see .env.example.\n")
	return b.String()
}

// newFlags returns a flag set for the command of inv. Its Parse returns errors instead of exiting; for -h it prints the
// usage and returns flag.ErrHelp.
func newFlags(inv invocation) *flag.FlagSet {
	flags := flag.NewFlagSet(inv.command.name, flag.ContinueOnError)
	flags.SetOutput(inv.stderr)
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "usage: errand %s\n\n%s\n", inv.command.synopsis, inv.command.summary)
		flags.PrintDefaults()
	}
	return flags
}

// loadConfig reads the settings from the environment and .env in the working directory.
func loadConfig(environ map[string]string) (config.Config, error) {
	return config.Load(environ, config.DotenvFile)
}
