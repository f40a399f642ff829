package auth

import (
	"net/http"
	"net/url"
	"strings"

	"errand/internal/apperr"
	"errand/internal/config"
)

// MetadataPath is where a protected resource describes itself (RFC 9728 section 3); the
// resource's own path follows it.
const MetadataPath = "/.well-known/oauth-protected-resource"

// ProtectedResource is one protected path as OAuth clients see it: where its tokens come from,
// and what a refusal tells them.
type ProtectedResource struct {
	publicURL string
	path      string
	issuers   []string
	scopes    []string
}

// NewProtectedResource describes the resource at path, such as "/mcp". Its identifier is the
// public URL with that path: have tokens issued for it and name it in AUTH_MCP_AUDIENCE.
// scopes are those that its operations ask for, none when it has none.
func NewProtectedResource(cfg config.Config, path string, scopes ...string) *ProtectedResource {
	r := &ProtectedResource{publicURL: cfg.Server.PublicURL, path: path, scopes: scopes}
	if u, err := url.Parse(cfg.Auth.Issuer); err == nil && u.Host != "" {
		r.issuers = []string{cfg.Auth.Issuer}
	}
	return r
}

// MetadataPath is where Metadata is to be served, beside the bare auth.MetadataPath.
func (r *ProtectedResource) MetadataPath() string { return MetadataPath + r.path }

// Metadata answers with the RFC 9728 document. It holds no secret and any page may read it.
func (r *ProtectedResource) Metadata() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		if req.Method != http.MethodGet && req.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			writeError(w, http.StatusMethodNotAllowed, apperr.New(apperr.BadUserInput, "Use GET."))
			return
		}
		// The answer may be built from the Host header: no cache may keep it for others.
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
		Resource: r.baseURL(req) + r.path, AuthorizationServers: r.issuers, Scopes: r.scopes,
		BearerMethods: []string{"header"}, Name: "Errand",
	}
}

// Challenge is the WWW-Authenticate header for a 401 (RFC 6750 section 3, RFC 9728
// section 5.1). err is why the token was refused, nil when there was none.
func (r *ProtectedResource) Challenge(req *http.Request, err error) string {
	challenge := r.challenge(req, r.scopes)
	if err != nil {
		challenge += `, error="invalid_token", error_description=` + quoted(apperr.From(err).Message)
	}
	return challenge
}

// InsufficientScope is the WWW-Authenticate header for a 403 (RFC 6750 section 3.1):
// the token lacks this scope.
func (r *ProtectedResource) InsufficientScope(req *http.Request, scope string) string {
	return r.challenge(req, []string{scope}) + `, error="insufficient_scope", error_description=` +
		quoted("The token lacks the scope "+scope+".")
}

func (r *ProtectedResource) challenge(req *http.Request, scopes []string) string {
	challenge := `Bearer realm="errand", resource_metadata=` + quoted(r.baseURL(req)+r.MetadataPath())
	if len(scopes) > 0 {
		challenge += `, scope=` + quoted(strings.Join(scopes, " "))
	}
	return challenge
}

// baseURL is the scheme and host under which the client reached us.
func (r *ProtectedResource) baseURL(req *http.Request) string {
	if r.publicURL != "" {
		return r.publicURL
	}
	scheme := "http"
	if req.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + req.Host
}

// quoted writes a quoted-string (RFC 9110 section 5.6.4) of printable ASCII.
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
