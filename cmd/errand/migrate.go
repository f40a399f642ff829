package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"errand/internal/config"
	"errand/internal/server"
	"errand/internal/store"
	"errand/internal/telemetry"
)

// migrateCommand moves the database along its schema's history.
func migrateCommand(
	ctx context.Context,
	args []string,
	environ map[string]string,
	stdout, stderr io.Writer,
) (err error) {
	if len(args) != 1 {
		return errors.New("say which way: errand migrate up, down or status")
	}
	cfg, err := config.Load(environ, ".env")
	if err != nil {
		return err
	}
	db, err := server.OpenStore(ctx, cfg, telemetry.NewLogger(stderr, cfg.Server.LogLevel))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	m, err := db.Migrator()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	switch args[0] {
	case "up":
		done, err := m.Up(ctx)
		return report(stdout, "applied", done, err)
	case "down":
		done, err := m.Down(ctx)
		return report(stdout, "undid", done, err)
	case "status":
		return status(ctx, m, stdout)
	default:
		return fmt.Errorf("migrate knows up, down and status, not %q", args[0])
	}
}

func report(out io.Writer, verb string, done []store.Migration, err error) error {
	for _, m := range done {
		fmt.Fprintln(out, verb, m.Name)
	}
	if err == nil && len(done) == 0 {
		fmt.Fprintln(out, "nothing to do")
	}
	return err
}

func status(ctx context.Context, m *store.Migrator, out io.Writer) error {
	all, err := m.Status(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, one := range all {
		at := "pending"
		if !one.AppliedAt.IsZero() {
			at = one.AppliedAt.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%s\n", one.Name, at)
	}
	return table.Flush()
}
