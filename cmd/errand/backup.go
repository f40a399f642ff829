package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"errand/internal/config"
	"errand/internal/server"
	"errand/internal/store"
	"errand/internal/telemetry"
)

// exitError is an error with an exit code other than 1.
type exitError struct {
	error
	code int
}

// Unwrap returns the error.
func (e exitError) Unwrap() error { return e.error }

// exitManual is the exit code of a backup that must be made by hand.
const exitManual = 2

// runBackup writes a backup of the database to a new file. When this login or machine cannot make a complete one, it
// prints the command that can to stdout, and the exit code is 2.
func runBackup(ctx context.Context, inv invocation) (err error) {
	file, cfg, err := parseFileArgument(inv)
	if err != nil {
		return err
	}
	if path, ok := cfg.Database.URL.SQLitePath(); ok {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("there is no database to back up: %w", err)
		}
	}
	db, err := server.OpenStore(ctx, cfg, telemetry.NewLogger(inv.stderr, cfg.Server.LogLevel))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = store.Backup(ctx, db, file)
	var manual *store.ManualBackupError
	if errors.As(err, &manual) {
		fmt.Fprintln(inv.stdout, manual.Command)
		return exitError{err, exitManual}
	}
	if err == nil {
		fmt.Fprintf(inv.stdout, "wrote and verified %s\n", file)
	}
	return err
}

// runRestore fills an empty database from a backup.
func runRestore(ctx context.Context, inv invocation) error {
	file, cfg, err := parseFileArgument(inv)
	if err != nil {
		return err
	}
	db, err := server.OpenStore(ctx, cfg, telemetry.NewLogger(inv.stderr, cfg.Server.LogLevel))
	if err != nil {
		return err
	}
	version, err := store.Restore(ctx, db, file)
	if err != nil {
		return fmt.Errorf("restoring %s: %w", file, err)
	}
	fmt.Fprintf(inv.stdout, "restored %s to %s, at version %d\n", file, cfg.Database.URL, version)
	return nil
}

// parseFileArgument returns the only argument of a command, and the settings.
func parseFileArgument(inv invocation) (file string, cfg config.Config, err error) {
	flags := newFlags(inv)
	if err := flags.Parse(inv.args); err != nil {
		return "", cfg, err
	}
	if flags.NArg() != 1 {
		return "", cfg, fmt.Errorf("one argument is required: errand %s", inv.command.synopsis)
	}
	cfg, err = loadConfig(inv.environ)
	return flags.Arg(0), cfg, err
}
