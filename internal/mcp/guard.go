package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	"errand/internal/jsonlimit"
	"errand/internal/refusal"
)

// Guard authenticates requests and checks host and size. All fields but Admit, PublicURL and Refusals are
// required.
type Guard struct {
	// Authenticate verifies a token for this path and returns a context with its user as the viewer.
	Authenticate func(ctx context.Context, token string) (context.Context, error)
	// Admit counts a request in progress of ctx's viewer, subscriptions included, until release is called. It returns a
	// RATE_LIMITED error above the limit. Nil admits all.
	Admit func(ctx context.Context) (release func(), err error)
	// Resource writes the challenges.
	Resource *auth.ProtectedResource
	// PublicURL is the address behind a proxy, or "".
	PublicURL string
	// BodyBytes is the largest request body in bytes.
	BodyBytes int64
	// Refusals records refused tokens and hosts. Nil records nothing.
	Refusals *refusal.Recorder
}

// Wrap returns a handler that passes authenticated requests to next, with the viewer in the context. The token is
// removed from the request.
func (g Guard) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.hostAllowed(r) {
			g.Refusals.Request(r, refusal.MCP, refusal.HTTP, refusal.Host, "a loopback listener is addressed by another name")
			writeError(w, http.StatusForbidden, "Unknown host name.")
			return
		}
		if r.Method == http.MethodOptions {
			w.Header().Set("Allow", "POST, OPTIONS")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		ctx, ok := g.authenticate(w, r)
		if !ok {
			return
		}
		release, ok := g.admit(ctx, w)
		if !ok {
			return
		}
		defer release()
		head, ok := g.readBody(w, r)
		if !ok {
			return
		}
		x := &httpExchange{ResponseWriter: w, request: r, resource: g.Resource, head: head}
		withExchange(x, next).ServeHTTP(x, r.WithContext(ctx))
	})
}

// hostAllowed prevents DNS rebinding: requests to a loopback listener must name a loopback host, or the public
// host when a local proxy forwards them.
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

// RefuseOrigin writes the response to a request of a page whose origin is not allowed. An origin.Policy around the
// endpoint calls it.
func RefuseOrigin(w http.ResponseWriter) {
	writeError(w, http.StatusForbidden, "This origin is not allowed.")
}

// authenticate returns a context with the token's user as the viewer, or answers the request and returns false.
func (g Guard) authenticate(w http.ResponseWriter, r *http.Request) (context.Context, bool) {
	token, present, err := bearer.FromHeader(r.Header)
	if err == nil && !present {
		g.Refusals.NoToken(r.Context(), refusal.MCP, refusal.HTTP, r.RemoteAddr)
		w.Header().Set("WWW-Authenticate", g.Resource.Challenge(r, nil))
		writeError(w, http.StatusUnauthorized, "Sign in first: send a bearer token.")
		return nil, false
	}
	ctx := r.Context()
	if err == nil {
		if ctx, err = g.Authenticate(ctx, token); err == nil {
			return ctx, true
		}
	}
	g.Refusals.Token(r.Context(), refusal.MCP, refusal.HTTP, r.RemoteAddr, err)
	e := apperr.From(err)
	switch e.Code {
	case apperr.Unauthenticated:
		w.Header().Set("WWW-Authenticate", g.Resource.Challenge(r, e))
		writeError(w, http.StatusUnauthorized, e.Message)
	case apperr.Forbidden:
		w.Header().Set("WWW-Authenticate", g.Resource.InsufficientScope(r, e.Scope))
		writeError(w, http.StatusForbidden, e.Message)
	default:
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(e.RetryAfter.Seconds()))))
		writeError(w, http.StatusServiceUnavailable, e.Message)
	}
	return nil, false
}

// admit calls Admit, or answers the request and returns false.
func (g Guard) admit(ctx context.Context, w http.ResponseWriter) (release func(), ok bool) {
	if g.Admit == nil {
		return func() {}, true
	}
	release, err := g.Admit(ctx)
	if err != nil {
		w.Header().Set("Retry-After", "1")
		writeError(w, http.StatusTooManyRequests, apperr.From(err).Message)
		return nil, false
	}
	return release, true
}

// Limits of a message's JSON, far above those of valid messages. The SDK decodes a message several times.
const (
	maxMessageValues = 10_000
	maxMessageDepth  = 64
)

// readBody reads the whole body and checks its size before anything decodes it or is built for it. It rejects batches,
// which would multiply the work of one request.
func (g Guard) readBody(w http.ResponseWriter, r *http.Request) (messageHead, bool) {
	if r.ContentLength > g.BodyBytes {
		writeError(w, http.StatusRequestEntityTooLarge, "The request body is too large.")
		return messageHead{}, false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, g.BodyBytes))
	if err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			writeError(w, http.StatusRequestEntityTooLarge, "The request body is too large.")
		} else {
			writeError(w, http.StatusRequestTimeout, "The request body did not arrive.")
		}
		return messageHead{}, false
	}
	if bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("[")) {
		writeError(w, http.StatusBadRequest, "Batches are not supported: send one message.")
		return messageHead{}, false
	}
	switch shape := jsonlimit.Measure(body); {
	case shape.Values > maxMessageValues:
		writeError(w, http.StatusBadRequest, fmt.Sprintf("The message has %d values; the limit is %d.",
			shape.Values, maxMessageValues))
		return messageHead{}, false
	case shape.Depth > maxMessageDepth:
		writeError(w, http.StatusBadRequest, fmt.Sprintf("The message is nested %d levels deep; the limit is %d.",
			shape.Depth, maxMessageDepth))
		return messageHead{}, false
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return headOf(body), true
}

// writeError writes a JSON-RPC error without an id, since the message has not been parsed.
func writeError(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{ // the client has left
		"jsonrpc": "2.0", "id": nil, "error": map[string]any{"code": codeInvalidRequest, "message": message},
	})
}
