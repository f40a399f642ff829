// Package viewer carries who is asking through a context. Identity enters it from
// a verified token and from nowhere else.
package viewer

import (
	"context"

	"errand/internal/apperr"
)

// ActorKind says through which door a change comes.
type ActorKind string

// The doors.
const (
	// ActorUser is somebody's own hand: a GraphQL client with that person's token.
	ActorUser ActorKind = "PERSON"
	// ActorAgent is the built-in assistant working in one of that person's conversations.
	ActorAgent ActorKind = "AGENT"
	// ActorMCP is another assistant that holds that person's token.
	ActorMCP ActorKind = "MCP"
)

// Viewer is the person on whose behalf the current work is done, and the hand that does it.
type Viewer struct {
	// UserID is the id of the User row ("user_…"), never empty.
	UserID string
	// Actor is the door; the zero value means Person.
	Actor ActorKind
	// ToolCallID names the tool call that acts, when Kind is Agent.
	ToolCallID string
	// Client names the calling program, when Kind is MCP.
	Client string
}

type contextKey struct{}

// NewContext returns a context in which v is asking.
func NewContext(ctx context.Context, v Viewer) context.Context {
	if v.Actor == "" {
		v.Actor = ActorUser
	}
	ctx = context.WithValue(ctx, scopeKey{}, Scope{UserID: v.UserID})
	return context.WithValue(ctx, contextKey{}, v)
}

// FromContext returns who is asking; ok is false when nobody is signed in.
func FromContext(ctx context.Context) (v Viewer, ok bool) {
	v, ok = ctx.Value(contextKey{}).(Viewer)
	return v, ok && v.UserID != ""
}

// Require returns the viewer of ctx, or an UNAUTHENTICATED error when there is none.
func Require(ctx context.Context) (Viewer, error) {
	v, ok := FromContext(ctx)
	if !ok {
		return Viewer{}, apperr.New(apperr.Unauthenticated, "Sign in first.")
	}
	return v, nil
}

// Scope says whose rows the database itself may show: one person's, those of nobody in
// particular that the server's own work needs, or none (the zero value).
type Scope struct {
	UserID string
	System bool
}

type scopeKey struct{}

// AsSystem returns a context for the server's own work, such as moving runs along. It widens
// what the database shows, not what the entities' policies allow.
func AsSystem(ctx context.Context) context.Context {
	return context.WithValue(ctx, scopeKey{}, Scope{System: true})
}

// ScopeFromContext is the scope that was set last, by NewContext or AsSystem.
func ScopeFromContext(ctx context.Context) Scope {
	s, _ := ctx.Value(scopeKey{}).(Scope)
	return s
}
