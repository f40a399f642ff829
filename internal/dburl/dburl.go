// Package dburl parses database URLs: PostgreSQL's and SQLite's, also in the forms and with the options of other
// clients, such as Prisma, node-postgres, psycopg, SQLAlchemy and JDBC. An option of another client is translated,
// dropped where it has no meaning for this program, or rejected by its name.
package dburl

import (
	"errors"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"

	"errand/internal/secret"
)

// Errors of Parse. Like those for options, they contain no value of the URL, which may hold a password.
var (
	// ErrScheme is returned for a URL of no known database.
	ErrScheme = errors.New("does not start with sqlite: or postgres://")
	// ErrSQLitePath is returned for a SQLite URL that names no file.
	ErrSQLitePath = errors.New("is not the path of an SQLite file (without options, not in memory)")
	// ErrPostgresURL is returned for a malformed PostgreSQL URL.
	ErrPostgresURL = errors.New("is not a valid URL (percent-encode special characters in the password)")
)

// URL is a parsed database URL. Exactly one of SQLitePath and Postgres is set.
type URL struct {
	// SQLitePath is the path of the SQLite file, relative to the working directory or absolute.
	SQLitePath string
	// Postgres is the URL for the driver. It has only options that the driver or the server knows, or that no
	// known client has.
	Postgres secret.String
	// Redacted is the URL without password and options.
	Redacted string
	// Passwords are the secrets in the URL: the user's password and those among the options.
	Passwords []secret.String

	// MaxConns is the size of the connection pool that the URL requests, 0 for none.
	MaxConns int
	// NoPreparedStatements means that the URL forbids prepared statements, as for a pooler in transaction mode.
	NoPreparedStatements bool
	// KeepAlive are the TCP keep-alive settings of the URL.
	KeepAlive KeepAlive
	// Dropped are the names of the options that were dropped, sorted.
	Dropped []string
}

// KeepAlive are TCP keep-alive settings; a zero field means the default of the program.
type KeepAlive struct {
	// Disabled means that the URL has keepalives=0.
	Disabled bool
	// Config are the time without traffic before the first probe, the interval and the number of probes.
	Config net.KeepAliveConfig
	// UserTimeout is how long sent data may remain unacknowledged.
	UserTimeout time.Duration
}

// Parse parses a database URL.
func Parse(raw string) (URL, error) {
	scheme, rest, found := strings.Cut(raw, ":")
	// SQLAlchemy adds the name of its driver, as in postgresql+asyncpg.
	database, driver, hasDriver := strings.Cut(strings.ToLower(scheme), "+")
	if !found || hasDriver && !driverName.MatchString(driver) {
		return URL{}, ErrScheme
	}
	switch database {
	case "sqlite", "sqlite3":
		return parseSQLite(rest)
	case "postgres", "postgresql", "postgis", "psql":
		return parsePostgres(raw)
	default:
		return URL{}, ErrScheme
	}
}

var driverName = regexp.MustCompile(`^[a-z0-9_]+$`)

// windowsPath matches a path with a drive after the slash that ends a URL's empty host.
var windowsPath = regexp.MustCompile(`^/[A-Za-z]:[/\\]`)

// parseSQLite parses the part after "sqlite:". Three slashes are an empty host and an absolute path, as in every URL,
// unless the path begins with a dot: SQLAlchemy writes sqlite:///./file for a relative path and sqlite:////file for an
// absolute one.
func parseSQLite(rest string) (URL, error) {
	path := strings.TrimPrefix(rest, "//")
	switch {
	case strings.HasPrefix(path, "/./"), strings.HasPrefix(path, "/../"), strings.HasPrefix(path, "//"),
		windowsPath.MatchString(path):
		path = path[1:]
	}
	if path == "" || path == "/" || strings.HasPrefix(path, "file:") || strings.Contains(path, "?") ||
		strings.Contains(path, ":memory:") {
		return URL{}, ErrSQLitePath
	}
	return URL{SQLitePath: path, Redacted: "sqlite:" + path}, nil
}

// ParseHosts parses a PostgreSQL URL that may name several hosts, which net/url does not know. The hosts of the result
// are all in its Host.
func ParseHosts(raw string) (*url.URL, error) {
	_, rest, _ := strings.Cut(raw, ":")
	rest, ok := strings.CutPrefix(rest, "//")
	if !ok {
		return nil, ErrPostgresURL
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, rest := rest[:end], rest[end:]
	at := strings.LastIndex(authority, "@") + 1
	userinfo, hosts := authority[:at], authority[at:]
	if !validHosts(hosts) {
		return nil, ErrPostgresURL
	}
	u, err := url.Parse("postgres://" + userinfo + "host" + rest)
	// An @ further behind means that the password has a character that ends it, and its rest must not be shown.
	if err != nil || strings.Contains(u.EscapedPath(), "@") || strings.Contains(rest, "#") {
		return nil, ErrPostgresURL
	}
	u.Host = hosts
	return u, nil
}

// parsePostgres parses a PostgreSQL URL.
func parsePostgres(raw string) (URL, error) {
	u, err := ParseHosts(raw)
	if err != nil {
		return URL{}, err
	}
	result := URL{Redacted: "postgres://" + redactedUser(u) + u.Host + u.EscapedPath()}
	result.addPassword(u.User.Password())
	query, err := result.translate(u.Query())
	if err != nil {
		return URL{}, err
	}
	userinfo := ""
	if u.User != nil {
		userinfo = u.User.String() + "@"
	}
	full := "postgres://" + userinfo + u.Host + u.EscapedPath()
	if query != "" {
		full += "?" + query
	}
	result.Postgres = secret.New(full)
	return result, nil
}

func (u *URL) addPassword(password string, set bool) {
	if set && password != "" {
		u.Passwords = append(u.Passwords, secret.New(password))
	}
}

func redactedUser(u *url.URL) string {
	if name := u.User.Username(); name != "" {
		return url.User(name).String() + "@"
	}
	return ""
}

var hostPattern = regexp.MustCompile(`^(\[[0-9A-Fa-f:.%]+\]|[^\[\]:@\s\\]*)(:[0-9]{0,5})?$`)

// validHosts reports whether hosts is a list of hosts with optional ports, separated by commas.
func validHosts(hosts string) bool {
	for host := range strings.SplitSeq(hosts, ",") {
		if !hostPattern.MatchString(host) {
			return false
		}
	}
	return true
}
