package config

import (
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"errand/internal/secret"
)

// Introspection is when GraphQL introspection is allowed.
type Introspection string

// The introspection modes.
const (
	// IntrospectionAuto is on in development and off in production.
	IntrospectionAuto Introspection = "auto"
	IntrospectionOn   Introspection = "on"
	IntrospectionOff  Introspection = "off"
)

// Playground is when the playground is served.
type Playground string

// The playground modes.
const (
	// PlaygroundAuto serves it in development, and in production where introspection is allowed: it needs the schema.
	PlaygroundAuto Playground = "auto"
	PlaygroundOn   Playground = "on"
	PlaygroundOff  Playground = "off"
)

// AdminOff is the value of ADMIN_ADDR that disables the admin listener.
const AdminOff = "off"

// LogFormat is the format of the log.
type LogFormat string

// The formats of the log.
const (
	// LogAuto is text on a terminal and JSON otherwise.
	LogAuto LogFormat = "auto"
	LogJSON LogFormat = "json"
	LogText LogFormat = "text"
)

// Server are the settings of the listeners.
type Server struct {
	// Addr is the host:port of the public listener; port 0 means a free port.
	Addr string `env:"ADDR" envDefault:"127.0.0.1:8080"`
	// AdminAddr is the host:port of the listener for metrics and, on loopback, pprof; or AdminOff.
	AdminAddr string `env:"ADMIN_ADDR" envDefault:"127.0.0.1:8090"`
	// AdminHosts are additional host names, without port and in lower case, under which the admin listener is reached.
	AdminHosts []string `env:"ADMIN_HOSTS"`
	// PublicURL is the scheme, host and path, if any, under which clients reach the server, without a trailing slash;
	// "" means that it is derived from each request. See PublicOrigin and PathPrefix.
	PublicURL string `env:"PUBLIC_URL"`
	// LogLevel is the lowest level that is logged.
	LogLevel slog.Level `env:"LOG_LEVEL" envDefault:"info"`
	// LogFormat is the format of the log.
	LogFormat LogFormat `env:"LOG_FORMAT" envDefault:"auto"`
	// CORSOrigins are the other origins whose pages may send requests, or "*". See OriginAllowed.
	CORSOrigins []string `env:"CORS_ALLOWED_ORIGINS"`
	// ShutdownTimeout is the maximum duration of a graceful shutdown, 100ms to 5m.
	ShutdownTimeout time.Duration `env:"SHUTDOWN_TIMEOUT" envDefault:"10s"`
	// Introspection is when introspection is allowed; see Config.IntrospectionEnabled.
	Introspection Introspection `env:"INTROSPECTION" envDefault:"auto"`
	// Playground is when the playground is served; see Config.PlaygroundEnabled.
	Playground Playground `env:"PLAYGROUND" envDefault:"auto"`
	// PersistedQueriesFile is the path of the list of the only allowed operations; "" allows all.
	PersistedQueriesFile string `env:"PERSISTED_QUERIES_FILE"`
}

// IntrospectionEnabled reports whether introspection is allowed in this environment.
func (c Config) IntrospectionEnabled() bool {
	if c.Server.Introspection == IntrospectionAuto {
		return c.Environment == Development
	}
	return c.Server.Introspection == IntrospectionOn
}

// PlaygroundEnabled reports whether the playground is served in this environment.
func (c Config) PlaygroundEnabled() bool {
	if c.Server.Playground == PlaygroundAuto {
		return c.Environment == Development || c.IntrospectionEnabled()
	}
	return c.Server.Playground == PlaygroundOn
}

// OriginAllowed reports whether pages of this origin (the value of an Origin header) may send requests: listed origins,
// that of PUBLIC_URL, and in development every loopback origin. "*" includes the opaque origin null.
func (c Config) OriginAllowed(origin string) bool {
	if slices.Contains(c.Server.CORSOrigins, "*") {
		return true
	}
	if slices.Contains(c.Server.CORSOrigins, strings.ToLower(origin)) {
		return true
	}
	clean, ok := parseOrigin(origin)
	if !ok {
		return false
	}
	return clean == c.Server.PublicOrigin() || c.Environment == Development && IsLoopbackOrigin(origin)
}

// IsLoopbackHost reports whether a host name or address without port is this machine: "localhost" or an address
// in 127.0.0.0/8 or ::1. Other names are not, even if they resolve to loopback, which prevents DNS rebinding.
func IsLoopbackHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		host = strings.TrimSuffix(inner, "]")
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// IsLoopbackAddr reports whether the host of a host:port is this machine. See IsLoopbackHost.
func IsLoopbackAddr(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	return err == nil && IsLoopbackHost(host)
}

// IsLoopbackOrigin reports whether the value of an Origin header is an origin on this machine.
func IsLoopbackOrigin(origin string) bool {
	clean, ok := parseOrigin(origin)
	if !ok {
		return false
	}
	u, err := url.Parse(clean)
	return err == nil && IsLoopbackHost(u.Hostname())
}

func (s *Server) normalize() {
	lower(&s.LogFormat)
	lower(&s.Introspection)
	lower(&s.Playground)
	if strings.EqualFold(s.AdminAddr, AdminOff) {
		s.AdminAddr = AdminOff
	}
	for i, host := range s.AdminHosts {
		s.AdminHosts[i] = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(host)), ".")
	}
	s.PublicURL = strings.TrimRight(s.PublicURL, "/")
	if origin, path, ok := splitURL(s.PublicURL); ok {
		s.PublicURL = origin + path
	}
	for i, origin := range s.CORSOrigins {
		s.CORSOrigins[i] = strings.TrimRight(strings.ToLower(strings.TrimSpace(origin)), "/")
	}
}

