package config

import (
	"encoding/json"
	"log/slog"
	"path/filepath"

	"errand/internal/dburl"
	"errand/internal/secret"
)

// Database are the settings of the database.
type Database struct {
	// URL is the address of the database, from DATABASE_URL or its alias.
	URL DatabaseURL `env:"DATABASE_URL" envDefault:"sqlite:./data/errand.db"`
	// NeonURL is the alias. Load copies it to URL.
	NeonURL DatabaseURL `env:"NEON_DATABASE_URL"`
	// DirectURL is an address of the same PostgreSQL database without a pooler, for migrations, LISTEN and session
	// locks. Empty: URL.
	DirectURL DatabaseURL `env:"DATABASE_DIRECT_URL"`
	// MaxConns is the size of the PostgreSQL connection pool, 0 to 1000; 0 means what the URL requests, or four per
	// CPU core.
	MaxConns int `env:"DB_MAX_CONNS" envDefault:"0"`
	// StatementCache caches prepared statements on each connection. Some connection poolers in transaction mode
	// need it off.
	StatementCache bool `env:"DB_STATEMENT_CACHE" envDefault:"true"`
	// RowSecurity is the mode of PostgreSQL's row-level security: auto, on or off.
	RowSecurity RowSecurity `env:"DB_ROW_SECURITY" envDefault:"auto"`
	// Migrate applies pending migrations to a PostgreSQL database at start, like --migrate.
	Migrate bool `env:"MIGRATE" envDefault:"false"`
}

// RowSecurity is the mode of PostgreSQL's row-level security, which isolates users in the database in addition to
// Ent's privacy policies.
type RowSecurity string

// The modes of row-level security.
const (
	// RowSecurityAuto enables it when the database role allows that.
	RowSecurityAuto RowSecurity = "auto"
	// RowSecurityOn makes the server fail to start without it.
	RowSecurityOn RowSecurity = "on"
	// RowSecurityOff disables it.
	RowSecurityOff RowSecurity = "off"
)

const allowedDatabaseURL = "sqlite:PATH or postgres://user:password@host:port/name"

// DatabaseURL is the address of a database. It may contain a password; printed, logged or marshalled it appears
// in the redacted form of String.
type DatabaseURL struct {
	sqlite    string // path of the SQLite file, "" for PostgreSQL
	redacted  string
	full      secret.String
	passwords []secret.String
}

// UnmarshalText implements encoding.TextUnmarshaler. Its errors contain no value of the text.
func (d *DatabaseURL) UnmarshalText(text []byte) error {
	u, err := dburl.Parse(string(text))
	if err != nil {
		return Error{Problem: err.Error(), Allowed: allowedDatabaseURL}
	}
	*d = DatabaseURL{
		sqlite:    u.SQLitePath,
		redacted:  u.Redacted,
		full:      secret.New(string(text)),
		passwords: u.Passwords,
	}
	return nil
}

// IsSet reports whether there is an address.
func (d DatabaseURL) IsSet() bool { return d.full.IsSet() }

// SQLitePath returns the path of the database file; ok is false for PostgreSQL.
func (d DatabaseURL) SQLitePath() (path string, ok bool) { return d.sqlite, d.sqlite != "" }

// Reveal returns the complete URL with its password. Pass it only to the driver.
func (d DatabaseURL) Reveal() string { return d.full.Reveal() }

// String returns the URL without password and options.
func (d DatabaseURL) String() string { return d.redacted }

// GoString implements fmt.GoStringer.
func (d DatabaseURL) GoString() string { return d.redacted }

// MarshalText implements encoding.TextMarshaler.
func (d DatabaseURL) MarshalText() ([]byte, error) { return []byte(d.redacted), nil }

// MarshalJSON implements json.Marshaler.
func (d DatabaseURL) MarshalJSON() ([]byte, error) { return json.Marshal(d.redacted) }

// LogValue implements slog.LogValuer.
func (d DatabaseURL) LogValue() slog.Value { return slog.StringValue(d.redacted) }

// DevKeyPath returns the path of the development signing key: in the directory of the SQLite file, or in ./data
// for PostgreSQL.
func (d Database) DevKeyPath() string {
	dir := "data"
	if path, ok := d.URL.SQLitePath(); ok {
		dir = filepath.Dir(path)
	}
	return filepath.Join(dir, "dev.key")
}

// PrivateFiles returns the paths of the files on this machine that hold user data or secrets: the SQLite file, the
// development key and DotenvFile. Some may not exist.
func (d Database) PrivateFiles() []string {
	files := []string{d.DevKeyPath(), DotenvFile}
	if path, ok := d.URL.SQLitePath(); ok {
		files = append(files, path)
	}
	return files
}

// useAlias replaces DATABASE_URL's default by the alias, if that is set.
func (d *Database) useAlias() {
	if d.NeonURL.IsSet() {
		d.URL = d.NeonURL
	}
}

func (d *Database) validate(errs *Errors) {
	if d.NeonURL.IsSet() && d.NeonURL.Reveal() != d.URL.Reveal() {
		errs.add("NEON_DATABASE_URL", "differs from DATABASE_URL", "only one of the two, or both with the same value")
	}
	if d.DirectURL.IsSet() {
		_, direct := d.DirectURL.SQLitePath()
		_, pooled := d.URL.SQLitePath()
		if direct || pooled {
			errs.add("DATABASE_DIRECT_URL", "and DATABASE_URL are not both PostgreSQL URLs",
				"postgres://user:password@host:port/name, with a PostgreSQL DATABASE_URL")
		}
	}
	validateOneOf(errs, "DB_ROW_SECURITY", d.RowSecurity, RowSecurityAuto, RowSecurityOn, RowSecurityOff)
	validateRange(errs, "DB_MAX_CONNS", d.MaxConns, 0, 1000)
}
