package dburl

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// OptionError reports an option that cannot be honoured. It contains the option's name, and no value of the URL.
type OptionError struct {
	// Option is the name of the option.
	Option string
	// Problem is how the option breaks a rule, such as "must be a whole number".
	Problem string
}

// Error implements error.
func (e *OptionError) Error() string {
	return fmt.Sprintf("has the option %s, which %s", e.Option, e.Problem)
}

// translation is the state of the translation of a URL's options.
type translation struct {
	url     *URL
	options map[string]string // the options for the driver
	dropped map[string]bool
}

// translate returns the query for the driver, after applying the options of other clients to u.
func (u *URL) translate(query url.Values) (string, error) {
	t := translation{url: u, options: map[string]string{}, dropped: map[string]bool{}}
	for name, values := range query {
		if !optionName.MatchString(name) {
			return "", ErrPostgresURL // it may be a part of the password
		}
		t.options[name] = values[len(values)-1] // as libpq: the last one
	}
	for _, name := range []string{"password", "sslpassword"} {
		value, set := t.options[name]
		u.addPassword(value, set)
	}
	for _, name := range slices.Sorted(maps.Keys(t.options)) {
		value := t.options[name]
		switch rule, known := rules[name]; {
		case known:
			if problem := rule(&t, name, value); problem != "" {
				return "", &OptionError{Option: name, Problem: problem}
			}
		case dropped[name] || strings.HasPrefix(name, "pool_"):
			t.drop(name)
		}
		// An unknown option is a parameter of the server, which rejects a parameter that it does not know.
	}
	u.Dropped = slices.Sorted(maps.Keys(t.dropped))
	return encode(t.options), nil
}

