package auth

import (
	"net/http"
	"net/url"
	"strings"

	"errand/internal/apperr"
	"errand/internal/config"
)

// MetadataPath is the well-known path of protected resource metadata (RFC 9728 section 3). The path of the
// resource is appended to it.
const MetadataPath = "/.well-known/oauth-protected-resource"

// ProtectedResource is a path that requires OAuth tokens. It provides the metadata and the WWW-Authenticate
// challenges by which clients find the authorization server.
type ProtectedResource struct {
	publicURL string
	// prefix is the path of publicURL.
	prefix  string
	path    string
	issuers []string
	scopes  []string
}

// NewProtectedResource returns the resource at path, such as "/mcp". Its identifier is PUBLIC_URL with that path;
// tokens should be issued for that audience (AUTH_MCP_AUDIENCE). scopes are the scopes that its operations
// require, if any.
func NewProtectedResource(cfg config.Config, path string, scopes ...string) *ProtectedResource {
	r := &ProtectedResource{publicURL: cfg.Server.PublicURL, prefix: cfg.Server.PathPrefix(), path: path, scopes: scopes}
	if u, err := url.Parse(cfg.Auth.Issuer); err == nil && u.Host != "" {
		r.issuers = []string{cfg.Auth.Issuer}
	}
	return r
}

// MetadataPath returns the path of Metadata on the host of the resource (RFC 9728 section 3.1), which contains the path
// of PUBLIC_URL after the well-known part.
func (r *ProtectedResource) MetadataPath() string { return MetadataPath + r.prefix + r.path }

// MetadataPaths returns all paths at which to serve Metadata: MetadataPath, auth.MetadataPath, and the one that
// challenges name.
func (r *ProtectedResource) MetadataPaths() []string {
	paths := []string{MetadataPath, MetadataPath + r.path}
	if r.prefix != "" {
		paths = append(paths, r.MetadataPath())
	}
	return paths
}

// Metadata returns the handler of the RFC 9728 document. The document is public: pages of any origin may
// read it.
func (r *ProtectedResource) Metadata() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method != http.MethodGet && req.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			writeError(w, http.StatusMethodNotAllowed, apperr.New(apperr.BadUserInput, "Use GET."))
			return
		}
		// Without PUBLIC_URL the response depends on the Host header, so it must not be cached.
		w.Header().Set("Cache-Control", "no-store")
		writeJSON(w, http.StatusOK, r.document(req))
	})
}

type resourceMetadata struct {
	Resource             string   `json:"resource"`
	AuthorizationServers []string `json:"authorization_servers,omitempty"`
	Scopes               []string `json:"scopes_supported,omitempty"`
	BearerMethods        []string `json:"bearer_methods_supported"`
	Name                 string   `json:"resource_name"`
}

func (r *ProtectedResource) document(req *http.Request) resourceMetadata {
	return resourceMetadata{
		Resource:             r.baseURL(req) + r.path,
		AuthorizationServers: r.issuers,
		Scopes:               r.scopes,
		BearerMethods:        []string{"header"},
		Name:                 "Errand",
	}
}

// Challenge returns the WWW-Authenticate header of a 401 response (RFC 6750 section 3, RFC 9728 section 5.1).
// err is why the token was rejected, nil when the request had none.
func (r *ProtectedResource) Challenge(req *http.Request, err error) string {
	challenge := r.challenge(req, r.scopes)
	if err != nil {
		challenge += `, error="invalid_token", error_description=` + quoted(apperr.From(err).Message)
	}
	return challenge
}

// InsufficientScope returns the WWW-Authenticate header of a 403 response (RFC 6750 section 3.1) for a token
// that lacks the scope.
func (r *ProtectedResource) InsufficientScope(req *http.Request, scope string) string {
	return r.challenge(req, []string{scope}) + `, error="insufficient_scope", error_description=` +
		quoted("The token lacks the scope "+scope+".")
}

func (r *ProtectedResource) challenge(req *http.Request, scopes []string) string {
	// Below the path of PUBLIC_URL, since a proxy may lead nothing else of the host to this server.
	challenge := `Bearer realm="errand", resource_metadata=` + quoted(r.baseURL(req)+MetadataPath+r.path)
	if len(scopes) > 0 {
		challenge += `, scope=` + quoted(strings.Join(scopes, " "))
	}
	return challenge
}

// baseURL returns the scheme, host and path prefix under which the client reached the server.
func (r *ProtectedResource) baseURL(req *http.Request) string {
	if r.publicURL != "" {
		return r.publicURL
	}
	scheme := "http"
	if req.TLS != nil || req.URL.Scheme == "https" { // set from what a trusted proxy reports, see package netlimit
		scheme = "https"
	}
	return scheme + "://" + req.Host
}

// quoted returns s as a quoted-string (RFC 9110 section 5.6.4). Characters other than printable ASCII become "?".
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b.WriteRune('\\')
			b.WriteRune(c)
		case c >= ' ' && c <= '~':
			b.WriteRune(c)
		default:
			b.WriteByte('?')
		}
	}
	b.WriteByte('"')
	return b.String()
}
