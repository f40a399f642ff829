package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"errand/internal/server"
	"errand/internal/store"
	"errand/internal/telemetry"
)

// runMigrate applies all pending migrations (up), reverts the last one (down), or lists all (status).
func runMigrate(ctx context.Context, inv invocation) (err error) {
	flags := newFlags(inv)
	if err := flags.Parse(inv.args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("one argument is required: errand migrate up, down or status")
	}
	cfg, err := loadConfig(inv.environ)
	if err != nil {
		return err
	}
	db, err := server.OpenStore(ctx, cfg, telemetry.NewLogger(inv.stderr, cfg.Server.LogLevel))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	m, err := db.Migrator()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	switch flags.Arg(0) {
	case "up":
		done, err := m.Up(ctx)
		return reportMigrations(inv.stdout, "applied", done, err)
	case "down":
		done, err := m.Down(ctx)
		return reportMigrations(inv.stdout, "reverted", done, err)
	case "status":
		return writeMigrationStatus(ctx, m, inv.stdout)
	default:
		return fmt.Errorf("unknown argument %q: errand migrate up, down or status", flags.Arg(0))
	}
}

// reportMigrations prints the migrations that were run, also those before an error.
func reportMigrations(out io.Writer, verb string, done []store.Migration, err error) error {
	for _, m := range done {
		fmt.Fprintln(out, verb, m.Name)
	}
	if err == nil && len(done) == 0 {
		fmt.Fprintln(out, "nothing to do")
	}
	return err
}

func writeMigrationStatus(ctx context.Context, m *store.Migrator, out io.Writer) error {
	migrations, err := m.Status(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, migration := range migrations {
		appliedAt := "pending"
		if !migration.AppliedAt.IsZero() {
			appliedAt = migration.AppliedAt.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%s\n", migration.Name, appliedAt)
	}
	return table.Flush()
}
