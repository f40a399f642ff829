package server

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"errand/internal/auth"
	"errand/internal/mcp"
	"errand/internal/origin"
	"errand/internal/refusal"
	"errand/internal/signin/httpapi"
	"errand/web"
)

// graphqlPath is the path of the GraphQL endpoint.
const graphqlPath = "/graphql"

// originPolicy returns the rule for pages of other origins, which holds for every path of the public listener.
func (s *Server) originPolicy() *origin.Policy {
	return &origin.Policy{
		Allowed:  s.Config.OriginAllowed,
		Public:   isPublicDocument,
		OnlyOwn:  readsCookies,
		Site:     s.site(),
		Refuse:   s.refuseOrigin,
		Surface:  surfaceOf,
		Refusals: s.refusals,
	}
}

// isPublicDocument reports whether a path has a document that pages of all origins may read: OAuth clients in browsers
// read the metadata before their user has signed in. The signing keys are public too.
func isPublicDocument(path string) bool {
	return path == auth.MetadataPath || strings.HasPrefix(path, auth.MetadataPath+"/") || path == httpapi.JWKSPath
}

// readsCookies reports whether a path has cookies, so that only pages of this server may send requests to it.
func readsCookies(path string) bool { return httpapi.IsPath(path) && path != httpapi.JWKSPath }

// refuseOrigin writes the response to a request of a page whose origin is not allowed, in the format of the path.
func (s *Server) refuseOrigin(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; {
	case path == graphqlPath:
		s.graphql.RefuseOrigin(w, r)
	case path == mcp.Path:
		mcp.RefuseOrigin(w)
	case httpapi.IsPath(path):
		httpapi.RefuseOrigin(w)
	default:
		auth.RefuseOrigin(w)
	}
}

func surfaceOf(path string) refusal.Surface {
	switch {
	case path == graphqlPath:
		return refusal.GraphQL
	case path == mcp.Path:
		return refusal.MCP
	case path == auth.DevSignInPath, httpapi.IsPath(path):
		return refusal.SignIn
	default:
		return refusal.Web
	}
}

// withoutPrefix returns next, which gets the paths of requests without the prefix, the path of PUBLIC_URL. Paths
// without it are left: a proxy may have removed it. Paths with "//", "." or ".." are redirected here, because
// http.ServeMux would redirect to a path without the prefix.
func withoutPrefix(prefix string, next http.Handler) http.Handler {
	if prefix == "" {
		return next
	}
	stripped := http.StripPrefix(prefix, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		clean := cleanPath(r.URL.Path)
		switch {
		case clean != r.URL.Path:
			if !strings.HasPrefix(clean, prefix+"/") {
				clean = prefix + clean
			}
			to := url.URL{Path: clean, RawQuery: r.URL.RawQuery}
			w.Header().Set("Location", to.String())
			w.WriteHeader(http.StatusTemporaryRedirect)
		case r.URL.Path == prefix:
			// The page has relative URLs, which need the slash.
			web.RedirectRelative(w, r, path.Base(prefix)+"/")
		case strings.HasPrefix(r.URL.Path, prefix+"/"):
			stripped.ServeHTTP(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// cleanPath returns the path to which http.ServeMux redirects. Paths that are not absolute are left.
func cleanPath(p string) string {
	if !strings.HasPrefix(p, "/") {
		return p
	}
	clean := path.Clean(p)
	if clean != "/" && (strings.HasSuffix(p, "/") || strings.HasSuffix(p, "/.") || strings.HasSuffix(p, "/..")) {
		clean += "/"
	}
	return clean
}
