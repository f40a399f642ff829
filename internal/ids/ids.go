// Package ids generates and parses Errand's ids. They are TypeIDs: a type prefix and a UUIDv7 in base 32, such as
// task_01m81g5w7wegh82z02z1ydv7bj. They sort by creation time, and the prefix identifies the type, so that
// node(id:) needs no lookup table. To clients they are opaque.
package ids

import (
	"time"

	"go.jetify.com/typeid"
)

// Id prefixes of the entities.
const (
	User         = "user"
	Task         = "task"
	Conversation = "conv"
	Message      = "msg"
	ToolCall     = "call"
	Run          = "run"
	Change       = "chg"
	// Batch is the prefix of batches of task changes that have no other id.
	Batch    = "batch"
	UsageDay = "usage"
	// APIToken is the prefix of the ids of API tokens. Their secrets begin with auth.APITokenPrefix.
	APIToken = "token"
	// Login, SignInSession, Passkey, SignInLink and SignInKey are the prefixes of built-in accounts.
	Login         = "login"
	SignInSession = "session"
	Passkey       = "passkey"
	SignInLink    = "link"
	SignInKey     = "key"
	// IdempotencyKey is the prefix of the records of idempotency keys.
	IdempotencyKey = "idem"
)

// MaxBytes is the maximum length of an id; it is also the length of the database columns.
const MaxBytes = 40

// New returns a function that generates ids with the given prefix, for Ent's DefaultFunc.
func New(prefix string) func() string {
	return func() string { return typeid.Must(typeid.WithPrefix(prefix)).String() }
}

// Prefix returns the type prefix of a well-formed id, and "" for any other string. The prefix need not be one of the
// constants.
func Prefix(id string) string {
	if len(id) > MaxBytes {
		return ""
	}
	parsed, err := typeid.FromString(id)
	if err != nil {
		return ""
	}
	return parsed.Prefix()
}

// Is reports whether id is well formed and has the given prefix.
func Is(id, prefix string) bool { return Prefix(id) == prefix }

// Now returns the current time in the form that both database engines store: UTC, truncated to microseconds.
func Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
