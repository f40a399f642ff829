package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"errand/internal/server"
	"errand/internal/store"
	"errand/internal/telemetry"

	"github.com/spf13/cobra"
)

// migrateOptions are the subcommand and the flags of "errand migrate".
type migrateOptions struct {
	direction               string
	yes, destroyAll, noCopy bool
	asJSON                  bool // of status
}

func newMigrateCommand(inv *invocation) *cobra.Command {
	var o migrateOptions
	cmd := &cobra.Command{
		Use:   "migrate up|down|status",
		Short: "Apply or revert database migrations, or list them",
		Args:  refuseArguments,
		RunE:  requireSubcommand,
	}
	// The flags are those of all subcommands, and may be written before these.
	flags := cmd.PersistentFlags()
	flags.BoolVar(&o.yes, "yes", false, "down: do not ask")
	flags.BoolVar(&o.destroyAll, "destroy-all-data", false, "down: allow to revert the initial schema, with all data")
	flags.BoolVar(&o.noCopy, "no-copy", false, "make no copy of a SQLite file before")
	for _, sub := range []struct{ name, summary string }{
		{"up", "Apply all pending migrations"},
		{"down", "Revert the newest migration"},
		{"status", "List the migrations and when each was applied"},
	} {
		subcommand := &cobra.Command{
			Use:   sub.name,
			Short: sub.summary,
			Args:  refuseArguments,
			RunE: func(cmd *cobra.Command, _ []string) error {
				o.direction = cmd.Name()
				return runMigrate(cmd.Context(), inv, o)
			},
		}
		if sub.name == "status" {
			addJSONFlag(subcommand, &o.asJSON)
		}
		cmd.AddCommand(subcommand)
	}
	return cmd
}

// runMigrate applies all pending migrations (up), reverts the last one (down), or lists all (status).
func runMigrate(ctx context.Context, inv *invocation, o migrateOptions) (err error) {
	cfg, log, err := inv.loadConfigAndLog()
	if err != nil {
		return err
	}
	if path, ok := cfg.Database.URL.SQLitePath(); ok && o.direction == "status" && isMissing(path) {
		fmt.Fprintf(inv.stderr, "errand: %s does not exist; serve and migrate up create it\n", absolute(path))
		all, err := store.SQLiteMigrations()
		if err != nil {
			return err
		}
		return writeMigrations(inv.stdout, all, nil, o.asJSON)
	}
	db, err := server.OpenStore(ctx, cfg, log)
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
	default:
		return writeMigrationStatus(ctx, m, inv.stdout, o.asJSON)
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
	ctx context.Context, db *store.DB, m *store.Migrator, o migrateOptions, inv *invocation,
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
		if err := confirm(ctx, inv, "Revert "+all[newest].Name+"? This drops what it added, with its data."); err != nil {
			return nil, err
		}
	}
	return m.Down(ctx)
}

// confirm asks on a terminal. Without one, with another answer than yes, or when ctx ends, it returns an error.
func confirm(ctx context.Context, inv *invocation, question string) error {
	if !telemetry.IsTerminal(inv.stdin) {
		return errors.New("not confirmed: standard input is not a terminal; nothing was changed; to confirm, add --yes")
	}
	fmt.Fprintf(inv.stderr, "%s Type yes to continue: ", question)
	answers := make(chan string, 1)
	go func() {
		answer, _ := bufio.NewReader(inv.stdin).ReadString('\n') // after an error it is not yes
		answers <- answer
	}()
	select {
	case answer := <-answers:
		if !strings.EqualFold(strings.TrimSpace(answer), "yes") {
			return errors.New("not confirmed: nothing was changed")
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
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

func writeMigrationStatus(ctx context.Context, m *store.Migrator, out io.Writer, asJSON bool) error {
	migrations, err := m.Status(ctx)
	if err != nil {
		return err
	}
	newer, err := m.Newer(ctx)
	if err != nil {
		return err
	}
	return writeMigrations(out, migrations, newer, asJSON)
}

// isMissing reports whether there is no file, which opening it as a database would create.
func isMissing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// writeMigrations prints the migrations of this release, then those of a newer one.
func writeMigrations(out io.Writer, migrations, newer []store.Migration, asJSON bool) error {
	if asJSON {
		return writeMigrationJSON(out, migrations, newer)
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

// writeMigrationJSON prints the migrations as JSON: those of this release, then those of a newer one.
func writeMigrationJSON(out io.Writer, migrations, newer []store.Migration) error {
	type migration struct {
		Version   int64      `json:"version"`
		Name      string     `json:"name,omitempty"`
		AppliedAt *time.Time `json:"appliedAt"` // null: pending
		Newer     bool       `json:"newer"`     // of a newer release
	}
	report := struct {
		Pending    int         `json:"pending"`
		Migrations []migration `json:"migrations"`
	}{Migrations: []migration{}}
	for i, m := range slices.Concat(migrations, newer) {
		one := migration{Version: m.Version, Name: m.Name, Newer: i >= len(migrations)}
		if m.AppliedAt.IsZero() {
			report.Pending++
		} else {
			at := m.AppliedAt.UTC()
			one.AppliedAt = &at
		}
		report.Migrations = append(report.Migrations, one)
	}
	return writeJSON(out, report)
}
