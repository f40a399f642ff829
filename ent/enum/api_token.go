package enum

import (
	"io"
	"strings"
)

// TokenScope is a scope of an API token, under its name in GraphQL: "TASKS_READ" is the scope "tasks:read".
type TokenScope string

// Scopes of API tokens.
const (
	ScopeTasksRead  TokenScope = "TASKS_READ"
	ScopeTasksWrite TokenScope = "TASKS_WRITE"
	ScopeChat       TokenScope = "CHAT"
	ScopeAccount    TokenScope = "ACCOUNT"
)

// NewTokenScope returns the scope with the name that tokens carry, such as "tasks:read".
func NewTokenScope(name string) TokenScope {
	return TokenScope(strings.ToUpper(strings.ReplaceAll(name, ":", "_")))
}

// Name returns the name that tokens carry, such as "tasks:read".
func (v TokenScope) Name() string { return strings.ToLower(strings.ReplaceAll(string(v), "_", ":")) }

// Values returns all names, for gqlgen.
func (TokenScope) Values() []string {
	return values(ScopeTasksRead, ScopeTasksWrite, ScopeChat, ScopeAccount)
}

// MarshalGQL implements graphql.Marshaler.
func (v TokenScope) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL implements graphql.Unmarshaler.
func (v *TokenScope) UnmarshalGQL(in any) error { return unmarshal(in, v) }

// TokenStatus is whether an API token is valid.
type TokenStatus string

// States of an API token.
const (
	TokenActive  TokenStatus = "ACTIVE"
	TokenExpired TokenStatus = "EXPIRED"
	TokenRevoked TokenStatus = "REVOKED"
)

// Values returns all names, for gqlgen.
func (TokenStatus) Values() []string { return values(TokenActive, TokenExpired, TokenRevoked) }

// MarshalGQL implements graphql.Marshaler.
func (v TokenStatus) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL implements graphql.Unmarshaler.
func (v *TokenStatus) UnmarshalGQL(in any) error { return unmarshal(in, v) }
