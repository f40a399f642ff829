// Package viewer carries the authenticated user of a request in its context.
//
// The identity comes from a verified token (internal/auth) or from a claimed run
// (internal/run), never from an argument. The entities' privacy policies (ent/rule) and
// PostgreSQL's row-level security (internal/store) both read it from here.
package viewer

import (
	"context"
	"slices"
	"time"

	"errand/internal/apperr"
)

// Viewer is the user on whose behalf the current work is done, and the actor that does it.
type Viewer struct {
	// UserID is the ID of the User row ("user_…"), never empty.
	UserID string
	// Actor is recorded with each change; the zero value means ActorUser.
	Actor ActorKind
	// ToolCallID is the tool call that makes the change; set only for ActorAgent.
	ToolCallID string
	// BatchID is the batch that the viewer's task changes belong to: the reply, for ActorAgent, or the call, for
	// ActorMCP. Empty means none.
	BatchID string
	// Client is the name of the calling program; set only for ActorMCP.
	Client string
	// Scopes limit what the viewer may do; the zero value means no limit.
	Scopes Scopes
	// Expires is the expiry of the token; zero when the viewer was not authenticated by one.
	Expires time.Time
	// CredentialID is the sign-in session or API token that the viewer's token belongs to, which may be revoked before
	// Expires; empty for tokens of identity providers and of the development sign-in.
	CredentialID string
}

// ActorKind is the kind of program that makes a change for the user. Its values are stored.
type ActorKind string

// The kinds of actors.
const (
	// ActorUser is a GraphQL client with the user's token.
	ActorUser ActorKind = "PERSON"
	// ActorAgent is the built-in agent, working in one of the user's conversations.
	ActorAgent ActorKind = "AGENT"
	// ActorMCP is another assistant with the user's token, through the Model Context Protocol.
	ActorMCP ActorKind = "MCP"
)

// Rows selects the rows that PostgreSQL's row-level security shows. The zero value shows none.
type Rows struct {
	// UserID shows this user's rows.
	UserID string
	// System shows the rows that the server's own work needs.
	System bool
}

// contextKey is the key of a context's value.
type contextKey struct{}

// value is what a context carries: the viewer for the policies, the rows for row-level security.
type value struct {
	viewer Viewer
	rows   Rows
}

// NewContext returns a context with v as its viewer, to whom row-level security shows v's rows.
func NewContext(ctx context.Context, v Viewer) context.Context {
	if v.Actor == "" {
		v.Actor = ActorUser
	}
	return context.WithValue(ctx, contextKey{}, value{viewer: v, rows: Rows{UserID: v.UserID}})
}

// AsSystem returns a context for the server's own work, such as claiming runs. It widens the
// rows that row-level security shows; the viewer and what the privacy policies allow stay the same.
func AsSystem(ctx context.Context) context.Context {
	c, _ := ctx.Value(contextKey{}).(value)
	c.rows = Rows{System: true}
	return context.WithValue(ctx, contextKey{}, c)
}

// FromContext returns the viewer of ctx; ok is false when the request is anonymous.
func FromContext(ctx context.Context) (v Viewer, ok bool) {
	c, _ := ctx.Value(contextKey{}).(value)
	return c.viewer, c.viewer.UserID != ""
}

// RowsFromContext returns the rows set last by NewContext or AsSystem.
func RowsFromContext(ctx context.Context) Rows {
	c, _ := ctx.Value(contextKey{}).(value)
	return c.rows
}

// Require returns the viewer of ctx. The error is UNAUTHENTICATED when there is none, and FORBIDDEN when the viewer's
// token lacks one of the scopes.
func Require(ctx context.Context, scopes ...Scope) (Viewer, error) {
	v, ok := FromContext(ctx)
	if !ok {
		return Viewer{}, apperr.New(apperr.Unauthenticated, "Sign in first.")
	}
	for _, scope := range scopes {
		if !v.Scopes.Allow(scope) {
			return Viewer{}, apperr.MissingScope(string(scope))
		}
	}
	return v, nil
}

// RequireAny is Require for work that one of the scopes suffices for. Without scopes, any token does. The error names
// the first.
func RequireAny(ctx context.Context, scopes ...Scope) (Viewer, error) {
	v, err := Require(ctx)
	if err != nil || len(scopes) == 0 || slices.ContainsFunc(scopes, v.Scopes.Allow) {
		return v, err
	}
	return Viewer{}, apperr.MissingScope(string(scopes[0]))
}

// WithoutScopes returns a context whose viewer is not limited by scopes. It is for work that goes beyond the scope that
// the caller has checked, such as deleting tasks with the account. test/arch/calls.txt lists the callers.
func WithoutScopes(ctx context.Context) context.Context {
	v, ok := FromContext(ctx)
	if !ok {
		return ctx
	}
	v.Scopes = ""
	return NewContext(ctx, v)
}

// ErrAccountDeleted returns the UNAUTHENTICATED error for a viewer whose account was deleted
// while its token is still valid.
func ErrAccountDeleted() error {
	return apperr.New(apperr.Unauthenticated, "This account no longer exists.")
}
