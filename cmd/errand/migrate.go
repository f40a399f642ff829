package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"errand/internal/server"
	"errand/internal/store"
	"errand/internal/telemetry"
)

// migrateOptions are the argument and the flags of "errand migrate".
type migrateOptions struct {
	direction               string
	yes, destroyAll, noCopy bool
}

// parseMigrateOptions accepts flags before and after the argument.
func parseMigrateOptions(inv invocation) (o migrateOptions, err error) {
	flags := newFlags(inv)
	flags.BoolVar(&o.yes, "yes", false, "down: do not ask")
	flags.BoolVar(&o.destroyAll, "destroy-all-data", false, "down: allow to revert the initial schema, with all data")
	flags.BoolVar(&o.noCopy, "no-copy", false, "make no copy of a SQLite file before")
	if err := flags.Parse(inv.args); err != nil {
		return o, err
	}
	if o.direction = flags.Arg(0); o.direction != "" {
		if err := flags.Parse(flags.Args()[1:]); err != nil {
			return o, err
		}
	}
	if o.direction == "" || flags.NArg() > 0 {
		return o, errors.New("one argument is required: errand migrate up, down or status")
	}
	return o, nil
}

// runMigrate applies all pending migrations (up), reverts the last one (down), or lists all (status).
func runMigrate(ctx context.Context, inv invocation) (err error) {
	o, err := parseMigrateOptions(inv)
	if err != nil {
		return err
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
	m.NoCopy = o.noCopy
	switch o.direction {
	case "up":
		done, err := migrateUp(ctx, db, m)
		return reportMigrations(inv.stdout, "applied", done, err)
	case "down":
		done, err := migrateDown(ctx, db, m, o, inv)
		return reportMigrations(inv.stdout, "reverted", done, err)
	case "status":
		return writeMigrationStatus(ctx, m, inv.stdout)
	default:
		return fmt.Errorf("unknown argument %q: errand migrate up, down or status", o.direction)
	}
}

// migrateUp applies all pending migrations, unless a server uses the SQLite file. Replicas on PostgreSQL keep working.
func migrateUp(ctx context.Context, db *store.DB, m *store.Migrator) ([]store.Migration, error) {
	pending, err := m.Pending(ctx)
	if err != nil || pending == 0 {
		return nil, err
	}
	if err := store.LockServer(ctx, db, "migrate up"); err != nil {
		return nil, err
	}
	return m.Up(ctx)
}

// migrateDown reverts the newest migration after a confirmation, unless a server uses the database.
func migrateDown(
	ctx context.Context, db *store.DB, m *store.Migrator, o migrateOptions, inv invocation,
) ([]store.Migration, error) {
	all, err := m.Status(ctx)
	if err != nil {
		return nil, err
	}
	newest := -1
	for i, migration := range all {
		if !migration.AppliedAt.IsZero() {
			newest = i
		}
	}
	switch {
	case newest < 0:
		return nil, nil
	case newest == 0 && !o.destroyAll:
		return nil, fmt.Errorf("%s is the initial schema: reverting it drops all tables with all data; "+
			"if that is intended, run: errand migrate down --destroy-all-data", all[0].Name)
	}
	if err := store.LockServer(ctx, db, "migrate down"); err != nil {
		return nil, err
	}
	if err := store.CheckNotServed(ctx, db); err != nil {
		return nil, err
	}
	if !o.yes {
		if err := confirm(inv, "Revert "+all[newest].Name+"? This drops what it added, with its data."); err != nil {
			return nil, err
		}
	}
	return m.Down(ctx)
}

// confirm asks on a terminal. Without one, or with another answer than yes, it returns an error.
func confirm(inv invocation, question string) error {
	terminal := false
	if stdin, ok := inv.stdin.(*os.File); ok {
		info, err := stdin.Stat()
		terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	if !terminal {
		return errors.New("not confirmed: standard input is not a terminal; nothing was changed; to confirm, add --yes")
	}
	fmt.Fprintf(inv.stderr, "%s Type yes to continue: ", question)
	answer, err := bufio.NewReader(inv.stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if !strings.EqualFold(strings.TrimSpace(answer), "yes") {
		return errors.New("not confirmed: nothing was changed")
	}
	return nil
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
	newer, err := m.Newer(ctx)
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
	for _, migration := range newer {
		fmt.Fprintf(table, "%d\t%s\tof a newer release\n", migration.Version, migration.AppliedAt.UTC().Format(time.RFC3339))
	}
	return table.Flush()
}
