package config

import (
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Introspection says when the GraphQL schema may be asked for.
type Introspection string

// The introspection modes.
const (
	// IntrospectionAuto is on in development and off in production.
	IntrospectionAuto Introspection = "auto"
	IntrospectionOn   Introspection = "on"
	IntrospectionOff  Introspection = "off"
)

// AdminOff as ADMIN_ADDR opens no admin listener.
const AdminOff = "off"

// Server is the listeners and what they show.
type Server struct {
	// Addr is the host:port of the public listener; port 0 takes a free one.
	Addr string `env:"ADDR" envDefault:"127.0.0.1:8080"`
	// AdminAddr is the host:port of metrics and pprof, or AdminOff.
	AdminAddr string `env:"ADMIN_ADDR" envDefault:"127.0.0.1:8090"`
	// PublicURL is the scheme and host under which clients reach the server, without
	// a trailing slash; "" when it is to be taken from each request.
	PublicURL string `env:"PUBLIC_URL"`
	// LogLevel is the least level that is logged.
	LogLevel slog.Level `env:"LOG_LEVEL" envDefault:"info"`
	// CORSOrigins are the foreign origins whose pages may call, or "*". See OriginAllowed.
	CORSOrigins []string `env:"CORS_ALLOWED_ORIGINS"`
	// ShutdownTimeout bounds a graceful stop, 100ms to 5m.
	ShutdownTimeout time.Duration `env:"SHUTDOWN_TIMEOUT" envDefault:"10s"`
	// Introspection is read through Config.IntrospectionEnabled.
	Introspection Introspection `env:"INTROSPECTION" envDefault:"auto"`
	// PersistedQueriesFile lists the only operations that may run; "" allows all.
	PersistedQueriesFile string `env:"PERSISTED_QUERIES_FILE"`
}

// IntrospectionEnabled resolves the auto mode.
func (c Config) IntrospectionEnabled() bool {
	if c.Server.Introspection == IntrospectionAuto {
		return c.Environment == Development
	}
	return c.Server.Introspection == IntrospectionOn
}

// OriginAllowed says whether a page of this origin (the Origin header's value) may
// call from another origin: when listed, or any loopback origin in development.
func (c Config) OriginAllowed(origin string) bool {
	if slices.Contains(c.Server.CORSOrigins, "*") {
		return true
	}
	clean, ok := parseOrigin(origin)
	if !ok {
		return false
	}
	if slices.Contains(c.Server.CORSOrigins, clean) {
		return true
	}
	return c.Environment == Development && IsLoopbackOrigin(origin)
}

// IsLoopbackHost says whether a host name or address without port means this
// machine: "localhost" or an address in 127.0.0.0/8 or ::1. Other names never do,
// wherever they resolve: that is what DNS rebinding plays with.
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

// IsLoopbackAddr is IsLoopbackHost for a host:port.
func IsLoopbackAddr(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	return err == nil && IsLoopbackHost(host)
}

// IsLoopbackOrigin says whether an Origin header names a page of this machine.
func IsLoopbackOrigin(origin string) bool {
	clean, ok := parseOrigin(origin)
	if !ok {
		return false
	}
	u, err := url.Parse(clean)
	return err == nil && IsLoopbackHost(u.Hostname())
}

func (s *Server) normalize() {
	lower(&s.Introspection)
	if strings.EqualFold(s.AdminAddr, AdminOff) {
		s.AdminAddr = AdminOff
	}
	s.PublicURL = strings.TrimRight(s.PublicURL, "/")
	for i, origin := range s.CORSOrigins {
		s.CORSOrigins[i] = strings.TrimRight(strings.ToLower(strings.TrimSpace(origin)), "/")
	}
}

func (s *Server) validate(f *Errors) {
	validateAddr(f, "ADDR", s.Addr)
	if s.AdminAddr != AdminOff {
		validateAddr(f, "ADMIN_ADDR", s.AdminAddr)
		if s.AdminAddr == s.Addr && !strings.HasSuffix(s.Addr, ":0") {
			f.add("ADMIN_ADDR", "is the same as ADDR", "another host:port, or off")
		}
	}
	if _, ok := parseOrigin(s.PublicURL); s.PublicURL != "" && !ok {
		f.add("PUBLIC_URL", "is not a scheme and host alone", "such as https://errand.example.com")
	}
	for _, origin := range s.CORSOrigins {
		if _, ok := parseOrigin(origin); origin != "*" && !ok {
			f.add("CORS_ALLOWED_ORIGINS", "holds something that is not an origin",
				"a comma-separated list such as https://app.example.com,http://localhost:3000, or *")
		}
	}
	between(f, "SHUTDOWN_TIMEOUT", s.ShutdownTimeout, 100*time.Millisecond, 5*time.Minute)
	oneOf(f, "INTROSPECTION", s.Introspection, IntrospectionAuto, IntrospectionOn, IntrospectionOff)
	validateFile(f, "PERSISTED_QUERIES_FILE", s.PersistedQueriesFile)
}

// parseOrigin returns the origin in lower case if the text is one: scheme, host, perhaps a port.
func parseOrigin(text string) (string, bool) {
	u, err := url.Parse(strings.ToLower(text))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", false
	}
	clean := u.Scheme + "://" + u.Host
	return clean, clean == strings.ToLower(text)
}

func validateAddr(f *Errors, name, addr string) {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		f.add(name, "is not a host and port", "such as 127.0.0.1:8080, or :8080 for every interface")
	}
}

func validateFile(f *Errors, name, path string) {
	if path == "" {
		return
	}
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		f.add(name, "names no readable file", "the path of a file")
	}
}
