package config

import (
	"encoding/json"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"

	"errand/internal/secret"
)

// Database is where everything is kept.
type Database struct {
	// URL is the database, from DATABASE_URL or its alias.
	URL DatabaseURL `env:"DATABASE_URL" envDefault:"sqlite:./data/errand.db"`
	// NeonURL is the alias; Load has folded it into URL.
	NeonURL DatabaseURL `env:"NEON_DATABASE_URL"`
	// MaxConns is the PostgreSQL pool's size, 0 to 1000; 0 means four per core.
	MaxConns int `env:"DB_MAX_CONNS" envDefault:"0"`
	// StatementCache keeps prepared statements on each connection; a pooler in
	// transaction mode may need it off.
	StatementCache bool `env:"DB_STATEMENT_CACHE" envDefault:"true"`
	// RowSecurity says whether PostgreSQL itself keeps people's rows apart: auto, on or off.
	RowSecurity RowSecurity `env:"DB_ROW_SECURITY" envDefault:"auto"`
	// Migrate brings a PostgreSQL database up to date at start, like --migrate.
	Migrate bool `env:"MIGRATE" envDefault:"false"`
}

// RowSecurity is the use of PostgreSQL's row security as a second wall.
type RowSecurity string

// The modes of row security.
const (
	// RowSecurityAuto uses it where the database's login allows.
	RowSecurityAuto RowSecurity = "auto"
	// RowSecurityOn refuses to start without it.
	RowSecurityOn RowSecurity = "on"
	// RowSecurityOff does without it.
	RowSecurityOff RowSecurity = "off"
)

const allowedDatabaseURL = "sqlite:PATH or postgres://user:password@host:port/name"

// DatabaseURL names a database. It may hold a password: printing, logging or
// marshalling it shows the safe form of String.
type DatabaseURL struct {
	sqlite string // path of the SQLite file, "" for PostgreSQL
	safe   string
	full   secret.String
}

// UnmarshalText implements encoding.TextUnmarshaler. Its errors hold no part of the text.
func (d *DatabaseURL) UnmarshalText(text []byte) error {
	raw := string(text)
	scheme, rest, _ := strings.Cut(raw, ":")
	switch strings.ToLower(scheme) {
	case "sqlite":
		return d.setSQLite(strings.TrimPrefix(rest, "//"))
	case "postgres", "postgresql":
		return d.setPostgres(raw)
	default:
		return Error{Problem: "does not begin with sqlite: or postgres://", Allowed: allowedDatabaseURL}
	}
}

func (d *DatabaseURL) setSQLite(path string) error {
	if path == "" || strings.HasPrefix(path, "file:") || strings.ContainsAny(path, "?#") ||
		strings.Contains(path, ":memory:") {
		return Error{
			Problem:  "is not the path of an SQLite file (no options, not in memory)",
			Allowed: allowedDatabaseURL,
		}
	}
	*d = DatabaseURL{sqlite: path, safe: "sqlite:" + path, full: secret.New("sqlite:" + path)}
	return nil
}

func (d *DatabaseURL) setPostgres(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || !strings.Contains(raw, "://") || u.Opaque != "" {
		return Error{
			Problem:  "is not a valid URL (percent-encode special characters in the password)",
			Allowed: allowedDatabaseURL,
		}
	}
	// Options may hold secrets too (password, sslpassword): none are shown.
	safe := url.URL{Scheme: "postgres", Host: u.Host, Path: u.Path}
	if name := u.User.Username(); name != "" {
		safe.User = url.User(name)
	}
	*d = DatabaseURL{safe: safe.String(), full: secret.New(raw)}
	return nil
}

// IsSet says whether a database is named.
func (d DatabaseURL) IsSet() bool { return d.full.IsSet() }

// SQLitePath is the database file's path; ok is false for PostgreSQL.
func (d DatabaseURL) SQLitePath() (path string, ok bool) { return d.sqlite, d.sqlite != "" }

// Reveal returns the whole URL with its password, for the driver alone.
func (d DatabaseURL) Reveal() string { return d.full.Reveal() }

// String is the URL without password and options.
func (d DatabaseURL) String() string { return d.safe }

// GoString implements fmt.GoStringer.
func (d DatabaseURL) GoString() string { return d.safe }

// MarshalText implements encoding.TextMarshaler.
func (d DatabaseURL) MarshalText() ([]byte, error) { return []byte(d.safe), nil }

// MarshalJSON implements json.Marshaler.
func (d DatabaseURL) MarshalJSON() ([]byte, error) { return json.Marshal(d.safe) }

// LogValue implements slog.LogValuer.
func (d DatabaseURL) LogValue() slog.Value { return slog.StringValue(d.safe) }

// DevKeyPath is where the development signing key is kept: beside the SQLite
// file, so that tokens survive restarts, and in ./data otherwise.
func (d Database) DevKeyPath() string {
	dir := "data"
	if path, ok := d.URL.SQLitePath(); ok {
		dir = filepath.Dir(path)
	}
	return filepath.Join(dir, "dev.key")
}

// useAlias lets the alias take the place of DATABASE_URL's default.
func (d *Database) useAlias() {
	if d.NeonURL.IsSet() {
		d.URL = d.NeonURL
	}
}

func (d *Database) validate(f *Errors) {
	if d.NeonURL.IsSet() && d.NeonURL.Reveal() != d.URL.Reveal() {
		f.add("NEON_DATABASE_URL", "names another database than DATABASE_URL", "only one of the two, or both the same")
	}
	oneOf(f, "DB_ROW_SECURITY", d.RowSecurity, RowSecurityAuto, RowSecurityOn, RowSecurityOff)
	between(f, "DB_MAX_CONNS", d.MaxConns, 0, 1000)
}
