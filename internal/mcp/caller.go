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
	"unicode/utf8"

	"errand/internal/apperr"
	"errand/internal/auth"
)

// The scopes of OAuth tokens. A token without any scope claim may do all.
const (
	ScopeRead  = "tasks:read"
	ScopeWrite = "tasks:write"
)

// Caller is who holds the token that a request or a stdio session came with.
type Caller struct {
	// UserID is the id of the person ("user_…").
	UserID string
	// Scopes are those of the token; nil means all.
	Scopes []string
	// Expires is the end of the token: nothing is answered after it.
	Expires time.Time
	// client is the calling program as far as it is known before its request is read.
	client string
}

// NewCaller is the caller that a verified token names.
func NewCaller(claims auth.Claims, userID string) Caller {
	return Caller{UserID: userID, Scopes: claims.Scopes, Expires: claims.ExpiresAt}
}

// may says whether the token reaches that far.
func (c Caller) may(scope string) bool {
	return scope == "" || c.Scopes == nil || slices.Contains(c.Scopes, scope)
}

func (c Caller) expired() bool { return !time.Now().Before(c.Expires) }

func errExpired() error {
	return apperr.New(apperr.Unauthenticated, "The token has expired. Sign in again.")
}

type callerKey struct{}

func withCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

func callerFrom(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(callerKey{}).(Caller)
	return c, ok
}

// maxClient bounds a client's name, in bytes: what the change log keeps.
const maxClient = 128

// clientName makes a client's own name fit for a log.
func clientName(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(name, ""))
	for len(name) > maxClient {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return strings.TrimSpace(name)
}

const sessionHeader = "Mcp-Session-Id"

// sessionID gives a client of the revisions with a handshake its name to carry along: no
// replica remembers anyone. It vouches for nothing and opens nothing.
func sessionID(client string) string {
	return rand.Text() + "." + base64.RawURLEncoding.EncodeToString([]byte(clientName(client)))
}

// clientOf is the calling program as a request's headers name it: in the session's id,
// else by the first product of the User-Agent.
func clientOf(h http.Header) string {
	if _, carried, ok := strings.Cut(h.Get(sessionHeader), "."); ok && len(carried) <= 2*maxClient {
		if name, err := base64.RawURLEncoding.DecodeString(carried); err == nil && len(name) > 0 {
			return clientName(string(name))
		}
	}
	product, _, _ := strings.Cut(h.Get("User-Agent"), " ")
	product, _, _ = strings.Cut(product, "/")
	return clientName(product)
}
