package viewer

import (
	"slices"
	"strings"
)

// Scope is a permission that an OAuth token may carry. The names are part of the API.
type Scope string

// The scopes. Every operation of the API needs one of them or more (docs/SECURITY.md).
const (
	// TasksRead shows tasks, their history and the stream of their changes.
	TasksRead Scope = "tasks:read"
	// TasksWrite creates, changes and deletes tasks. The answer to a change shows the changed task.
	TasksWrite Scope = "tasks:write"
	// Chat shows conversations and their streams, and sends messages to the agent.
	Chat Scope = "chat"
	// Account shows and changes the account and its usage, and deletes the account with all its data.
	Account Scope = "account"
)

// AllScopes returns every scope, in the order in which Scopes lists them.
func AllScopes() []Scope { return []Scope{TasksRead, TasksWrite, Chat, Account} }

// Scopes are the scopes that limit a viewer: their names in the order of AllScopes, separated by spaces. The zero value
// is no limit: the token carries none of them. The text is stored with a run.
type Scopes string

// NewScopes returns the scopes among the names; other names are ignored.
func NewScopes(names []string) Scopes {
	var known []string
	for _, scope := range AllScopes() {
		if slices.Contains(names, string(scope)) {
			known = append(known, string(scope))
		}
	}
	return Scopes(strings.Join(known, " "))
}

// Unlimited reports whether the viewer may do everything.
func (s Scopes) Unlimited() bool { return s == "" }

// Allow reports whether the viewer may do what needs the scope.
func (s Scopes) Allow(scope Scope) bool {
	if s.Unlimited() {
		return true
	}
	for name := range strings.FieldsSeq(string(s)) {
		if name == string(scope) {
			return true
		}
	}
	return false
}

// Include reports whether s allows everything that other allows.
func (s Scopes) Include(other Scopes) bool {
	return s.Unlimited() || !other.Unlimited() && !slices.ContainsFunc(AllScopes(), func(scope Scope) bool {
		return other.Allow(scope) && !s.Allow(scope)
	})
}

// Intersect returns the scopes that both allow. ok is false if there are none: the zero value would be no limit.
func (s Scopes) Intersect(other Scopes) (both Scopes, ok bool) {
	if s.Unlimited() {
		return other, true
	}
	if other.Unlimited() {
		return s, true
	}
	var names []string
	for _, scope := range AllScopes() {
		if s.Allow(scope) && other.Allow(scope) {
			names = append(names, string(scope))
		}
	}
	return NewScopes(names), len(names) > 0
}
