// Package ids makes and reads Errand's ids: TypeIDs, a type prefix and a UUIDv7
// in base 32. They sort by time of birth and name their type, so node(id:) needs
// no look-up table. Clients treat them as opaque.
package ids

import (
	"time"

	"go.jetify.com/typeid"
)

// The prefixes of the entities' ids.
const (
	User         = "user"
	Task         = "task"
	Conversation = "conv"
	Message      = "msg"
	ToolCall     = "call"
	Run          = "run"
	Change       = "chg"
	UsageDay     = "usage"
)

// New returns a maker of ids with the given prefix, in the form Ent's DefaultFunc wants.
func New(prefix string) func() string {
	return func() string { return typeid.Must(typeid.WithPrefix(prefix)).String() }
}

// Prefix is the type prefix of a well-formed id, and "" for anything else.
func Prefix(id string) string {
	if len(id) > 40 {
		return ""
	}
	parsed, err := typeid.FromString(id)
	if err != nil {
		return ""
	}
	return parsed.Prefix()
}

// Is reports whether id is well formed and of the given type.
func Is(id, prefix string) bool { return Prefix(id) == prefix }

// Now is the time as both engines keep it: UTC, in whole microseconds.
func Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