var optionName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.$]*$`)

// encode encodes the options, sorted by name. A space is %20: PostgreSQL's URLs do not know "+".
func encode(options map[string]string) string {
	parts := make([]string, 0, len(options))
	for _, name := range slices.Sorted(maps.Keys(options)) {
		parts = append(parts, name+"="+strings.ReplaceAll(url.QueryEscape(options[name]), "+", "%20"))
	}
	return strings.Join(parts, "&")
}

// drop removes an option that has no meaning for this program.
func (t *translation) drop(name string) {
	delete(t.options, name)
	t.dropped[name] = true
}

// replace replaces an option by another, which wins if it is set too.
func (t *translation) replace(name, by, value string) {
	delete(t.options, name)
	if _, set := t.options[by]; !set {
		t.options[by] = value
	}
}

// rule applies an option, and returns the problem with it or "".
type rule func(t *translation, name, value string) (problem string)

// dropped are options of other clients that have no meaning for this program: sizes and timeouts of pools,
// statement caches, and switches of drivers.
var dropped = set(
	// node-postgres, postgres.js
	"uselibpqcompat", "query_timeout", "max", "min", "idleTimeoutMillis", "connectionTimeoutMillis", "idle_timeout",
	"max_lifetime", "allowExitOnIdle", "max_pipeline", "fetch_types", "backoff",
	// Prisma and Supabase
	"pool_timeout", "socket_timeout", "max_connection_lifetime", "max_idle_connection_lifetime", "workaround", "supa",
	// SQLAlchemy, asyncpg, Django, Rails
	"max_overflow", "pool", "async_fallback", "prepared_statement_name_func", "command_timeout", "timeout",
	"max_cached_statement_lifetime", "max_cacheable_statement_size", "conn_max_age", "conn_health_checks",
	"checkout_timeout", "reaping_frequency", "variables", "encoding", "adapter", "reconnect",
	// JDBC, Npgsql
	"socketTimeout", "loginTimeout", "tcpKeepAlive", "binaryTransfer", "binaryTransferEnable", "binaryTransferDisable",
	"reWriteBatchedInserts", "stringtype", "autosave", "defaultRowFetchSize", "preparedStatementCacheQueries",
	"preparedStatementCacheSizeMiB", "databaseMetadataCacheFields", "loadBalanceHosts", "hostRecheckSeconds",
	"cancelSignalTimeout", "loggerLevel", "loggerFile", "assumeMinServerVersion", "readOnlyMode", "serverTimezone",
	// libpq
	"sslcompression", "gsslib", "gssdelegation", "load_balance_hosts", "tty", "authtype",
)

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, name := range names {
		m[name] = true
	}
	return m
}

// rules are the options that are checked or translated.
var rules = map[string]rule{
	"sslmode":              sslMode,
	"ssl":                  sslSwitch,
	"useSSL":               sslSwitch,
	"requiressl":           sslSwitch,
	"sslaccept":            sslAccept,
	"sslrootcert":          file("system"),
	"sslcert":              file(),
	"sslkey":               file(),
	"channel_binding":      oneOf("disable", "prefer", "require"),
	"sslnegotiation":       oneOf("postgres", "direct"),
	"target_session_attrs": sessionAttrs,
	"targetServerType":     targetServerType,
	"gssencmode":           gssEncryption,
	"gssEncMode":           gssEncryption,
	"connect_timeout":      wholeNumber,
	"connectTimeout":       func(t *translation, n, v string) string { return seconds(t, n, v, "connect_timeout") },

	"keepalives":          keepAlives,
	"keepalives_idle":     keepAlives,
	"keepalives_interval": keepAlives,
	"keepalives_count":    keepAlives,
	"tcp_user_timeout":    keepAlives,

	"schema":                    searchPath,
	"currentSchema":             searchPath,
	"ApplicationName":           applicationName,
	"fallback_application_name": applicationName,
	"client_encoding":           clientEncoding,
	"charset":                   clientEncoding,
	"ssl_min_protocol_version":  minProtocol,

	"connection_limit": poolSize,
	"pool_max_conns":   poolSize,
	"pool_size":        poolSize,
	"maximumPoolSize":  poolSize,

	"pgbouncer":                     transactionPooler,
	"prepared_statements":           preparedStatements,
	"statement_cache_size":          preparedStatements,
	"prepared_statement_cache_size": preparedStatements,
	"prepareThreshold":              preparedStatements,
	"prepare_threshold":             preparedStatements,
	"prepare":                       preparedStatements,

	"hostaddr":                 refuse("is not supported: put the address in the place of the host"),
	"replication":              refuse("is for replication connections"),
	"requirepeer":              refuse("is not supported, and would be less secure if it were ignored"),
	"sslcrl":                   refuse("is not supported, and would be less secure if it were ignored"),
	"sslcrldir":                refuse("is not supported, and would be less secure if it were ignored"),
	"sslidentity":              refuse("is not supported: use sslcert and sslkey with PEM files"),
	"sslfactory":               refuse("is not supported: use sslmode and sslrootcert"),
	"sslhostnameverifier":      refuse("is not supported: use sslmode=verify-full"),
	"ssl_max_protocol_version": refuse("is not supported: the newest common version is used"),
	"sslkeylogfile":            refuse("would write the keys of the connection to a file"),
}

func refuse(problem string) rule { return func(*translation, string, string) string { return problem } }

func oneOf(allowed ...string) rule {
	return func(_ *translation, _, value string) string {
		if slices.Contains(allowed, value) {
			return ""
		}
		return "must be " + list(allowed)
	}
}

func list(allowed []string) string {
	if len(allowed) == 1 {
		return allowed[0]
	}
	return strings.Join(allowed[:len(allowed)-1], ", ") + " or " + allowed[len(allowed)-1]
}

func wholeNumber(_ *translation, _, value string) string {
	if n, err := strconv.Atoi(value); err != nil || n < 0 {
		return "must be a whole number"
	}
	return ""
}

// seconds replaces an option of JDBC with a number of seconds.
func seconds(t *translation, name, value, by string) string {
	problem := wholeNumber(t, name, value)
	t.replace(name, by, value)
	return problem
}

// file checks that the option names a readable file, or is one of the words.
func file(words ...string) rule {
	return func(_ *translation, _, value string) string {
		if value == "" || slices.Contains(words, value) {
			return ""
		}
		f, err := os.Open(value)
		if err != nil {
			return "names a file that cannot be read"
		}
		_ = f.Close()
		return ""
	}
}

var sslModes = []string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}

// sslMode checks sslmode. node-postgres' no-verify is PostgreSQL's require.
func sslMode(t *translation, name, value string) string {
	if value == "no-verify" {
		t.options[name] = "require"
		return ""
	}
	return oneOf(sslModes...)(t, name, value)
}

// sslSwitch translates a switch, or an SSL mode in its place.
func sslSwitch(t *translation, name, value string) string {
	mode := value
	switch value = strings.ToLower(value); value {
	case "", "true", "1", "on", "yes", "no-verify":
		mode = "require"
	case "false", "0", "off", "no":
		if name == "requiressl" {
			t.drop(name)
			return ""
		}
		mode = "disable"
	default:
		if !slices.Contains(sslModes, value) {
			return "must be true, false or a value of sslmode"
		}
	}
	t.replace(name, "sslmode", mode)
	return ""
}

// sslAccept translates Prisma's option: strict verifies the certificate.
func sslAccept(t *translation, name, value string) string {
	switch value {
	case "strict":
		delete(t.options, name)
		t.options["sslmode"] = "verify-full"
	case "accept_invalid_certs":
		t.replace(name, "sslmode", "require")
	default:
		return "must be strict or accept_invalid_certs"
	}
	return ""
}

func gssEncryption(t *translation, name, value string) string {
	if value == "require" {
		return "requires GSS encryption, which is not supported: use sslmode"
	}
	t.drop(name)
	return ""
}

const needsWrites = "selects a server without writes, but this program writes"

func sessionAttrs(t *translation, name, value string) string {
	switch value {
	case "read-only", "standby", "prefer-standby":
		return needsWrites
	default:
		return oneOf("any", "read-write", "primary")(t, name, value)
	}
}

// targetServerType translates JDBC's option.
func targetServerType(t *translation, name, value string) string {
	switch value {
	case "primary", "master", "preferPrimary":
		t.replace(name, "target_session_attrs", "read-write")
	case "any":
		t.drop(name)
	default:
		return needsWrites
	}
	return ""
}

// keepAlives translates libpq's options of the TCP connection. Zero means the default of the system.
func keepAlives(t *translation, name, value string) string {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > 1<<30 {
		return "must be a whole number"
	}
	delete(t.options, name)
	k := &t.url.KeepAlive
	switch name {
	case "keepalives":
		k.Disabled = n == 0
	case "keepalives_idle":
		k.Config.Idle = time.Duration(n) * time.Second
	case "keepalives_interval":
		k.Config.Interval = time.Duration(n) * time.Second
	case "keepalives_count":
		k.Config.Count = n
	case "tcp_user_timeout":
		k.UserTimeout = time.Duration(n) * time.Millisecond
	}
	return ""
}

// searchPath translates the schema of Prisma and JDBC. The schema public is where PostgreSQL looks anyway, and
// poolers reject the parameter.
func searchPath(t *translation, name, value string) string {
	switch {
	case value == "":
		return "names no schema"
	case value == "public":
		t.drop(name)
	case name == "schema": // one name, as it is written
		t.replace(name, "search_path", `"`+strings.ReplaceAll(value, `"`, `""`)+`"`)
	default:
		t.replace(name, "search_path", value)
	}
	return ""
}

