package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"errand/internal/dburl"

	"github.com/jackc/pgx/v5"
)

// dumpPostgres runs pg_dump into an empty file. file is the name that the user has given.
func dumpPostgres(ctx context.Context, db *DB, file, into string) error {
	conn, err := connectDirect(ctx, db)
	if err != nil {
		return err
	}
	var bypasses bool
	const roles = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = session_user"
	err = conn.QueryRow(ctx, roles).Scan(&bypasses)
	if err := errors.Join(err, conn.Close(ctx)); err != nil {
		return fmt.Errorf("reading the role: %w", err)
	}
	if !bypasses {
		return &ManualBackupError{
			Reason: "row-level security applies to the login " + db.postgres.User + ", so its backup would have no rows; " +
				"run the command with LOGIN replaced by a superuser or a role with BYPASSRLS",
			Command: dumpCommand(db, "LOGIN", file),
		}
	}
	out, err := os.OpenFile(into, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	err = runPostgresTool(ctx, db, out, "pg_dump", "--format=custom", "--no-owner", "--dbname="+libpqURL(db, ""))
	if errors.Is(err, exec.ErrNotFound) {
		err = &ManualBackupError{
			Reason:  "pg_dump is not in PATH; install PostgreSQL's client programs, or run the command where they are",
			Command: dumpCommand(db, db.postgres.User, file),
		}
	}
	if err := errors.Join(err, out.Close()); err != nil {
		return err
	}
	_, err = archiveVersion(ctx, db, into)
	return err
}

// connectDirect connects as pg_dump and pg_restore do, with the login of the direct URL.
func connectDirect(ctx context.Context, db *DB) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, db.PostgresConfig())
	if err != nil {
		return nil, fmt.Errorf("connecting to the database: %w", err)
	}
	return conn, nil
}

// dumpCommand returns the command that makes a backup as a login. It contains no password.
func dumpCommand(db *DB, login, file string) string {
	return fmt.Sprintf("pg_dump --format=custom --no-owner --file=%s --dbname=%s",
		shellQuote(file), shellQuote(libpqURL(db, login)))
}

// restorePostgres runs pg_restore in one transaction.
func restorePostgres(ctx context.Context, db *DB, file string, known int64) (version int64, err error) {
	conn, err := connectDirect(ctx, db)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	var tables int
	const userTables = `SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^(pg_|information_schema$)'`
	if err := conn.QueryRow(ctx, userTables).Scan(&tables); err != nil {
		return 0, fmt.Errorf("reading the tables: %w", err)
	}
	if tables > 0 {
		return 0, fmt.Errorf("the database %s is not empty: it has %d tables; nothing is overwritten, so create a new "+
			"database and set DATABASE_URL to it", db.postgres.Database, tables)
	}
	if version, err = archiveVersion(ctx, db, file); err != nil {
		return 0, err
	}
	if err := checkBackupVersion(file, version, known); err != nil {
		return 0, err
	}
	if _, err := conn.Exec(ctx, createAppRole); err != nil {
		return 0, fmt.Errorf("creating the role %s: %w", appRole, err)
	}
	// Default privileges belong to the role that sets them, which may not exist here.
	var contents bytes.Buffer
	if err := runPostgresTool(ctx, db, &contents, "pg_restore", "--list", file); err != nil {
		return 0, err
	}
	list, err := writeRestoreList(contents.String())
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.Remove(list)) }()
	err = runPostgresTool(ctx, db, &contents, "pg_restore", "--no-owner", "--single-transaction", "--exit-on-error",
		"--use-list="+list, "--dbname="+libpqURL(db, ""), file)
	if err != nil {
		return 0, err
	}
	if _, err := conn.Exec(ctx, grantAppRole); err != nil {
		return 0, fmt.Errorf("granting access to %s: %w", appRole, err)
	}
	return version, nil
}

// createAppRole does what the migration of row-level security does for the role, which belongs to the server and not to
// the database, and is not in a backup.
const createAppRole = `DO $$ BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'errand_app') THEN CREATE ROLE errand_app NOLOGIN; END IF;
	IF NOT pg_has_role(current_user, 'errand_app', 'MEMBER') THEN GRANT errand_app TO CURRENT_USER; END IF;
END $$`

// writeRestoreList writes the entries of an archive that are restored to a temporary file.
func writeRestoreList(contents string) (path string, err error) {
	f, err := os.CreateTemp("", "errand-restore-")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(contents) {
		if !strings.Contains(line, " DEFAULT ACL ") {
			_, writeErr := f.WriteString(line)
			err = errors.Join(err, writeErr)
		}
	}
	return f.Name(), errors.Join(err, f.Close())
}

// archiveVersion returns the version of the newest migration in an archive of pg_dump, 0 for none. It fails when the
// archive is damaged.
func archiveVersion(ctx context.Context, db *DB, file string) (version int64, err error) {
	// Reading all data finds a truncated archive.
	var rows bytes.Buffer
	if err := runPostgresTool(ctx, db, nil, "pg_restore", "--data-only", "--file="+os.DevNull, file); err != nil {
		return 0, fmt.Errorf("reading the archive: %w", err)
	}
	err = runPostgresTool(ctx, db, &rows, "pg_restore", "--data-only", "--table=goose_db_version", "--file=-", file)
	if err != nil {
		return 0, fmt.Errorf("reading the archive: %w", err)
	}
	inCopy := false
	for line := range strings.Lines(rows.String()) {
		line = strings.TrimSuffix(line, "\n")
		switch columns := strings.Split(line, "\t"); {
		case strings.HasPrefix(line, "COPY "):
			inCopy = strings.Contains(line, "(id, version_id, is_applied, tstamp)")
		case line == `\.`:
			inCopy = false
		case inCopy && len(columns) == 4 && columns[2] == "t":
			applied, err := strconv.ParseInt(columns[1], 10, 64)
			if err != nil {
				return 0, fmt.Errorf("reading the migrations of the archive: %w", err)
			}
			version = max(version, applied)
		}
	}
	return version, nil
}

// runPostgresTool runs a client program of PostgreSQL. The password is in its environment only. The error contains
// what the program has written to its standard error.
func runPostgresTool(ctx context.Context, db *DB, out any, name string, args ...string) error {
	command := exec.CommandContext(ctx, name, args...)
	command.Env = append(os.Environ(), "PGPASSWORD="+db.postgres.Password)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	switch out := out.(type) {
	case *os.File:
		command.Stdout = out
	case *bytes.Buffer:
		command.Stdout = out
	}
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, strings.Join(strings.Fields(stderr.String()), " "))
	}
	return nil
}

// libpqURL returns the URL of the database for PostgreSQL's own programs, without the password and without options that
// they do not know. login replaces the user if it is not "".
func libpqURL(db *DB, login string) string {
	u := &url.URL{}
	if parsed, err := dburl.ParseHosts(db.postgres.ConnString()); err == nil {
		u = parsed
	}
	query := url.Values{}
	for _, name := range []string{
		"sslmode", "sslcert", "sslkey", "sslrootcert", "channel_binding", "connect_timeout",
		"host", "port", "dbname", "user", "options",
	} {
		if values := u.Query()[name]; len(values) > 0 {
			query[name] = values
		}
	}
	if strings.Contains(u.Host+query.Get("host"), ",") {
		query.Set("target_session_attrs", "read-write") // not a standby, as everywhere in this program
	}
	u.User = url.User(db.postgres.User)
	if login != "" {
		u.User = url.User(login)
		query.Del("user")
	}
	u.RawQuery = query.Encode()
	return u.String()
}

func shellQuote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
