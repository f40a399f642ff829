package mcp

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"errand/internal/apperr"
	"errand/internal/auth"
	"errand/internal/truncate"
)

// Scopes of OAuth tokens. A token without a scope claim is unrestricted.
const (
	ScopeRead  = "tasks:read"
	ScopeWrite = "tasks:write"
)

// Caller is the holder of the token of a request or a stdio session.
type Caller struct {
	// UserID is the id of the user ("user_…").
	UserID string
	// Scopes are the scopes of the token; nil means unrestricted.
	Scopes []string
	// Expires is the expiry of the token. Later requests are UNAUTHENTICATED.
	Expires time.Time
	// client is the client name of the HTTP headers.
	client string
}

// NewCaller returns the caller of verified claims.
func NewCaller(claims auth.Claims, userID string) Caller {
	return Caller{UserID: userID, Scopes: claims.Scopes, Expires: claims.ExpiresAt}
}

// hasScope reports whether the token grants scope.
func (c Caller) hasScope(scope string) bool {
	return scope == "" || c.Scopes == nil || slices.Contains(c.Scopes, scope)
}

func (c Caller) expired() bool { return !time.Now().Before(c.Expires) }

func tokenExpired() error {
	return apperr.New(apperr.Unauthenticated, "The token has expired. Sign in again.")
}

// session is the caller of a message and, over HTTP, the exchange. It is in the context because the SDK passes nothing
// else to middleware and handlers.
type session struct {
	caller   Caller
	exchange *httpExchange // nil over stdio
}

type sessionKey struct{}

func withSession(ctx context.Context, s session) context.Context {
	return context.WithValue(ctx, sessionKey{}, s)
}

// callerFrom returns the caller of ctx; ok is false when there is none.
func callerFrom(ctx context.Context) (c Caller, ok bool) {
	s, ok := ctx.Value(sessionKey{}).(session)
	return s.caller, ok
}

// exchangeFrom returns the HTTP exchange of ctx, nil over stdio.
func exchangeFrom(ctx context.Context) *httpExchange {
	s, _ := ctx.Value(sessionKey{}).(session)
	return s.exchange
}

// maxClient is the largest length of a client name in bytes, as the change log stores it.
const maxClient = 128

// clientName removes unprintable characters from a client name and truncates it.
func clientName(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(name, ""))
	return strings.TrimSpace(truncate.Bytes(name, maxClient))
}

const sessionHeader = "Mcp-Session-Id"

// sessionID returns a session id that carries the client name of the handshake, since replicas keep no
// sessions. It grants nothing.
func sessionID(client string) string {
	return rand.Text() + "." + base64.RawURLEncoding.EncodeToString([]byte(clientName(client)))
}

// clientFromHeader returns the client name of the session id, else the first product of the User-Agent.
func clientFromHeader(h http.Header) string {
	if _, carried, ok := strings.Cut(h.Get(sessionHeader), "."); ok && len(carried) <= 2*maxClient {
		if name, err := base64.RawURLEncoding.DecodeString(carried); err == nil && len(name) > 0 {
			return clientName(string(name))
		}
	}
	product, _, _ := strings.Cut(h.Get("User-Agent"), " ")
	product, _, _ = strings.Cut(product, "/")
	return clientName(product)
}
