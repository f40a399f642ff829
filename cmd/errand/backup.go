package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"errand/internal/server"
	"errand/internal/store"

	"github.com/spf13/cobra"
)

func newBackupCommand(inv *invocation) *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Write a verified copy of the database to a new file, beside a running server",
		Long: `Write a verified copy of the database to a new file, beside a running server.

When this login or machine cannot make a complete backup, the command that can is printed to standard
output, and the exit code is 2.`,
		Args: oneArgument,
		RunE: func(cmd *cobra.Command, args []string) error { return runBackup(cmd.Context(), inv, args[0]) },
	}
}

func newRestoreCommand(inv *invocation) *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "Fill an empty database from a backup",
		Args:  oneArgument,
		RunE:  func(cmd *cobra.Command, args []string) error { return runRestore(cmd.Context(), inv, args[0]) },
	}
}

// runBackup writes a backup of the database to a new file. When this login or machine cannot make a complete one, it
// prints the command that can to stdout, and the exit code is 2.
func runBackup(ctx context.Context, inv *invocation, file string) (err error) {
	cfg, log, err := inv.loadConfigAndLog()
	if err != nil {
		return err
	}
	if path, ok := cfg.Database.URL.SQLitePath(); ok {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("there is no database to back up: %w", err)
		}
	}
	db, err := server.OpenStore(ctx, cfg, log)
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
func runRestore(ctx context.Context, inv *invocation, file string) error {
	cfg, log, err := inv.loadConfigAndLog()
	if err != nil {
		return err
	}
	db, err := server.OpenStore(ctx, cfg, log)
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