func (s *Server) validate(errs *Errors) {
	validateAddr(errs, "ADDR", s.Addr)
	if s.AdminAddr != AdminOff {
		validateAddr(errs, "ADMIN_ADDR", s.AdminAddr)
		if s.AdminAddr == s.Addr && !strings.HasSuffix(s.Addr, ":0") {
			errs.add("ADMIN_ADDR", "is the same as ADDR", "another host:port, or off")
		}
	}
	for _, host := range s.AdminHosts {
		if !hostName.MatchString(host) {
			errs.add("ADMIN_HOSTS", "contains an item that is not a host name", "a comma-separated list such as "+
				"errand-1.internal,metrics.example.com, without ports")
		}
	}
	s.validatePublicURL(errs)
	for _, origin := range s.CORSOrigins {
		if origin != "*" && !isPageOrigin(origin) {
			errs.add("CORS_ALLOWED_ORIGINS", "contains an item that is not an origin",
				"a comma-separated list such as https://app.example.com,http://localhost:3000, or *")
		}
	}
	validateRange(errs, "SHUTDOWN_TIMEOUT", s.ShutdownTimeout, 100*time.Millisecond, 5*time.Minute)
	validateOneOf(errs, "LOG_FORMAT", s.LogFormat, LogAuto, LogJSON, LogText)
	validateOneOf(errs, "INTROSPECTION", s.Introspection, IntrospectionAuto, IntrospectionOn, IntrospectionOff)
	validateOneOf(errs, "PLAYGROUND", s.Playground, PlaygroundAuto, PlaygroundOn, PlaygroundOff)
	validateFile(errs, "PERSISTED_QUERIES_FILE", s.PersistedQueriesFile)
}

// publicPath is the form of the path of PUBLIC_URL: what servers, proxies and browsers all leave as it is.
var publicPath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$`)

// ownPaths are the first segments of paths of the server, with which the path of PUBLIC_URL must not begin.
var ownPaths = []string{"graphql", "playground", "mcp", "health", "livez", "auth"}

func (s *Server) validatePublicURL(errs *Errors) {
	if s.PublicURL == "" {
		return
	}
	_, path, ok := splitURL(s.PublicURL)
	if !ok || !publicPath.MatchString(path) {
		errs.add("PUBLIC_URL", "is not a URL of scheme, host and a plain path",
			"such as https://errand.example.com or https://example.com/errand")
		return
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if slices.Contains(ownPaths, first) {
		errs.add("PUBLIC_URL", "has a path that begins with one of the server's own paths",
			"the URL of the server, without /"+first)
	}
}

// PublicOrigin returns the scheme and host of PUBLIC_URL, "" if it is not set.
func (s Server) PublicOrigin() string {
	origin, _, _ := splitURL(s.PublicURL)
	return origin
}

// PathPrefix returns the path of PUBLIC_URL, such as "/errand", "" if it has none.
func (s Server) PathPrefix() string {
	_, path, _ := splitURL(s.PublicURL)
	return path
}

// splitURL returns the origin, in lower case, and the path of an http or https URL without other parts.
func splitURL(text string) (origin, path string, ok bool) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "", "", false
	}
	origin, ok = parseOrigin(u.Scheme + "://" + u.Host)
	return origin, u.EscapedPath(), ok && strings.EqualFold(origin+u.EscapedPath(), text)
}

// appSchemes are the schemes of pages that are not served over HTTP: those of mobile and desktop applications and of
// browser extensions.
var appSchemes = []string{
	"capacitor", "ionic", "tauri", "vscode-webview", "chrome-extension", "moz-extension", "safari-web-extension",
}

// isPageOrigin reports whether the text, in lower case, is an origin of pages: as of parseOrigin, or with one of
// appSchemes.
func isPageOrigin(text string) bool {
	if scheme, rest, ok := strings.Cut(text, "://"); ok && slices.Contains(appSchemes, scheme) {
		text = "http://" + rest
	}
	_, ok := parseOrigin(text)
	return ok
}

// parseOrigin returns the text in lower case if it is an origin: scheme, host and optional port.
func parseOrigin(text string) (string, bool) {
	u, err := url.Parse(strings.ToLower(text))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", false
	}
	clean := u.Scheme + "://" + u.Host
	return clean, clean == strings.ToLower(text)
}

func validateAddr(errs *Errors, name, addr string) {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		errs.add(name, "is not a host and port", "host:port, such as 127.0.0.1:8080, or :8080 for all interfaces")
	}
}

func validateFile(errs *Errors, name, path string) {
	if path == "" {
		return
	}
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		errs.add(name, "is not the path of a readable file", "the path of a regular file")
	}
}

// Replicas are the settings of a server that runs beside others on one database.
type Replicas struct {
	// ReplicaName is the server's name in logs and leases; "" means a random one.
	ReplicaName string `env:"REPLICA_NAME"`
	// NATSURL makes NATS the event bus between replicas; unset means PostgreSQL. It holds one address or
	// several separated by commas, possibly with a password.
	NATSURL secret.String `env:"NATS_URL"`
}

var (
	replicaName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	hostName    = regexp.MustCompile(`^[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9_])?$`)
)

func (r *Replicas) validate(errs *Errors) {
	if r.ReplicaName != "" && !replicaName.MatchString(r.ReplicaName) {
		errs.add("REPLICA_NAME", "is not a valid name", "1 to 64 letters, digits, dots, dashes or underscores")
	}
	if !r.NATSURL.IsSet() {
		return
	}
	for address := range strings.SplitSeq(r.NATSURL.Reveal(), ",") {
		u, err := url.Parse(strings.TrimSpace(address))
		if err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
			errs.add("NATS_URL", "is not a list of NATS server URLs", "such as nats://host:4222, separated by commas")
		}
	}
}
