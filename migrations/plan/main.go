// Command plan writes the next migration of each database engine. Its up direction changes the tables that the existing
// migrations create into those of ent/schema; its down direction reverts that.
//
//	go run ./migrations/plan NAME      write a migration
//	go run ./migrations/plan -check    fail if a migration is missing or a checksum does not match
//	go run ./migrations/plan -rehash   update the checksums after editing a file
package main

import (
	"context"
	_ "embed" // for rowSecurity
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

	"entgo.io/ent/dialect"
)

// versionLayout is the time format of goose's versions.
const versionLayout = "20060102150405"

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
	dir := flags.String("dir", "migrations", "directory of the migrations")
	check := flags.Bool("check", false, "fail if a migration is missing or a checksum does not match; write nothing")
	rehash := flags.Bool("rehash", false, "update the checksums after editing a file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	p := planner{dir: *dir, out: out, now: time.Now().UTC()}
	switch {
	case *check:
		return p.forEachDialect(func(dialectName string) error { return p.check(ctx, dialectName) })
	case *rehash:
		return p.forEachDialect(p.rehash)
	case !regexp.MustCompile(`^[a-z][a-z0-9_]*$`).MatchString(flags.Arg(0)):
		return errors.New("name the migration in lower case with underscores, such as add_task_color")
	}
	return p.forEachDialect(func(dialectName string) error { return p.write(ctx, dialectName, flags.Arg(0)) })
}

// planner writes and checks the migrations in a directory.
type planner struct {
	dir string
	out io.Writer
	now time.Time // version of the new migration, equal for both engines
}

// forEachDialect calls do for both engines and stops at the first error.
func (p planner) forEachDialect(do func(dialectName string) error) error {
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

// write writes a migration, unless the existing ones already create the tables of ent/schema.
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
	file := filepath.Join(p.folder(dialectName), p.now.Format(versionLayout)+"_"+name+".sql")
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

// isEmpty reports whether a dialect has no migrations yet.
func (p planner) isEmpty(dialectName string) (bool, error) {
	files, err := filepath.Glob(filepath.Join(p.folder(dialectName), "*.sql"))
	return len(files) == 0, err
}

//go:embed rowsecurity.sql
var rowSecurity []byte

// writeRowSecurity writes the second migration of PostgreSQL, which enables row-level security for the tables of the
// first one. Comparing tables does not show policies, so it cannot be planned.
func (p planner) writeRowSecurity() error {
	file := filepath.Join(p.folder(dialect.Postgres), p.now.Add(time.Second).Format(versionLayout)+"_row_security.sql")
	if err := os.WriteFile(file, rowSecurity, 0o644); err != nil {
		return err
	}
	fmt.Fprintln(p.out, "wrote", file)
	return nil
}

// check returns an error with the missing migration, if any.
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

// rehash writes the checksum of a dialect's folder.
func (p planner) rehash(dialectName string) error {
	folder := p.folder(dialectName)
	text, err := migrations.Checksum(os.DirFS(folder))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, migrations.ChecksumFile), text, 0o644)
}
