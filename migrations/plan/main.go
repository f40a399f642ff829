// Plan writes the next migration of each engine: what turns the tables that the
// existing migrations make into those of ent/schema, and back.
//
//	go run ./migrations/plan NAME      plan a migration
//	go run ./migrations/plan -check    fail when one is needed or a checksum is stale
//	go run ./migrations/plan -rehash   renew the checksums after editing a file by hand
package main

import (
	"context"
	_ "embed" // rowsecurity.sql
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"time"

	"errand/migrations"

	"ariga.io/atlas/sql/migrate"
	"entgo.io/ent/dialect"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "migrations:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("plan", flag.ContinueOnError)
	dir := flags.String("dir", "migrations", "folder of the migrations")
	check := flags.Bool("check", false, "fail when a migration is needed or a checksum is stale; write nothing")
	rehash := flags.Bool("rehash", false, "renew the checksums after editing a file by hand")
	if err := flags.Parse(args); err != nil {
		return err
	}
	p := planner{dir: *dir, out: out, now: time.Now().UTC()}
	switch {
	case *check:
		return p.each(func(dialectName string) error { return p.check(ctx, dialectName) })
	case *rehash:
		return p.each(p.rehash)
	case !regexp.MustCompile(`^[a-z][a-z0-9_]*$`).MatchString(flags.Arg(0)):
		return errors.New("name the migration in lower case with underscores, such as add_task_colour")
	}
	return p.each(func(dialectName string) error { return p.write(ctx, dialectName, flags.Arg(0)) })
}

type planner struct {
	dir string
	out io.Writer
	now time.Time // the new version, the same for both engines
}

func (p planner) each(do func(dialectName string) error) error {
	for _, name := range []string{dialect.SQLite, dialect.Postgres} {
		if err := do(name); err != nil {
			return fmt.Errorf("%s: %w", migrations.Folder(name), err)
		}
	}
	return nil
}

func (p planner) folder(dialectName string) string {
	return filepath.Join(p.dir, migrations.Folder(dialectName))
}

// write plans a migration when the tables differ.
func (p planner) write(ctx context.Context, dialectName, name string) error {
	d, err := p.difference(ctx, dialectName)
	if err != nil {
		return err
	}
	if d.isEmpty() {
		fmt.Fprintf(p.out, "%s: nothing to do, the migrations match ent/schema\n", migrations.Folder(dialectName))
		return nil
	}
	first, err := p.isEmpty(dialectName)
	if err != nil {
		return err
	}
	file := filepath.Join(p.folder(dialectName), fmt.Sprintf("%s_%s.sql", p.now.Format("20060102150405"), name))
	if err := os.WriteFile(file, d.script(), 0o644); err != nil {
		return err
	}
	fmt.Fprintln(p.out, "wrote", file)
	if first && dialectName == dialect.Postgres {
		if err := p.writeRowSecurity(); err != nil {
			return err
		}
	}
	return p.rehash(dialectName)
}

func (p planner) isEmpty(dialectName string) (bool, error) {
	files, err := filepath.Glob(filepath.Join(p.folder(dialectName), "*.sql"))
	return len(files) == 0, err
}

//go:embed rowsecurity.sql
var rowSecurity []byte

// writeRowSecurity adds the second migration of PostgreSQL's history, which guards the
// tables that the first one makes. Comparing tables does not find it.
func (p planner) writeRowSecurity() error {
	file := filepath.Join(p.folder(dialect.Postgres), p.now.Add(time.Second).Format("20060102150405")+"_row_security.sql")
	if err := os.WriteFile(file, rowSecurity, 0o644); err != nil {
		return err
	}
	fmt.Fprintln(p.out, "wrote", file)
	return nil
}

func (p planner) check(ctx context.Context, dialectName string) error {
	d, err := p.difference(ctx, dialectName)
	if err != nil {
		return err
	}
	if !d.isEmpty() {
		return fmt.Errorf("the migrations do not match ent/schema; run \"make migration name=…\" to add:\n%s", d.script())
	}
	return nil
}

func (p planner) rehash(dialectName string) error {
	folder := p.folder(dialectName)
	sum, err := migrations.Checksum(os.DirFS(folder))
	if err != nil {
		return err
	}
	text, err := sum.MarshalText()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, migrate.HashFileName), text, 0o644)
}