func applicationName(t *translation, name, value string) string {
	t.replace(name, "application_name", value)
	return ""
}

// clientEncoding accepts UTF-8, which the driver uses.
func clientEncoding(t *translation, name, value string) string {
	switch strings.ToLower(strings.Trim(value, `"'`)) {
	case "utf8", "utf-8", "unicode", "auto", "utf8mb4":
		t.drop(name)
		return ""
	default:
		return "must be UTF8"
	}
}

// minProtocol accepts the versions that are required anyway.
func minProtocol(t *translation, name, value string) string {
	switch value {
	case "TLSv1", "TLSv1.0", "TLSv1.1", "TLSv1.2":
		t.drop(name)
		return ""
	default:
		return "must be TLSv1.2 or lower"
	}
}

func poolSize(t *translation, name, value string) string {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > 1000 {
		return "must be a whole number from 1 to 1000"
	}
	delete(t.options, name)
	t.url.MaxConns = n
	return ""
}

func transactionPooler(t *translation, name, value string) string {
	delete(t.options, name)
	switch strings.ToLower(value) {
	case "true", "1", "yes", "on", "":
		t.url.NoPreparedStatements = true
	case "false", "0", "no", "off":
	default:
		return "must be true or false"
	}
	return ""
}

// preparedStatements translates a switch or the size of a cache, where zero is off.
func preparedStatements(t *translation, name, value string) string {
	t.drop(name)
	switch strings.ToLower(value) {
	case "false", "0", "off", "no", "none":
		t.url.NoPreparedStatements = true
	}
	return ""
}
