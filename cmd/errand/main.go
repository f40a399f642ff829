// Command errand is a self-hostable backend for an AI task assistant.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"errand/internal/config"
	"errand/internal/telemetry"
)

// invocation is the environment and the standard streams of a command.
type invocation struct {
	// environ is the process environment, with the values of the flags that override settings.
	environ map[string]string
	stdin   io.ReadCloser
	stdout  io.Writer
	stderr  io.Writer
}

// Exit codes besides 0 and 1; docs/CLI.md documents them.
const (
	exitUsage       = 2   // an unknown command, flag or argument, or a missing one
	exitManual      = 2   // a backup must be made by hand
	exitInterrupted = 130 // SIGINT or SIGTERM ended a command early
)

// exitError is an error with an exit code other than 1.
type exitError struct {
	error
	code int
}

// Unwrap returns the error.
func (e exitError) Unwrap() error { return e.error }

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
	interrupted := ctx.Err() != nil
	stop()
	if err != nil && interrupted && errors.Is(err, context.Canceled) {
		err = exitError{errors.New("interrupted"), exitInterrupted}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "errand:", errorText(err))
		os.Exit(exitCode(err))
	}
}

func exitCode(err error) int {
	var exit exitError
	if errors.As(err, &exit) {
		return exit.code
	}
	return 1
}

// errorText returns the text of err in one line, except that the invalid settings have a line each.
func errorText(err error) string {
	var settings config.Errors
	if errors.As(err, &settings) {
		return err.Error()
	}
	var text strings.Builder
	seen := map[string]bool{} // drivers repeat a line for each attempt
	for line := range strings.Lines(err.Error()) {
		if line = strings.Join(strings.Fields(line), " "); line == "" || seen[line] {
			continue
		}
		seen[line] = true
		switch {
		case text.Len() == 0:
		case strings.HasSuffix(text.String(), ":"):
			text.WriteString(" ")
		default:
			text.WriteString("; ")
		}
		text.WriteString(line)
	}
	return text.String()
}

// loadConfig reads the settings from the flags, the environment and .env in the working directory. It warns about names
// that are almost those of settings.
func (inv *invocation) loadConfig() (config.Config, error) {
	cfg, err := config.Load(inv.environ, config.DotenvFile)
	for _, m := range config.FindMisspelled(inv.environ, config.DotenvFile) {
		fmt.Fprintln(inv.stderr, "errand: warning:", m)
	}
	return cfg, err
}

// loadConfigAndLog is loadConfig for commands with a log, which then has the warnings.
func (inv *invocation) loadConfigAndLog() (config.Config, *slog.Logger, error) {
	cfg, err := config.Load(inv.environ, config.DotenvFile)
	if err != nil {
		_, err := inv.loadConfig()
		return config.Config{}, nil, err
	}
	newLogger := map[config.LogFormat]func(io.Writer, slog.Level) *slog.Logger{
		config.LogAuto: telemetry.NewLogger,
		config.LogJSON: telemetry.NewJSONLogger,
		config.LogText: telemetry.NewTextLogger,
	}[cfg.Server.LogFormat]
	log := newLogger(inv.stderr, cfg.Server.LogLevel)
	for _, m := range config.FindMisspelled(inv.environ, config.DotenvFile) {
		log.Warn("a setting may be misspelled", "problem", m.String())
	}
	return cfg, log, nil
}
