package mcp

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"errand/internal/apperr"
	"errand/internal/auth"
	"errand/internal/auth/bearer"
	"errand/internal/config"
)

// Guard decides who may speak to the protocol's path at all. Its fields are all needed,
// except PublicURL.
type Guard struct {
	// Identify verifies a token meant for this path and finds its bearer.
	Identify func(ctx context.Context, token string) (auth.Claims, string, error)
	// Resource writes the challenges.
	Resource *auth.ProtectedResource
	// OriginAllowed says whether pages of a foreign origin may call.
	OriginAllowed func(origin string) bool
	// PublicURL is where clients reach the server when a proxy stands before it, or "".
	PublicURL string
	// BodyBytes is the largest request body.
	BodyBytes int64
}

// Wrap lets through to next what may pass; next finds the caller in the context. The
// token itself goes no further.
func (g Guard) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.hostAllowed(r) {
			refuse(w, http.StatusForbidden, "This server is not known by that host name.")
			return
		}
		origin := r.Header.Get("Origin")
		w.Header().Add("Vary", "Origin")
		if origin != "" && !g.OriginAllowed(origin) && !sameHost(origin, r.Host) {
			refuse(w, http.StatusForbidden, "Pages of this origin may not call.")
			return
		}
		if origin != "" {
			allowPage(w.Header(), origin)
		}
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		caller, ok := g.identify(w, r)
		if !ok || !g.bound(w, r) {
			return
		}
		r.Header.Del("Authorization")
		x := &exchange{ResponseWriter: w, request: r, resource: g.Resource}
		ctx := withCaller(withExchange(r.Context(), x), caller)
		next.ServeHTTP(x, r.WithContext(ctx))
	})
}

// hostAllowed defeats DNS rebinding: on a loopback listener, another name for it is one
// that some page made up. A proxy on this machine brings the public name.
func (g Guard) hostAllowed(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok || !config.IsLoopbackAddr(local.String()) {
		return true
	}
	host := (&url.URL{Host: r.Host}).Hostname()
	if config.IsLoopbackHost(host) {
		return true
	}
	public, err := url.Parse(g.PublicURL)
	return err == nil && public.Host != "" && strings.EqualFold(public.Hostname(), host)
}

func sameHost(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}

// allowPage lets a page of this origin call and read the answer.
func allowPage(h http.Header, origin string) {
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Methods", "POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept, Mcp-Protocol-Version, "+
		sessionHeader+", Mcp-Method, Mcp-Name, Last-Event-ID")
	h.Set("Access-Control-Expose-Headers", "WWW-Authenticate, X-Request-Id, "+sessionHeader)
	h.Set("Access-Control-Max-Age", "7200")
}

func (g Guard) identify(w http.ResponseWriter, r *http.Request) (Caller, bool) {
	token, present, err := bearer.FromHeader(r.Header)
	if err == nil && !present {
		w.Header().Set("WWW-Authenticate", g.Resource.Challenge(r, nil))
		refuse(w, http.StatusUnauthorized, "Sign in first: send a bearer token.")
		return Caller{}, false
	}
	var caller Caller
	if err == nil {
		var claims auth.Claims
		var userID string
		claims, userID, err = g.Identify(r.Context(), token)
		caller = NewCaller(claims, userID)
	}
	if err == nil {
		caller.client = clientOf(r.Header)
		return caller, true
	}
	e := apperr.From(err)
	if e.Code == apperr.Unauthenticated {
		w.Header().Set("WWW-Authenticate", g.Resource.Challenge(r, e))
		refuse(w, http.StatusUnauthorized, e.Message)
		return Caller{}, false
	}
	w.Header().Set("Retry-After", strconv.Itoa(max(1, int(e.RetryAfter.Seconds()))))
	refuse(w, http.StatusServiceUnavailable, e.Message)
	return Caller{}, false
}

// bound limits the body and refuses batches, with which one request could do the work of thousands.
func (g Guard) bound(w http.ResponseWriter, r *http.Request) bool {
	if r.ContentLength > g.BodyBytes {
		refuse(w, http.StatusRequestEntityTooLarge, "The request is too large.")
		return false
	}
	body := bufio.NewReaderSize(http.MaxBytesReader(w, r.Body, g.BodyBytes), 512)
	first, _ := body.Peek(512) // what is wrong with the body shows when it is read
	if strings.HasPrefix(strings.TrimLeft(string(first), " \t\r\n"), "[") {
		refuse(w, http.StatusBadRequest, "Batches are not part of this protocol: send one message.")
		return false
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{body, r.Body}
	return true
}

// refuse answers in the protocol's form, without an id: the message has not been read.
func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{ // the client has left
		"jsonrpc": "2.0", "id": nil, "error": map[string]any{"code": codeRefused, "message": message},
	})
}
